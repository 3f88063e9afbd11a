"""Where in a video another one lies: what stays in its place over time while the picture moves.

A caption, an app's screen, bars and the rim of an inset are still, whatever they show; so a few frames tell more than
one. Three ways, over the frames of some seconds: bars and the like in the mean of the frames (`trim`); the part that
moves at all; rectangles whose four sides are edges in every frame, as those of an inset or of half of a split screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reclaim.signals.luma import SIDE
from reclaim.signals.trim import LEAST_CUT, LEAST_SIDE, Trimmed, trim

Plane = npt.NDArray[np.uint8]
Levels = npt.NDArray[np.float32]

MOST_PARTS = 4
"""Rectangles with steady sides that are taken."""

_HALF = SIDE // 2
_STILL = 3.0
"""Grey levels: the mean change of a pixel from one frame to the next that codecs make of nothing."""
_MOVING = 0.04
"""Of a line: fewer pixels that move are noise, or a clock in an app's screen."""
_LEAST_FRAMES = 3
_NEAR = 5
"""Pixels of 256 between where something begins to move and the edge that it lies in."""
_LINES = 7
"""Lines each way that rectangles are made of, besides the rim of the frame."""
_STEP = 5.0
"""Grey levels of a steady edge, at least."""
_STANDS_OUT = 1.8
"""So many times as steep as what lies around it, an edge is a steady one."""
_LEAST_PART = _HALF // 6
_LEAST_SUPPORT = 0.55
_SHARED = 0.8


class Layout(NamedTuple):
    """Where others may lie in the frames of some seconds; in pixels of the square."""

    trimmed: Trimmed | None
    """What is left without bars, captions and what does not move."""
    parts: tuple[Trimmed, ...]
    """Insets, and parts of a split screen; the likeliest first."""


NO_LAYOUT = Layout(None, ())


def layout(squares: Sequence[Plane]) -> Layout:
    """Where others may lie in frames of 512 x 512 that follow one another; memory and time grow with their number."""
    if not squares:
        return NO_LAYOUT
    trimmed = trim(_mean(squares))
    if len(squares) < _LEAST_FRAMES:
        return Layout(trimmed, ())
    halves = np.stack([_halved(each) for each in squares])
    moves = np.abs(np.diff(halves, axis=0)).mean(axis=0) > _STILL
    edges = _edges(halves)
    if trimmed is None:
        trimmed = _moving(moves, edges)
    parts = [part for part in _parts(moves, edges) if trimmed is None or _shared(part, trimmed) < _SHARED]
    return Layout(trimmed, tuple(parts[:MOST_PARTS]))


def _mean(squares: Sequence[Plane]) -> Plane:
    total = np.zeros(squares[0].shape, np.uint32)
    for each in squares:
        total += each
    return (total // len(squares)).astype(np.uint8)


def _halved(square: Plane) -> Levels:
    """256 x 256, each the mean of four pixels."""
    rows = square[::2].astype(np.uint16) + square[1::2]
    return (rows[:, ::2] + rows[:, 1::2]).astype(np.float32) / np.float32(4)


class _Edges(NamedTuple):
    """Steady edges of frames of 256 x 256: the one before column x at x - 1, that before row y at y - 1."""

    across: npt.NDArray[np.bool_]
    """Shape (256 rows, 255)."""
    down: npt.NDArray[np.bool_]
    """Shape (256 columns, 255)."""
    columns: list[int]
    """Where the longest upright ones are, ascending, and the rims of the frame."""
    rows: list[int]


def _edges(halves: Levels) -> _Edges:
    across = _steady(np.abs(np.diff(halves, axis=2)).mean(axis=0))
    down = _steady(np.abs(np.diff(halves, axis=1)).mean(axis=0).T)
    return _Edges(across, down, _lines(across), _lines(down))


def _moving(moves: npt.NDArray[np.bool_], edges: _Edges) -> Trimmed | None:
    """The part that moves; None where that is nearly all, or too little."""
    top, bottom, left, right = 0, _HALF, 0, _HALF
    for _ in range(2):
        rows = _longest(moves[:, left:right].mean(axis=1) > _MOVING)
        if rows is None:
            return None
        top, bottom = rows
        columns = _longest(moves[top:bottom].mean(axis=0) > _MOVING)
        if columns is None:
            return None
        left, right = columns
    # What codecs make of a moving edge moves beside it too.
    left, right = (_nearest(edges.columns, each) for each in (left, right))
    top, bottom = (_nearest(edges.rows, each) for each in (top, bottom))
    box = Trimmed(2 * left, 2 * top, 2 * right, 2 * bottom)
    width, height = box.right - box.left, box.bottom - box.top
    if min(width, height) < LEAST_SIDE or SIDE - min(width, height) < LEAST_CUT:
        return None
    return box


def _nearest(lines: list[int], at: int) -> int:
    """The line nearest to a place, or the place where none is near."""
    line = min(lines, key=lambda each: abs(each - at))
    return line if abs(line - at) <= _NEAR else at


def _longest(lines: npt.NDArray[np.bool_]) -> tuple[int, int] | None:
    """The longest stretch of lines that are true, gaps of a few left in."""
    at = np.flatnonzero(lines)
    if not len(at):
        return None
    breaks = np.flatnonzero(np.diff(at) > _HALF // 32)
    firsts, lasts = at[np.r_[0, breaks + 1]], at[np.r_[breaks, len(at) - 1]]
    longest = int(np.argmax(lasts - firsts))
    return int(firsts[longest]), int(lasts[longest]) + 1


def _parts(moves: npt.NDArray[np.bool_], edges: _Edges) -> list[Trimmed]:
    """Rectangles with steady sides in which something moves, the steadiest first."""
    across, down, columns, rows = edges
    # How much of a line, from its beginning on, is a steady edge.
    along_columns = {x: _sums(across[:, x - 1]) if 0 < x < _HALF else None for x in columns}
    along_rows = {y: _sums(down[:, y - 1]) if 0 < y < _HALF else None for y in rows}
    found: list[tuple[int, float, Trimmed]] = []
    for left, right in combinations(columns, 2):
        if right - left < _LEAST_PART:
            continue
        for top, bottom in combinations(rows, 2):
            if bottom - top < _LEAST_PART or (right - left == _HALF and bottom - top == _HALF):
                continue
            sides = [
                _support(along_columns[left], top, bottom),
                _support(along_columns[right], top, bottom),
                _support(along_rows[top], left, right),
                _support(along_rows[bottom], left, right),
            ]
            inside = [side for side in sides if side is not None]
            if min(inside) >= _LEAST_SUPPORT:
                box = Trimmed(2 * left, 2 * top, 2 * right, 2 * bottom)
                found.append((-len(inside), -sum(inside) / len(inside), box))
    chosen: list[Trimmed] = []
    # The more of its sides lie inside the frame, the less is it made of others.
    for _, _, box in sorted(found):
        inside_moves = moves[box.top // 2 : box.bottom // 2, box.left // 2 : box.right // 2].mean() > _MOVING
        if inside_moves and all(_shared(box, other) < _SHARED for other in chosen):
            chosen.append(box)
            if len(chosen) == MOST_PARTS:
                break
    return chosen


def _steady(steps: Levels) -> npt.NDArray[np.bool_]:
    """Where the mean step to the next pixel of a row stands out from those beside it; shape (rows, steps)."""
    count = steps.shape[1]
    reach = 6
    sums = np.cumsum(np.pad(steps, ((0, 0), (reach + 1, reach)), "reflect"), axis=1, dtype=np.float32)
    around = (sums[:, 2 * reach + 1 :] - sums[:, : -2 * reach - 1])[:, :count]
    beside = (around - steps) / (2 * reach)
    return np.asarray((steps > _STEP) & (steps > _STANDS_OUT * beside))


def _lines(steady: npt.NDArray[np.bool_]) -> list[int]:
    """Where the lines are that are steady for the longest, ascending, and the two ends of the frame."""
    length = steady.sum(axis=0)
    chosen: list[int] = []
    for step in np.argsort(-length, kind="stable").tolist():
        if length[step] < _LEAST_PART * _LEAST_SUPPORT or len(chosen) == _LINES:
            break
        if all(abs(step + 1 - other) > 2 for other in chosen):
            chosen.append(step + 1)
    return sorted({0, _HALF, *chosen})


def _sums(line: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(line)])


def _support(sums: npt.NDArray[np.int64] | None, first: int, end: int) -> float | None:
    """How much of a side is a steady edge; None for the rim of the frame."""
    return None if sums is None else float(sums[end] - sums[first]) / (end - first)


def _shared(one: Trimmed, other: Trimmed) -> float:
    """How much two rectangles have in common, of what they cover together."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    common = max(0, width) * max(0, height)
    return common / (_area(one) + _area(other) - common)


def _area(box: Trimmed) -> int:
    return (box.right - box.left) * (box.bottom - box.top)
