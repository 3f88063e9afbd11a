"""The platform's side: blinds an upload's samples, and reads what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from reclaim.blind.group import inverse, multiply, random_scalar, to_point, to_tag
from reclaim.blind.published import Published
from reclaim.blind.samples import samples_of


@dataclass(frozen=True)
class Question:
    """One upload's lookup. ``points`` go to the bank; the rest stays here."""

    points: list[bytes]
    _bits: list[int] = field(repr=False)
    _factors: list[bytes] = field(repr=False)

    def tags(self, evaluated: Sequence[bytes]) -> list[int]:
        """The tags of the samples. Raises ``ValueError`` for an answer that is not to this question."""
        if len(evaluated) != len(self.points):
            raise ValueError("The bank's answer has another number of points than the question.")
        return [
            to_tag(sample, bits, multiply(inverse(factor), point))
            for sample, (bits, factor, point) in enumerate(zip(self._bits, self._factors, evaluated, strict=True))
        ]


class Asker:
    """Asks about uploads, with the filter that the bank published."""

    def __init__(self, published: Published, least_hits: int = 1) -> None:
        """``least_hits`` samples must be known before an upload is shown to the bank for the exact answer."""
        self._published = published
        self._least = least_hits

    @staticmethod
    def question(pdq: bytes) -> Question:
        """Blind one PDQ value (32 bytes): each sample with a random factor of its own."""
        bits = [int(each) for each in samples_of(np.frombuffer(pdq, np.uint8).reshape(1, 32))[0]]
        factors = [random_scalar() for _ in bits]
        points = [
            multiply(factor, to_point(sample, each))
            for sample, (each, factor) in enumerate(zip(bits, factors, strict=True))
        ]
        return Question(points, bits, factors)

    def may_match(self, question: Question, evaluated: Sequence[bytes]) -> bool:
        """Whether to ask the bank for the exact answer, which shows it this upload. Raises ``ValueError``."""
        return self._published.hits(question.tags(evaluated)) >= self._least
