"""What a person's page sends: signals, for a new case or for one that is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Literal

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reclaim.bank.cases.models import CaseItem
from reclaim.bank.cases.numbers import shown
from reclaim.bank.cases.queries import access_session_case
from reclaim.bank.cases.services import (
    MOST_FRAMES,
    MOST_ITEMS,
    Named,
    NewItem,
    NewSignal,
    PictureSignals,
    Receipt,
    ReceiptUsedError,
    StagingError,
    Told,
    add_to_case,
    added_with,
    case_made_with,
    create_case,
    descriptors_signal,
)
from reclaim.bank.gate.puzzles import LONGEST_PROOF, ProofError
from reclaim.bank.gate.services import Admission, admit
from reclaim.bank.gate.views import refusal_of
from reclaim.bank.intake.invited_views import link_invited
from reclaim.bank.screening.queries import Candidate, Verdict, screen
from reclaim.bank.screening.services import note_sending, telling_values
from reclaim.signals import POOR_QUALITY
from reclaim.signals.descriptors import MOST as MOST_PATCHES
from reclaim.signals.descriptors import Placement, parse_placement
from reclaim.signals.frames import DESCRIBED_STILLS, MAX_FRAMES, frames_text, vpdq_value
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.events import log_failure
from reclaim.sitekit.limits import SlowDownError
from reclaim.sitekit.problems import invalid_message, problem

MOST_DESCRIBED = 200
"""Pictures, and stills of videos, with descriptors in one sending: more would be too long for one request."""
TO_BE_CHECKED = "check"
"""What the sender is told of anything that is held. Why it is held is for practitioners alone."""


class _Strict(BaseModel):
    # A key that is not named here is refused, so no page can send more.
    model_config = ConfigDict(extra="forbid", strict=True)


class SentPdq(_Strict):
    """The signal of a picture."""

    type: Literal["pdq"]
    value: Annotated[str, Field(max_length=256)]
    quality: Annotated[int, Field(ge=0, le=100)]

    def candidate(self) -> Candidate:
        """As screening takes it."""
        return Candidate("pdq", self.value)


class SentMd5(_Strict):
    """The exact hash of a file."""

    type: Literal["md5"]
    value: Annotated[str, Field(max_length=256)]

    def candidate(self) -> Candidate:
        """As screening takes it."""
        return Candidate("md5", self.value)


class SentVpdq(_Strict):
    """The frames of a video, each as text."""

    type: Literal["vpdq"]
    frames: Annotated[list[Annotated[str, Field(max_length=100)]], Field(min_length=1, max_length=MAX_FRAMES)]

    def candidate(self) -> Candidate:
        """As screening takes it."""
        return Candidate("vpdq", frames=tuple(self.frames))


class SentTrimmed(_Strict):
    """The signal of a picture without the bars, captions and screenshot around it."""

    value: Annotated[str, Field(max_length=256)]
    quality: Annotated[int, Field(ge=0, le=100)]

    def candidate(self) -> Candidate:
        """As screening takes it."""
        return Candidate("pdq", self.value)


Descriptors = Annotated[str, Field(max_length=4096)]


class SentPlacement(_Strict):
    """Where descriptors lie in their picture."""

    frame: Annotated[list[int], Field(min_length=2, max_length=2)]
    places: Annotated[list[Annotated[list[int], Field(min_length=4, max_length=4)]], Field(max_length=MOST_PATCHES)]

    def parsed(self) -> Placement:
        """Raises ``ValueError``."""
        return parse_placement(self.frame, self.places, len(self.places))


class SentPicture(_Strict):
    """A picture: its PDQ, or the hash of its file where the PDQ would be poor. Beside a PDQ there may be that of the
    trimmed picture, descriptors with their placement where the person asked for that, and the word that it is a source
    photograph."""

    kind: Literal["picture"]
    signals: Annotated[
        list[Annotated[SentPdq | SentMd5, Field(discriminator="type")]], Field(min_length=1, max_length=1)
    ]
    trimmed: SentTrimmed | None = None
    descriptors: Descriptors | None = None
    placement: SentPlacement | None = None
    source: bool = False

    @model_validator(mode="after")
    def _beside_a_pdq(self) -> SentPicture:
        beside = self.trimmed or self.descriptors is not None or self.placement is not None or self.source
        if beside and isinstance(self.signals[0], SentMd5):
            raise ValueError("the hash of a picture's file stands alone")
        if (self.descriptors is None) != (self.placement is None):
            raise ValueError("descriptors come with the placement of each")
        if self.descriptors is not None and self.placement is not None:
            descriptors_signal(self.descriptors, self.placement.parsed())
        return self

    def screened(self) -> list[SentPdq | SentMd5 | SentTrimmed]:
        """What screening looks at, in order."""
        return [*self.signals, self.trimmed] if self.trimmed else [*self.signals]


class SentStill(_Strict):
    """What a video shows at a moment, by its descriptors and the place of each."""

    descriptors: Descriptors
    placement: SentPlacement

    @model_validator(mode="after")
    def _can_be_used(self) -> SentStill:
        self.signal()
        return self

    def signal(self) -> NewSignal:
        """Raises ``ValueError`` where it is none."""
        return descriptors_signal(self.descriptors, self.placement.parsed())


class SentVideo(_Strict):
    """A video: the hash of its file, and its frames where there are any; stills beside the frames where the person
    asked for that."""

    kind: Literal["video"]
    signals: Annotated[
        list[Annotated[SentMd5 | SentVpdq, Field(discriminator="type")]], Field(min_length=1, max_length=2)
    ]
    stills: Annotated[list[SentStill], Field(max_length=DESCRIBED_STILLS)] = []

    @model_validator(mode="after")
    def _one_of_a_type(self) -> SentVideo:
        types = {signal.type for signal in self.signals}
        if len(types) < len(self.signals):
            raise ValueError("a video has one signal of a type")
        if self.stills and "vpdq" not in types:
            raise ValueError("stills of a video come with its frames")
        return self

    def screened(self) -> list[SentMd5 | SentVpdq]:
        """What screening looks at, in order."""
        return self.signals


Screened = SentPdq | SentMd5 | SentVpdq | SentTrimmed


class Sent(_Strict):
    """Everything the page sends."""

    receipt: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    proof: Annotated[str | None, Field(max_length=LONGEST_PROOF)] = None
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

    @model_validator(mode="after")
    def _not_too_many_descriptors(self) -> Sent:
        described = sum(
            len(item.stills) if isinstance(item, SentVideo) else item.descriptors is not None for item in self.items
        )
        if described > MOST_DESCRIBED:
            raise ValueError(f"at most {MOST_DESCRIBED} pictures and stills with descriptors; send some later")
        return self

    def as_receipt(self) -> Receipt:
        """The receipt, with all that must be the same when it is asked with again."""
        return Receipt(self.receipt, self.model_dump_json(include={"made_with_ai", "items"}).encode())


@requires(Access.PUBLIC)
@require_POST
def new_case(request: HttpRequest) -> HttpResponse:
    """Make a case.

    201 ``{"case_number", "pin", "first", "items", "held", "refused"}``; else a problem document: 400, 409 (receipt
    used), 415, 422 (nothing can be used; ``refused``), 428 (no good proof of work; ``why``), 429 and 503 (both with
    Retry-After). ``first`` is the number of the first item, ``items`` how many were taken, ``held`` and ``refused``
    lists of ``{"number": from 1 in the order sent, "reason"}``.
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
    except (ProofError, SlowDownError) as error:
        return refusal_of(error)
    except StagingError as error:
        return problem(403, "No cases are taken here", f"{error} Nothing was taken.")
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
        admission = admit(request, _sending(receipt, "new"), sent.proof, sent.code)
        items, refused = _sorted_out(sent, admission)
        if not items:
            return _nothing_can_be_used(refused)
        admission.spend()
        made = create_case(items, refused, receipt)
    link_invited(request, made)
    return JsonResponse({"case_number": shown(made.number), "pin": made.pin, **_told(made.told)}, status=201)


def _add(request: HttpRequest, sent: Sent) -> HttpResponse:
    receipt, case = sent.as_receipt(), access_session_case(request)
    told = added_with(receipt, case)
    if told is None:
        admission = admit(request, _sending(receipt, str(case.pk)), sent.proof, sent.code)
        items, refused = _sorted_out(sent, admission)
        if not items:
            return _nothing_can_be_used(refused)
        admission.spend()
        told = add_to_case(case, items, refused, receipt)
    return JsonResponse(_told(told), status=201)


def _sending(receipt: Receipt, case: str) -> bytes:
    return f"{case}:{receipt.value}:".encode() + receipt.content


def _sorted_out(sent: Sent, admission: Admission) -> tuple[list[NewItem], list[Named]]:
    """What can be taken, and what cannot. An item is taken with those of its signals that can be used."""
    verdicts = iter(screen([signal.candidate() for item in sent.items for signal in item.screened()]))
    items, refused, values = [], [], []
    for number, item in enumerate(sent.items, start=1):
        judged = [(signal, next(verdicts)) for signal in item.screened()]
        usable = [(signal, verdict) for signal, verdict in judged if not _reason_against(signal, verdict)]
        if not usable:
            refused.append(Named(number, str(_reason_against(*judged[0]))))
            continue
        values += [value for _, verdict in usable for value in telling_values(verdict)]
        held_for = tuple(reason for _, verdict in usable for reason in verdict.held_for)
        # What she says of the case is said of the fakes, not of what they were made from.
        ordinary = isinstance(item, SentPicture) and item.source
        made_with_ai = CaseItem.MadeWithAi.UNSAID if ordinary else sent.made_with_ai
        items.append(NewItem(number, item.kind, _kept(item, usable), made_with_ai, held_for))
    # An organisation that gave a code vouches for how much comes, not for what it is.
    bulk = () if admission.vouched else note_sending(admission.network, len(items), values)
    return [replace(item, held_for=(*item.held_for, *bulk)) for item in items], refused


def _reason_against(signal: Screened, verdict: Verdict) -> str | None:
    poor = isinstance(signal, SentPdq | SentTrimmed) and signal.quality < POOR_QUALITY
    return "poor" if verdict.refused is None and poor else verdict.refused


def _kept(item: SentPicture | SentVideo, usable: list[tuple[Screened, Verdict]]) -> tuple[NewSignal, ...]:
    """The signals of an item, of those that can be used."""
    pdqs = [(verdict.value, signal.quality) for signal, verdict in usable if isinstance(signal, SentPdq | SentTrimmed)]
    if not isinstance(item, SentPicture) or not pdqs:
        kept = [_exact_or_frames(verdict) for _, verdict in usable]
        if isinstance(item, SentVideo) and any(verdict.frames for _, verdict in usable):
            # A still that comes again is one.
            kept += {signal.value: signal for signal in (still.signal() for still in item.stills)}.values()
        return tuple(kept)
    # Descriptors are of the trimmed picture where there is one: they go with it.
    described = (item.trimmed or item.signals[0]) in [signal for signal, _ in usable]
    return PictureSignals(
        *pdqs[0],
        trimmed=pdqs[1] if len(pdqs) > 1 else None,
        descriptors=item.descriptors if described else None,
        placement=item.placement.parsed() if described and item.placement else None,
        source=item.source,
    ).signals()


def _exact_or_frames(verdict: Verdict) -> NewSignal:
    if verdict.frames:
        return NewSignal("vpdq", vpdq_value(verdict.frames), tuple(frames_text(verdict.frames)))
    return NewSignal("md5", verdict.value)


def _nothing_can_be_used(refused: list[Named]) -> HttpResponse:
    return problem(
        422,
        "None of these signals can be used",
        "Choose clearer copies of the pictures and send those. Nothing was taken.",
        refused=_named(refused),
    )


def _told(told: Told) -> dict[str, Any]:
    held = [{"number": item.number, "reason": TO_BE_CHECKED} for item in told.held]
    return {"first": told.first, "items": told.items, "held": held, "refused": _named(told.refused)}


def _named(items: list[Named]) -> list[dict[str, Any]]:
    return [{"number": item.number, "reason": item.reason} for item in items]
