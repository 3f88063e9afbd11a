"""The plainest exact search, in NumPy: slow, short, and what the tests hold the native one to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def distances(codes: npt.NDArray[np.uint8], code: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    """Bits that differ between one code, shape (32,), and each of those of shape (n, 32), uint8: shape (n,)."""
    differing: npt.NDArray[np.uint16] = np.bitwise_count(codes ^ code).sum(axis=1, dtype=np.uint16)
    return differing


def search(
    codes: npt.NDArray[np.uint8], ids: npt.NDArray[np.int64], code: npt.NDArray[np.uint8], radius: int
) -> list[tuple[int, int]]:
    """(id, distance) of every code within the radius: nearest first, equal distances by id."""
    far = distances(codes, code)
    near = np.flatnonzero(far <= radius)
    order = near[np.lexsort((ids[near], far[near]))]
    return list(zip(ids[order].tolist(), far[order].tolist(), strict=True))
