"""The bank's side: it holds the key, evaluates blinded points and makes the tags of its own signals."""

from __future__ import annotations

from collections.abc import Sequence

from reclaim.blind.group import multiply, random_scalar, to_point, to_tag
from reclaim.blind.samples import SAMPLES, Codes, samples_of


class UnfitPointError(ValueError):
    """What was sent is not one blinded lookup; nothing was evaluated."""


class Evaluator:
    """One secret key. A bank has one for each platform, so that no two can put together what they asked."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or random_scalar()

    def evaluate(self, points: Sequence[bytes]) -> list[bytes]:
        """The 128 points of a blinded lookup times the key, in their order. Raises ``UnfitPointError``."""
        if len(points) != SAMPLES:
            raise UnfitPointError(f"A lookup is {SAMPLES} points, not {len(points)}.")
        try:
            return [multiply(self._key, point) for point in points]
        except ValueError as error:
            raise UnfitPointError(str(error)) from error

    def tags(self, codes: Codes) -> list[int]:
        """The tags of the bank's own signals (n, 32): 128 each, to be published in a filter."""
        return [
            to_tag(sample, bits, multiply(self._key, to_point(sample, bits)))
            for row in samples_of(codes).tolist()
            for sample, bits in enumerate(row)
        ]
