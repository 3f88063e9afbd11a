"""Sketches: what tells that two values of one day are near one another, without holding either.

A value's 16 bands of 16 bits are MACed one by one, under a key of the network and the day, to 4 bytes each. Values
20 bits apart share two bands or more in 19 of 20 cases, 31 bits apart in 6 of 10, unrelated ones in 1 of 100,000.
When the day's salt is gone, nobody can tell what a sketch was of.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BANDS = 16
_BAND_BYTES = 4
BYTES = BANDS * _BAND_BYTES
MOST_SKETCHED = 64
"""Signals of one sending, evenly chosen: it bounds the work, and whoever hides one among hundreds sends hundreds."""
NEAR_BANDS = 2

Sketches = npt.NDArray[np.uint32]


def some_of(values: Sequence[str]) -> list[str]:
    """At most ``MOST_SKETCHED`` of the values, evenly chosen."""
    step = max(1, -(-len(values) // MOST_SKETCHED))
    return list(values[::step])


def sketch(value: str, key: bytes) -> bytes:
    """The sketch of a PDQ value (64 hexadecimal characters), or of an MD5 value, which is near only to itself."""
    data = bytes.fromhex(value)
    bands = [data[2 * band : 2 * band + 2] for band in range(BANDS)] if len(data) == 2 * BANDS else [data] * BANDS
    return b"".join(
        hmac.digest(key, bytes([place]) + band, hashlib.sha256)[:_BAND_BYTES] for place, band in enumerate(bands)
    )


def read(stored: bytes | memoryview) -> Sketches:
    """Sketches as rows of bands."""
    return np.frombuffer(stored, dtype=np.uint32).reshape(-1, BANDS)


def most_near(new: Sketches, earlier: Sequence[Sketches]) -> int:
    """The most of the earlier sendings that have a value near one and the same new value."""
    if not len(new):
        return 0
    near = np.zeros(len(new), dtype=np.int64)
    for sending in earlier:
        if len(sending):
            shared = (new[:, None, :] == sending[None, :, :]).sum(axis=2)
            near += (shared >= NEAR_BANDS).any(axis=1)
    return int(near.max())
