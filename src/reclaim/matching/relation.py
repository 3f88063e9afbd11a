"""How an upload relates to the known picture that it was found by: for a reviewer, in fields and in one sentence."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from reclaim.signals.pdq import TURNS

How = Literal["same", "turned", "tilted", "trimmed", "part", "inset", "parts"]
"""The view in which it was found; ``parts`` is what local descriptors find, whatever was done to the picture."""


class Box(NamedTuple):
    """A rectangle in a picture, in parts of its width and height, from the upper left."""

    left: float
    top: float
    right: float
    bottom: float


Share = Annotated[float, Field(ge=0, le=1), AfterValidator(lambda share: round(share, 1))]
"""A part of a picture, 0 to 1, to a tenth: anything finer is not known, and would say more of it than is needed."""

_TURN = {
    "rotate90": "turned a quarter to the right",
    "rotate180": "turned upside down",
    "rotate270": "turned a quarter to the left",
    "flipx": "mirrored top to bottom",
    "flipy": "mirrored left to right",
    "flipplus1": "mirrored and turned a quarter",
    "flipminus1": "mirrored and turned a quarter",
}
_HOW: dict[str, str] = {
    "trimmed": "put into bars, a caption or an app's screen",
    "part": "put into a collage",
    "inset": "laid into another picture",
}


def _known(turn: str) -> str:
    if turn not in TURNS:
        raise ValueError("A turn is one of the eight.")
    return turn


def _inside(box: Box) -> Box:
    # Tenths may have no width left, and what is no number compares as false.
    if not (0 <= box.left <= box.right <= 1 and 0 <= box.top <= box.bottom <= 1):
        raise ValueError("A box lies within the upload.")
    return box


class Stretch(BaseModel):
    """What of two videos is alike, in order: seconds from the beginning of each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    upload_from: float = Field(ge=0)
    upload_to: float = Field(ge=0)
    known_from: float = Field(ge=0)
    known_to: float = Field(ge=0)
    speed: float = Field(gt=0)
    """About how many times as fast as the known video the upload plays it."""

    @property
    def sentence(self) -> str:
        """For a reviewer, in English."""
        upload = f"{clock(self.upload_from)} to {clock(self.upload_to)} of this upload"
        known = f"{clock(self.known_from)} to {clock(self.known_to)} of the known video"
        played = "" if self.speed == 1 else f", played about {self.speed:g} times as fast"
        return f"{upload} is {known}{played}."


def clock(seconds: float) -> str:
    """A moment of a video for people: minutes and seconds, with hours where there are some."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Relation(BaseModel):
    """How an upload relates to the known picture. Raises pydantic's ``ValidationError`` for what is out of range."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    how: How
    turn: Annotated[str, AfterValidator(_known)] = "original"
    """The turn of the upload, or of its view, that lies as the known picture does: one of ``signals.pdq.TURNS``."""
    tilt: float = Field(0, ge=-45, le=45)
    """Degrees, anticlockwise, by which the upload is tilted against the known picture."""
    box: Annotated[Box, AfterValidator(_inside)] | None = None
    """Where in the upload the known picture is, whole or in part; None where that is all of it or not known."""
    kept: Share | None = None
    """About how much of the known picture is in the upload; None where that is not known."""
    altered: Share | None = None
    """About how much of what is in it differs from the known picture; None where that is not known."""
    partly_altered: bool = False
    """A part was replaced while the rest was kept, as far as that shows."""
    stretch: Stretch | None = None
    """Of a video, what of it is alike; None for a picture, and where too few frames are."""
    at: float | None = Field(None, ge=0)
    """Of a video that was found by its parts: the seconds at which it shows the known picture."""

    @property
    def sentence(self) -> str:
        """All of it for a reviewer, in English, of the upload as an edit of the known picture."""
        said = self._edit
        if self.stretch is not None:
            return f"{said} {self.stretch.sentence}".lstrip()
        said = said or ("Recognised by its parts." if self.how == "parts" else "The same picture, as it lies.")
        return said if self.at is None else f"At {clock(self.at)}: {said[0].lower()}{said[1:]}"

    @property
    def _edit(self) -> str:
        clauses = [
            _TURN.get(self.turn),
            f"tilted by about {abs(self.tilt):.0f}° to the {'left' if self.tilt > 0 else 'right'}"
            if abs(self.tilt) >= 0.5
            else None,
            f"cropped to about {100 * self.kept:.0f} % of the original"
            if self.kept is not None and self.kept < 1
            else None,
            _HOW.get(self.how),
            self._altered,
        ]
        said = [clause for clause in clauses if clause is not None]
        if not said:
            return ""
        listed = " and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else said[0]
        return f"{listed[0].upper()}{listed[1:]}."

    @property
    def _altered(self) -> str | None:
        if self.altered:
            return f"altered in about {100 * self.altered:.0f} % of it"
        return "altered in a part of it" if self.partly_altered else None
