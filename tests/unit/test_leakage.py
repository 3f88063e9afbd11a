"""The bench of leakage: its thief learns from others, and what it draws is judged as it should be."""

from __future__ import annotations

import numpy as np
import pytest

from bench import leakage
from bench.derive.corpus import few, photographs
from bench.leakage import Thief, Victim


@pytest.fixture(scope="module")
def thief() -> Thief:
    return leakage.learn([leakage.victim(each) for each in few([p for p in photographs() if p.part == "open"], 4)])


@pytest.fixture(scope="module")
def stolen() -> Victim:
    return next(leakage.victim(each) for each in photographs() if each.name == leakage.SHOWN[0])


def test_who_knows_where_patches_lie_draws_more_of_the_picture_than_a_pdq_tells(thief: Thief, stolen: Victim) -> None:
    assert stolen.descriptors is not None
    size = leakage.drawn_size(stolen.frame)
    original = leakage.resized(stolen.square, size)
    pdq = leakage.drawn_plane(thief, stolen.pdq)
    values, places = stolen.descriptors.values, stolen.descriptors.placement.places
    drawn = leakage.put_together(thief, pdq, values, places, size)
    there = leakage.covered(places, stolen.frame)
    assert there.shape == drawn.shape == original.shape
    assert 0.1 < there.mean() < 0.9
    assert leakage.correlation(drawn[there], original[there]) > 0.1 + leakage.correlation(
        leakage.resized(pdq, size)[there], original[there]
    )


def test_a_true_patch_is_found_again_where_it_lies(stolen: Victim) -> None:
    assert stolen.descriptors is not None
    # Of the coarsest ones and no others: on so small a picture the finer ones are a few pixels wide.
    places = stolen.descriptors.placement.places[stolen.descriptors.placement.places[:, 2] >= 7]
    true, _ = leakage.patches_at(stolen, places)
    found, fits = leakage.tried(leakage.Pieces.of(true), leakage.resized(stolen.square, (512, 512)), stolen.frame)
    near = np.hypot(*(found[:, :2] - places[:, :2].astype(float)).T) <= leakage.NEAR
    assert len(near) >= 3
    assert near.mean() > 0.7
    assert fits[near].mean() > 0.7


def test_a_picture_is_wholly_like_itself_and_a_flat_one_like_none(stolen: Victim) -> None:
    plane = stolen.square.astype(np.float32)
    assert leakage.likeness(plane, plane).mean() == pytest.approx(1, abs=1e-3)
    assert leakage.correlation(plane, 255 - plane) == pytest.approx(-1)
    assert leakage.correlation(plane, np.full_like(plane, 7)) == 0


def test_the_contact_sheet_shows_nobody_and_nothing_that_was_learnt_from() -> None:
    shown = [each for each in photographs() if each.name in leakage.SHOWN]
    assert len(shown) == len(leakage.SHOWN)
    assert all(each.part == "held" and not each.name.startswith(("people", "portrait")) for each in shown)
