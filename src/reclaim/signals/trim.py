"""Where the picture lies within bars, a caption, or an app's screen: found in the luma square, in whole numbers.

A person's browser does the same to the bit (conformance/vectors/trim.json), so that both sides cut alike.

A line (a row, or a column) is *even* where nearly all of it is near its own mean. Even lines of the colours that lie
outermost, or that are the most common, are *ground*; between ground lie stretches of other lines. The one that differs
most from its ground is the picture. An end of it counts only where most of its length is an edge: the sky in a
photograph is ground too, but fades. Rows first, then columns, then again within what was found, until nothing changes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

LEAST_SIDE = 48
"""Pixels of the square: what is narrower or lower is no picture, but a button or a line of text."""
LEAST_CUT = 4
"""Pixels: where less is cut in both directions nothing is, as it changes no signal by much."""
ROUNDS = 4

_NEAR = 10
"""Grey levels: two this near are one colour, give or take what JPEG adds."""
_EDGE = 12
"""Grey levels over three pixels: more is an edge."""
_REACH = 3
"""Pixels about the end of a stretch in which its edge is looked for."""


class Trimmed(NamedTuple):
    """What is left of a square, in its pixels: from the left and top ones to before the right and bottom ones."""

    left: int
    top: int
    right: int
    bottom: int


def trim(square: Plane) -> Trimmed | None:
    """Where the picture within a luma square lies (512 x 512); None where the square is all picture, or none is found.

    Raises ValueError for anything but a square plane.
    """
    if square.ndim != 2 or square.shape[0] != square.shape[1]:
        raise ValueError("A square has as many rows as columns.")
    side = len(square)
    left, top, right, bottom = 0, 0, side, side
    for _ in range(ROUNDS):
        before = left, top, right, bottom
        rows = stretch(square[top:bottom, left:right])
        if rows is None or rows[1] - rows[0] < LEAST_SIDE:
            return None
        top, bottom = top + rows[0], top + rows[1]
        columns = stretch(square[top:bottom, left:right].T)
        if columns is None or columns[1] - columns[0] < LEAST_SIDE:
            return None
        left, right = left + columns[0], left + columns[1]
        if (left, top, right, bottom) == before:
            break
    if side - (right - left) < LEAST_CUT and side - (bottom - top) < LEAST_CUT:
        return None
    return Trimmed(left, top, right, bottom)


def stretch(plane: Plane) -> tuple[int, int] | None:
    """From which row to before which the picture lies; None where every row is ground. Columns: of the plane turned."""
    plane = np.ascontiguousarray(plane)
    count = len(plane)
    means, even = _means(plane)
    colours = _grounds(means, even)
    ground = np.full(count, -1, np.int64)
    for colour in reversed(colours):
        ground[even & (np.abs(means - colour) <= _NEAR)] = colour
    starts = [0, *(np.flatnonzero(ground[1:] != ground[:-1]) + 1).tolist(), count]
    best, most = -1, 0
    for at in range(len(starts) - 1):
        first, end = starts[at], starts[at + 1]
        if ground[first] >= 0:
            continue
        beside = int(ground[first - 1]) if first else int(ground[end]) if end < count else -1
        differing = _differing(plane[first:end], beside) if beside >= 0 else (end - first) * plane.shape[1]
        if differing > most:
            best, most = at, differing
    if best < 0:
        return None
    first, last = best, best + 1
    # Out to an edge: what fades into ground goes on.
    while (top := _edge(plane, starts[first])) is None:
        first -= 1
    while (bottom := _edge(plane, starts[last])) is None:
        last += 1
    return top, bottom


def _means(plane: Plane) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """The mean of each row, rounded, halves up; and whether at most one pixel in 32 of it is not near that."""
    width = plane.shape[1]
    means: Numbers = (2 * plane.sum(axis=1, dtype=np.int64) + width) // (2 * width)
    return means, np.count_nonzero(_apart(plane, means.astype(np.uint8)[:, None]) > _NEAR, axis=1) * 32 <= width


def _apart(one: Plane, other: Plane) -> Plane:
    return np.maximum(one, other) - np.minimum(one, other)


def _differing(plane: Plane, colour: int) -> int:
    """How many pixels are not near a colour."""
    return int(np.count_nonzero(_apart(plane, np.full((1, 1), colour, np.uint8)) > _NEAR))


def _grounds(means: Numbers, even: npt.NDArray[np.bool_]) -> list[int]:
    """The means of the first and the last even row, and the colour that most of them are near; none without such."""
    of_even = means[even]
    if not len(of_even):
        return []
    held = np.bincount(of_even, minlength=256)
    near = np.convolve(held, np.ones(2 * _NEAR + 1, np.int64))[_NEAR : _NEAR + 256]
    return [int(of_even[0]), int(of_even[-1]), int(np.argmax(near))]


def _edge(plane: Plane, at: int) -> int | None:
    """The row near to this one that begins with an edge over three eighths of its length; None where there is none.

    The ends of the plane are edges.
    """
    count, width = plane.shape
    if at in (0, count):
        return at
    first, last = max(1, at - _REACH), min(count - 1, at + _REACH)
    steps = _apart(plane[first : last + 1], plane[first - 1 : last]).sum(axis=1, dtype=np.int64)
    # The steepest; of equal ones the nearest, of equally near ones the first.
    row = min(range(first, last + 1), key=lambda each: (-int(steps[each - first]), abs(each - at)))
    below, above = plane[min(row + 1, last)], plane[max(row - 2, first - 1)]
    return row if np.count_nonzero(_apart(below, above) > _EDGE) * 8 >= width * 3 else None
