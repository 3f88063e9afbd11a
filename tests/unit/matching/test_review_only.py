"""Signals that are only to be looked at by a person: nothing is held for them, whatever else is near."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reclaim.index import ExactIndex, FrameIndex, HammingIndex
from reclaim.matching import Action, Indexes, Policy, decide
from reclaim.matching.decisions import decide_on_codes, decide_on_md5, decide_on_pdq
from reclaim.matching.review_only import REVIEW_ONLY_FILE, ReviewOnly
from reclaim.matching.videos import decide_on_frames
from reclaim.signals import Frame, fingerprint, md5_of
from tests.personas import pdq_value

ASTRONAUT = Path(__file__).parents[2] / "photos" / "astronaut.jpg"


def index_of(*values: str) -> HammingIndex:
    """The values under 1, 2, 3 …"""
    codes = np.frombuffer(bytes.fromhex("".join(values)), np.uint8).reshape(-1, 32)
    return HammingIndex(codes, range(1, len(values) + 1))


def near(value: str, bits: int) -> str:
    """The value with its first bits flipped."""
    return f"{int(value, 16) ^ ((1 << bits) - 1):064x}"


def test_a_picture_is_reviewed_and_the_answer_says_why() -> None:
    decision = decide(ASTRONAUT, Indexes(index_of(fingerprint(ASTRONAUT).pdq), review_only=ReviewOnly([1])))
    assert (decision.action, decision.matches[0].action) == (Action.REVIEW, Action.REVIEW)
    assert decision.matches[0].review_only
    assert decision.reason.endswith("Of this signal the bank says that a person has to look before anything is done.")


def test_a_known_file_is_reviewed() -> None:
    files = ExactIndex(HammingIndex(mode="compact"))
    files.add(7, bytes.fromhex(md5_of(ASTRONAUT)))
    decision = decide_on_md5(md5_of(ASTRONAUT), files, review_only=ReviewOnly([7]))
    assert (decision.action, decision.matches[0].review_only) == (Action.REVIEW, True)
    assert decide_on_md5(md5_of(ASTRONAUT), files, review_only=ReviewOnly([8])).action is Action.HOLD


def test_a_video_is_reviewed() -> None:
    frames = [Frame(number, 100, pdq_value(number), float(number)) for number in range(5)]
    videos = FrameIndex()
    videos.add(3, np.frombuffer(bytes.fromhex("".join(frame.pdq for frame in frames)), np.uint8).reshape(-1, 32))
    decision = decide_on_frames(frames, videos, review_only=ReviewOnly([3]))
    assert (decision.action, decision.matches[0].review_only) == (Action.REVIEW, True)
    assert "a person has to look" in decision.reason
    assert decide_on_frames(frames, videos).action is Action.HOLD


def test_another_signal_beside_it_is_held_for_and_each_says_what_it_asks_for() -> None:
    value = pdq_value(1)
    decision = decide_on_pdq(value, 100, index_of(value, near(value, 5)), review_only=ReviewOnly([1]))
    assert decision.action is Action.HOLD
    assert [(match.id, match.review_only, match.action) for match in decision.matches] == [
        (1, True, Action.REVIEW),
        (2, False, Action.HOLD),
    ]
    assert "Of some of these signals" in decision.reason


def test_no_number_of_review_only_signals_hides_one_that_is_held_for() -> None:
    value, policy = pdq_value(1), Policy(max_matches=3)
    index, asked = index_of(*(near(value, bits) for bits in range(8))), ReviewOnly(range(1, 8))
    code = np.frombuffer(bytes.fromhex(value), np.uint8).reshape(1, 32)
    for decision in (
        decide_on_pdq(value, 100, index, policy, review_only=asked),
        decide_on_codes(code, [100], index, policy, review_only=asked)[0],
    ):
        assert (decision.action, decision.more) == (Action.HOLD, True)
        assert [match.id for match in decision.matches] == [1, 2, 3]
    upright = fingerprint(ASTRONAUT).pdq
    turned = Indexes(index_of(*(near(upright, bits) for bits in range(8))), review_only=asked)
    assert decide(ASTRONAUT, turned, policy).action is Action.HOLD
    assert decide_on_pdq(value, 100, index, policy, review_only=ReviewOnly(range(9))).action is Action.REVIEW


def test_a_policy_that_asks_for_less_is_not_exceeded() -> None:
    files = ExactIndex(HammingIndex(mode="compact"))
    files.add(7, bytes.fromhex(md5_of(ASTRONAUT)))
    mild = Policy(exact_file=Action.NONE)
    assert decide_on_md5(md5_of(ASTRONAUT), files, mild, review_only=ReviewOnly([7])).action is Action.NONE


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    ids = ReviewOnly([2**40, 3, 17, 3])
    ids.save(tmp_path)
    read = ReviewOnly.load(tmp_path)
    assert read.same_as(ids)
    assert [id_ for id_ in (2, 3, 4, 17, 2**40, 2**40 + 1) if id_ in read] == [3, 17, 2**40]
    assert read.mask(np.array([1, 17, 2**41])).tolist() == [False, True, False]
    assert ReviewOnly().mask(np.array([1])).tolist() == [False]
    assert (tmp_path / REVIEW_ONLY_FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"1234567", b"\1" + bytes(15), bytes(16)])
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / REVIEW_ONLY_FILE).write_bytes(content)
    with pytest.raises(ValueError, match=r"review-only\.ids cannot be read"):
        ReviewOnly.load(tmp_path)
