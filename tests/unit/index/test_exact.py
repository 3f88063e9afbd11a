"""Exact hashes: equal digests are found, all of them, and nothing else; in memory and in files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reclaim.index import ExactIndex, HammingIndex, StoredIndex, create_stored
from reclaim.index.exact import DigestBytes, codes_of_digests
from tests.unit.index.banks import SIZE

EMPTY = hashlib.md5(b"", usedforsecurity=False).digest()


def near(digest: bytes, bit: int) -> bytes:
    return (int.from_bytes(digest) ^ 1 << bit).to_bytes(len(digest))


@given(
    st.sampled_from((16, 32)).flatmap(
        lambda size: st.tuples(
            st.just(size),
            st.dictionaries(st.integers(-(2**63), 2**63 - 1), st.binary(min_size=size, max_size=size), max_size=30),
            st.lists(st.binary(min_size=size, max_size=size), max_size=10),
        )
    ),
    st.integers(0, 127),
)
def test_it_finds_the_equal_ones_and_no_others(
    case: tuple[DigestBytes, dict[int, bytes], list[bytes]], bit: int
) -> None:
    size, digests, strangers = case
    index = ExactIndex(digest_bytes=size)
    for id_, digest in digests.items():
        index.add(id_, digest)
    asked = [*digests.values(), *(near(digest, bit) for digest in digests.values()), *strangers]
    expected = [sorted(id_ for id_, digest in digests.items() if digest == one) for one in asked]
    assert [index.query(one).tolist() for one in asked] == expected
    many = index.query_many(np.frombuffer(b"".join(asked), np.uint8).reshape(-1, size))
    assert [many.ids[many.starts[n] : many.starts[n + 1]].tolist() for n in range(len(asked))] == expected


def test_one_bit_off_is_not_equal_in_a_bank_large_enough_for_bands() -> None:
    generator = np.random.default_rng(3)
    digests = generator.integers(0, 256, (SIZE, 16), np.uint8)
    digests[1::100] = digests[0]
    index = ExactIndex.build([(digests[:9000], np.arange(9000)), (digests[9000:], range(9000, SIZE))])
    for number in range(200):
        digest = digests[number].tobytes()
        assert index.query(digest).tolist() == np.flatnonzero((digests == digests[number]).all(axis=1)).tolist()
        assert index.query(near(digest, number % 128)).tolist() == []


@pytest.mark.parametrize("ids", [[1.7, 2.2], np.array([1.7, 2.2]), np.array([1, 2**63 + 5], np.uint64)])
def test_ids_that_would_be_silently_changed_are_refused(ids: list[int]) -> None:
    with pytest.raises(TypeError, match="whole numbers"):
        ExactIndex.build([(np.zeros((2, 16), np.uint8), ids)])


def test_a_removed_digest_is_not_found_any_more() -> None:
    index = ExactIndex()
    index.add(1, EMPTY)
    index.add(2, EMPTY)
    index.remove(1)
    assert index.query(EMPTY).tolist() == [2]
    assert len(index) == 1
    assert 1 not in index
    assert 2 in index
    with pytest.raises(KeyError):
        index.remove(1)
    with pytest.raises(ValueError, match="already"):
        index.add(2, EMPTY)


def test_another_process_reading_the_file_sees_what_is_added_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "md5.index"
    built = ExactIndex.build([(np.frombuffer(EMPTY, np.uint8).reshape(1, 16), [5])])
    assert isinstance(built.index, HammingIndex)
    create_stored(path, built.index)
    other = hashlib.md5(b"other", usedforsecurity=False).digest()
    with StoredIndex(path, writable=True) as to_write, StoredIndex(path) as to_read:
        writer, reader = ExactIndex(to_write), ExactIndex(to_read)
        assert reader.query(EMPTY).tolist() == [5]
        writer.add(6, other)
        writer.remove(5)
        assert reader.query(EMPTY).tolist() == [5]
        assert reader.refresh() == 2
        assert reader.query(EMPTY).tolist() == []
        assert reader.query(other).tolist() == [6]


def test_an_index_in_memory_has_no_news() -> None:
    assert ExactIndex().refresh() == 0


def test_digests_of_another_length_are_refused_with_a_sentence() -> None:
    index = ExactIndex()
    for call in (index.query, lambda digest: index.add(1, digest)):
        with pytest.raises(ValueError, match="holds digests of 16 bytes, not 32"):
            call(bytes(32))
    with pytest.raises(ValueError, match="holds digests of 16 bytes, not 32"):
        index.query_many(np.zeros((1, 32), np.uint8))
    with pytest.raises(ValueError, match="A digest has 16 or 32 bytes, not 20"):
        ExactIndex(digest_bytes=20)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"shape \(n, 16\) or \(n, 32\), not \(20,\)"):
        codes_of_digests(np.zeros(20, np.uint8))
    with pytest.raises(TypeError, match="uint8, not int64"):
        codes_of_digests(np.zeros((1, 16), np.int64))
    assert len(index) == 0
