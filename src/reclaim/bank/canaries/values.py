"""Values that look like PDQ values of real pictures, and are those of none.

Each is the PDQ of a made-up texture: noise with a random phase at every frequency and an amplitude that falls with the
frequency, as it does in photographs, and of that a part, so that its edges do not meet. Values of 128 bits drawn by lot
out of 256 are told apart from real ones somewhat better (docs/canaries.md has the figures).
"""

from __future__ import annotations

import secrets

import numpy as np
import numpy.typing as npt

from reclaim.signals import POOR_QUALITY, is_degenerate, pdq_of_luma

Codes = npt.NDArray[np.uint8]

FAR = 90
"""Bits. Unrelated values lie about 128 apart, and a match is at most 31."""
_SIDE = 128
_FIELD = 2 * _SIDE


def texture(generator: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A made-up picture, shape (128, 128), from 0 to 255."""
    frequency = np.hypot(np.fft.fftfreq(_FIELD)[:, np.newaxis], np.fft.rfftfreq(_FIELD)[np.newaxis])
    frequency[0, 0] = 1
    spectrum = generator.standard_normal(frequency.shape) + 1j * generator.standard_normal(frequency.shape)
    part = np.fft.irfft2(spectrum / frequency, (_FIELD, _FIELD))[:_SIDE, :_SIDE]
    return np.ascontiguousarray((part - part.min()) / np.ptp(part) * 255).astype(np.uint8)


def draw(count: int, others: Codes) -> list[str]:
    """So many values (64 hexadecimal characters), each ``FAR`` from one another and from ``others``, shape (n, 32).

    They are drawn from the system's own randomness, 256 bits a value: nobody can draw them again.
    """
    far_from = [np.ascontiguousarray(others).view(np.uint64).reshape(-1, 4)]
    drawn: list[str] = []
    while len(drawn) < count:
        # One state a value: what is learnt of some tells nothing of others.
        pdq = pdq_of_luma(texture(np.random.Generator(np.random.Philox(seed=secrets.randbits(256)))))
        code = np.frombuffer(bytes.fromhex(pdq.value), np.uint64)
        if pdq.quality < POOR_QUALITY or is_degenerate(pdq.value) or code_is_near(code, far_from):
            continue
        drawn.append(pdq.value)
        far_from.append(code.reshape(1, 4))
    return drawn


def code_is_near(code: npt.NDArray[np.uint64], others: list[npt.NDArray[np.uint64]]) -> bool:
    """Whether the value, four words, is within ``FAR`` of any of the others, rows of four words."""
    return any(
        bool(np.bitwise_count(rows ^ code).sum(axis=1, dtype=np.int64).min() <= FAR) for rows in others if len(rows)
    )
