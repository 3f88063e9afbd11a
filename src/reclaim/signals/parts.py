"""Rectangles in a luma square that may each be a picture of its own: parts of a collage, an inset, what a screen shows.

A pixel is on an *edge* where the brightness steps across three pixels, and not half as much on either side; or where a
thin line of one colour runs, as a gutter or a frame. Photographs have edges everywhere, but hardly ever in one straight
line of rows or columns. The lines with most of them in one piece, and more than the lines around, are the sides of
rectangles, as is the square's own border; of those whose four sides are edges for the most part, the ones whose sides
stand out most from what lies along them are taken. So a texture, which has edges in every line, makes no rectangles.
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
MOST_LINES = 22
"""Along each axis."""
MOST_FOUND = 14
"""Rectangles taken because of their edges; each in four ways, as PDQ of a small one changes with every pixel."""
MOST_PARTS = 4 * MOST_FOUND + 23
MOST_COMPARED = 400
"""Rectangles that are told apart."""

_STEP = 12
"""Grey levels that an edge steps at least."""
_ALIKE = 6
"""Grey levels between neighbours along a thin line."""
_THIN = 5
"""Pixels from within a thin line to beside it."""
_ALONG = 8
"""Pixels along a thin line that are compared."""
_BLOCK = 16
_CLOSE, _FAR = 2, 8
"""Rows from beyond the one to the other, on both sides, are around a row."""
_LINE_PERCENT = 25
"""Of a line's best piece so much more at least is edge than of the rows around."""
_SIDE_PERCENT = 40
_BORDER = 25
"""Percent by which the square's border is taken to stand out."""
_REACH = 3
"""Pixels from a line in which the steepest is looked for: about as wide as the frame around an inset."""
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
    all_ways: list[Part] = []
    for part in _seen(square, turned):
        steepest, inner = _refined(square, turned, part)
        all_ways += (part, steepest, _peel(square, turned, steepest), inner)
    for part in _GRID:
        all_ways += (part, _peel(square, turned, part))
    sides = np.array(all_ways, np.int64)
    alike = np.abs(sides[:, None] - sides[None]).max(axis=2) <= 1
    found: list[int] = []
    for number in range(len(all_ways)):
        if not alike[number, found].any():
            found.append(number)
    return [all_ways[number] for number in found[:MOST_PARTS]]


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
    """The rectangles whose four sides are edges, those first whose weakest side stands out most."""
    across, down = _edges(square), _edges(turned)
    rows, columns = (np.array([0, *_lines(edges), SIDE]) for edges in (across, down))
    top, bottom = _pairs(rows)
    left, right = _pairs(columns)
    held_rows, over_rows = _sides(across, rows, columns[left], columns[right])
    held_columns, over_columns = _sides(down, columns, rows[top], rows[bottom])
    enough = (held_rows[top] & held_rows[bottom]) & (held_columns[left] & held_columns[right]).T
    down_at, across_at = np.nonzero(enough)
    top, bottom, left, right = top[down_at], bottom[down_at], left[across_at], right[across_at]
    over = np.stack(
        [
            over_rows[top, across_at],
            over_rows[bottom, across_at],
            over_columns[left, down_at],
            over_columns[right, down_at],
        ]
    )
    worth = 10 * over.min(axis=0) + over.sum(axis=0)  # the weakest side tells most
    boxes = np.stack([columns[left], rows[top], columns[right], rows[bottom]], 1)
    best = np.argsort(-worth, kind="stable")[:MOST_COMPARED]
    boxes = boxes[best]
    boxes = boxes[(boxes != (0, 0, SIDE, SIDE)).any(axis=1)]
    found: list[Part] = []
    while len(boxes) and len(found) < MOST_FOUND:
        found.append(Part(*boxes[0].tolist()))
        boxes = boxes[np.abs(boxes - boxes[0]).max(axis=1) > 3]
    return found


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
    """The rows with the longest pieces of edge that the rows around have not, up to ``MOST_LINES``."""
    held = edges.reshape(SIDE, SIDE // _BLOCK, _BLOCK).sum(axis=2, dtype=np.int64)
    sums = np.cumsum(np.pad(held, ((_FAR + 1, _FAR), (0, 0))), axis=0)
    around = sums[2 * _FAR + 1 :] - sums[: -2 * _FAR - 1]
    around -= sums[_FAR + _CLOSE + 1 : SIDE + _FAR + _CLOSE + 1] - sums[_FAR - _CLOSE : SIDE + _FAR - _CLOSE]
    worth = np.ascontiguousarray((100 * (held - around // (2 * (_FAR - _CLOSE))) - _LINE_PERCENT * _BLOCK).T)
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


def _sides(edges: Flags, lines: Numbers, starts: Numbers, ends: Numbers) -> tuple[Flags, Numbers]:
    """Of each line from each start to each end: whether enough of it is edge, and how many percent more than beside it.

    The square's border is edge, and says nothing.
    """
    on, beside = np.zeros((2, len(lines), SIDE + 1), np.int64)
    for number, line in enumerate(lines.tolist()):
        if 0 < line < SIDE:
            np.cumsum(edges[line - 1 : line + 2].any(axis=0), out=on[number, 1:])
            above, below = (edges[row : row + 3].any(axis=0) for row in (max(line - 7, 0), min(line + 4, SIDE - 3)))
            np.cumsum(above.astype(np.int64) + below, out=beside[number, 1:])
    length = ends - starts
    shares = 100 * (on[:, ends] - on[:, starts]) // length
    over = shares - 50 * (beside[:, ends] - beside[:, starts]) // length
    border = (lines == 0) | (lines == SIDE)
    shares[border], over[border] = 100, _BORDER
    return shares >= _SIDE_PERCENT, over


def _refined(square: Plane, turned: Plane, part: Part) -> tuple[Part, Part]:
    """Each side at the steepest line near it; and at the innermost of those that are a third as steep."""
    left, top, right, bottom = part
    sides = (
        _steepest(turned, left, top, bottom, 1),
        _steepest(square, top, left, right, 1),
        _steepest(turned, right, top, bottom, -1),
        _steepest(square, bottom, left, right, -1),
    )
    return Part(*(steepest for steepest, _ in sides)), Part(*(innermost for _, innermost in sides))


def _steepest(plane: Plane, row: int, start: int, end: int, inwards: int) -> tuple[int, int]:
    if not _REACH < row < SIDE - _REACH:
        return row, row
    near = plane[row - _REACH - 1 : row + _REACH + 1, start:end]
    steps = _apart(near[1:], near[:-1]).sum(axis=1, dtype=np.int64)[::-inwards]
    # Innermost first.
    steepest, innermost = int(np.argmax(steps)), int(np.argmax(3 * steps > steps.max()))
    return row + inwards * (_REACH - steepest), row + inwards * (_REACH - innermost)


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
