"""What counts as codes and ids; shapes and dtypes are checked here, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

CODE_BYTES = 32
MAX_RADIUS = 64
"""Beyond a quarter of the bits, codes of unrelated pictures begin to fall within the radius."""

Codes = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.int64]


class Hits(NamedTuple):
    """What a query found: nearest first, equal distances by id."""

    ids: Ids
    """Shape (n,), int64."""
    distances: npt.NDArray[np.uint16]
    """Shape (n,), bits, 0 to the radius inclusive."""


class ManyHits(NamedTuple):
    """What many queries found, end to end: query q's part is ``starts[q]`` to ``starts[q + 1]``."""

    starts: Ids
    """Shape (queries + 1,), int64."""
    ids: Ids
    """Shape (found,), int64."""
    distances: npt.NDArray[np.uint16]
    """Shape (found,), bits."""


def as_codes(codes: Codes, what: str) -> Codes:
    """The codes, contiguous. Raises ``TypeError`` for another dtype, ``ValueError`` for another shape."""
    if codes.dtype != np.uint8:
        raise TypeError(f"{what} must be uint8, not {codes.dtype}.")
    if codes.ndim != 2 or codes.shape[1] != CODE_BYTES:
        raise ValueError(f"{what} must have shape (n, {CODE_BYTES}), not {codes.shape}.")
    return np.ascontiguousarray(codes)


def as_code(code: Codes | bytes) -> Codes | bytes:
    """One code of 32 bytes; raises as ``as_codes`` does."""
    if isinstance(code, bytes):
        if len(code) != CODE_BYTES:
            raise ValueError(f"A code has {CODE_BYTES} bytes, not {len(code)}.")
        return code
    if code.dtype != np.uint8:
        raise TypeError(f"The code must be uint8, not {code.dtype}.")
    if code.shape != (CODE_BYTES,):
        raise ValueError(f"A code has {CODE_BYTES} bytes, not shape {code.shape}.")
    return np.ascontiguousarray(code)


def as_ids(ids: Ids | Sequence[int] | None, count: int) -> Ids:
    """As many ids as codes, int64.

    Raises ``ValueError`` for another number of them, ``TypeError`` for what is no whole number or an array whose dtype
    does not fit int64, ``OverflowError`` for a number beyond it.
    """
    given = np.asarray([] if ids is None else ids)
    fits = given.dtype.kind in "iuO" if isinstance(ids, Sequence) else np.can_cast(given.dtype, np.int64)
    if given.size and not fits:
        raise TypeError(f"Ids must be whole numbers that fit int64, not {given.dtype}.")
    if given.dtype == np.uint64 and (given > np.uint64(2**63 - 1)).any():
        raise OverflowError("An id is larger than int64 holds.")
    array = np.ascontiguousarray(given, dtype=np.int64)
    if array.shape != (count,):
        raise ValueError(f"There must be one id for each of the {count} codes, not {array.shape}.")
    return array


def check_radius(radius: int) -> None:
    """Raise ``ValueError`` unless the radius is 0 to 64."""
    if not 0 <= radius <= MAX_RADIUS:
        raise ValueError(f"A radius is 0 to {MAX_RADIUS} bits, not {radius}.")
