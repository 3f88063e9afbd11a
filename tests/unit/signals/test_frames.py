"""Frames of a video as text."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from threatexchange.signal_type.pdq.pdq_utils import simple_distance

from reclaim.signals.frames import Frame, frames_text, kept, parse_all_frames, parse_frames, vpdq_value


def value(seed: int) -> str:
    """A PDQ value as real pictures give them: 128 bits set."""
    bits = random.Random(seed).sample(range(256), 128)
    return f"{sum(1 << bit for bit in bits):064x}"


def turned(pdq: str, bits: int) -> str:
    """The value with so many bits changed, as many set as unset."""
    number = int(pdq, 16)
    ones = [bit for bit in range(256) if number >> bit & 1][: bits // 2]
    zeros = [bit for bit in range(256) if not number >> bit & 1][: bits - bits // 2]
    return f"{number ^ sum(1 << bit for bit in ones + zeros):064x}"


FRAMES = [Frame(0, 100, value(1), 0.0), Frame(1, 50, value(2), 1.001), Frame(3599, 77, value(3), 7198.5)]
TEXTS = [f"0,100,{value(1)},0.000", f"1,50,{value(2)},1.001", f"3599,77,{value(3)},7198.500"]


def test_frames_are_written_as_vpdq_s_own_tool_writes_them_and_read_back():
    assert frames_text(FRAMES) == TEXTS
    assert parse_frames(TEXTS) == FRAMES


@given(st.integers(0, 10**10))
def test_seconds_survive_the_way_through_text(thousandths):
    frame = Frame(1, 60, value(1), thousandths / 1000)
    if thousandths < 10**10:
        assert parse_frames([frame.text]) == [frame]


def test_halves_of_a_thousandth_go_up_as_in_a_browser():
    assert Frame(1, 60, value(1), 3.0625).text.endswith(",3.063")


def test_the_name_of_a_video_is_the_digest_of_its_lines():
    assert vpdq_value(FRAMES) == hashlib.sha256("\n".join(TEXTS).encode()).hexdigest()


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ([], "1 to 3600"),
        ([f"{n},60,{value(1 + n % 2)},{n}.000" for n in range(3601)], "1 to 3600"),
        ([f"3600,60,{value(1)},1.000"], "0 to 3599"),
        ([f"0,101,{value(1)},1.000"], "number,quality,pdq,seconds"),
        ([f"00,100,{value(1)},1.000"], "number,quality,pdq,seconds"),
        ([f"0,100,{value(1).upper()},1.000"], "number,quality,pdq,seconds"),
        ([f"0,100,{value(1)},1.0"], "number,quality,pdq,seconds"),
        ([f"0,100,{value(1)},1.000\n"], "number,quality,pdq,seconds"),
        ([f"0,100,{value(1)},٣.000"], "number,quality,pdq,seconds"),
        (["x" * 10_000_000], "number,quality,pdq,seconds"),
        ([TEXTS[1], TEXTS[0]], "rise"),
        ([TEXTS[0], f"1,60,{value(2)},0.000"], "rise"),
        ([f"0,49,{value(1)},0.000"], "below 50"),
        ([f"0,100,{'0' * 64},0.000"], "no real picture"),
        ([TEXTS[0], f"1,60,{turned(value(1), 8)},1.000"], "fewer than 9 bits"),
    ],
)
def test_what_no_fingerprinter_writes_is_refused_with_a_sentence_that_holds_no_value(texts, says):
    with pytest.raises(ValueError, match=says) as refused:
        parse_frames(texts)
    assert value(1) not in str(refused.value)


def test_other_software_may_send_poor_and_repeated_frames():
    texts = [f"0,0,{'0' * 64},0.000", f"1,60,{value(1)},1.000", f"2,60,{value(1)},2.000"]
    assert kept(parse_all_frames(texts)) == [Frame(1, 60, value(1), 1.0)]


def test_a_frame_counts_if_it_is_good_and_differs_from_the_one_kept_before_by_more_than_8_bits():
    near, far = turned(value(1), 8), turned(value(1), 9)
    assert simple_distance(value(1), near) == 8
    frames = [
        Frame(0, 49, value(5), 0.0),
        Frame(1, 50, value(1), 1.0),
        Frame(2, 90, near, 2.0),
        Frame(3, 90, "f" * 64, 3.0),
        Frame(4, 90, far, 4.0),
        Frame(5, 90, value(1), 5.0),
    ]
    assert [frame.number for frame in kept(frames)] == [1, 4, 5]
