"""Whether frames of an upload are like frames of a known video in the same order, at one speed: and which, how fast.

One frame that is a little like another says little. Many of them, each a second after the one before on both sides, say
much; so here frames count that are much less alike than a single one would have to be. The pairs of like frames are
points of upload's time and known video's time, and the clip is a straight line through them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reclaim.index import CODE_BYTES
from reclaim.index.codes import Codes
from reclaim.signals.frames import MAX_FRAMES

REACH = 60
"""Bits of 256 up to which frames that lie in order are alike; unrelated ones lie about 128 apart."""
STANDS_OUT = 24
"""Bits by which frames in order have to be nearer to their like than to the rest of the known video. Else the order
says nothing: two films laid over one picture are a little alike in every frame, whatever the films show."""

_SPEEDS = np.exp(np.linspace(np.log(0.4), np.log(2.5), 45))
# Slow motion to two and a half times as fast, in steps of 4 %; the one in the middle is 1.
_NEAREST = 8
# Known frames to one of the upload: more only in films in which nothing happens.
_TOLERANCE = 1.5
# Seconds beside the line: each side is looked at once a second, and frames like the one before are left out.
_ROUNDS = 3
_BETTER = 1.1
_BITS = 8 * CODE_BYTES
_AT_ONCE = 512

Seconds = npt.NDArray[np.float64]


class InOrder(NamedTuple):
    """What of two videos is alike, in order."""

    upload_frames: int
    known_frames: int
    upload: tuple[float, float]
    """Seconds of the first and last such frame of the upload."""
    known: tuple[float, float]
    """And of the known video."""
    speed: float
    """Seconds of the known video that go by in one of the upload."""
    stands_out: float
    """By how many bits such frames are nearer to their like than to all of the known video, in the median."""

    @property
    def frames(self) -> int:
        """How many frames say so."""
        return min(self.upload_frames, self.known_frames)


class _Pairs(NamedTuple):
    """Frames that are alike."""

    upload: npt.NDArray[np.intp]
    """The number of the upload's frame."""
    known: npt.NDArray[np.intp]
    at: Seconds
    """Where the upload's lies."""
    of: Seconds
    weight: npt.NDArray[np.float64]
    """More where they are more alike."""
    nearer: npt.NDArray[np.float64]
    """By how many bits the upload's is nearer to this one than to the known ones in the mean."""


def in_order(upload: Codes, upload_seconds: Seconds, known: Codes, known_seconds: Seconds) -> InOrder | None:
    """The longest such stretch of frames of shapes (m, 32) and (n, 32); None where no frame is like any.

    Of either at most 3600 frames are compared. Deterministic; 0.3 seconds at the most on one core.
    """
    upload, upload_seconds = upload[:MAX_FRAMES], upload_seconds[:MAX_FRAMES]
    known, known_seconds = known[:MAX_FRAMES], known_seconds[:MAX_FRAMES]
    pairs = _alike(upload, upload_seconds, known, known_seconds)
    if not len(pairs.upload):
        return None
    # Of more than an hour frames are further apart than a second.
    tolerance = _TOLERANCE * max(1.0, float(upload_seconds[-1]) / MAX_FRAMES, float(known_seconds[-1]) / MAX_FRAMES)
    best, line = -1.0, (1.0, 0.0)
    # The usual speed first: another has to be clearly better to be believed.
    for speed in sorted(_SPEEDS.tolist(), key=lambda each: abs(np.log(each))):
        start = _densest(pairs, speed, 2 * tolerance)
        score, _ = _score(pairs, speed, start + tolerance, tolerance)
        if score > best * _BETTER:
            best, line = score, (speed, start + tolerance)
    for _ in range(_ROUNDS if line[0] != 1 else 0):
        _, on = _score(pairs, *line, tolerance)
        fitted = _fitted(pairs, on)
        if fitted is None:
            break
        score, _ = _score(pairs, *fitted, tolerance)
        if score <= best:
            break
        best, line = score, fitted
    _, on = _score(pairs, *line, tolerance)
    at, of = pairs.at[on], pairs.of[on]
    return InOrder(
        len(np.unique(pairs.upload[on])),
        len(np.unique(pairs.known[on])),
        (float(at.min()), float(at.max())),
        (float(of.min()), float(of.max())),
        line[0],
        float(np.median(pairs.nearer[on])),
    )


def _alike(upload: Codes, upload_seconds: Seconds, known: Codes, known_seconds: Seconds) -> _Pairs:
    known_signs = _signs(known).T
    rows, columns, distances, nearer = [], [], [], []
    for start in range(0, len(upload), _AT_ONCE):
        # As signs, the product of two codes is the number of bits that are equal, less that of those that differ.
        apart = (_BITS - _signs(upload[start : start + _AT_ONCE]) @ known_signs) / 2
        if apart.shape[1] > _NEAREST:
            near = np.argpartition(apart, _NEAREST - 1, axis=1)[:, :_NEAREST]
        else:
            near = np.broadcast_to(np.arange(apart.shape[1]), apart.shape)
        nearest = np.take_along_axis(apart, near, axis=1)
        row, place = np.nonzero(nearest <= REACH)
        rows.append(row + start)
        columns.append(near[row, place])
        distances.append(nearest[row, place])
        nearer.append(apart.mean(axis=1)[row] - nearest[row, place])
    row, column = np.concatenate(rows), np.concatenate(columns)
    weight = 1 - np.concatenate(distances).astype(np.float64) / (2 * REACH)
    return _Pairs(
        row, column, upload_seconds[row], known_seconds[column], weight, np.concatenate(nearer).astype(np.float64)
    )


def _signs(codes: Codes) -> npt.NDArray[np.float32]:
    """The bits as 1 and -1, shape (n, 256)."""
    return np.unpackbits(codes, axis=1).astype(np.float32) * 2 - 1


def _densest(pairs: _Pairs, speed: float, width: float) -> float:
    """Where on the known video's time lines of this speed begin, so that most pairs are within so many seconds."""
    begin = pairs.of - speed * pairs.at
    by_begin = np.argsort(begin, kind="stable")
    begin = begin[by_begin]
    sums = np.concatenate([[0.0], np.cumsum(pairs.weight[by_begin])])
    ends = np.searchsorted(begin, begin + width, side="right")
    return float(begin[int(np.argmax(sums[ends] - sums[: len(begin)]))])


def _score(pairs: _Pairs, speed: float, begin: float, tolerance: float) -> tuple[float, npt.NDArray[np.intp]]:
    """How well a line goes through the pairs, each frame counted once; and which pairs lie on it."""
    beside = np.abs(pairs.of - speed * pairs.at - begin) / tolerance
    on = np.flatnonzero(beside <= 1)
    worth = pairs.weight[on] * (1 - beside[on] ** 2 / 2)
    return min(_once(pairs.upload[on], worth), _once(pairs.known[on], worth)), on


def _once(frames: npt.NDArray[np.intp], worth: npt.NDArray[np.float64]) -> float:
    """The sum of what each frame is worth at best."""
    if not len(frames):
        return 0.0
    most = np.zeros(int(frames.max()) + 1)
    np.maximum.at(most, frames, worth)
    return float(most.sum())


def _fitted(pairs: _Pairs, on: npt.NDArray[np.intp]) -> tuple[float, float] | None:
    """The line nearest to these pairs: its speed and beginning; None where they do not give one."""
    at, of, weight = pairs.at[on], pairs.of[on], pairs.weight[on]
    total = weight.sum()
    mean_at, mean_of = (weight @ at) / total, (weight @ of) / total
    spread = weight @ (at - mean_at) ** 2
    if spread <= 0:
        return None
    speed = float(weight @ ((at - mean_at) * (of - mean_of)) / spread)
    if not _SPEEDS[0] <= speed <= _SPEEDS[-1]:
        return None
    return speed, float(mean_of - speed * mean_at)
