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

from reclaim.signals.descriptors import ANGLES, FRAME, LEVELS, MOST
from reclaim.signals.pdq import TURNS

MOST_PAIRS = 256
"""Pairs that one check takes."""

LEAST_INLIERS = 5
"""Pairs that must lie as one map lays them."""

LEAST_INLIERS_OF_MANY = 8
"""The same where the bank is large, so that a picture which is like many has many chances."""

_STEP = 1.2  # one level of the pyramid, see signals.descriptors.LEVELS
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

# Around the middle of a descriptor there must be so many pixels of its level in the frame, else none is made.
_MARGIN = 20.0

_Points = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]


class Frame(NamedTuple):
    """The size of a picture that places are counted in, in pixels; the longer side is FRAME."""

    width: int
    height: int


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
    places: npt.NDArray[np.int16],
    pairs: Sequence[Sequence[int]] | npt.NDArray[np.integer],
    frame: tuple[int, int],
    *,
    least: int = LEAST_INLIERS,
) -> Geometry | None:
    """How the upload lies to the known picture whose descriptors have these places, if it shows it.

    There are n x 4 places, up to MOST. The pairs (k x 6, see Pair, k up to MOST_PAIRS) come from the upload, whose
    frame is given as width and height. A slot may stand in several pairs and so may a patch of the upload; at most one
    pair of each counts. None unless `least` of them, spread over an area, lie as one map says. Raises ValueError, with
    a sentence, for what is out of range.
    """
    upload_frame = _frame(frame)
    known = _known(places)
    given = _pairs(pairs, len(known), upload_frame)
    best: _Fit | None = None
    for mirrored in (False, True):
        chosen = given[given[:, 5] == mirrored]
        if len(chosen) < least:
            continue
        fit = _fit(_Paired.of(known, chosen, upload_frame, mirrored=mirrored), least)
        if fit is not None and (best is None or fit.count > best.count):
            best = fit
    return None if best is None else _geometry(best, known, upload_frame)


def frame_of(places: npt.NDArray[np.int16]) -> Frame:
    """About the frame in which a known picture's places lie: its longer side is known, its shorter one is told by them.

    Descriptors are spread over the picture and keep the same distance from each side, so the shorter side is about as
    long as the nearest and the farthest of them are from its beginning, together.
    """
    reach = [int(places[:, axis].min()) + int(places[:, axis].max()) + 1 for axis in (0, 1)]
    width, height = (FRAME, reach[1]) if reach[0] >= reach[1] else (reach[0], FRAME)
    return Frame(min(width, FRAME), min(height, FRAME))


_NO_PAIR = "A pair is six whole numbers: slot, x, y, level, angle, mirrored."


def _frame(frame: tuple[int, int]) -> Frame:
    if len(frame) != 2 or not all(1 <= side <= FRAME for side in frame) or max(frame) != FRAME:
        raise ValueError(f"A frame is a width and a height, of which the longer one is {FRAME}.")
    return Frame(*(int(side) for side in frame))


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


@dataclass(frozen=True, slots=True)
class _Paired:
    """Pairs as complex points, the upload's mirrored back where they are of the mirrored upload."""

    slots: npt.NDArray[np.int64]
    spots: npt.NDArray[np.int64]
    """The number of the upload's patch, so that each counts once."""
    known: npt.NDArray[np.complex128]
    upload: npt.NDArray[np.complex128]
    steps: _Points
    turns: _Points
    """What the pair by itself says of the map: larger by so many levels, and turned by so many bins to the right."""
    misses: _Points
    """How far from where the map lays it the upload's patch may lie, in pixels."""
    mirrored: bool
    width: int

    @classmethod
    def of(cls, known: _Points, pairs: npt.NDArray[np.int64], frame: Frame, *, mirrored: bool) -> _Paired:
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
            misses=np.clip(_MISS * _STEP**level, _LEAST_MISS, _MOST_MISS),
            mirrored=mirrored,
            width=frame.width,
        )

    def agree(self, factors: npt.NDArray[np.complex128]) -> _Mask:
        """Which pairs (columns) are by their own scale and angle as these maps (rows) say."""
        steps = np.log(np.abs(factors)) / math.log(_STEP)
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
class _Fit:
    paired: _Paired
    matrix: _Points
    """2 x 3, to the upload's frame, mirrored back if it is mirrored."""
    chosen: npt.NDArray[np.int64]
    """The pairs that lie as it says, each slot and patch once."""
    count: int
    """Those of them at spots of their own."""


def _fit(paired: _Paired, least: int) -> _Fit | None:
    """The map that most pairs agree on, if enough do."""
    best: _Fit | None = None
    for factor, shift in _similarities(paired, least):
        for fit in _refined(paired, factor, shift, least):
            if (best is None or fit.count > best.count) and _spreads(paired.known[fit.chosen]):
                best = fit
    return best


def _similarities(paired: _Paired, least: int) -> list[tuple[complex, complex]]:
    """The most promising maps ``factor * z + shift``, from two pairs each, best first."""
    factors = _STEP**paired.steps * np.exp(2j * np.pi / ANGLES * paired.turns)
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


def _refined(paired: _Paired, factor: complex, shift: complex, least: int) -> list[_Fit]:
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
            found.append(_Fit(paired, matrix, chosen, count))
    return found


def _inliers(paired: _Paired, matrix: _Points) -> npt.NDArray[np.int64]:
    """The pairs that lie as the map says: nearest first, each slot and each patch of the upload once."""
    laid = _laid(matrix, paired.known)
    off = np.abs(laid - paired.upload) / paired.misses
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


def _laid(matrix: _Points, points: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128]:
    x, y = matrix @ np.stack([points.real, points.imag, np.ones(len(points))])
    laid: npt.NDArray[np.complex128] = x + 1j * y
    return laid


def _similarity(known: npt.NDArray[np.complex128], upload: npt.NDArray[np.complex128]) -> _Points | None:
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


def _affine(known: npt.NDArray[np.complex128], upload: npt.NDArray[np.complex128]) -> _Points | None:
    """The least squares of an affine map, unless it stretches too much or mirrors."""
    points = np.stack([known.real, known.imag, np.ones(len(known))], axis=1)
    solution, _, rank, _ = np.linalg.lstsq(points, np.stack([upload.real, upload.imag], axis=1), rcond=1e-6)
    if rank < 3:
        return None
    matrix: _Points = solution.T
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
    return least >= _THIN**2 and _area(_hull(points)) >= _HULL * FRAME**2


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


def _area(corners: Sequence[complex]) -> float:
    """Of a polygon, by its corners in order."""
    following = [*corners[1:], *corners[:1]]
    return abs(sum((one.conjugate() * other).imag for one, other in zip(corners, following, strict=True))) / 2


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


def _geometry(fit: _Fit, known: _Points, frame: Frame) -> Geometry | None:
    linear = fit.matrix[:, :2]
    turned = math.degrees(math.atan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1]))
    quarters = round(turned / 90)
    beyond = turned - 90 * quarters
    matrix = fit.matrix.copy()
    if fit.paired.mirrored:
        matrix[0] = -matrix[0]
        matrix[0, 2] += frame.width - 1
    own = frame_of(known.astype(np.int16))
    corners = [0j, complex(own.width, 0), complex(own.width, own.height), complex(0, own.height)]
    quad = [complex(corner) for corner in _laid(matrix, np.array(corners))]
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
        kept=min(1.0, _area(visible) / _area(quad)),
        altered=_altered(fit, known, matrix, frame),
        box=(
            _part(min(xs), frame.width),
            _part(min(ys), frame.height),
            _part(max(xs), frame.width),
            _part(max(ys), frame.height),
        ),
    )


def _row(numbers: _Points) -> tuple[float, float, float]:
    return float(numbers[0]), float(numbers[1]), float(numbers[2])


def _part(at: float, side: int) -> float:
    return min(1.0, max(0.0, at / side))


# By quarters to the right, as numbers of TURNS: first of an upload that is not mirrored, then of one that is.
_TURN_BY_QUARTERS = ((0, 1, 2, 3), (5, 6, 4, 7))

_LEAST_VISIBLE = 8  # descriptors, else nothing is said of what is altered
_NEIGHBOURS = 4
_FOUND_AMONG = 1


def _altered(fit: _Fit, known: _Points, matrix: _Points, frame: Frame) -> float | None:
    """The share of visible descriptors in whose neighbourhood hardly any was found."""
    size = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    points = known[:, 0] + 1j * known[:, 1]
    laid = _laid(matrix, points)
    levels = known[:, 2] + math.log(size) / math.log(_STEP)
    margin = _MARGIN * _STEP ** np.maximum(levels, 0)
    visible = (levels > -1) & (levels < LEVELS)
    visible &= (laid.real >= margin) & (laid.real < frame.width - margin)
    visible &= (laid.imag >= margin) & (laid.imag < frame.height - margin)
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
