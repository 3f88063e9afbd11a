"""The one thing a person's page sends: signals, for a new case."""

from __future__ import annotations

from typing import Annotated, Literal

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reclaim.bank.cases.numbers import shown
from reclaim.bank.cases.services import MOST_SIGNALS, NewSignal, ReceiptUsedError, create_case
from reclaim.signals import POOR_QUALITY, is_degenerate, parse_pdq
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.events import log_failure
from reclaim.sitekit.limits import Limit, network_of, seconds_to_wait
from reclaim.sitekit.problems import invalid_message, problem

NEW_CASES = Limit("new case, network", tries=60, window=3600)

Reason = Literal["malformed", "degenerate", "poor"]


class SentSignal(BaseModel):
    """One signal as the page sends it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["pdq"]
    value: Annotated[str, Field(max_length=256)]
    quality: Annotated[int, Field(ge=0, le=100)]

    def fault(self) -> Reason | None:
        """Why this signal is refused, or ``None``."""
        try:
            value = parse_pdq(self.value)
        except ValueError:
            return "malformed"
        if is_degenerate(value):
            return "degenerate"
        return "poor" if self.quality < POOR_QUALITY else None


class SentCase(BaseModel):
    """Everything the page sends. A key that is not named here is refused, so no page can send more."""

    model_config = ConfigDict(extra="forbid", strict=True)

    receipt: Annotated[str, Field(pattern=r"^[0-9a-f]{32,64}$")]
    signals: Annotated[list[SentSignal], Field(min_length=1, max_length=MOST_SIGNALS)]


@requires(Access.PUBLIC)
@require_POST
def new_case(request: HttpRequest) -> HttpResponse:
    """Make a case.

    201 ``{"case_number", "pin", "signals": how many, "refused": [{"number": from 1, "reason"}]}``; else a problem
    document: 400, 409 (receipt used), 415, 422 (every signal refused), 429 and 503 (both with Retry-After).
    """
    if request.content_type != "application/json":
        return problem(415, "This is not JSON", "Send the signals as application/json.")
    try:
        sent = SentCase.model_validate_json(request.body)
    except ValidationError as error:
        return invalid_message(error)
    try:
        wait = seconds_to_wait([(NEW_CASES, network_of(request))])
        return _slow_down(wait) if wait else _make(sent)
    except DatabaseError as error:
        log_failure("a case could not be saved", error)
        response = problem(
            503, "This could not be saved just now", "Wait a minute and send it again with the same receipt."
        )
        response["Retry-After"] = "60"
        return response


def _slow_down(wait: int) -> HttpResponse:
    response = problem(429, "Too many cases from this network", "Send it again after the seconds named in Retry-After.")
    response["Retry-After"] = str(wait)
    return response


def _make(sent: SentCase) -> HttpResponse:
    refused = [
        {"number": number, "reason": fault}
        for number, signal in enumerate(sent.signals, start=1)
        if (fault := signal.fault()) is not None
    ]
    good = [
        NewSignal(number, signal.type, parse_pdq(signal.value))
        for number, signal in enumerate(sent.signals, start=1)
        if signal.fault() is None
    ]
    if not good:
        return problem(
            422,
            "None of these signals can be used",
            "Choose clearer copies of the pictures and send those. Nothing was taken.",
            refused=refused,
        )
    try:
        made = create_case(good, receipt=sent.receipt)
    except ReceiptUsedError:
        return problem(
            409,
            "This receipt was used",
            "A case was made with it already. Open that case with its number and PIN, or start again.",
        )
    return JsonResponse(
        {"case_number": shown(made.number), "pin": made.pin, "signals": made.case.signals.count(), "refused": refused},
        status=201,
    )
