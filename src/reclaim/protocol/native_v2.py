"""The native exchange, version 2: what platforms and banks say to each other under ``<bank>/v2``.

docs/exchange-v2.md tells the rules. Names are snake_case, times are RFC 3339 in UTC with whole seconds. What a platform
sends is read strictly: an unknown field is refused, so that a misspelt one is not lost without a word. What a bank
answers may have more fields than these, which readers leave alone.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

LARGEST_PAGE = 2000
DEFAULT_PAGE = 800
LARGEST_SUBMISSION = 1000
LARGEST_CURSOR = 200
"""Characters."""

CURSOR_GONE = "urn:reclaim:cursor-gone"
"""Type of the problem that says: this cursor leads nowhere any more, take a snapshot."""

SNAPSHOT_TYPE = "application/vnd.reclaim.snapshot+json"
"""The ``payloadType`` of a snapshot's manifest."""

SignalType = Literal["pdq", "md5", "vpdq"]
SIGNAL_TYPES: tuple[SignalType, ...] = ("pdq", "md5", "vpdq")
ExtraType = Literal["descriptors", "source"]
EXTRA_TYPES: tuple[ExtraType, ...] = ("descriptors", "source")
"""What nobody is given who does not ask for it, in a fetch of its own, with a key whose scope says that they may."""
EXTRA_SCOPES: dict[str, str] = {"descriptors": "descriptors", "source": "sources"}
AnyType = SignalType | ExtraType
Label = Literal["made-with-ai"]
OF_A_SOURCE = "of-a-source"
"""Label of descriptors: they are of a source photograph, and match as such alone."""
LEAST_PAIRS = 5
MOST_PAIRS = 64
FRAME = 512
"""Pixels of the longer side of the frame in which places of an upload are counted."""
Reason = Literal["not-the-same", "not-intimate", "allowed-here", "cannot-tell", "other"]


def _whole_seconds(moment: datetime.datetime) -> datetime.datetime:
    return moment.astimezone(datetime.UTC).replace(microsecond=0)


Moment = Annotated[datetime.datetime, AfterValidator(_whole_seconds)]
"""A time, written ``2026-11-26T08:26:00Z``."""


class _Said(BaseModel):
    """What a platform sends."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Told(BaseModel):
    """What a bank answers."""

    model_config = ConfigDict(extra="ignore", frozen=True)


# The feed


class Decisions(_Told):
    """How many platforms decided on a signal, and how."""

    blocked: int
    not_blocked: int


class Record(_Told):
    """A full snapshot of one signal; it replaces every earlier record of the same type and value."""

    type: AnyType
    value: str
    """Lowercase hexadecimal: 64 digits of a pdq or source, 32 of an md5, 64 that name the frames of a vpdq, or the
    bytes of descriptors by their SHA-256."""
    status: Literal["active", "withdrawn"]
    """``withdrawn``: delete your copy, and acknowledge it."""
    changed_at: Moment
    """Rounded down to the hour: a finer time would tell which signals came in together."""
    frames: list[str] = []
    """Of an active vpdq, as ``reclaim.signals.frames`` writes them."""
    descriptors: str | None = None
    """Of active descriptors: 16 to 64 times 32 bytes, ascending, in base64."""
    quality: int | None = Field(None, ge=0, le=100)
    """Of a pdq or source, as whoever made it measured it."""
    labels: list[str] = []
    """``made-with-ai``: who brought the signal says so. ``of-a-source``: descriptors of a source photograph. Others may
    come."""
    provenance: list[str] = []
    """Who brought it: ``person``, ``platform``, ``bank:<name>``; never how many, and of persons and platforms never
    which."""
    trust: int = Field(ge=0, le=100)
    action: Literal["block", "review"]
    """``review``: a match goes to a person; remove nothing by itself. Always so of descriptors and source."""
    decisions: Decisions
    acknowledge_by: Moment | None = None
    """Of a withdrawn one that must be acknowledged: until when."""
    because: Literal["trust", "sources"] | None = None
    """Of a withdrawn one that is in the bank: its trust is below the ``least_trust`` that was asked for, or its
    descriptors are of a source photograph, and no key of the platform opens those. It is acknowledged to nobody."""


class SignalsPage(_Told):
    """One page of the feed. Store its records and its cursor in one go, then ask with that cursor."""

    records: list[Record]
    cursor: str = Field(max_length=LARGEST_CURSOR)
    has_more: bool


_TYPES = r"^((pdq|md5|vpdq)(,(pdq|md5|vpdq)){0,9}|(descriptors|source)(,(descriptors|source)){0,9})$"


class OwedQuery(BaseModel):
    """The query of ``GET /v2/acknowledgements``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    types: str = Field(",".join(SIGNAL_TYPES), pattern=_TYPES)
    """Of which types; the extra ones by themselves, as in the feed."""

    @property
    def wanted(self) -> frozenset[AnyType]:
        """The types: of the three, or of the extra ones."""
        named = self.types.split(",")
        return frozenset(each for each in (*SIGNAL_TYPES, *EXTRA_TYPES) if each in named)


class SignalsQuery(OwedQuery):
    """The query of ``GET /v2/signals``. A larger ``limit`` than the largest page is served as that."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    after: str | None = Field(None, min_length=1, max_length=LARGEST_CURSOR)
    limit: int = Field(DEFAULT_PAGE, ge=1, le=2**31)
    types: str = Field(",".join(SIGNAL_TYPES), pattern=_TYPES)
    """Which active signals are given; withdrawn ones of every type always are. The extra types, descriptors and source,
    are asked for in a fetch of their own, which gives nothing of the others."""
    least_trust: int = Field(0, ge=0, le=100)


# Lookups, for platforms without a list


class Lookup(_Said):
    """One upload to look up: a picture by its PDQ value, or those of its turns; a file by its MD5."""

    type: Literal["pdq", "md5"]
    values: list[Annotated[str, Field(max_length=64)]] = Field(min_length=1, max_length=8)
    """Of an md5 just one."""


class LookupAnswer(_Told):
    """Whether it matches, and nothing else."""

    match: bool


# Whether descriptors lie in an upload as they lie in the picture that they are of

_Slot = Annotated[int, Field(ge=0, lt=64)]
_Pixel = Annotated[int, Field(ge=0, lt=FRAME)]
_Level = Annotated[int, Field(ge=0, lt=12)]
_Angle = Annotated[int, Field(ge=0, lt=64)]
_Mirrored = Annotated[int, Field(ge=0, le=1)]
Pair = tuple[_Slot, _Pixel, _Pixel, _Level, _Angle, _Mirrored]
"""Which of a picture's descriptors was found, counted from 0, and where in the upload: x and y in pixels of its frame,
level of the pyramid, bin of the angle, and 1 where it was found in the upload mirrored left to right, else 0."""


def _as_long_as_512(frame: tuple[int, int]) -> tuple[int, int]:
    if max(frame) != FRAME:
        raise ValueError(f"the longer side of a frame is {FRAME}")
    return frame


class PlacementCheck(BaseModel):
    """The body of ``POST /v2/placements/check``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Names the descriptors, as the feed does."""
    frame: Annotated[
        tuple[Annotated[int, Field(ge=1, le=FRAME)], Annotated[int, Field(ge=1, le=FRAME)]],
        AfterValidator(_as_long_as_512),
    ]
    """Width and height of the upload's frame in pixels; the longer one is 512."""
    pairs: list[Pair] = Field(min_length=LEAST_PAIRS, max_length=MOST_PAIRS)
    """The nearest ones; a descriptor may stand in several, of which at most one counts."""

    @model_validator(mode="after")
    def _within_the_frame(self) -> PlacementCheck:
        width, height = self.frame
        if any(x >= width or y >= height for _, x, y, *_ in self.pairs):
            raise ValueError("a place lies in the frame")
        return self


class PlacementRelation(_Told):
    """How the upload relates to the picture, as coarsely as a reviewer needs it."""

    turn: str
    """``original`` or one of the seven other turns of the upload that lies as the picture does."""
    tilt: float = Field(0, ge=-45, le=45)
    """Degrees, anticlockwise, in steps of 5."""
    box: tuple[float, float, float, float] | None = None
    """About where in the upload the picture is: left, top, right, bottom, in tenths; null where that is all of it."""
    kept: float = Field(ge=0, le=1)
    """About how much of the picture is in the upload, in tenths."""
    altered: float | None = Field(None, ge=0, le=1)
    """About how much of what is in it differs, in tenths; null where too little of it says so."""


class PlacementAnswer(_Told):
    """Whether they lie as in the picture; of an unknown value they do not."""

    match: bool
    relation: PlacementRelation | None = None
    """Of a match."""


# Snapshots


class Signature(_Told):
    """One signature of an envelope."""

    keyid: str
    sig: str


class Envelope(_Told):
    """A DSSE envelope: its signatures are over ``pae(payloadType, payload)``."""

    payloadType: str
    payload: str
    signatures: list[Signature]


class SnapshotPart(_Told):
    """One Parquet file of a snapshot."""

    name: str
    bytes: int
    sha256: str
    rows: int
    href: str
    """Where it is, relative to the bank's address."""


class SnapshotManifest(_Told):
    """What a snapshot is: the payload of the envelope."""

    snapshot: str
    bank_id: str
    made_at: Moment
    cursor: str
    """The feed goes on after it, once every part is stored."""
    rows: int
    parts: list[SnapshotPart]


class InTheMaking(_Told):
    """The answer 202: the snapshot is being made; ask again after ``Retry-After`` seconds."""

    state: Literal["making"]


def pae(payload_type: str, payload: bytes) -> bytes:
    """What a DSSE signature is over: the type and the payload, each behind its length."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def key_id(public_key: bytes) -> str:
    """The name of an Ed25519 public key (32 bytes): the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


# What platforms send


class SignalName(_Said):
    """A signal, named."""

    type: AnyType
    value: str = Field(max_length=64)


class FindName(_Said):
    """A signal of a type that platforms find by themselves, named."""

    type: SignalType
    value: str = Field(max_length=64)


class SubmittedSignal(FindName):
    """A signal that a platform found by itself. A vpdq has ``frames``, and the ``value`` that names them."""

    frames: list[Annotated[str, Field(max_length=100)]] = Field(default=[], max_length=3600)
    quality: int | None = Field(None, ge=0, le=100)
    labels: list[Label] = Field(default=[], max_length=10)


class SubmitSignals(_Said):
    """The body of ``POST /v2/signals``."""

    signals: list[SubmittedSignal] = Field(max_length=LARGEST_SUBMISSION)


class SubmitWithdrawals(_Said):
    """The body of ``POST /v2/withdrawals``: finds that the platform takes back."""

    withdrawals: list[FindName] = Field(max_length=LARGEST_SUBMISSION)


class FeedbackWord(SignalName):
    """A platform's word on one signal; it replaces its earlier one."""

    decision: Literal["pending", "blocked", "not-blocked"]
    """``pending``: there was a match, a person will look."""
    reason: Reason | None = None
    """Why it was left up. Only with ``not-blocked``."""
    distance: int | None = Field(None, ge=0, le=256)
    """Bits between the signal and the nearest upload that this is about."""
    count: int = Field(1, ge=1, le=2**31 - 1)
    """How many uploads this is about, all in all so far."""
    action: Literal["none", "hidden", "removed", "account-restricted", "other"] | None = None
    decided_by: Literal["person", "machine"]


class SubmitFeedback(_Said):
    """The body of ``POST /v2/feedback``."""

    feedback: list[FeedbackWord] = Field(max_length=LARGEST_SUBMISSION)


class SubmitAcknowledgements(_Said):
    """The body of ``POST /v2/acknowledgements``: signals whose copies are deleted, and that is stored."""

    acknowledgements: list[SignalName] = Field(max_length=LARGEST_SUBMISSION)


class Refusal(_Told):
    """Why one entry was not taken; the others were."""

    index: int
    reason: str


class Taken(_Told):
    """The answer to every POST of entries: how many were taken, and which were not."""

    taken: int
    refused: list[Refusal] = []


class OwedAcknowledgement(_Told):
    """A withdrawn signal that the platform has not acknowledged."""

    type: AnyType
    value: str
    withdrawn_at: Moment
    acknowledge_by: Moment


class Owed(_Told):
    """The answer to ``GET /v2/acknowledgements``, the longest owed first. After acknowledging them, ask again."""

    owed: list[OwedAcknowledgement]
    has_more: bool


# What a bank says about itself


class About(_Told):
    """The answer to ``GET /v2/``."""

    bank: str
    bank_id: str
    software: str
    staging: bool
    events: str
    """Where the stream of events is: an address, or a path on the bank."""
    acknowledge_within_seconds: int
    tombstones_kept_seconds: int
    largest_page: int
    largest_submission: int
    snapshot_key: str
    """The Ed25519 public key that manifests are signed with: base64 of 32 bytes."""

    @property
    def snapshot_public_key(self) -> bytes:
        """The key itself. Raises ``ValueError`` where it is none."""
        key = base64.b64decode(self.snapshot_key, validate=True)
        if len(key) != 32:
            raise ValueError("The bank names a key for its snapshots that is no Ed25519 key.")
        return key


class Fault(_Told):
    """One field that does not fit."""

    field: str
    fault: str


class Problem(_Told):
    """A refusal (RFC 9457): what is wrong, and what to do."""

    type: str
    status: int
    title: str
    detail: str
    faults: list[Fault] = []


def as_json(message: BaseModel) -> bytes:
    """A message as it goes over the wire: fields that were not given are left out."""
    return message.model_dump_json(exclude_unset=True).encode()


def document(message: BaseModel) -> dict[str, Any]:
    """The same, as what JSON is made of."""
    return message.model_dump(mode="json", exclude_unset=True)
