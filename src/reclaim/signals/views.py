"""The views of an upload, each looked up by itself: all of it and its parts in eight turns, and all of it untilted.

Made here, or in a crew of limited processes. A picture is decoded once; the number of its views is bounded, whatever it
shows. A view with too little detail is left out, as it would be near to what has nothing to do with it; so is one that
is drawn, as pages of text are alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from reclaim.signals import _pdq
from reclaim.signals.crew import Crew, Fields
from reclaim.signals.drawn import is_drawn
from reclaim.signals.luma import SIDE, Picture, picture_of_bytes, read_picture
from reclaim.signals.parts import MOST_PARTS, Part, parts_of
from reclaim.signals.pdq import TURNS, Luma, pdq_of_luma
from reclaim.signals.trim import trim
from reclaim.signals.values import POOR_QUALITY, Pdq, is_degenerate

Codes = npt.NDArray[np.uint8]
ViewKind = Literal["whole", "trimmed", "part", "inset", "tilted"]

CODE_BYTES = 32
TILTS_AS_LARGE = (1.0, 2.5, 4.0, 5.5)
"""Degrees, either way, by which a picture may be turned within its own frame, so that the corners are empty."""
TILTS_CUT = (1.0, 2.0, 3.0, 4.0, 5.0)
"""Degrees, either way, by which it may be turned and then cut to what has no empty corner."""
MOST_VIEWS = 2 + MOST_PARTS + 2 * (len(TILTS_AS_LARGE) + len(TILTS_CUT))
MOST_CODES = len(TURNS) * (2 + MOST_PARTS) + 2 * (len(TILTS_AS_LARGE) + len(TILTS_CUT))
"""Values looked up for one upload, at most."""

LONGEST_ANSWER = 256 * 1024
"""Bytes of the views of one upload, as a limited process answers."""
_KINDS = get_args(ViewKind)
_PLAIN_SIDES = 16
"""Pixels: a part that comes this near to two opposite sides of the square is a part of a collage, not an inset."""
_SEEN_EACH = 3
"""Of so many pixels each way one tells whether a view is drawn."""
_DEGENERATE = np.array([is_degenerate(f"{(1 << ones) - 1:064x}") for ones in range(257)])
"""By the number of bits set, which is all that `is_degenerate` goes by."""


class View(NamedTuple):
    """One view, as it lies and in the turns that are looked up."""

    kind: ViewKind
    box: tuple[float, float, float, float] | None
    """Left, top, right and bottom in the upload, 0 to 1; None for all of it."""
    tilt: float
    """Degrees anticlockwise by which the upload is tilted, if this is right."""
    quality: int
    """PDQ quality as it lies, 0 to 100."""
    codes: bytes
    """PDQ values of 32 bytes end to end, in the order of `TURNS`: eight, or one where it is looked up as it lies."""


@dataclass(frozen=True, slots=True)
class Views:
    """All views of one upload; the first is all of it, whatever its quality, and no other one is poor."""

    views: tuple[View, ...]

    @property
    def original(self) -> Pdq:
        """PDQ and quality of the upload as it lies."""
        whole = self.views[0]
        return Pdq(whole.codes[:CODE_BYTES].hex(), whole.quality)

    @property
    def codes(self) -> Codes:
        """All values that are looked up, n x 32: all turns of the first view, then of the next."""
        return np.frombuffer(b"".join(view.codes for view in self.views), np.uint8).reshape(-1, CODE_BYTES)

    def origins(self) -> Iterator[tuple[View, str]]:
        """The view and the turn of each value, in the same order."""
        for view in self.views:
            for turn in TURNS[: len(view.codes) // CODE_BYTES]:
                yield view, turn

    def whole(self) -> Views:
        """Only all of it, in its eight turns."""
        return Views(self.views[:1])


def read_views(source: bytes | Path) -> Views:
    """The views of a picture file. Raises what `read_luma` raises."""
    return views_of(read_picture(source))


def plain_of(luma: Luma) -> Views:
    """All of a picture that `read_luma` has read, only as it lies."""
    upright = pdq_of_luma(luma)
    return Views((View("whole", None, 0.0, upright.quality, bytes.fromhex(upright.value)),))


def whole_of(luma: Luma) -> Views:
    """All of a picture that `read_luma` has read, in its eight turns, and no part of it."""
    upright = pdq_of_luma(luma)
    codes, _ = _hashed(luma, [_upright(Part(0, 0, SIDE, SIDE))])
    # As it lies, to the bit what a bank has. The turns are made from the same reading of the pixels.
    return Views((View("whole", None, 0.0, upright.quality, bytes.fromhex(upright.value) + codes[0, 1:].tobytes()),))


def views_of(picture: Picture) -> Views:
    """The views of a picture that `read_picture` has read."""
    luma = picture.luma
    parts: list[tuple[ViewKind, Part]] = []
    inner = trim(luma)
    trimmed = None if inner is None else Part(*inner)
    if trimmed is not None:
        # Of a collage with gutters it is one part that is left.
        parts.append(("part" if _in_grid(trimmed) else "trimmed", trimmed))
    parts += [(_kind(part), part) for part in parts_of(luma) if part != trimmed]
    thinned = luma[::_SEEN_EACH, ::_SEEN_EACH]
    parts = [(kind, part) for kind, part in parts if not is_drawn(_seen_of(thinned, part))]
    placed: list[tuple[ViewKind, Part | None, float]] = [(kind, part, 0.0) for kind, part in parts]
    maps = [_upright(part) for _, part in parts]
    if not is_drawn(thinned):
        for tilt, across in _tilts(picture.width, picture.height):
            placed.append(("tilted", None, tilt))
            maps.append(across)
    codes, qualities = _hashed(luma, maps)
    ones = np.bitwise_count(codes[:, 0]).sum(axis=1)
    good = ((qualities >= POOR_QUALITY) & ~_DEGENERATE[ones]).tolist()
    views = list(whole_of(luma).views)
    for number, (kind, part, tilt) in enumerate(placed):
        if good[number]:
            box = None if part is None else (part.left / SIDE, part.top / SIDE, part.right / SIDE, part.bottom / SIDE)
            turned = codes[number] if part is not None else codes[number, :1]
            views.append(View(kind, box, tilt, int(qualities[number]), turned.tobytes()))
    return Views(tuple(views))


def _seen_of(thinned: Luma, part: Part) -> Luma:
    left, top, right, bottom = (edge // _SEEN_EACH for edge in part)
    return thinned[top:bottom, left:right]


def _kind(part: Part) -> ViewKind:
    left, top, right, bottom = part
    wide = left <= _PLAIN_SIDES and right >= SIDE - _PLAIN_SIDES
    high = top <= _PLAIN_SIDES and bottom >= SIDE - _PLAIN_SIDES
    if wide or high:
        return "part"
    area = (right - left) * (bottom - top)
    return "inset" if 4 * area < SIDE * SIDE - SIDE * _PLAIN_SIDES and not _in_grid(part) else "part"


def _in_grid(part: Part) -> bool:
    """Whether it is about a quarter or a ninth of the square, or four of these, and where they are."""
    if max(part.right - part.left, part.bottom - part.top) > 2 * SIDE // 3 + _PLAIN_SIDES:
        return False
    for count in (2, 3):
        cell = SIDE / count
        if all(abs(edge - round(edge / cell) * cell) <= _PLAIN_SIDES for edge in part):
            return True
    return False


def _upright(part: Part) -> list[float]:
    """As the kernel has it: the upper left corner, the way across, the way down."""
    left, top, right, bottom = part
    return [left, top, right - left, 0.0, 0.0, bottom - top]


@lru_cache(maxsize=256)
def _tilts(width: int, height: int) -> list[tuple[float, list[float]]]:
    """Each tilt, and where the picture lay before it: in the square, of a picture of these sides."""
    tilts: list[tuple[float, list[float]]] = []
    long = max(width, height) / min(width, height)
    for cut, degrees in ((False, TILTS_AS_LARGE), (True, TILTS_CUT)):
        for tilt in (each * sign for each in degrees for sign in (1, -1)):
            cosine, sine = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
            # What was cut is the largest rectangle of the same shape.
            scale = cosine + long * abs(sine) if cut else 1.0
            across = (SIDE * scale * cosine, -SIDE * scale * sine * width / height)
            down = (SIDE * scale * sine * height / width, SIDE * scale * cosine)
            corner = [(SIDE - a - d) / 2 for a, d in zip(across, down, strict=True)]
            if max(map(abs, (*across, *down))) <= 2 * SIDE:  # a strip that is nearly all length has no such frame
                tilts.append((tilt, [*corner, *across, *down]))
    return tilts


def _hashed(luma: Luma, maps: list[list[float]]) -> tuple[Codes, npt.NDArray[np.uint8]]:
    """The values of parts in their turns, n x 8 x 32, and their qualities."""
    made = np.frombuffer(_pdq.views(luma, np.array(maps, np.float64).reshape(-1, 6)), np.uint8)
    rows = made.reshape(-1, len(TURNS) * CODE_BYTES + 1)
    return rows[:, :-1].reshape(-1, len(TURNS), CODE_BYTES), rows[:, -1]


def views_crew(count: int, *, niceness: int = 0) -> Crew[Views]:
    """So many processes that each take a picture's bytes and answer as `read_views`."""
    return Crew(_fields_of, views_in, count=count, niceness=niceness, longest_answer=LONGEST_ANSWER)


def _fields_of(data: bytes) -> Fields:
    return fields_of(views_of(picture_of_bytes(data)))


def fields_of(views: Views) -> Fields:
    """The views as a limited process answers."""
    return {"views": [[view.kind, view.box, view.tilt, view.quality, view.codes.hex()] for view in views.views]}


def views_in(fields: Fields) -> Views:
    """The views in such an answer; ValueError, TypeError or KeyError where they are none."""
    given = fields["views"]
    if not 1 <= len(given) <= MOST_VIEWS:
        raise ValueError
    views = tuple(_view_in(*each) for each in given)
    if views[0].kind != "whole" or len(views[0].codes) != CODE_BYTES * len(TURNS):
        raise ValueError
    return Views(views)


def _view_in(kind: object, box: object, tilt: object, quality: object, codes: object) -> View:
    if kind not in _KINDS or not isinstance(codes, str) or not isinstance(tilt, float):
        raise ValueError
    if not isinstance(quality, int) or not 0 <= quality <= 100 or not abs(tilt) <= 45:
        raise ValueError
    edges: tuple[float, float, float, float] | None = None
    if box is not None:
        left, top, right, bottom = map(float, box)  # type: ignore[call-overload]
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise ValueError
        edges = (left, top, right, bottom)
    raw = bytes.fromhex(codes)
    if len(raw) not in (CODE_BYTES, CODE_BYTES * len(TURNS)):
        raise ValueError
    found: ViewKind = kind  # type: ignore[assignment]
    return View(found, edges, tilt, quality, raw)
