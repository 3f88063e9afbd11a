"""Signals as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from threatexchange.signal_type.pdq.pdq_utils import PDQ_CONFIDENT_MATCH_THRESHOLD, simple_distance
from threatexchange.signal_type.pdq.signal import PdqSignal

from reclaim.signals import (
    MATCH_DISTANCE,
    POOR_QUALITY,
    PictureSignals,
    PoorSignal,
    Signal,
    hamming,
    is_degenerate,
    parse_md5,
    parse_pdq,
)

BALANCED = "0f" * 32
pdq_text = st.integers(0, 2**256 - 1).map(lambda number: f"{number:064x}")


def test_the_thresholds_are_the_field_s():
    assert PdqSignal.QUALITY_THRESHOLD == POOR_QUALITY
    assert PDQ_CONFIDENT_MATCH_THRESHOLD == MATCH_DISTANCE


@given(pdq_text, pdq_text)
def test_distance_equals_the_reference(a, b):
    assert hamming(a, b) == simple_distance(a, b) == hamming(b, a)


@given(st.sets(st.integers(0, 255)))
def test_distance_counts_flipped_bits(flipped):
    mask = sum(1 << bit for bit in flipped)
    assert hamming(BALANCED, f"{int(BALANCED, 16) ^ mask:064x}") == len(flipped)


def test_upper_case_is_lowered():
    assert parse_pdq("AB" * 32) == "ab" * 32
    assert parse_md5("AB" * 16) == "ab" * 16


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 63,
        "0" * 65,
        "g" * 64,
        "0" * 32,
        " " + "0" * 63,
        "0" * 64 + "\n",
        "\u0660" * 64,
        "0x" + "0" * 62,
        "\u212a" * 64,
    ],
)
def test_what_is_no_pdq_value_is_refused(text):
    with pytest.raises(ValueError, match="64 hexadecimal"):
        parse_pdq(text)
    with pytest.raises(ValueError, match="64 hexadecimal"):
        hamming(text, BALANCED)


@pytest.mark.parametrize("text", ["", "0" * 31, "0" * 33, "z" * 32, "0" * 32 + "\n", "0" * 64])
def test_what_is_no_md5_value_is_refused(text):
    with pytest.raises(ValueError, match="32 hexadecimal"):
        parse_md5(text)


@pytest.mark.parametrize("value", ["0" * 64, "f" * 64, "0" * 63 + "1", "000000002c4b1134" + "0" * 48])
def test_values_no_picture_gives_are_degenerate(value):
    assert is_degenerate(value)


def test_the_corrupt_entry_seen_in_a_live_feed_is_no_value_at_all():
    with pytest.raises(ValueError, match="64 hexadecimal"):
        parse_pdq("0" * 32)


@pytest.mark.parametrize("value", PdqSignal.get_examples())
def test_the_published_examples_are_values_of_real_pictures(value):
    assert parse_pdq(value) == value
    assert not is_degenerate(value)


def test_a_poor_signal_is_returned_and_refused_only_on_demand():
    good = PictureSignals(BALANCED, 100, "0" * 32)
    assert good.insist() is good
    assert good.signals() == (Signal("pdq", BALANCED, 100), Signal("md5", "0" * 32))
    for poor in (PictureSignals(BALANCED, POOR_QUALITY - 1, "0" * 32), PictureSignals("0" * 64, 100, "0" * 32)):
        assert poor.poor
        with pytest.raises(PoorSignal):
            poor.insist()


def test_an_md5_has_no_quality_to_be_poor():
    assert not Signal("md5", "0" * 32).poor
