"""PDQ of pixels: the kernel behind typed arrays, and the eight ways a square can lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reclaim.signals import _pdq
from reclaim.signals.values import Pdq

Luma = npt.NDArray[np.uint8]

TURNS = (
    "original",
    "rotate90",
    "rotate180",
    "rotate270",
    "flipx",
    "flipy",
    "flipplus1",
    "flipminus1",
)
"""The names of the eight turns, as the reference implementation has them; quarter turns are anticlockwise."""


def pdq_of_luma(luma: npt.NDArray[np.uint8] | npt.NDArray[np.float32]) -> Pdq:
    """PDQ of a luma plane of height x width, uint8 or float32 from 0 to 255, each side at least 5.

    Raises TypeError for another kind of array, ValueError for its shape or values.
    """
    if luma.dtype not in (np.uint8, np.float32):
        raise TypeError("luma must be uint8 or float32")
    digest, quality = _pdq.compute(np.ascontiguousarray(luma))
    return Pdq(digest.hex(), quality)


def pdq_of_rgb(pixels: npt.NDArray[np.uint8]) -> Pdq:
    """PDQ of uint8 pixels of height x width x 3, with the luma the `pdqhash` package makes.

    That luma is a weighted sum in double precision, rounded once to single. Files go another way:
    `reclaim.signals.read_luma`. Raises TypeError and ValueError as `pdq_of_luma` does.
    """
    if pixels.dtype != np.uint8:
        raise TypeError("pixels must be uint8")
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError("pixels must be height x width x 3")
    luma: npt.NDArray[Any] = pixels[:, :, 0] * 0.299 + pixels[:, :, 1] * 0.587 + pixels[:, :, 2] * 0.114
    return pdq_of_luma(luma.astype(np.float32))


def turns(luma: Luma) -> dict[str, Luma]:
    """The eight turned and flipped squares of a luma plane, by name; not to be written to.

    Each lies in memory row by row, if in some from the last row to the first: reading along the columns of a plane
    takes longer than hashing it.
    """
    original = np.ascontiguousarray(luma)
    transposed = _transposed(original)
    rotate90 = transposed[::-1]
    rotate270 = _transposed(np.ascontiguousarray(original[::-1]))
    flipminus1 = rotate270[::-1]
    return {
        "original": original,
        "rotate90": rotate90,
        "rotate180": _transposed(np.ascontiguousarray(flipminus1)),
        "rotate270": rotate270,
        "flipx": original[::-1],
        "flipy": _transposed(np.ascontiguousarray(rotate90)),
        "flipplus1": transposed,
        "flipminus1": flipminus1,
    }


def _transposed(luma: Luma) -> Luma:
    return np.frombuffer(_pdq.transpose(luma), np.uint8).reshape(luma.shape[::-1])


def pdq_of_turns(luma: Luma) -> dict[str, Pdq]:
    """PDQ of each of the eight turns.

    The pixels are turned, not the cosine transform: PDQ's samples do not lie evenly about the middle, so
    turning the transform (as the reference's `dihedral` functions do) misses the turned picture's own PDQ by
    some bits.
    """
    return {name: pdq_of_luma(plane) for name, plane in turns(luma).items()}
