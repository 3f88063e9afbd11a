"""Rectangles in a luma square that may each be a picture of its own: parts of a collage, an inset, what a screen shows.

A pixel is on an *edge* where the brightness steps across three pixels, and not half as much on either side; or where a
thin line of one colour runs, as a gutter or a frame. Photographs have edges everywhere, but hardly ever in one straight
line of rows or columns. The lines with most of them in one piece, and the square's own border, are the sides of
rectangles; those whose four sides are edges for the most part are taken, those without another line through them first.
The halves, quarters, thirds and ninths of the square are taken unseen. So the number is bounded, whatever comes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reclaim.signals import _pdq

Plane = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

SIDE = 512
LEAST_SIDE = 44
"""Pixels of the square: what is smaller has too little detail to be told."""
MOST_LINES = 14
"""Along each axis."""
MOST_FOUND = 28
"""Rectangles taken because of their edges; each may be taken a second time without its frame."""
MOST_PARTS = 2 * MOST_FOUND + 23

_STEP = 12
"""Grey levels that an edge steps at least."""
_ALIKE = 6
"""Grey levels between neighbours along a thin line."""
_THIN = 5
"""Pixels from within a thin line to beside it."""
_ALONG = 8
"""Pixels along a thin line that are compared."""
_BLOCK = 16
_LINE_PERCENT = 40
"""Of a line's best piece this much at least is edge."""
_SIDE_PERCENT = 40
_THROUGH_PERCENT = 65
_MARGIN = 6
"""Pixels from the border where no line is looked for."""
_PEELED = 8
_NEAR = 10


class Part(NamedTuple):
    """A rectangle in pixels of the square: from left and top to before right and bottom."""

    left: int
    top: int
    right: int
    bottom: int


def parts_of(square: Plane) -> list[Part]:
    """Up to ``MOST_PARTS`` rectangles of a 512 x 512 luma square, never the whole of it; those seen come first."""
    turned = _transposed(square)
    both = [each for part in [*_seen(square, turned), *_GRID] for each in (part, _peel(square, turned, part))]
    sides = np.array(both, np.int64)
    alike = np.abs(sides[:, None] - sides[None]).max(axis=2) <= 1
    found: list[int] = []
    for number in range(len(both)):
        if not alike[number, found].any():
            found.append(number)
    return [both[number] for number in found[:MOST_PARTS]]


def _transposed(plane: Plane) -> Plane:
    return np.frombuffer(_pdq.transpose(plane), np.uint8).reshape(plane.shape[::-1])


def _grid() -> list[Part]:
    """The halves, quarters, thirds and ninths."""
    parts = []
    for count in (2, 3):
        at = [round(SIDE * number / count) for number in range(count + 1)]
        for i in range(count):
            parts += [Part(at[i], 0, at[i + 1], SIDE), Part(0, at[i], SIDE, at[i + 1])]
            parts += [Part(at[j], at[i], at[j + 1], at[i + 1]) for j in range(count)]
    return parts


_GRID = _grid()


def _seen(square: Plane, turned: Plane) -> list[Part]:
    """The rectangles whose four sides are edges, those first that no other line goes through."""
    across, down = _edges(square), _edges(turned)
    rows, columns = (np.array([0, *_lines(edges), SIDE]) for edges in (across, down))
    top, bottom = _pairs(rows)
    left, right = _pairs(columns)
    along_rows = _shares(across, rows, columns[left], columns[right])
    along_columns = _shares(down, columns, rows[top], rows[bottom])
    least = np.minimum(
        np.minimum(along_rows[top], along_rows[bottom]), np.minimum(along_columns[left], along_columns[right]).T
    )
    # How much of the sides is edge beyond the least that must be; the square's border says nothing.
    wide, high = columns[right] - columns[left], rows[bottom] - rows[top]
    over_rows = _over(along_rows, rows) * wide
    over_columns = _over(along_columns, columns) * high
    seen = over_rows[top] + over_rows[bottom] + (over_columns[left] + over_columns[right]).T
    through = _through(rows, top, bottom, along_rows) + _through(columns, left, right, along_columns).T
    at_rows, at_columns = np.nonzero(least >= _SIDE_PERCENT)
    boxes = np.stack(
        [columns[left][at_columns], rows[top][at_rows], columns[right][at_columns], rows[bottom][at_rows]], 1
    )
    order = np.lexsort((-seen[at_rows, at_columns], np.minimum(through[at_rows, at_columns], 3)))
    taken = np.array([[0, 0, SIDE, SIDE]])
    for box in boxes[order]:
        if (np.abs(taken - box).max(axis=1) > 3).all():
            taken = np.vstack([taken, box])
            if len(taken) > MOST_FOUND:
                break
    return [_refined(square, turned, Part(*map(int, box))) for box in taken[1:]]


def _apart(one: Plane, other: Plane) -> Plane:
    return np.maximum(one, other) - np.minimum(one, other)


def _edges(plane: Plane) -> Flags:
    """Where a row begins with an edge, or a thin line runs along it: 512 x 512."""
    steps = np.zeros_like(plane)
    steps[2:-1] = _apart(plane[3:], plane[:-3])
    half = steps >> 1
    edges = steps > _STEP
    edges[3:] &= half[3:] >= steps[:-3]
    edges[:-3] &= half[:-3] >= steps[3:]

    beside = _apart(plane[_THIN:], plane[:-_THIN]) > _STEP
    thin = beside[_THIN:] & beside[:-_THIN]
    alike = _apart(plane[_THIN:-_THIN, _ALONG:], plane[_THIN:-_THIN, :-_ALONG]) <= _ALIKE
    edges[_THIN:-_THIN, _ALONG:-_ALONG] |= thin[:, _ALONG:-_ALONG] & alike[:, _ALONG:] & alike[:, :-_ALONG]
    return edges


def _lines(edges: Flags) -> list[int]:
    """The rows that hold the longest pieces of edge, up to ``MOST_LINES``."""
    held = edges.reshape(SIDE, SIDE // _BLOCK, _BLOCK).sum(axis=2, dtype=np.int64)
    worth = np.ascontiguousarray((100 * held - _LINE_PERCENT * _BLOCK).T)
    best, here = np.zeros(SIDE, np.int64), np.zeros(SIDE, np.int64)
    for block in worth:
        np.maximum(here + block, 0, out=here)
        np.maximum(best, here, out=best)
    best[:_MARGIN], best[-_MARGIN:] = 0, 0
    found: list[int] = []
    for row in np.argsort(-best, kind="stable")[: 4 * MOST_LINES].tolist():
        if best[row] <= 15 * LEAST_SIDE or len(found) == MOST_LINES:
            break
        if all(abs(row - other) > 2 for other in found):
            found.append(row)
    return sorted(found)


def _pairs(lines: Numbers) -> tuple[Numbers, Numbers]:
    """Which lines are far enough apart to be the two sides of a rectangle."""
    first, second = np.triu_indices(len(lines), 1)
    far = lines[second] - lines[first] >= LEAST_SIDE
    return first[far], second[far]


def _shares(edges: Flags, lines: Numbers, starts: Numbers, ends: Numbers) -> npt.NDArray[np.float64]:
    """How many percent of each line are edge from each start to each end; of the square's border, all."""
    sums = np.empty((len(lines), SIDE + 1), np.int64)
    sums[:, 0] = 0
    for number, line in enumerate(lines.tolist()):
        near = edges[max(line - 1, 0) : line + 2].any(axis=0) if 0 < line < SIDE else np.ones(SIDE, np.bool_)
        np.cumsum(near, out=sums[number, 1:])
    shares: npt.NDArray[np.float64] = 100 * (sums[:, ends] - sums[:, starts]) / (ends - starts)
    return shares


def _over(shares: npt.NDArray[np.float64], lines: Numbers) -> npt.NDArray[np.float64]:
    over: npt.NDArray[np.float64] = np.where(((lines == 0) | (lines == SIDE))[:, None], 0.0, shares - _SIDE_PERCENT)
    return over


def _through(lines: Numbers, first: Numbers, second: Numbers, shares: npt.NDArray[np.float64]) -> Numbers:
    """How many lines go through each rectangle: pairs of lines of this axis x pairs of the other."""
    inside = (lines > lines[first][:, None] + 12) & (lines < lines[second][:, None] - 12)
    return inside.astype(np.int64) @ (shares >= _THROUGH_PERCENT).astype(np.int64)


def _refined(square: Plane, turned: Plane, part: Part) -> Part:
    """Each side at the steepest line near it."""
    left, top, right, bottom = part
    return Part(
        _steepest(turned, left, top, bottom),
        _steepest(square, top, left, right),
        _steepest(turned, right, top, bottom),
        _steepest(square, bottom, left, right),
    )


def _steepest(plane: Plane, row: int, start: int, end: int) -> int:
    if not 2 < row < SIDE - 2:
        return row
    near = plane[row - 3 : row + 3, start:end]
    return row - 2 + int(np.argmax(_apart(near[1:], near[:-1]).sum(axis=1, dtype=np.int64)))


def _peel(square: Plane, turned: Plane, part: Part) -> Part:
    """The rectangle without a thin frame of one colour, if that leaves enough."""
    left, top, right, bottom = part
    for _ in range(_PEELED):
        before = left, top, right, bottom
        top += _is_even(square[top, left:right])
        bottom -= _is_even(square[bottom - 1, left:right])
        left += _is_even(turned[left, top:bottom])
        right -= _is_even(turned[right - 1, top:bottom])
        if (left, top, right, bottom) == before:
            break
    # The line after a frame is half frame and half picture.
    left, top = left + (left > part.left), top + (top > part.top)
    right, bottom = right - (right < part.right), bottom - (bottom < part.bottom)
    enough = right - left >= LEAST_SIDE and bottom - top >= LEAST_SIDE
    return Part(left, top, right, bottom) if enough else part


def _is_even(line: Plane) -> bool:
    """As in ``trim``."""
    count = len(line)
    mean = (2 * int(line.sum(dtype=np.int64)) + count) // (2 * count)
    return int(np.count_nonzero(_apart(line, np.full(1, mean, np.uint8)) > _NEAR)) * 32 <= count
