"""Stretches of two videos that are alike in order."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
import pytest

from reclaim.matching.in_order import InOrder, in_order

Codes = npt.NDArray[np.uint8]
Seconds = npt.NDArray[np.float64]
FILM = np.random.default_rng(4).integers(0, 256, (120, 32), np.uint8)


def blurred(codes: Codes, bits: int) -> Codes:
    """Each with so many of its bits turned, others in each."""
    chance = np.random.default_rng(5)
    flat = np.unpackbits(codes, axis=1)
    for row in flat:
        row[chance.choice(256, bits, replace=False)] ^= 1
    return np.packbits(flat, axis=1)


def found(upload: Codes, at: Seconds, known: Codes = FILM) -> InOrder:
    stretch = in_order(upload, at, known, np.arange(len(known), dtype=np.float64))
    assert stretch is not None
    return stretch


@pytest.mark.parametrize("speed", [0.5, 0.75, 1.0, 1.25, 1.5, 2.0])
def test_speed_and_place_are_told_of_frames_that_are_only_a_little_alike(speed: float) -> None:
    kept = np.arange(30, 90)
    stretch = found(blurred(FILM[kept], 55), 7 + (kept - 30) / speed)
    assert (stretch.upload_frames, stretch.known_frames) == (60, 60)
    assert stretch.speed == pytest.approx(speed, rel=0.03)
    assert stretch.known == (30, 89)
    assert stretch.upload == pytest.approx((7, 7 + 59 / speed))


def test_what_goes_backwards_is_not_in_the_stretch() -> None:
    stretch = found(np.concatenate([FILM[:40][::-1], FILM[60:80]]), np.arange(60.0))
    assert 20 <= stretch.frames <= 22
    assert (stretch.upload[1], stretch.known[1]) == (59, 79)


def test_a_title_that_comes_again_and_again_is_one_frame() -> None:
    assert found(FILM[[3] * 30], np.arange(30.0)).frames == 1


def test_unlike_films_have_nothing_in_common() -> None:
    other = np.random.default_rng(9).integers(0, 256, (50, 32), np.uint8)
    assert in_order(other, np.arange(50.0), FILM, np.arange(120.0)) is None


@pytest.mark.parametrize("noise", [False, True], ids=["an hour of film", "an hour of nearly one picture"])
def test_the_longest_videos_are_compared_in_a_moment(noise: bool) -> None:
    long = np.random.default_rng(1).integers(0, 256, (3600, 32), np.uint8)
    if noise:
        long[:, :30] = long[0, :30]
    began = time.process_time()
    stretch = in_order(long, np.arange(3600.0), long, np.arange(3600.0))
    assert time.process_time() - began < 5
    assert stretch is not None
    assert (stretch.speed, stretch.frames) == (1.0, 3600)
