"""Banks that are hard to search: large enough for bands, with near copies, doubles and crowded buckets."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from bench.index_data import crops_of_photos

Codes = npt.NDArray[np.uint8]
SIZE = 17_000
"""A little more than the size from which bands are built."""


def flipped(code: Codes, bits: list[int]) -> Codes:
    """The code with these bits flipped."""
    mask = np.zeros(256, np.uint8)
    mask[bits] = 1
    return code ^ np.packbits(mask)


def uniform(generator: np.random.Generator) -> Codes:
    return generator.integers(0, 256, (SIZE, 32), np.uint8)


def skewed(generator: np.random.Generator) -> Codes:
    """Most bits lean strongly one way, some bands are nearly the same everywhere."""
    lean = generator.uniform(0.02, 0.98, 256)
    lean[32:64] = 0.001
    lean[240:] = 0.5
    return np.packbits(generator.random((SIZE, 256)) < lean, axis=1)


def crowded(generator: np.random.Generator) -> Codes:
    """A third of the bank shares half of its bands, and another third is 40 codes over and over."""
    codes = uniform(generator)
    codes[: SIZE // 3, ::4] = 17
    codes[: SIZE // 3, 1::4] = 99
    codes[SIZE // 3 : 2 * SIZE // 3] = codes[generator.integers(0, 40, 2 * SIZE // 3 - SIZE // 3)]
    return codes[generator.permutation(SIZE)]


@functools.cache
def _crops() -> Codes:
    return crops_of_photos(np.random.default_rng(3), 700)[:SIZE]


def photographs(generator: np.random.Generator) -> Codes:
    """Real PDQ values, of crops of photographs."""
    return _crops()[generator.permutation(SIZE)]


BANKS = {"uniform": uniform, "skewed": skewed, "crowded": crowded, "photographs": photographs}


def questions(codes: Codes, radius: int, count: int, generator: np.random.Generator) -> Codes:
    """Queries at, just within and just beyond the radius from codes of the bank, their bits spread or in few bands."""
    asked = []
    for number in range(count):
        away = max(0, radius + number % 3 - 1)
        if number % 2:
            bits = generator.permutation(256)[:away]
        else:
            # As even over the bands as can be: the hardest case for the pigeonhole.
            order = np.concatenate([16 * generator.permutation(16) + generator.permutation(16)[k] for k in range(16)])
            bits = np.unique(order[:away])
        asked.append(flipped(codes[generator.integers(0, len(codes))], bits.tolist()))
    return np.array(asked, np.uint8).reshape(-1, 32)


def eventually(happens: Callable[[], bool]) -> bool:
    """Whether it happens before patience ends."""
    for _ in range(3000):
        if happens():
            return True
        time.sleep(0.01)
    return False
