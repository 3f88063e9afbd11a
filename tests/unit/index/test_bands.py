"""The banded search and every kernel this processor can run, held to the NumPy reference."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reclaim.index import MAX_RADIUS, HammingIndex, _native
from reclaim.index.hamming import Mode
from reclaim.index.reference import search
from tests.unit.index.banks import BANKS, SIZE, Codes, flipped, questions

BY_COST, EVERY_CODE, BANDS = 0, 1, 2
MODES: tuple[Mode, ...] = ("fast", "compact")


@pytest.fixture(params=_native.kernels())
def kernel(request: pytest.FixtureRequest) -> Iterator[str]:
    _native.use(request.param)
    yield request.param
    _native.use(_native.kernels()[0])


def ids_for(codes: Codes) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Neither in order nor small."""
    return np.random.default_rng(7).permutation(len(codes)).astype(np.int64) * 3_000_000_007 - 2**60


def answers(index: HammingIndex, asked: Codes, radius: int, choice: int) -> list[list[tuple[int, int]]]:
    starts, ids, distances = index._native.query(asked, radius, choice)
    borders = np.frombuffer(starts, np.int64)
    pairs = list(zip(np.frombuffer(ids, np.int64).tolist(), np.frombuffer(distances, np.uint16).tolist(), strict=True))
    return [pairs[first:last] for first, last in pairwise(borders)]


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("mode", MODES)
def test_bands_and_every_code_answer_as_the_reference(kernel: str, mode: Mode, bank: str) -> None:
    generator = np.random.default_rng(11)
    codes = BANKS[bank](generator)
    ids = ids_for(codes)
    index = HammingIndex(codes, ids, mode=mode)
    assert index._native.state()["bands"] == 16
    for radius in (0, 1, 14, 15, 30, 31, 32, 47, 63):
        asked = questions(codes, radius, 9, generator)
        expected = [search(codes, ids, code, radius) for code in asked]
        assert answers(index, asked, radius, BANDS) == expected
        assert answers(index, asked, radius, EVERY_CODE) == expected
        assert [answers(index, code, radius, BY_COST)[0] for code in asked] == expected


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("mode", MODES)
def test_a_sorted_batch_answers_as_the_reference(kernel: str, mode: Mode, bank: str) -> None:
    generator = np.random.default_rng(12)
    codes = BANKS[bank](generator)
    ids = ids_for(codes)
    index = HammingIndex(codes, ids, mode=mode)
    for radius in (16, 31, 33):
        asked = questions(codes, radius, 20, generator)
        expected = [search(codes, ids, code, radius) for code in asked]
        order = generator.permutation(np.repeat(np.arange(20), 30))  # enough to be worth sorting
        assert answers(index, asked[order], radius, BANDS) == [expected[which] for which in order]


@pytest.mark.parametrize("only", range(16))
def test_a_code_that_a_single_band_brings_is_found_whichever_band_that_is(kernel: str, only: int) -> None:
    codes, index = _uniform_bank()
    bits = [16 * band + bit for band in range(16) for bit in (3, 11)]
    bits.remove(16 * only + 3)
    asked = flipped(codes[77], bits)[np.newaxis]
    assert answers(index, asked, 31, BANDS)[0] == search(codes, np.arange(SIZE), asked[0], 31)
    assert (77, 31) in answers(index, asked, 31, BANDS)[0]
    assert (77, 31) in answers(index, np.repeat(asked, 600, axis=0), 31, BANDS)[599]


@given(radius=st.integers(0, MAX_RADIUS), data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_bits_flipped_are_found_up_to_the_radius_and_not_beyond(radius: int, data: st.DataObject) -> None:
    codes, index = _uniform_bank()
    row = data.draw(st.integers(0, SIZE - 1))
    bits = data.draw(st.lists(st.integers(0, 255), unique=True, min_size=radius, max_size=radius))
    further = data.draw(st.sampled_from([bit for bit in range(256) if bit not in bits]))
    within, beyond = flipped(codes[row], bits), flipped(codes[row], [*bits, further])
    expected = [search(codes, np.arange(SIZE), code, radius) for code in (within, beyond)]
    assert (row, radius) in expected[0]
    assert all(id_ != row for id_, _ in expected[1])
    for choice in (BY_COST, EVERY_CODE):
        assert answers(index, np.array([within, beyond]), radius, choice) == expected
    if radius < 60:  # the bands' radii end there
        assert answers(index, np.array([within, beyond]), radius, BANDS) == expected


_BANK: list[tuple[Codes, HammingIndex]] = []


def _uniform_bank() -> tuple[Codes, HammingIndex]:
    if not _BANK:
        codes = BANKS["uniform"](np.random.default_rng(13))
        _BANK.append((codes, HammingIndex(codes, np.arange(SIZE))))
    return _BANK[0]


def test_a_small_bank_or_a_wide_radius_looks_at_every_code_and_a_large_bank_at_bands() -> None:
    codes = BANKS["uniform"](np.random.default_rng(14))
    small = HammingIndex(codes[:100], np.arange(100))
    assert not small.plan(31).banded
    large = HammingIndex(np.concatenate([codes] * 8), np.arange(8 * SIZE))
    assert large.plan(31).banded
    assert not large.plan(64).banded


@pytest.mark.parametrize("rows", [1_000_000, 1_050_000, 8_000_000, 16_777_214, 16_777_215, 100_000_000, 2**32 - 2])
def test_compact_takes_at_most_130_bytes_a_signal_until_its_rows_need_four_bytes_and_fast_32_more(rows: int) -> None:
    most = 130 if rows < 2**24 - 1 else 142
    assert _native.size_for(rows, True) <= most * rows
    assert _native.size_for(rows, False) <= (most + 32) * rows


def test_what_a_built_index_holds_is_what_is_stated() -> None:
    codes = BANKS["uniform"](np.random.default_rng(15))
    for mode in MODES:
        index = HammingIndex(codes, np.arange(SIZE), mode=mode)
        assert index.mode == mode
        assert index.memory_bytes == _native.size_for(SIZE, mode == "compact")


def test_a_builder_tells_how_far_it_is_and_can_be_stopped() -> None:
    codes = BANKS["uniform"](np.random.default_rng(16))
    told: list[tuple[int, int]] = []
    chunks = [(codes[:9000], np.arange(9000)), (codes[9000:], np.arange(9000, SIZE))]
    index = HammingIndex.build(chunks, progress=lambda done, of: told.append((done, of)))
    assert len(index) == SIZE
    assert told[-1] == (16, 16)
    assert told == sorted(set(told))

    def stop(done: int, of: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        index.merge(stop)
    assert index.query(codes[5], 0).ids.tolist() == [5]
    index.merge()


def test_an_unknown_kernel_or_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="kernel"):
        _native.use("abacus")
    with pytest.raises(ValueError, match="mode"):
        HammingIndex(mode="huge")  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", MODES)
def test_a_bounded_search_answers_as_the_reference_where_nothing_crowds(kernel: str, mode: Mode) -> None:
    generator = np.random.default_rng(14)
    codes = generator.integers(0, 256, (SIZE, 32), np.uint8)
    ids = ids_for(codes)
    index = HammingIndex(codes, ids, mode=mode)
    for radius in (3, 15, 20):
        asked = questions(codes, radius, 9, generator)
        found = index.query_bounded(asked, radius, looks=64, fullest=1024)
        pairs = list(zip(found.ids.tolist(), found.distances.tolist(), strict=True))
        assert [pairs[first:last] for first, last in pairwise(found.starts.tolist())] == [
            search(codes, ids, code, radius) for code in asked
        ]


@pytest.mark.parametrize("count", [2000, 20_000])  # without bands and with them
def test_a_bounded_search_ends_where_codes_crowd_and_finds_those_that_were_put_in_first(count: int) -> None:
    codes = np.repeat(np.arange(32, dtype=np.uint8)[None], count, axis=0)
    index = HammingIndex(codes, np.arange(count))
    index.extend(codes, np.arange(count, 2 * count))
    found = index.query_bounded(codes[:3], 15, looks=8, fullest=100)
    assert np.diff(found.starts).max() <= 2 * 16 * 8
    assert found.ids[:8].tolist() == list(range(8))


@pytest.mark.parametrize("bounds", [(0, 1), (1, 0), (4033, 1), (1, 2**32)])
def test_a_search_within_other_bounds_is_refused(bounds: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="looks at 1 to 4032 codes of a band"):
        HammingIndex().query_bounded(np.zeros((1, 32), np.uint8), 15, looks=bounds[0], fullest=bounds[1])
