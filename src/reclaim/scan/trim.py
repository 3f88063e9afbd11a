"""How many matches a row holds: a picture that half the bank resembles must not make a table of gigabytes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MOST_MATCHES = 1000
"""A row lists so many, nearest first; ``match_count`` says how many there were."""


def trimmed(starts: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For lists that lie end to end, by where each starts and the last one ends: the same of the trimmed lists, and the
    places of the elements that stay."""
    counts = np.minimum(np.diff(starts), MOST_MATCHES)
    borders = np.concatenate([[0], np.cumsum(counts)])
    kept = np.arange(borders[-1]) + np.repeat(starts[:-1] - borders[:-1], counts)
    return borders, kept
