"""What looking up an upload's views costs, and how it grows with the bank: PDQ-like codes in the project's index."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.derive.methods import Bits
from bench.index_data import PdqLike
from reclaim.index import HammingIndex
from reclaim.matching.policy import FARTHEST_REVIEW
from reclaim.signals import MATCH_DISTANCE
from reclaim.signals.pdq import TURNS

SIZES = (10_000, 1_000_000, 10_000_000)


def growth(uploads: Sequence[Bits], sizes: Sequence[int] = SIZES) -> list[dict[str, Any]]:
    """Of each size of the bank, in signals: milliseconds of one core that looking up one upload's values takes.

    `uploads` are the values of each, n x 32. All of them are looked up at the distance of a match; as far as a platform
    may ask for reviews only the whole upload is, in its turns. The median and the 95th percentile.
    """
    source = PdqLike(np.random.default_rng(7))
    rows = []
    for count in sizes:
        index = HammingIndex(source.draw(count), np.arange(count))
        row: dict[str, Any] = {"signals": count, "bytes_per_signal": index.memory_bytes / count}
        for name, radius, most in (("match", MATCH_DISTANCE, None), ("review", FARTHEST_REVIEW, len(TURNS))):
            index.query_many(uploads[0][:most], radius)
            spent = [_spent(index, codes[:most], radius) for codes in uploads]
            row[f"{name}_ms"] = float(np.median(spent))
            row[f"{name}_p95_ms"] = float(np.percentile(spent, 95))
        rows.append(row)
        del index
    return rows


def _spent(index: HammingIndex, codes: Bits, radius: int) -> float:
    began = time.process_time()
    index.query_many(codes, radius)
    return 1000 * (time.process_time() - began)
