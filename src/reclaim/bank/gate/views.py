"""The puzzle, and refusals at the gate in the right form."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from reclaim.bank.gate.figures import figures
from reclaim.bank.gate.puzzles import ProofError, make_puzzle
from reclaim.bank.gate.queries import load
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.events import log_failure
from reclaim.sitekit.limits import SlowDownError
from reclaim.sitekit.problems import problem

_WHY = {
    "missing": "Solve a puzzle from /start/puzzle/ and send its solution as «proof».",
    "code": "The code is not known, was used or has expired. Check it, or send the solution of a puzzle as «proof».",
    "malformed": "«proof» is no solution of a puzzle. Solve a puzzle from /start/puzzle/ and send its solution.",
    "stale": "The puzzle has expired. Solve a new one from /start/puzzle/.",
    "wrong": "The solution is not right, or the puzzle is not from here. Solve one from /start/puzzle/.",
    "used": "The puzzle was used for something else. Solve a new one from /start/puzzle/.",
}


@requires(Access.PUBLIC)
@require_safe
def puzzle(request: HttpRequest) -> HttpResponse:
    """A new puzzle: 200 ``{"challenge": altcha's, "seconds": how long it is good for}``, or 503 with Retry-After."""
    try:
        challenge = make_puzzle(load())
    except DatabaseError as error:
        log_failure("a puzzle could not be made", error)
        response = problem(503, "There is no puzzle just now", "Ask again in a minute.")
        response["Retry-After"] = "60"
        return response
    return JsonResponse({"challenge": challenge, "seconds": figures().puzzle.minutes * 60})


def refusal_of(error: ProofError | SlowDownError) -> HttpResponse:
    """The problem document of a refusal at the gate: 428 with «why», or 429 with Retry-After."""
    if isinstance(error, ProofError):
        return problem(428, "A small piece of work is asked for first", _WHY[error.why], why=error.why)
    detail = "Send it again after the seconds named in Retry-After. Nothing was taken."
    response = problem(429, "Too many cases from this network", detail)
    response["Retry-After"] = str(error.seconds)
    return response
