"""The frames that stand for a video: which ones count, how they are written, what names them.

A frame is written as the command line tool of Meta's vPDQ writes it: ``number,quality,pdq,seconds``. Bank,
platforms and browsers exchange a video as the list of these texts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Generic, NamedTuple, TypeVar

from reclaim.signals.values import POOR_QUALITY, Pdq, hamming, is_degenerate

MAX_FRAMES = 3600
"""Frames of one video: one a second for an hour, fewer a second of a longer one."""

LATEST = 9_999_999
"""Seconds before which every frame lies: a later one could not be written. Only a damaged file is so long."""

LEAST_CHANGE = 9
"""A frame fewer bits than this from the one kept before it says nothing new."""

DESCRIBED_STILLS = 8
"""Frames of a video, spread over it, of which a person's device makes descriptors."""

ALIKE = 60
"""Bits up to which two of those show the same: descriptors of both would tell more of it than a picture's may.
docs/leakage.md has what was measured."""

FrameText = str
"""``number,quality,pdq,seconds``; at most 88 characters."""

_TEXT = re.compile(
    r"(?P<number>0|[1-9][0-9]{0,3}),(?P<quality>0|[1-9][0-9]?|100),(?P<pdq>[0-9a-f]{64}),"
    r"(?P<seconds>(?:0|[1-9][0-9]{0,6})\.[0-9]{3})",
    re.ASCII,
)
_NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)
_THOUSANDTH = Decimal("0.001")


class Frame(NamedTuple):
    """One frame of a video."""

    number: int
    """Which sample it is, from 0 to 3599."""
    quality: int
    """Of its PDQ, 0 to 100."""
    pdq: str
    """64 lowercase hexadecimal characters."""
    seconds: float
    """Its place in the video."""

    @property
    def poor(self) -> bool:
        """Whether its PDQ is too weak to tell it from others."""
        return Pdq(self.pdq, self.quality).poor

    @property
    def text(self) -> FrameText:
        """As it is exchanged; the seconds with three decimals."""
        # Halves go up, as a browser's toFixed has it.
        seconds = Decimal(self.seconds).quantize(_THOUSANDTH, ROUND_HALF_UP)
        return f"{self.number},{self.quality},{self.pdq},{seconds}"


Item = TypeVar("Item")


class Spread(Generic[Item]):
    """Up to `most` of the frames of a video, however long, spread over it evenly: the first, and every so many-th.

    Of those that are up to `alike` bits from one another there is one.
    """

    def __init__(self, most: int, alike: int) -> None:
        self._kept: list[tuple[str, Item]] = []
        self._most = most
        self._alike = alike
        self._step = 1
        self._count = 0

    @property
    def kept(self) -> list[Item]:
        """In their order."""
        return [item for _, item in self._kept]

    def take(self, pdq: str, item: Item) -> None:
        """The next frame. When they are too many, every other one goes, and only every other comes."""
        if any(hamming(pdq, other) <= self._alike for other, _ in self._kept):
            return
        if self._count % self._step == 0:
            self._kept.append((pdq, item))
        if len(self._kept) > self._most:
            self._kept, self._step = self._kept[::2], 2 * self._step
        self._count += 1


def counts(frame: Frame, before: Frame | None) -> bool:
    """Whether a frame stands for its video: not poor, and unlike `before`, the last one that does."""
    if frame.poor:
        return False
    return before is None or hamming(frame.pdq, before.pdq) >= LEAST_CHANGE


def kept(frames: Iterable[Frame]) -> list[Frame]:
    """The frames that stand for their video."""
    chosen: list[Frame] = []
    for frame in frames:
        if counts(frame, chosen[-1] if chosen else None):
            chosen.append(frame)
    return chosen


def frames_text(frames: Iterable[Frame]) -> list[FrameText]:
    """The frames as they are exchanged."""
    return [frame.text for frame in frames]


def parse_frames(texts: Sequence[str]) -> list[Frame]:
    """The frames of a video as a bank takes them: written exactly so, in their order, and each one that counts.

    Raises ValueError, with a sentence that holds no value: for none or more than MAX_FRAMES, one that is not written
    so, numbers or seconds that do not rise, a poor or degenerate frame, a frame too like the one before it.
    """
    frames = parse_all_frames(texts)
    for before, frame in zip([None, *frames], frames, strict=False):
        if frame.quality < POOR_QUALITY:
            raise ValueError(f"Leave out frames with a quality below {POOR_QUALITY}.")
        if is_degenerate(frame.pdq):
            raise ValueError("A frame's value comes from no real picture; it would match what nobody reported.")
        if before is not None and hamming(frame.pdq, before.pdq) < LEAST_CHANGE:
            raise ValueError(f"Leave out frames fewer than {LEAST_CHANGE} bits from the one before.")
    return frames


def parse_all_frames(texts: Sequence[str]) -> list[Frame]:
    """As `parse_frames`, for what other software made: poor and repeated frames may be among them.

    Raises ValueError as it does, but for those.
    """
    if not 0 < len(texts) <= MAX_FRAMES:
        raise ValueError(f"A video has 1 to {MAX_FRAMES} frames.")
    frames: list[Frame] = []
    for text in texts:
        read = _TEXT.fullmatch(text)
        if read is None:
            raise ValueError(
                "A frame is number,quality,pdq,seconds: two whole numbers, 64 lowercase hexadecimal characters, "
                "seconds with three decimals."
            )
        frame = Frame(int(read["number"]), int(read["quality"]), read["pdq"], float(read["seconds"]))
        if frame.number >= MAX_FRAMES:
            raise ValueError(f"A frame's number is 0 to {MAX_FRAMES - 1}.")
        if frames and (frame.number <= frames[-1].number or frame.seconds <= frames[-1].seconds):
            raise ValueError("The frames' numbers and seconds rise from one to the next.")
        frames.append(frame)
    return frames


def parse_vpdq(text: str) -> str:
    """The name of a video's frames, in lower case. Raises ValueError for anything but 64 hexadecimal characters."""
    value = text.lower()
    if not text.isascii() or not _NAME.fullmatch(value):
        raise ValueError("The name of a video's frames is 64 hexadecimal characters.")
    return value


def vpdq_value(frames: Iterable[Frame]) -> str:
    """What names a video's frames in a ledger: SHA-256 of their texts, one a line, as 64 hexadecimal characters."""
    return name_of_frames(frames_text(frames))


def name_of_frames(texts: Iterable[FrameText]) -> str:
    """The same, of the texts as they were sent."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
