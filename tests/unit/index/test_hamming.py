"""The exact search against the plainest possible one."""

from __future__ import annotations

from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reclaim.index import CODE_BYTES, MAX_RADIUS, HammingIndex

Codes = npt.NDArray[np.uint8]


def brute_force(codes: dict[int, bytes], query: bytes, radius: int) -> list[tuple[int, int]]:
    """(distance, id) of every code within the radius, by Python's own integers."""
    wanted = int.from_bytes(query)
    distances = (((wanted ^ int.from_bytes(code)).bit_count(), id_) for id_, code in codes.items())
    return sorted(pair for pair in distances if pair[0] <= radius)


def found(index: HammingIndex, query: bytes, radius: int) -> list[tuple[int, int]]:
    hits = index.query(query, radius)
    return list(zip(hits.distances.tolist(), hits.ids.tolist(), strict=True))


def flip(code: bytes, bits: list[int]) -> bytes:
    flipped = int.from_bytes(code)
    for bit in bits:
        flipped ^= 1 << bit
    return flipped.to_bytes(CODE_BYTES)


code_bytes = st.binary(min_size=CODE_BYTES, max_size=CODE_BYTES)
radii = st.integers(0, MAX_RADIUS)


@st.composite
def neighbourhoods(draw: st.DrawFn) -> tuple[bytes, dict[int, bytes]]:
    """A query, and codes at distances all around the radii in use: random codes would hardly ever be near."""
    query = draw(code_bytes)
    near = st.lists(st.integers(0, 255), unique=True, max_size=80).map(lambda bits: flip(query, bits))
    codes = draw(st.dictionaries(st.integers(-(2**63), 2**63 - 1), near | code_bytes | st.just(query), max_size=60))
    return query, codes


def index_of(codes: dict[int, bytes]) -> HammingIndex:
    array = np.frombuffer(b"".join(codes.values()), np.uint8).reshape(-1, CODE_BYTES)
    return HammingIndex(array, list(codes))


@given(neighbourhoods(), radii)
def test_it_finds_what_brute_force_finds(case: tuple[bytes, dict[int, bytes]], radius: int) -> None:
    query, codes = case
    assert found(index_of(codes), query, radius) == brute_force(codes, query, radius)


@given(neighbourhoods(), radii, st.data())
def test_adding_and_removing_leaves_what_building_anew_would(
    case: tuple[bytes, dict[int, bytes]], radius: int, data: st.DataObject
) -> None:
    query, codes = case
    ids = data.draw(st.permutations(list(codes)))
    index = HammingIndex()
    for id_ in ids:
        index.add(id_, codes[id_])
    gone = data.draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
    for id_ in gone:
        index.remove(id_)
    left = {id_: code for id_, code in codes.items() if id_ not in gone}
    assert len(index) == len(left)
    assert all((id_ in index) == (id_ in left) for id_ in codes)
    assert found(index, query, radius) == brute_force(left, query, radius)


@given(code_bytes, radii, st.randoms(use_true_random=False))
def test_a_code_exactly_at_the_radius_is_found_and_one_bit_further_is_not(
    code: bytes, radius: int, random: Random
) -> None:
    bits = random.sample(range(256), radius + 1)
    index = index_of({1: flip(code, bits[:radius]), 2: flip(code, bits)})
    assert found(index, code, radius) == [(radius, 1)]


def test_the_same_code_under_several_ids_is_found_under_each() -> None:
    code = bytes(range(CODE_BYTES))
    index = index_of({3: code, 1: code, 2: code})
    assert found(index, code, 0) == [(0, 1), (0, 2), (0, 3)]
    index.remove(2)
    assert found(index, code, 0) == [(0, 1), (0, 3)]


def test_all_256_bits_count() -> None:
    index = index_of({1: bytes(CODE_BYTES)})
    assert found(index, b"\xff" * CODE_BYTES, MAX_RADIUS) == []


def test_a_batch_answers_each_query_as_a_query_alone_does() -> None:
    generator = np.random.default_rng(2)
    codes: Codes = generator.integers(0, 256, (3050, CODE_BYTES), np.uint8)
    index = HammingIndex(codes, np.arange(3050))
    asked = [0, 99, 1023, 1024, 1025, 2047, 2048, 3049]
    for position, hits in zip(asked, index.query_batch(codes[asked], 31), strict=True):
        assert hits.ids.tolist() == [position]
        assert hits.distances.tolist() == [0]


def test_an_empty_index_and_an_empty_batch_answer_with_nothing() -> None:
    assert found(HammingIndex(), bytes(CODE_BYTES), MAX_RADIUS) == []
    assert HammingIndex().query_batch(np.empty((0, CODE_BYTES), np.uint8), 31) == []


def test_the_array_it_was_built_from_may_change_afterwards() -> None:
    codes: Codes = np.zeros((1, CODE_BYTES), np.uint8)
    index = HammingIndex(codes, [1])
    codes[:] = 255
    assert found(index, bytes(CODE_BYTES), 0) == [(0, 1)]


@pytest.mark.parametrize(
    ("codes", "ids"),
    [
        (np.zeros((2, 31), np.uint8), [1, 2]),
        (np.zeros(32, np.uint8), [1]),
        (np.zeros((2, 32), np.uint8), [1]),
        (np.zeros((2, 32), np.uint8), [7, 7]),
        (np.zeros((2, 32), np.uint8), None),
    ],
)
def test_wrong_shapes_and_doubled_ids_are_refused(codes: Codes, ids: list[int] | None) -> None:
    with pytest.raises(ValueError, match=r"id|shape"):
        HammingIndex(codes, ids)


def test_codes_of_another_type_are_refused() -> None:
    with pytest.raises(TypeError, match="uint8"):
        HammingIndex(np.zeros((1, 32), np.int64), [1])  # type: ignore[arg-type]


def test_ids_may_be_any_kind_of_whole_number_and_nothing_else_is_there() -> None:
    index = index_of({7: bytes(CODE_BYTES)})
    assert 7 in index
    assert np.int64(7) in index
    assert all(other not in index for other in (8, 2**70, "7", None, 7.0))
    with pytest.raises(KeyError):
        index.remove(2**70)
    index.remove(np.int64(7))  # type: ignore[arg-type]
    assert len(index) == 0


@pytest.mark.parametrize("ids", [np.array([1], np.uint64), np.array([1.0]), [1.7], np.array([1], object), ["1"]])
def test_ids_that_would_be_silently_changed_are_refused(ids: npt.NDArray[np.int64]) -> None:
    with pytest.raises(TypeError, match="whole numbers"):
        HammingIndex(np.zeros((1, CODE_BYTES), np.uint8), ids)


@pytest.mark.parametrize("beyond", [2**63, 2**70, -(2**63) - 1])
def test_an_id_beyond_64_bits_is_refused(beyond: int) -> None:
    with pytest.raises(OverflowError):
        HammingIndex(np.zeros((1, CODE_BYTES), np.uint8), [beyond])


def test_smaller_kinds_of_whole_numbers_are_ids_too() -> None:
    for kind in (np.int8, np.uint32, np.int64):
        index = HammingIndex(np.zeros((2, CODE_BYTES), np.uint8), np.array([3, 9], kind))
        assert index.query(bytes(CODE_BYTES), 0).ids.tolist() == [3, 9]


def test_a_code_is_handed_back_by_its_id() -> None:
    first, second = bytes(range(CODE_BYTES)), bytes(CODE_BYTES)
    index = index_of({5: first})
    index.add(6, second)
    assert (index.code_of(5), index.code_of(6)) == (first, second)
    index.remove(5)
    for gone in (5, 7, 2**70):
        with pytest.raises(KeyError):
            index.code_of(gone)


@pytest.mark.parametrize("radius", [-1, MAX_RADIUS + 1, 256])
def test_a_radius_out_of_range_is_refused(radius: int) -> None:
    with pytest.raises(ValueError, match="radius"):
        HammingIndex().query(bytes(CODE_BYTES), radius)


def test_a_query_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        HammingIndex().query(bytes(31), 31)


def test_an_id_cannot_be_added_twice_nor_an_unknown_one_removed() -> None:
    index = index_of({1: bytes(CODE_BYTES)})
    with pytest.raises(ValueError, match="already"):
        index.add(1, bytes(CODE_BYTES))
    with pytest.raises(KeyError):
        index.remove(2)
    assert found(index, bytes(CODE_BYTES), 0) == [(0, 1)]
