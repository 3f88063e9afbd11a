"""The StopNCII v1 hash-exchange contract.

Shapes as the public Python client (``threatexchange`` 1.2.17, ``exchanges/clients/stopncii/api.py``) sends and
expects them; docs/exchange.md tells the rules behind them. Times are whole epoch seconds: the client crashes on
milliseconds and silently drops records whose times are text or fractions.
"""

from __future__ import annotations

import base64
import binascii
import struct
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

FUNCTION_KEY_HEADER = "x-functions-key"
SUBSCRIPTION_KEY_HEADER = "Ocp-Apim-Subscription-Key"
DEFAULT_START_TIMESTAMP = 10
DEFAULT_PAGE_SIZE = 800
MAX_PAGE_SIZE = 2000
MAX_SUBMISSION = 1000


class SignalType(StrEnum):
    """What ``hashValue`` is."""

    UNKNOWN = "Unknown"
    IMAGE_PDQ = "ImagePDQ"
    VIDEO_MD5 = "VideoMD5"
    VIDEO_TMK = "VideoTMK"
    VIDEO_VPDQ = "VideoVPDQ"
    """Ours: the frames of a video, for those who ask for them. The value names them; they are in ``frames``."""
    TEXT = "Text"
    URL = "URL"


class HashStatus(StrEnum):
    """Where a signal, or one case of it, stands. ``WITHDRAWN`` and ``DELETED`` mean: delete your copy."""

    UNKNOWN = "Unknown"
    RECEIVED = "Received"
    ACTIVE = "Active"
    WITHDRAWN = "Withdrawn"
    DELETED = "Deleted"

    @property
    def is_tombstone(self) -> bool:
        """Whether a client must delete its copy of the signal."""
        return self in (HashStatus.WITHDRAWN, HashStatus.DELETED)


class FeedbackValue(StrEnum):
    """What a platform says about a signal."""

    UNKNOWN = "Unknown"
    NONE = "None"
    QUALITY_UNKNOWN = "QualityUnknown"
    PENDING_REVIEW = "PendingReview"
    BLOCKED = "Blocked"
    NOT_BLOCKED = "NotBlocked"
    WITHDRAWN = "Withdrawn"
    DELETED = "Deleted"


def _without_class_name(value: Any) -> Any:
    """The stock client sends ``str(enum)``: ``"StopNCIISignalType.ImagePDQ"`` for ``"ImagePDQ"``."""
    if isinstance(value, str):
        return value.removeprefix("StopNCIISignalType.")
    return value


class _Message(BaseModel):
    # Fields we do not know are ignored: another server may send more than the contract names.
    model_config = ConfigDict(extra="ignore", frozen=True)


Tag = Annotated[str, Field(max_length=100)]


class Feedback(_Message):
    """One platform's word on a signal, as every platform sees it."""

    source: str
    feedbackValue: FeedbackValue
    tags: list[str] = []


MADE_WITH_AI = "made-with-ai"
"""A label: a person who reported the signal says that it was made or changed with AI."""

REVIEW_ONLY = "review-only"
"""A label: platforms' decisions speak against the signal. Remove nothing for it by itself; let a person look."""

INCLUDE_VIDEOS = "vpdq"
"""Said in the query by who wants frames of videos; the feed leaves them out otherwise."""


class HashRecord(_Message):
    """A full snapshot of one signal; it replaces every earlier record of the same type and value.

    ``frames`` and ``labels`` are ours, and there only where they say something: for anybody else a record is as
    StopNCII's own.
    """

    lastModtimestamp: int
    signalType: SignalType
    hashValue: str
    hashStatus: HashStatus
    caseNumbers: dict[str, HashStatus]
    CSPFeedbacks: list[Feedback] = []
    frames: list[str] | None = None
    """Of an active ``VideoVPDQ``, as ``reclaim.signals.frames`` writes them."""
    labels: list[str] = []

    @model_serializer(mode="wrap")
    def _without_what_says_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = handler(self)
        return {name: value for name, value in fields.items() if value or name not in ("frames", "labels")}


class FetchHashesResponse(_Message):
    """One page of the feed. ``hasMoreRecords`` alone tells a client to ask again."""

    count: int
    nextPageToken: str | None
    nextSetTimestamp: int
    hasMoreRecords: bool
    hashRecords: list[HashRecord]


class FetchHashesQuery(_Message):
    """The query of ``GET FetchHashes``. A page size beyond the largest is served as the largest."""

    startTimestamp: int = Field(DEFAULT_START_TIMESTAMP, ge=0, le=2**53)
    pageSize: int = Field(DEFAULT_PAGE_SIZE, ge=1)
    nextPageToken: str | None = Field(None, max_length=100)
    include: str = Field("", max_length=100)
    """Words with commas between them; unknown ones are ignored."""

    @property
    def wants_videos(self) -> bool:
        """Whether records of the frames of videos are wanted."""
        return INCLUDE_VIDEOS in self.include.split(",")


class SubmittedFeedback(_Message):
    """Feedback as a platform sends it: who it is comes from its keys alone."""

    feedbackValue: FeedbackValue
    tags: list[Tag] = Field(default=[], max_length=20)


class SubmittedHash(_Message):
    """A signal that a platform found by itself."""

    signalType: Annotated[SignalType, BeforeValidator(_without_class_name)]
    hashValue: str = Field(max_length=1000)
    CSPFeedbacks: list[SubmittedFeedback] = Field(default=[], max_length=1)


class SubmitHashesRequest(_Message):
    """The body of ``POST SubmitHashes``."""

    count: int
    hashRecords: list[SubmittedHash] = Field(max_length=MAX_SUBMISSION)


class HashFeedback(SubmittedFeedback):
    """Feedback on one signal, named by its value alone."""

    hashValue: str = Field(max_length=1000)


class SubmitFeedbackRequest(_Message):
    """The body of ``POST SubmitFeedback``."""

    count: int
    hashFeedbacks: list[HashFeedback] = Field(max_length=MAX_SUBMISSION)


class Refusal(_Message):
    """Why one entry of a submission was not taken; the others were."""

    index: int
    reason: str


class SubmissionResponse(_Message):
    """The answer to both POSTs. ``count`` is how many entries were taken."""

    count: int
    refused: list[Refusal] = []


class PageToken(_Message):
    """Where the next page of a feed starts. Opaque to clients, and worthless without a key."""

    modified_at: int
    position: int

    def encode(self) -> str:
        """The token as URL-safe text without padding (22 characters)."""
        packed = struct.pack(">QQ", self.modified_at, self.position)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> PageToken:
        """Read a token that this bank gave out.

        Raises ``ValueError`` for anything else.
        """
        try:
            packed = base64.b64decode(text + "==", altchars=b"-_", validate=True)
            modified_at, position = struct.unpack(">QQ", packed)
        except (binascii.Error, struct.error) as error:
            raise ValueError("This page token is not one that this bank gave out.") from error
        if max(modified_at, position) >= 2**63:
            raise ValueError("This page token is not one that this bank gave out.")
        return cls(modified_at=modified_at, position=position)
