"""The fixed samples: 128 sets of 32 of a PDQ value's 256 bits.

Two values that are near each other agree in all 32 bits of at least one sample, most likely; two that are not, seldom.
The samples are sixteen partitions of the 256 bits into eight sets, so each bit counts sixteen times, and values that
differ in seven bits or fewer always share a sample.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

PDQ_BITS = 256
BITS_A_SAMPLE = 32
"""Fewer are unsafe: whoever may ask for a while can try all values of 16 bits (docs/decisions/0021-blind-lookup.md)."""
SAMPLES = 128
_LABEL = b"reclaim blind lookup, samples, version 1"

Codes = npt.NDArray[np.uint8]
"""PDQ values, shape (n, 32)."""


def _positions() -> npt.NDArray[np.int64]:
    """Shape (128, 32): which bits each sample takes. Shuffled by SHA-256 alone, the same on every machine."""
    partitions = []
    for number in range(SAMPLES * BITS_A_SAMPLE // PDQ_BITS):
        keys = [
            hashlib.sha256(_LABEL + number.to_bytes(2, "big") + bit.to_bytes(2, "big")).digest()
            for bit in range(PDQ_BITS)
        ]
        partitions.append(sorted(range(PDQ_BITS), key=keys.__getitem__))
    return np.array(partitions).reshape(SAMPLES, BITS_A_SAMPLE)


POSITIONS = _positions()


def samples_of(codes: Codes) -> npt.NDArray[np.uint32]:
    """The 128 samples of each value, shape (n, 128)."""
    bits = np.unpackbits(codes, axis=1)
    return np.packbits(bits[:, POSITIONS], axis=2).view(">u4")[:, :, 0].astype(np.uint32)


def shared_samples(one: Codes, others: Codes) -> npt.NDArray[np.int64]:
    """In how many samples one value (32 bytes) agrees with each of the others (n, 32): shape (n,)."""
    differs = np.unpackbits(one.reshape(1, 32) ^ others, axis=1)
    shared = ~differs[:, POSITIONS].any(axis=2)
    counts: npt.NDArray[np.int64] = np.count_nonzero(shared, axis=1)
    return counts
