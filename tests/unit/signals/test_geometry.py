"""One map must explain where like descriptors lie: recovered among outliers, refused where it says too little."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reclaim.signals.descriptors import ANGLES, LEVELS, Placement
from reclaim.signals.geometry import Geometry, check
from reclaim.signals.pdq import turns

FRAME, KNOWN = (512, 400), (512, 384)
SLOTS = 64


def checked(places, pairs, frame, **how):
    return check(Placement(KNOWN, places), pairs, frame, **how)


def spread(chance: np.random.Generator) -> np.ndarray:
    """Places all over a picture of 512 x 384."""
    ranges = ((24, 488), (24, 360), (2, 7), (0, ANGLES))
    return np.stack([chance.integers(*between, SLOTS) for between in ranges], axis=1).astype(np.int16)


def laid(places, size, degrees, *, shift=0j, mirrored=False, stretch=1.0):
    """Where each of the places lies in an upload that was turned to the right, scaled and shifted about the middle."""
    points = places[:, 0] + 1j * places[:, 1] - complex(256, 192)
    points = points.real * stretch + 1j * points.imag
    moved = points * size * np.exp(1j * math.radians(degrees)) + complex(256, 200) + shift
    x, y = np.rint(moved.real).astype(int), np.rint(moved.imag).astype(int)
    level = np.rint(places[:, 2] + math.log(size, 1.2)).astype(int)
    angle = np.rint(places[:, 3] + degrees / 360 * ANGLES).astype(int) % ANGLES
    if mirrored:
        x, angle = FRAME[0] - 1 - x, (ANGLES // 2 - angle) % ANGLES
    pairs = np.stack([np.arange(len(places)), x, y, level, angle, np.full(len(places), int(mirrored))], axis=1)
    inside = (x >= 0) & (x < FRAME[0]) & (y >= 0) & (y < FRAME[1]) & (level >= 0) & (level < LEVELS)
    return pairs[inside]


def noise(chance: np.random.Generator, count: int, mirrored: bool = False) -> np.ndarray:
    ends = (SLOTS, *FRAME, LEVELS, ANGLES)
    drawn = np.stack([chance.integers(0, end, count) for end in ends], axis=1)
    return np.concatenate([drawn, np.full((count, 1), int(mirrored))], axis=1)


def moved(geometry: Geometry, x: float, y: float) -> tuple[float, float]:
    across, down = geometry.matrix
    return (across[0] * x + across[1] * y + across[2], down[0] * x + down[1] * y + down[2])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.floats(0.4, 1.6),
    degrees=st.floats(-180, 180),
    mirrored=st.booleans(),
    stretch=st.floats(0.9, 1.1),
)
def test_a_turned_scaled_and_stretched_picture_is_recovered_among_ten_times_as_many_chance_pairs(
    seed, size, degrees, mirrored, stretch
):
    chance = np.random.default_rng(seed)
    places = spread(chance)
    true = laid(places, size, degrees, mirrored=mirrored, stretch=stretch)[:14]
    found = checked(places, np.concatenate([true, noise(chance, 140, mirrored)]), FRAME)
    assert found is not None
    assert (found.mirrored, found.inliers >= 8) == (mirrored, True)
    for slot, x, y, *_ in true:
        at = moved(found, *places[slot, :2])
        assert math.dist(at, (x, y)) < 14


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarters", range(4))
def test_the_turn_is_the_one_of_the_upload_that_lies_as_the_known_picture_does(quarters, mirrored):
    places = spread(np.random.default_rng(3))
    found = checked(places, laid(places, 0.7, 90 * quarters + 4, mirrored=mirrored), FRAME)
    known = np.arange(64, dtype=np.uint8).reshape(8, 8)
    upload = np.rot90(known, -quarters)
    upload = upload[:, ::-1] if mirrored else upload
    assert found is not None
    np.testing.assert_array_equal(turns(np.ascontiguousarray(upload))[found.turn], known)
    assert found.tilt == pytest.approx(4 if mirrored else -4, abs=0.5)


def test_how_much_is_kept_and_where_it_lies_are_told():
    places = spread(np.random.default_rng(5))
    right_half = checked(places, laid(places, 1.0, 0, shift=complex(-256, 0)), FRAME)
    assert right_half is not None
    assert right_half.kept == pytest.approx(0.5, abs=0.01)
    assert right_half.box == pytest.approx((0, 0.02, 0.5, 0.98), abs=0.01)


def test_an_altered_middle_is_told_from_an_unaltered_picture():
    places = spread(np.random.default_rng(7))
    pairs = laid(places, 0.8, 0)
    middle = (abs(places[:, 0] - 256) < 150) & (abs(places[:, 1] - 192) < 110)
    whole, replaced = checked(places, pairs, FRAME), checked(places, pairs[~middle[pairs[:, 0]]], FRAME)
    assert whole is not None
    assert replaced is not None
    assert whole.altered == 0
    assert replaced.altered == pytest.approx(middle.mean(), abs=0.15)


@pytest.mark.parametrize("thin", ["a line", "a blob"])
def test_pairs_along_a_line_or_within_a_blob_say_nothing(thin):
    places = spread(np.random.default_rng(11))
    if thin == "a line":
        places[:, 1] = 100 + places[:, 0] // 4
    else:
        places[:, :2] = 200 + places[:, :2] // 12
    assert checked(places, laid(places, 0.9, 10), FRAME) is None


def test_a_slot_and_a_patch_count_once_however_many_pairs_name_them():
    places = spread(np.random.default_rng(13))
    four = laid(places, 0.9, 0)[:4]
    same_slots = np.concatenate([four + np.array([0, dx, 0, 0, 0, 0]) for dx in range(-2, 3)])
    assert checked(places, same_slots, FRAME) is None
    same_patch = laid(places, 0.9, 0)[:20]
    same_patch[4:, 1:5] = same_patch[0, 1:5]
    assert checked(places, same_patch, FRAME) is None
    same_corner = places.copy()
    same_corner[4:20, :2] = same_corner[0, :2]
    assert checked(same_corner, laid(same_corner, 0.9, 0)[:20], FRAME) is None


def test_a_large_bank_may_ask_for_more_inliers():
    places = spread(np.random.default_rng(17))
    six = laid(places, 0.9, 0)[:6]
    assert checked(places, six, FRAME) is not None
    assert checked(places, six, FRAME, least=8) is None


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), blocks=st.integers(1, 40), mirrored=st.booleans())
def test_hostile_pairs_are_answered_the_same_in_any_order_and_in_bounded_time(seed, blocks, mirrored):
    chance = np.random.default_rng(seed)
    places = spread(chance)
    # Few values, so that very many maps fit very many pairs.
    pairs = noise(chance, 256, mirrored) // [1, blocks, blocks, 12, 64, 1] * [1, blocks, blocks, 1, 1, 1]
    began = time.process_time()
    first = checked(places, pairs, FRAME)
    assert time.process_time() - began < 1.5
    assert checked(places, chance.permutation(pairs), FRAME) == first


@pytest.mark.parametrize(
    "pairs",
    [
        [[64, 1, 1, 1, 1, 0]],
        [[0, 512, 1, 1, 1, 0]],
        [[0, 1, 400, 1, 1, 0]],
        [[0, 1, 1, LEVELS, 1, 0]],
        [[0, 1, 1, 1, ANGLES, 0]],
        [[0, 1, 1, 1, 1, 2]],
        [[0, -1, 1, 1, 1, 0]],
        [[0, 1, 1, 1, 1]],
        [[0, 1, 1, 1, 1, 0], [0, 1]],
        [[0, 1.5, 1, 1, 1, 0]],
        [[0, 2**70, 1, 1, 1, 0]],
        [[0, 1, 1, 1, 1, 0]] * 257,
    ],
)
def test_pairs_out_of_range_are_refused_in_a_sentence(pairs):
    with pytest.raises(ValueError, match=r"\.$"):
        checked(spread(np.random.default_rng(0)), pairs, FRAME)


@pytest.mark.parametrize("frame", [(400, 300), (512, 0), (513, 512), (512,)])
def test_a_frame_that_is_none_is_refused(frame):
    with pytest.raises(ValueError, match="frame"):
        checked(spread(np.random.default_rng(0)), [], frame)
