"""Blind lookup: near uploads are found, and neither side learns what it should not."""

from __future__ import annotations

import numpy as np
import pytest

from reclaim.blind import BITS_A_SAMPLE, SAMPLES, Asker, Evaluator, Published, UnfitPointError, shared_samples
from reclaim.blind.samples import POSITIONS, samples_of

GENERATOR = np.random.default_rng(5)
CODES = GENERATOR.integers(0, 256, (4, 32), np.uint8)
EVALUATOR = Evaluator()
PUBLISHED = Published(EVALUATOR.tags(CODES))
ASKER = Asker(PUBLISHED, least_hits=2)


def near(code: np.ndarray, bits: int) -> np.ndarray:
    mask = np.zeros(256, np.uint8)
    mask[GENERATOR.permutation(256)[:bits]] = 1
    return code ^ np.packbits(mask)


def test_a_copy_is_found_and_another_picture_is_not() -> None:
    for upload, found in ((near(CODES[2], 12), True), (GENERATOR.integers(0, 256, 32, np.uint8), False)):
        question = ASKER.question(upload.tobytes())
        assert ASKER.may_match(question, EVALUATOR.evaluate(question.points)) is found


def test_each_bit_counts_the_same_and_seven_changed_bits_always_leave_a_sample() -> None:
    assert np.bincount(POSITIONS.ravel()).tolist() == [SAMPLES * BITS_A_SAMPLE // 256] * 256
    for _ in range(50):
        assert shared_samples(CODES[0], near(CODES[0], 7).reshape(1, 32))[0] >= 16


def test_shared_samples_are_the_equal_ones() -> None:
    other = near(CODES[1], 20).reshape(1, 32)
    equal = int((samples_of(CODES[1:2]) == samples_of(other)).sum())
    assert shared_samples(CODES[1], other).tolist() == [equal]


def test_the_bank_sees_other_points_each_time_the_same_upload_is_asked_for() -> None:
    first, second = ASKER.question(CODES[0].tobytes()), ASKER.question(CODES[0].tobytes())
    assert not set(first.points) & set(second.points)
    assert first.tags(EVALUATOR.evaluate(first.points)) == second.tags(EVALUATOR.evaluate(second.points))


def test_with_another_key_the_published_filter_says_nothing_of_a_known_picture() -> None:
    question = ASKER.question(CODES[0].tobytes())
    assert PUBLISHED.hits(question.tags(Evaluator().evaluate(question.points))) <= 1


@pytest.mark.parametrize("points", [[], [bytes(32)] * SAMPLES, [b"\xff" * 32] * SAMPLES, [b"short"] * SAMPLES])
def test_points_that_are_none_are_refused(points: list[bytes]) -> None:
    with pytest.raises(UnfitPointError):
        EVALUATOR.evaluate(points)


def test_an_answer_that_is_cut_short_is_refused() -> None:
    question = ASKER.question(CODES[0].tobytes())
    with pytest.raises(ValueError, match="another number of points"):
        question.tags(EVALUATOR.evaluate(question.points)[:-1])
