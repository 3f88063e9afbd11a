"""Each signal once, at its nearest view and turn."""

from __future__ import annotations

import numpy as np
import pytest

from reclaim.matching.nearest import nearest


@pytest.mark.parametrize("most", [None, 0, 3, 1000])
def test_it_is_what_one_finds_by_looking_at_each(most: int | None) -> None:
    rng = np.random.default_rng(7)
    for count in (0, 1, 5, 400):
        ids = rng.integers(0, 60, count)
        distances = rng.integers(0, 32, count).astype(np.uint16)
        turns = np.sort(rng.integers(0, 8, count))
        best: dict[int, tuple[int, int]] = {}
        for id_, found in zip(ids.tolist(), zip(distances.tolist(), turns.tolist(), strict=True), strict=True):
            best[id_] = min(best.get(id_, found), found)
        expected = sorted((distance, id_, turn) for id_, (distance, turn) in best.items())[:most]
        found_here = list(nearest(ids, distances, turns, most))
        assert found_here == [(id_, distance, turn) for distance, id_, turn in expected]


def test_what_goes_first_is_hidden_by_nothing_nearer() -> None:
    ids, distances, asked = np.array([4, 4, 5, 6]), np.array([30, 2, 1, 9], np.uint16), np.array([0, 8, 8, 0])
    first = np.array([True, False, False, False])
    assert list(nearest(ids, distances, asked, 2, first=first)) == [(4, 30, 0), (5, 1, 8)]
