"""The contract of the service: what it takes and what it answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from reclaim.matching.decisions import Decision
from reclaim.matching.relation import Box
from reclaim.matching.service.config import MAX_BATCH
from reclaim.signals import Frame, parse_md5, parse_pdq
from reclaim.signals.frames import MAX_FRAMES, parse_all_frames

PdqValue = Annotated[str, Field(max_length=64), AfterValidator(parse_pdq)]
Md5Value = Annotated[str, Field(max_length=32), AfterValidator(parse_md5)]


def _checked(texts: list[str]) -> list[str]:
    parse_all_frames(texts)
    return texts


class PdqQuestion(BaseModel):
    """Is anything near this PDQ value known?"""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["pdq"]
    value: PdqValue
    """64 hexadecimal characters."""
    quality: int | None = Field(None, ge=0, le=100)
    """PDQ quality, where the one who asks knows it; below 50 a match asks for no more than a review."""


class Md5Question(BaseModel):
    """Is a file with this MD5 known?"""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["md5"]
    value: Md5Value
    """32 hexadecimal characters."""


Question = Annotated[PdqQuestion | Md5Question, Field(discriminator="type")]


class VideoQuestion(BaseModel):
    """Is a video with these frames known?"""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frames: Annotated[
        list[Annotated[str, Field(max_length=100)]],
        Field(min_length=1, max_length=MAX_FRAMES),
        AfterValidator(_checked),
    ]
    """Each ``number,quality,pdq,seconds``; poor and repeated ones may be among them, and do not count."""

    def parsed(self) -> list[Frame]:
        """The frames."""
        return parse_all_frames(self.frames)


class Batch(BaseModel):
    """Several questions at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    signals: list[Question] = Field(min_length=1, max_length=MAX_BATCH)


class Unchecked(BaseModel):
    """A known picture that the upload may show by its parts, of which the bank was not asked, or has not answered."""

    id: int
    """What the index knows its descriptors by."""
    value: str
    """Names them, as the bank does."""
    of_a_source: bool
    frame: tuple[int, int]
    """With ``pairs``: what the bank is asked, see docs/exchange-v2.md."""
    pairs: list[list[int]]
    part: Box | None
    """The part of the upload that has this frame; null where it is all of it."""


class PictureDecision(Decision):
    """The decision on a picture."""

    unchecked: list[Unchecked] = []


class PictureQuery(BaseModel):
    """The query of a picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    adult: bool | None = None
    """Whether the platform's own classifier or moderator calls it adult content; left out where nobody said."""


class Matched(BaseModel):
    """The decision on one of a batch."""

    position: int
    """Its place in the batch, from 0."""
    decision: Decision


class BatchAnswer(BaseModel):
    """The decisions of those that matched. For every other position nothing was found and nothing is to be done."""

    count: int
    matched: list[Matched]
