"""What to do about what was found. People decide; a distance alone removes nothing.

A match says that two pictures look alike to an algorithm. It does not say what is in them, nor who agreed to what. So
there is no action «remove» here, only how urgently a person has to look:

- ``hold``: keep the picture from being seen until a person has decided. For what is very probably the very picture.
- ``review``: let a person look, but do not keep the picture back on this alone.
- ``none``: nothing was found.

**No policy can make anything hold a picture but a known file, byte for byte, and a PDQ of the whole upload as it lies
at 31 bits or less.** Whatever else finds it (a turn, a part, more bits, descriptors, a source photograph) asks for a
review at most: it finds more, and with that more that is innocent. `at_most_review` is where that is so.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reclaim.index import MAX_RADIUS
from reclaim.signals import MATCH_DISTANCE

FARTHEST_REVIEW = 60
"""Bits up to which a distance may ask for a review; docs/matching.md says what lies there."""


class Action(StrEnum):
    """What to do with a picture or video, the mildest first."""

    NONE = "none"
    REVIEW = "review"
    HOLD = "hold"


_URGENCY = list(Action)


def most_urgent(first: Action, second: Action) -> Action:
    """The one of the two that asks for more."""
    return max(first, second, key=_URGENCY.index)


def at_most_review(action: Action) -> Action:
    """The most of it that anything may ask for but a known file and a plain PDQ."""
    return min(action, Action.REVIEW, key=_URGENCY.index)


class Policy(BaseModel):
    """From a match to an action. Raises pydantic's ``ValidationError`` for what is out of range or out of order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exact_file: Action = Action.HOLD
    """A file whose every byte is that of a known one."""
    hold_distance: int = Field(MATCH_DISTANCE, ge=-1, le=MATCH_DISTANCE)
    """Hold up to this many bits, 31 at most; -1 never holds for a distance."""
    review_distance: int = Field(MATCH_DISTANCE, ge=0, le=FARTHEST_REVIEW)
    """Review up to this many bits, and search no further. More finds stronger edits, and more of what is innocent."""
    views: bool = True
    """Look up the parts of an upload too: trimmed, each part of a collage, an inset, untilted; always up to 31 bits."""
    partly_altered: Action = Action.REVIEW
    """What a known picture asks for of which a part was replaced; review at most."""
    sources: bool = False
    """Look for source photographs, where `adult` says so."""
    adult: bool | None = None
    """What the platform's own classifier or moderator says of this upload: adult content, or not; None: nobody said."""
    poor_quality: Action = Action.REVIEW
    """The most that a match asks for where the picture has too little detail for its distance to say much."""
    max_matches: int = Field(100, ge=1, le=10_000)
    """Matches named for one picture, video or signal, nearest first."""
    frame_distance: int = Field(MATCH_DISTANCE, ge=0, le=MAX_RADIUS)
    """Two frames of videos at most this many bits apart are alike."""
    hold_percent: float = Field(50.0, ge=0, le=100)
    """Hold an upload that lies in the known video to this part, or in which the known video lies to this part."""
    review_percent: float = Field(10.0, ge=0, le=100)
    """Review from this part on, either way; less is not named."""
    hold_frames: int = Field(3, ge=1)
    """Frames that have to be alike before one way is enough to hold: a single one may be a title that many share."""
    review_frames: int = Field(3, ge=2)
    """Review from so many frames on that are alike in the same order and at one speed, however little that is."""

    def action_on_video(self, query_percent: float, video_percent: float, frames: int) -> Action:
        """What a known video asks for of which so many frames are alike, as parts of the upload and of itself."""
        more, less = max(query_percent, video_percent), min(query_percent, video_percent)
        if less >= self.hold_percent or (more >= self.hold_percent and frames >= self.hold_frames):
            return Action.HOLD
        return Action.REVIEW if more >= self.review_percent else Action.NONE

    @property
    def takes_sources(self) -> bool:
        """Whether source photographs are looked for: both the platform and this upload have to say so."""
        return self.sources and self.adult is True

    @model_validator(mode="after")
    def _in_order(self) -> Policy:
        if self.hold_distance > self.review_distance:
            raise ValueError("hold_distance must not exceed review_distance, which is as far as the search goes.")
        if self.review_percent > self.hold_percent:
            raise ValueError("review_percent must not exceed hold_percent.")
        return self

    def action_at(self, distance: int, *, poor: bool, plain: bool) -> Action:
        """What a match at this many bits asks for; ``plain`` where it is one of the whole upload as it lies."""
        if distance > self.review_distance:
            return Action.NONE
        action = Action.HOLD if distance <= self.hold_distance else Action.REVIEW
        if not plain or distance > MATCH_DISTANCE:
            action = at_most_review(action)
        return min(action, self.poor_quality, key=_URGENCY.index) if poor else action

    def action_on_parts(self, *, partly_altered: bool) -> Action:
        """What a known picture asks for that was found by its descriptors."""
        return at_most_review(self.partly_altered if partly_altered else Action.REVIEW)

    def action_on_source(self) -> Action:
        """What a source photograph asks for, of which the clothed original is no harm."""
        return at_most_review(Action.REVIEW) if self.takes_sources else Action.NONE
