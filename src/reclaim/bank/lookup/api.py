"""``POST /v2/lookup``: match or not."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Body, Router

from reclaim.bank.lookup.services import StoppedError, look_up_file, look_up_picture
from reclaim.bank.platforms.queries import access_platform
from reclaim.protocol import native_v2 as wire
from reclaim.signals import is_degenerate, parse_md5, parse_pdq
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.limits import SlowDownError
from reclaim.sitekit.problems import problem

router = Router()
_STOPPED_SECONDS = 3600


@router.post(
    "/lookup",
    url_name="v2-lookup",
    response={200: wire.LookupAnswer, 422: wire.Problem, 429: wire.Problem},
)
@requires(Access.LOOKUP_KEY)
def lookup(request: HttpRequest, message: Body[wire.Lookup]) -> HttpResponse:
    """Whether an upload matches a signal: yes or no, nothing of which, how near, or of whom."""
    platform = access_platform(request)
    try:
        if message.type == "pdq":
            values = [parse_pdq(value) for value in message.values]
            if any(is_degenerate(value) for value in values):
                raise ValueError("No real picture gives this value; a match with it would say nothing.")
            match = look_up_picture(platform, values)
        else:
            [value] = [parse_md5(value) for value in message.values[:2]]
            match = look_up_file(platform, value)
    except ValueError as error:
        return problem(422, "This cannot be looked up", f"{error} Nothing was looked up.")
    except SlowDownError as error:
        return _later(error.seconds, f"The number of lookups is used up. Come back in {error.seconds} seconds.")
    except StoppedError:
        return _later(
            _STOPPED_SECONDS, "Lookups are stopped until somebody at the bank has looked at yours: please write to it."
        )
    return HttpResponse(wire.as_json(wire.LookupAnswer(match=match)), content_type="application/json")


def _later(seconds: int, detail: str) -> HttpResponse:
    refusal = problem(429, "Not now", detail)
    refusal["Retry-After"] = str(seconds)
    return refusal
