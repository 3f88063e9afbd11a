"""Whether pairs of like descriptors say that an upload shows a known picture: one map must explain where they lie.

A patch of the known picture and a patch of the upload that look alike may do so by chance. That five or more of them
lie as one turned, scaled and shifted picture would lay them does not happen by chance. docs/second-stage.md has how
it is decided, and what was measured.

Whoever posts the pairs may be an adversary: the work is bounded by ``MOST_PAIRS`` and ``MOST``, whatever they hold, and
the same pairs always give the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reclaim.signals.descriptors import ANGLES, FRAME, LEVELS, MOST, Placement, parse_frame
from reclaim.signals.mapping import STEP, Fit, Frame, Paired, Points, area, best_fit, laid
from reclaim.signals.pdq import TURNS

MOST_PAIRS = 256
"""Pairs that one check takes."""

LEAST_INLIERS = 5
"""Pairs that must lie as one map lays them."""

LEAST_INLIERS_OF_MANY = 8
"""The same where the bank is large, so that a picture which is like many has many chances."""

# Around the middle of a descriptor there must be so many pixels of its level in the frame, else none is made.
_MARGIN = 20.0


class Pair(NamedTuple):
    """A descriptor of the known picture that one of the upload is like."""

    slot: int
    """Its number in the known picture's descriptors."""
    x: int
    """The rest is the Place of the upload's descriptor, in the upload as it lies."""
    y: int
    level: int
    angle: int
    mirrored: int
    """1 if it is like the mirrored upload's descriptor, else 0."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """How an upload lies to the known picture. Only the bank may know it this exactly."""

    matrix: tuple[tuple[float, float, float], tuple[float, float, float]]
    """From pixels of the known picture's frame to pixels of the upload's."""
    inliers: int
    """Descriptors that lie as it says, each at a spot of its own."""
    turn: str
    """The turn of the upload that lies as the known picture does, of ``signals.pdq.TURNS``."""
    mirrored: bool
    tilt: float
    """Degrees, anticlockwise, by which the upload is tilted against the known picture, beyond the turn: -45 to 45."""
    kept: float
    """The share of the known picture's frame that lies in the upload's, 0 to 1."""
    altered: float | None
    """About the share of what is visible of it where descriptors should be and are not; None where too few say so."""
    box: tuple[float, float, float, float]
    """The known picture in the upload: left, top, right, bottom, in parts of the upload's width and height."""


def check(
    placement: Placement,
    pairs: Sequence[Sequence[int]] | npt.NDArray[np.integer],
    frame: tuple[int, int],
    *,
    least: int = LEAST_INLIERS,
) -> Geometry | None:
    """How the upload lies to the known picture whose descriptors lie so, if it shows it.

    There are up to MOST places. The pairs (k x 6, see Pair, k up to MOST_PAIRS) come from the upload, whose
    frame is given as width and height. A slot may stand in several pairs and so may a patch of the upload; at most one
    pair of each counts. None unless `least` of them, spread over an area, lie as one map says. Raises ValueError, with
    a sentence, for what is out of range.
    """
    upload_frame = Frame(*parse_frame(frame))
    own, known = Frame(*parse_frame(placement.frame)), _known(placement.places)
    given = _pairs(pairs, len(known), upload_frame)
    best: Fit | None = None
    for mirrored in (False, True):
        chosen = given[given[:, 5] == mirrored]
        if len(chosen) < least:
            continue
        fit = best_fit(Paired.of(known, chosen, upload_frame, mirrored=mirrored), least)
        if fit is not None and (best is None or fit.count > best.count):
            best = fit
    return None if best is None else _geometry(best, known, own, upload_frame)


_NO_PAIR = "A pair is six whole numbers: slot, x, y, level, angle, mirrored."


def _known(places: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
    known = np.asarray(places)
    if known.ndim != 2 or known.shape[1] != 4 or not 1 <= len(known) <= MOST:
        raise ValueError(f"A placement has 1 to {MOST} places of four numbers.")
    if (known < 0).any() or (known >= (FRAME, FRAME, LEVELS, ANGLES)).any():
        raise ValueError("A place is out of range.")
    return known.astype(np.float64)


def _pairs(pairs: Sequence[Sequence[int]] | npt.NDArray[np.integer], slots: int, frame: Frame) -> npt.NDArray[np.int64]:
    if len(pairs) > MOST_PAIRS:
        raise ValueError(f"At most {MOST_PAIRS} pairs are checked at once.")
    if len(pairs) == 0:
        return np.empty((0, 6), np.int64)
    if any(len(pair) != len(Pair._fields) for pair in pairs):
        raise ValueError(_NO_PAIR)
    given = np.asarray(pairs)
    if given.ndim != 2 or not np.issubdtype(given.dtype, np.integer):
        raise ValueError(_NO_PAIR)
    if (given < 0).any() or (given >= (slots, frame.width, frame.height, LEVELS, ANGLES, 2)).any():
        raise ValueError("A pair is out of range: it names no slot of this picture or lies outside the frame.")
    # In one order, whatever order they came in, and each once: the answer hangs on nothing else.
    return np.unique(given.astype(np.int64), axis=0)


def _within(corners: list[complex], frame: Frame) -> list[complex]:
    """What of a convex polygon lies in the frame (Sutherland and Hodgman)."""
    # Each side of the frame as a direction in which it ends, and how far.
    for outwards, end in ((-1 + 0j, 0.0), (1 + 0j, float(frame.width)), (-1j, 0.0), (1j, float(frame.height))):
        cut: list[complex] = []
        for one, other in zip(corners, [*corners[1:], *corners[:1]], strict=True):
            here, there = ((outwards.conjugate() * corner).real - end for corner in (one, other))
            if here <= 0:
                cut.append(one)
            if (here < 0 < there) or (there < 0 < here):
                cut.append(one + (other - one) * (here / (here - there)))
        corners = cut
    return corners


def _geometry(fit: Fit, known: Points, own: Frame, frame: Frame) -> Geometry | None:
    linear = fit.matrix[:, :2]
    turned = math.degrees(math.atan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1]))
    quarters = round(turned / 90)
    beyond = turned - 90 * quarters
    matrix = fit.matrix.copy()
    if fit.paired.mirrored:
        matrix[0] = -matrix[0]
        matrix[0, 2] += frame.width - 1
    corners = [0j, complex(own.width, 0), complex(own.width, own.height), complex(0, own.height)]
    quad = [complex(corner) for corner in laid(matrix, np.array(corners))]
    visible = _within(quad, frame)
    if len(visible) < 3:
        return None
    xs, ys = [corner.real for corner in visible], [corner.imag for corner in visible]
    return Geometry(
        matrix=(_row(matrix[0]), _row(matrix[1])),
        inliers=fit.count,
        turn=TURNS[_TURN_BY_QUARTERS[fit.paired.mirrored][quarters % 4]],
        mirrored=fit.paired.mirrored,
        tilt=beyond if fit.paired.mirrored else -beyond,
        kept=min(1.0, area(visible) / area(quad)),
        altered=_altered(fit, known, matrix, frame),
        box=(
            _part(min(xs), frame.width),
            _part(min(ys), frame.height),
            _part(max(xs), frame.width),
            _part(max(ys), frame.height),
        ),
    )


def _row(numbers: Points) -> tuple[float, float, float]:
    return float(numbers[0]), float(numbers[1]), float(numbers[2])


def _part(at: float, side: int) -> float:
    return min(1.0, max(0.0, at / side))


# By quarters to the right, as numbers of TURNS: first of an upload that is not mirrored, then of one that is.
_TURN_BY_QUARTERS = ((0, 1, 2, 3), (5, 6, 4, 7))

_LEAST_VISIBLE = 8  # descriptors, else nothing is said of what is altered
_NEIGHBOURS = 4
_FOUND_AMONG = 1


def _altered(fit: Fit, known: Points, matrix: Points, frame: Frame) -> float | None:
    """The share of visible descriptors in whose neighbourhood hardly any was found."""
    size = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    points = known[:, 0] + 1j * known[:, 1]
    placed = laid(matrix, points)
    levels = known[:, 2] + math.log(size) / math.log(STEP)
    margin = _MARGIN * STEP ** np.maximum(levels, 0)
    visible = (levels > -1) & (levels < LEVELS)
    visible &= (placed.real >= margin) & (placed.real < frame.width - margin)
    visible &= (placed.imag >= margin) & (placed.imag < frame.height - margin)
    found = np.zeros(len(known), bool)
    found[fit.paired.slots[fit.chosen]] = True
    visible |= found
    if visible.sum() < _LEAST_VISIBLE:
        return None
    points, found = points[visible], found[visible]
    distance = np.abs(points[:, None] - points[None, :])
    np.fill_diagonal(distance, np.inf)
    beside = found[np.argsort(distance, axis=1, kind="stable")[:, :_NEIGHBOURS]]
    hardly = (found + beside.sum(axis=1) <= _FOUND_AMONG).mean()
    # Where all is as it was some are not found either: so many as beside those that were. By chance alone, then, there
    # is hardly any in so many neighbourhoods, which are not altered.
    rate = beside[found].mean()
    count = _NEIGHBOURS + 1
    by_chance = sum(math.comb(count, few) * rate**few * (1 - rate) ** (count - few) for few in range(_FOUND_AMONG + 1))
    return float(max(0.0, (hardly - by_chance) / (1 - by_chance))) if by_chance < 1 else None
