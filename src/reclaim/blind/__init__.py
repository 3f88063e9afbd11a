"""Blind lookup, an experiment: a platform learns whether an upload is near a signal, without the list.

The bank does not learn an upload that is near none. docs/decisions/0021-blind-lookup.md says how, what it costs and
what it does not hide.
"""

from reclaim.blind.asker import Asker, Question
from reclaim.blind.evaluator import Evaluator, UnfitPointError
from reclaim.blind.published import Published
from reclaim.blind.samples import BITS_A_SAMPLE, SAMPLES, shared_samples

__all__ = [
    "BITS_A_SAMPLE",
    "SAMPLES",
    "Asker",
    "Evaluator",
    "Published",
    "Question",
    "UnfitPointError",
    "shared_samples",
]
