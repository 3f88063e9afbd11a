"""The map that most pairs of like descriptors agree on: from the known picture's frame to the upload's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reclaim.signals.descriptors import ANGLES, FRAME

STEP = 1.2
"""From one level of the pyramid to the next, see ``signals.descriptors.LEVELS``."""
_RIGHT = ANGLES // 4

# How exactly a pair must lie, in pixels of the upload's frame: so much on the finest level, on others in proportion.
_MISS = 2.5
_LEAST_MISS = 4.0
_MOST_MISS = 14.0
# How far a pair's own scale and angle may be from the map's: in levels and in bins.
_LEVELS_OFF = 2.0
_BINS_OFF = 5.0
# What one pair's own scale and angle may be wrong by, where they alone say how its surroundings lie.
_LOOSE = 0.25

_SCALES = (1 / 12.0, 12.0)
_STRETCH = 1.5  # of one direction against another that an affine map may have
_AFFINE_MORE = 3  # inliers more than the least: an affine map fits three points by itself, a similarity two
_APART = 24.0  # pixels of the known picture between two pairs that make a similarity
_ROUNDS = 3
_HYPOTHESES = 1024
_REFINED = 8

# What the inliers must span of the known picture, else a logo or a line of text is enough.
_SPOT = 6.0  # pixels within which two descriptors are one corner seen twice
_THIN = 8.0  # pixels: the spread across the direction in which they spread least
_HULL = 0.01  # of the frame's area

Points = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]


class Frame(NamedTuple):
    """The size of a picture that places are counted in, in pixels; the longer side is FRAME."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Paired:
    """Pairs as complex points, the upload's mirrored back where they are of the mirrored upload."""

    slots: npt.NDArray[np.int64]
    spots: npt.NDArray[np.int64]
    """The number of the upload's patch, so that each counts once."""
    known: npt.NDArray[np.complex128]
    upload: npt.NDArray[np.complex128]
    steps: Points
    turns: Points
    """What the pair by itself says of the map: larger by so many levels, and turned by so many bins to the right."""
    misses: Points
    """How far from where the map lays it the upload's patch may lie, in pixels."""
    mirrored: bool
    width: int

    @classmethod
    def of(cls, known: Points, pairs: npt.NDArray[np.int64], frame: Frame, *, mirrored: bool) -> Paired:
        slots = pairs[:, 0]
        x, y, level, angle = (pairs[:, column].astype(np.float64) for column in (1, 2, 3, 4))
        if mirrored:
            x, angle = frame.width - 1 - x, (2 * _RIGHT - angle) % ANGLES
        theirs = known[slots]
        spots = np.unique(pairs[:, 1:5], axis=0, return_inverse=True)[1].reshape(-1)
        return cls(
            slots=slots,
            spots=spots.astype(np.int64),
            known=theirs[:, 0] + 1j * theirs[:, 1],
            upload=x + 1j * y,
            steps=level - theirs[:, 2],
            turns=(angle - theirs[:, 3]) % ANGLES,
            misses=np.clip(_MISS * STEP**level, _LEAST_MISS, _MOST_MISS),
            mirrored=mirrored,
            width=frame.width,
        )

    def agree(self, factors: npt.NDArray[np.complex128]) -> _Mask:
        """Which pairs (columns) are by their own scale and angle as these maps (rows) say."""
        steps = np.log(np.abs(factors)) / math.log(STEP)
        bins = np.angle(factors) * (ANGLES / (2 * np.pi)) % ANGLES
        off = np.abs(bins[:, None] - self.turns)
        agree: _Mask = np.abs(steps[:, None] - self.steps) <= _LEVELS_OFF
        agree &= (off <= _BINS_OFF) | (off >= ANGLES - _BINS_OFF)
        return agree

    def counts(self, inliers: _Mask) -> npt.NDArray[np.int64]:
        """For each row of pairs: how many of them can count at most, each slot and each patch once."""
        each = []
        for ids in (self.slots, self.spots):
            order = np.argsort(ids, kind="stable")
            starts = np.flatnonzero(np.diff(ids[order], prepend=-1))
            each.append(np.logical_or.reduceat(inliers[:, order], starts, axis=1).sum(axis=1))
        fewest: npt.NDArray[np.int64] = np.minimum(*each)
        return fewest


@dataclass(frozen=True, slots=True)
class Fit:
    """A map, and the pairs that lie as it says."""

    paired: Paired
    matrix: Points
    """2 x 3, to the upload's frame, mirrored back if it is mirrored."""
    chosen: npt.NDArray[np.int64]
    """The pairs that lie as it says, each slot and patch once."""
    count: int
    """Those of them at spots of their own."""


def best_fit(paired: Paired, least: int) -> Fit | None:
    """The map that most pairs agree on, if ``least`` of them do and span an area; else None."""
    best: Fit | None = None
    for factor, shift in _similarities(paired, least):
        for fit in _refined(paired, factor, shift, least):
            if (best is None or fit.count > best.count) and _spreads(paired.known[fit.chosen]):
                best = fit
    return best


def _similarities(paired: Paired, least: int) -> list[tuple[complex, complex]]:
    """The most promising maps ``factor * z + shift``, from two pairs each, best first."""
    factors = STEP**paired.steps * np.exp(2j * np.pi / ANGLES * paired.turns)
    sizes = np.abs(factors)
    known = paired.known[None, :] - paired.known[:, None]
    upload = paired.upload[None, :] - paired.upload[:, None]
    distance = np.abs(known)
    loose = np.abs(upload - factors[:, None] * known) <= (
        paired.misses[None, :] + paired.misses[:, None] + _LOOSE * sizes[:, None] * distance
    )
    loose &= paired.agree(factors)
    support = paired.counts(loose)
    usable = loose & (distance >= _APART) & (support >= least)[:, None]
    usable &= (paired.slots[None, :] != paired.slots[:, None]) & (paired.spots[None, :] != paired.spots[:, None])
    first, second = np.nonzero(np.triu(usable | usable.T))  # either says the same map
    if not len(first):
        return []
    # The order among equals is that of the pairs, which are sorted: the same pairs give the same maps.
    order = np.argsort(-(support[first] + support[second]), kind="stable")[:_HYPOTHESES]
    first, second = first[order], second[order]
    factors = upload[first, second] / known[first, second]
    shifts = paired.upload[first] - factors * paired.known[first]
    with_size = (np.abs(factors) >= _SCALES[0]) & (np.abs(factors) <= _SCALES[1])
    factors, shifts = factors[with_size], shifts[with_size]
    if not len(factors):
        return []
    scores = np.concatenate(
        [
            paired.counts(
                (np.abs(part[:, None] * paired.known + shift[:, None] - paired.upload) <= paired.misses)
                & paired.agree(part)
            )
            for part, shift in zip(_chunks(factors), _chunks(shifts), strict=True)
        ]
    )
    top = np.argsort(-scores, kind="stable")[:_REFINED]
    return [(complex(factors[at]), complex(shifts[at])) for at in top if scores[at] >= least - 1]


def _chunks(values: npt.NDArray[np.complex128]) -> list[npt.NDArray[np.complex128]]:
    return [values[at : at + 512] for at in range(0, len(values), 512)]


def _refined(paired: Paired, factor: complex, shift: complex, least: int) -> list[Fit]:
    """The similarity, and the affine map, that fit the pairs around this one best, where enough pairs lie so."""
    found = []
    matrix = np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])
    for least_of, solve in ((least, _similarity), (least + _AFFINE_MORE, _affine)):
        chosen = _inliers(paired, matrix)
        for _ in range(_ROUNDS):
            if len(chosen) < 4:
                break
            better = solve(paired.known[chosen], paired.upload[chosen])
            if better is None:
                break
            again = _inliers(paired, better)
            if len(again) < len(chosen):
                break
            matrix, settled, chosen = better, np.array_equal(again, chosen), again
            if settled:
                break
        count = _spots_apart(paired.known[chosen])
        if count >= least_of:
            found.append(Fit(paired, matrix, chosen, count))
    return found


def _inliers(paired: Paired, matrix: Points) -> npt.NDArray[np.int64]:
    """The pairs that lie as the map says: nearest first, each slot and each patch of the upload once."""
    placed = laid(matrix, paired.known)
    off = np.abs(placed - paired.upload) / paired.misses
    linear = matrix[:, :2]
    size = math.sqrt(abs(np.linalg.det(linear)))
    turn = math.atan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1])
    fits = (off <= 1) & paired.agree(np.array([size * np.exp(1j * turn)]))[0] if size > 0 else np.zeros(len(off), bool)
    slots: set[int] = set()
    spots: set[int] = set()
    chosen = []
    for at in np.argsort(off, kind="stable"):
        if not fits[at]:
            continue
        slot, spot = int(paired.slots[at]), int(paired.spots[at])
        if slot not in slots and spot not in spots:
            slots.add(slot)
            spots.add(spot)
            chosen.append(int(at))
    return np.array(sorted(chosen), np.int64)


def laid(matrix: Points, points: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128]:
    """Where a 2 x 3 map lays points of the known picture, as complex numbers of shape (n,)."""
    x, y = matrix @ np.stack([points.real, points.imag, np.ones(len(points))])
    there: npt.NDArray[np.complex128] = x + 1j * y
    return there


def _similarity(known: npt.NDArray[np.complex128], upload: npt.NDArray[np.complex128]) -> Points | None:
    """The least squares of ``factor * z + shift``."""
    middle, theirs = known.mean(), upload.mean()
    weight = float((np.abs(known - middle) ** 2).sum())
    if weight < 1:
        return None
    factor = complex((np.conj(known - middle) * (upload - theirs)).sum() / weight)
    if not _SCALES[0] <= abs(factor) <= _SCALES[1]:
        return None
    shift = theirs - factor * middle
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


def _affine(known: npt.NDArray[np.complex128], upload: npt.NDArray[np.complex128]) -> Points | None:
    """The least squares of an affine map, unless it stretches too much or mirrors."""
    points = np.stack([known.real, known.imag, np.ones(len(known))], axis=1)
    solution, _, rank, _ = np.linalg.lstsq(points, np.stack([upload.real, upload.imag], axis=1), rcond=1e-6)
    if rank < 3:
        return None
    matrix: Points = solution.T
    most, least = np.linalg.svd(matrix[:, :2], compute_uv=False)
    if np.linalg.det(matrix[:, :2]) <= 0 or least < _SCALES[0] or most > _SCALES[1] or most > _STRETCH * least:
        return None
    return matrix


def _spots_apart(points: npt.NDArray[np.complex128]) -> int:
    """How many of the points are not within a corner of one that was counted."""
    counted: list[complex] = []
    for point in points:
        if all(abs(point - other) > _SPOT for other in counted):
            counted.append(complex(point))
    return len(counted)


def _spreads(points: npt.NDArray[np.complex128]) -> bool:
    """Whether the points span an area, and are no line of text and no logo."""
    centred = points - points.mean()
    flat = np.stack([centred.real, centred.imag])
    least = float(np.linalg.eigvalsh(flat @ flat.T / len(points))[0])
    return least >= _THIN**2 and area(_hull(points)) >= _HULL * FRAME**2


def _hull(points: npt.NDArray[np.complex128]) -> list[complex]:
    """The corners of the convex hull, in order."""
    ordered = sorted({(float(point.real), float(point.imag)) for point in points})

    def half(corners: list[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for x, y in corners:
            while len(kept) > 1:
                (ax, ay), (bx, by) = kept[-2:]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                kept.pop()
            kept.append((x, y))
        return kept[:-1]

    return [complex(*point) for point in half(ordered) + half(ordered[::-1])]


def area(corners: Sequence[complex]) -> float:
    """Of a polygon, by its corners in order."""
    following = [*corners[1:], *corners[:1]]
    return abs(sum((one.conjugate() * other).imag for one, other in zip(corners, following, strict=True))) / 2
