"""What a person's page sends: signals, for a new case or for one that is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reclaim.bank.cases.numbers import shown
from reclaim.bank.cases.queries import access_session_case
from reclaim.bank.cases.services import (
    MOST_FRAMES,
    MOST_ITEMS,
    Named,
    NewItem,
    NewSignal,
    Receipt,
    ReceiptUsedError,
    Told,
    add_to_case,
    added_with,
    case_made_with,
    create_case,
)
from reclaim.signals import POOR_QUALITY, is_degenerate, parse_md5, parse_pdq
from reclaim.signals.frames import MAX_FRAMES, frames_text, parse_frames, vpdq_value
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.events import log_failure
from reclaim.sitekit.limits import Limit, network_of, seconds_to_wait
from reclaim.sitekit.problems import invalid_message, problem

NEW_CASES = Limit("new case, network", tries=60, window=3600)

Text = TypeVar("Text")
Value = TypeVar("Value")
Reason = Literal["malformed", "degenerate", "poor"]


class RefusedSignalError(ValueError):
    """A signal that cannot be taken."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class _Strict(BaseModel):
    # A key that is not named here is refused, so no page can send more.
    model_config = ConfigDict(extra="forbid", strict=True)


class SentPdq(_Strict):
    """The signal of a picture."""

    type: Literal["pdq"]
    value: Annotated[str, Field(max_length=256)]
    quality: Annotated[int, Field(ge=0, le=100)]

    def signal(self) -> NewSignal:
        """As the bank keeps it. Raises ``RefusedSignalError``."""
        value = _parsed(parse_pdq, self.value)
        if is_degenerate(value):
            raise RefusedSignalError("degenerate")
        if self.quality < POOR_QUALITY:
            raise RefusedSignalError("poor")
        return NewSignal("pdq", value)


class SentMd5(_Strict):
    """The exact hash of a file."""

    type: Literal["md5"]
    value: Annotated[str, Field(max_length=256)]

    def signal(self) -> NewSignal:
        """As the bank keeps it. Raises ``RefusedSignalError``."""
        return NewSignal("md5", _parsed(parse_md5, self.value))


class SentVpdq(_Strict):
    """The frames of a video, each as text."""

    type: Literal["vpdq"]
    frames: Annotated[list[Annotated[str, Field(max_length=100)]], Field(min_length=1, max_length=MAX_FRAMES)]

    def signal(self) -> NewSignal:
        """As the bank keeps it. Raises ``RefusedSignalError``."""
        frames = _parsed(parse_frames, self.frames)
        return NewSignal("vpdq", vpdq_value(frames), tuple(frames_text(frames)))


def _parsed(parse: Callable[[Text], Value], sent: Text) -> Value:
    try:
        return parse(sent)
    except ValueError as error:
        raise RefusedSignalError("malformed") from error


class SentPicture(_Strict):
    """A picture: its PDQ, or the hash of its file where the PDQ would be poor."""

    kind: Literal["picture"]
    signals: Annotated[
        list[Annotated[SentPdq | SentMd5, Field(discriminator="type")]], Field(min_length=1, max_length=1)
    ]


class SentVideo(_Strict):
    """A video: the hash of its file, and its frames where there are any."""

    kind: Literal["video"]
    signals: Annotated[
        list[Annotated[SentMd5 | SentVpdq, Field(discriminator="type")]], Field(min_length=1, max_length=2)
    ]

    @model_validator(mode="after")
    def _one_of_a_type(self) -> SentVideo:
        if len({signal.type for signal in self.signals}) < len(self.signals):
            raise ValueError("a video has one signal of a type")
        return self


class Sent(_Strict):
    """Everything the page sends."""

    receipt: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    proof: Annotated[str | None, Field(max_length=4096)] = None
    code: Annotated[str | None, Field(max_length=100)] = None
    made_with_ai: Literal["yes", "no", "unsaid"]
    items: Annotated[
        list[Annotated[SentPicture | SentVideo, Field(discriminator="kind")]],
        Field(min_length=1, max_length=MOST_ITEMS),
    ]

    @model_validator(mode="after")
    def _not_too_many_frames(self) -> Sent:
        frames = sum(
            len(signal.frames) for item in self.items for signal in item.signals if isinstance(signal, SentVpdq)
        )
        if frames > MOST_FRAMES:
            raise ValueError(f"at most {MOST_FRAMES} frames in all; send some videos later")
        return self

    def as_receipt(self) -> Receipt:
        """The receipt, with all that must be the same when it is asked with again."""
        return Receipt(self.receipt, self.model_dump_json(include={"made_with_ai", "items"}).encode())


@requires(Access.PUBLIC)
@require_POST
def new_case(request: HttpRequest) -> HttpResponse:
    """Make a case.

    201 ``{"case_number", "pin", "first", "items", "held", "refused"}``; else a problem document: 400, 409 (receipt
    used), 415, 422 (nothing can be used; ``refused``), 429 and 503 (both with Retry-After). ``first`` is the number of
    the first item, ``items`` how many were taken, ``held`` and ``refused`` lists of ``{"number": from 1 in the order
    sent, "reason"}``.
    """
    return _take(request, _make)


@requires(Access.CASE)
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Add to the open case: as ``new_case``, but the answer has no number and no PIN."""
    return _take(request, _add)


def _take(request: HttpRequest, put: Callable[[HttpRequest, Sent], HttpResponse]) -> HttpResponse:
    if request.content_type != "application/json":
        return problem(415, "This is not JSON", "Send the signals as application/json.")
    try:
        sent = Sent.model_validate_json(request.body)
    except ValidationError as error:
        return invalid_message(error)
    try:
        return put(request, sent)
    except ReceiptUsedError:
        return problem(
            409,
            "This receipt was used",
            "Something was saved with it already. Open your case with its number and PIN, or start again.",
        )
    except DatabaseError as error:
        log_failure("a case could not be saved", error)
        response = problem(
            503, "This could not be saved just now", "Wait a minute and send it again with the same receipt."
        )
        response["Retry-After"] = "60"
        return response


def _make(request: HttpRequest, sent: Sent) -> HttpResponse:
    receipt = sent.as_receipt()
    # An answer that was lost is given again before anything is asked: it costs nobody anything.
    made = case_made_with(receipt)
    if made is None:
        refusal = _refusal(request, sent)
        if refusal is not None:
            return refusal
        items, refused = _sorted_out(sent)
        if not items:
            return _nothing_can_be_used(refused)
        made = create_case(items, refused, receipt)
    return JsonResponse({"case_number": shown(made.number), "pin": made.pin, **_told(made.told)}, status=201)


def _add(request: HttpRequest, sent: Sent) -> HttpResponse:
    receipt, case = sent.as_receipt(), access_session_case(request)
    told = added_with(receipt, case)
    if told is None:
        refusal = _refusal(request, sent)
        if refusal is not None:
            return refusal
        items, refused = _sorted_out(sent)
        if not items:
            return _nothing_can_be_used(refused)
        told = add_to_case(case, items, refused, receipt)
    return JsonResponse(_told(told), status=201)


def _refusal(request: HttpRequest, sent: Sent) -> HttpResponse | None:
    """Why this visitor may not send just now, or ``None``."""
    wait = seconds_to_wait([(NEW_CASES, network_of(request))])
    if not wait:
        return None
    response = problem(429, "Too many cases from this network", "Send it again after the seconds named in Retry-After.")
    response["Retry-After"] = str(wait)
    return response


def _sorted_out(sent: Sent) -> tuple[list[NewItem], list[Named]]:
    """What can be taken, and what cannot. An item is taken with those of its signals that can be used."""
    items, refused = [], []
    for number, item in enumerate(sent.items, start=1):
        signals, reasons = [], []
        for signal in item.signals:
            try:
                signals.append(signal.signal())
            except RefusedSignalError as error:
                reasons.append(error.reason)
        if signals:
            items.append(NewItem(number, item.kind, tuple(signals), sent.made_with_ai))
        else:
            refused.append(Named(number, reasons[0]))
    return items, refused


def _nothing_can_be_used(refused: list[Named]) -> HttpResponse:
    return problem(
        422,
        "None of these signals can be used",
        "Choose clearer copies of the pictures and send those. Nothing was taken.",
        refused=_named(refused),
    )


def _told(told: Told) -> dict[str, Any]:
    return {"first": told.first, "items": told.items, "held": _named(told.held), "refused": _named(told.refused)}


def _named(items: list[Named]) -> list[dict[str, Any]]:
    return [{"number": item.number, "reason": item.reason} for item in items]
