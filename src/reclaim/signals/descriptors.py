"""Local descriptors of a picture: 32 bytes for each of many small patches, by which a part of it is known again.

docs/descriptors.md has the algorithm to the letter. All of it is arithmetic of whole numbers, so that the kernel here
and the browser's module give the same bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reclaim.signals import _descriptors
from reclaim.signals.errors import PoorSignal

BYTES = 32
"""Bytes of one descriptor."""

MOST = 64
"""Descriptors of one picture that a person gives."""

LEAST = 16
"""A picture with fewer has no descriptors: too little would be known again."""

FRAME = 512
"""Pixels of the longer side of the frame that places are counted in."""

LEVELS = 12
"""Levels of the pyramid; each is the one before it made smaller by 5/6. A person's are among the middle ones."""

ANGLES = 64
"""Bins of a whole turn that an angle is counted in."""

MOST_UPLOAD = 800
"""Descriptors of an upload that are asked for where nothing else is said."""

LEAST_ONES = 48
"""Set bits of a descriptor that no real patch has fewer of; nor does one have fewer unset ones."""

_NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TEXT_MOST = (MOST * BYTES + 2) // 3 * 4


class Place(NamedTuple):
    """Where a descriptor lies in its picture."""

    x: int
    """Pixels from the left of the frame, 0 to 511."""
    y: int
    """Pixels from its top, 0 to 511."""
    level: int
    """Of the pyramid, 0 to LEVELS - 1: the patch is (6/5)^level times as wide as on the frame itself."""
    angle: int
    """The bin its brighter side points to, 0 to ANGLES - 1, from the right towards the bottom."""


_PLACE_ENDS = Place(FRAME, FRAME, LEVELS, ANGLES)


class Placement(NamedTuple):
    """Where a picture's descriptors lie in it."""

    frame: tuple[int, int]
    """Width and height of the picture, in pixels of its frame: the longer one is FRAME."""
    places: npt.NDArray[np.int16]
    """n x 4: the Place of each."""


@dataclass(frozen=True, slots=True, eq=False)
class Descriptors:
    """A picture's descriptors as a person gives them, and their placement."""

    values: npt.NDArray[np.uint8]
    """n x 32, LEAST to MOST of them, ascending as bytes, no two the same."""
    placement: Placement

    @property
    def name(self) -> str:
        """SHA-256 of the bytes, 64 lowercase hexadecimal characters: the value of the signal."""
        return name_of(self.values)

    @property
    def text(self) -> str:
        """The bytes in base64, as they are exchanged."""
        return base64.b64encode(self.values.tobytes()).decode()


@dataclass(frozen=True, slots=True, eq=False)
class UploadDescriptors:
    """An upload's descriptors, many more than a person gives, in no order that means anything."""

    values: npt.NDArray[np.uint8]
    """m x 32."""
    mirrored: npt.NDArray[np.uint8]
    """m x 32: what each would be if the upload were mirrored left to right."""
    places: npt.NDArray[np.int16]
    """m x 4: the Place of each, in the upload as it lies."""
    width: int
    """Of the frame, in pixels; the longer side is 512."""
    height: int


Box = tuple[float, float, float, float]
"""Left, top, right and bottom of a part of a picture, as shares of its sides."""


def describe(square: npt.NDArray[np.uint8], width: int, height: int) -> Descriptors:
    """The descriptors of a picture, as a person gives them: at most MOST, spread over the picture.

    `square` is its luma of 512 x 512 (uint8); width and height, in pixels, are those of the upright picture. Raises
    PoorSignal where it has fewer than LEAST, ValueError or TypeError for another kind of array or impossible sides.
    """
    values, places = _descriptors.describe(np.ascontiguousarray(square), width, height)
    if len(values) < LEAST * BYTES:
        raise PoorSignal
    return Descriptors(_values(values), Placement(frame_of(width, height), _places(places)))


def describe_upload(
    square: npt.NDArray[np.uint8], width: int, height: int, most: int = MOST_UPLOAD, box: Box | None = None
) -> UploadDescriptors:
    """About `most` descriptors of an upload, of all levels, spread over it; few or none where it is flat.

    `square`, width and height are as in `describe`. With a box, that part of the upload is described as if it were all:
    the frame and the places are those of the part. Raises ValueError or TypeError as `describe` does, and for a box
    that is no part of the square.
    """
    if box is not None:
        high, wide = square.shape
        left, top, right, bottom = (round(share * side) for share, side in zip(box, (wide, high) * 2, strict=True))
        if not (0 <= left < right <= wide and 0 <= top < bottom <= high):
            raise ValueError("The box is no part of the picture.")
        width, height = max(1, round(width * (right - left) / wide)), max(1, round(height * (bottom - top) / high))
        square = square[top:bottom, left:right]
    values, mirrored, places, across, down = _descriptors.describe_upload(
        np.ascontiguousarray(square), width, height, most
    )
    return UploadDescriptors(_values(values), _values(mirrored), _places(places), across, down)


def _values(data: bytes) -> npt.NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8).reshape(-1, BYTES)


def _places(data: bytes) -> npt.NDArray[np.int16]:
    return np.frombuffer(data, np.int16).reshape(-1, len(_PLACE_ENDS))


def frame_of(width: int, height: int) -> tuple[int, int]:
    """Width and height of the frame of a picture of these sides, in pixels: the longer one is FRAME."""
    longer = max(width, height)
    across, down = (max(1, (2 * side * FRAME + longer) // (2 * longer)) for side in (width, height))
    return across, down


def name_of(values: npt.NDArray[np.uint8]) -> str:
    """What names these descriptors: SHA-256 of their bytes, 64 lowercase hexadecimal characters."""
    return hashlib.sha256(np.ascontiguousarray(values, np.uint8).tobytes()).hexdigest()


def parse_name(text: str) -> str:
    """What names descriptors, in lower case. Raises ValueError for anything but 64 hexadecimal characters."""
    value = text.lower()
    if not text.isascii() or not _NAME.fullmatch(value):
        raise ValueError("The name of descriptors is 64 hexadecimal characters.")
    return value


def parse_descriptors(text: str) -> npt.NDArray[np.uint8]:
    """The n x 32 bytes (uint8, read-only) behind the text of a picture's descriptors.

    Raises ValueError, with a sentence that holds no value, for anything but LEAST to MOST descriptors in standard
    base64, ascending and distinct, each with some bits set and some not.
    """
    if len(text) > _TEXT_MOST:
        raise ValueError(f"Descriptors are {LEAST} to {MOST} times {BYTES} bytes.")
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("Descriptors are written in standard base64, with padding.") from None
    if base64.b64encode(data).decode() != text:
        raise ValueError("Descriptors are written in standard base64, with padding.")
    count, rest = divmod(len(data), BYTES)
    if rest or not LEAST <= count <= MOST:
        raise ValueError(f"Descriptors are {LEAST} to {MOST} times {BYTES} bytes.")
    rows = [data[at : at + BYTES] for at in range(0, len(data), BYTES)]
    if any(one >= other for one, other in pairwise(rows)):
        raise ValueError("Descriptors stand in ascending order, each once.")
    values = np.frombuffer(data, np.uint8).reshape(count, BYTES)
    ones = np.bitwise_count(values).sum(axis=1, dtype=np.int64)
    if ones.min() < LEAST_ONES or ones.max() > BYTES * 8 - LEAST_ONES:
        raise ValueError("A descriptor comes from no real picture; it would match what nobody reported.")
    return values


def parse_frame(frame: Sequence[int]) -> tuple[int, int]:
    """The width and height of a frame. Raises ValueError, with a sentence, for anything else."""
    sides = len(frame) == 2 and all(type(side) is int and 1 <= side <= FRAME for side in frame)
    if not sides or max(frame) != FRAME:
        raise ValueError(f"A frame is a width and a height, of which the longer one is {FRAME}.")
    return frame[0], frame[1]


def parse_placement(frame: Sequence[int], places: Sequence[Sequence[int]], count: int) -> Placement:
    """The placement of `count` descriptors.

    Raises ValueError, with a sentence that holds no value, for a frame that is none, another count, or anything but
    four whole numbers in the ranges of a Place each.
    """
    sides = parse_frame(frame)
    if len(places) != count:
        raise ValueError("Each descriptor has one place.")
    for place in places:
        whole = len(place) == len(_PLACE_ENDS) and all(type(number) is int for number in place)
        if not whole or not all(0 <= number < end for number, end in zip(place, _PLACE_ENDS, strict=True)):
            raise ValueError(
                f"A place is four whole numbers: x and y below {FRAME}, level below {LEVELS}, angle below {ANGLES}."
            )
    return Placement(sides, np.array(places, np.int16).reshape(count, len(_PLACE_ENDS)))
