"""Adding, removing and merging in any order, held to a plain dictionary; and the same between threads."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reclaim.index import HammingIndex
from reclaim.index.hamming import Mode
from reclaim.index.reference import search
from tests.unit.index.banks import SIZE, Codes, flipped, skewed, uniform

SKEWED = skewed(np.random.default_rng(21))
NEAR = np.array([flipped(SKEWED[0], list(range(bits))) for bits in range(40)])


class Changes(RuleBasedStateMachine):
    """An index beside the dictionary it stands for."""

    @initialize(mode=st.sampled_from(["fast", "compact"]), built=st.booleans())
    def start(self, mode: Mode, built: bool) -> None:
        self.codes = {id_: SKEWED[id_] for id_ in range(SIZE)} if built else {}
        array = SKEWED if built else SKEWED[:0]
        self.index = HammingIndex(array, list(self.codes), mode=mode)

    @rule(id_=st.integers(-5, SIZE + 20), which=st.integers(0, len(NEAR) - 1))
    def add(self, id_: int, which: int) -> None:
        if id_ in self.codes:
            with pytest.raises(ValueError, match="already"):
                self.index.add(id_, NEAR[which])
        else:
            self.index.add(id_, NEAR[which])
            self.codes[id_] = NEAR[which]

    @rule(ids=st.lists(st.integers(SIZE, SIZE + 60), max_size=20), which=st.integers(0, len(NEAR) - 1))
    def extend(self, ids: list[int], which: int) -> None:
        codes = np.repeat(NEAR[which : which + 1], len(ids), axis=0)
        if len(set(ids)) < len(ids) or any(id_ in self.codes for id_ in ids):
            with pytest.raises(ValueError, match="twice"):
                self.index.extend(codes, ids)
        else:
            self.index.extend(codes, ids)
            self.codes |= dict(zip(ids, codes, strict=True))

    @rule(data=st.data())
    @precondition(lambda self: self.codes)
    def remove(self, data: st.DataObject) -> None:
        ids = [*list(self.codes)[:3], *list(self.codes)[-8:]]
        id_ = data.draw(st.sampled_from(ids))
        self.index.remove(id_)
        del self.codes[id_]

    @rule()
    def merge(self) -> None:
        self.index.merge()

    @rule(which=st.integers(0, len(NEAR) - 1), radius=st.integers(0, 40), batch=st.booleans())
    def query(self, which: int, radius: int, batch: bool) -> None:
        ids = np.array(list(self.codes), np.int64)
        codes = np.array(list(self.codes.values()), np.uint8).reshape(-1, 32)
        asked = np.repeat(NEAR[which : which + 1], 70 if batch else 1, axis=0)
        expected = search(codes, ids, NEAR[which], radius)
        for hits in self.index.query_batch(asked, radius):
            assert list(zip(hits.ids.tolist(), hits.distances.tolist(), strict=True)) == expected

    @invariant()
    def the_same_ids_are_there(self) -> None:
        if hasattr(self, "index"):
            assert len(self.index) == len(self.codes)
            assert all((id_ in self.index) == (id_ in self.codes) for id_ in (-1, 0, 1, SIZE - 1, SIZE, SIZE + 1))


Changes.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
test_any_order_of_changes = Changes.TestCase


@pytest.fixture
def bank() -> tuple[Codes, HammingIndex]:
    codes = uniform(np.random.default_rng(22))
    return codes, HammingIndex(codes, np.arange(SIZE))


def test_a_removed_code_is_wiped_from_memory(bank: tuple[Codes, HammingIndex]) -> None:
    codes, index = bank
    index.remove(4)
    index.add(SIZE, codes[4])
    index.remove(SIZE)
    assert _copies_in_memory(codes[4].tobytes(), besides=codes) == 0
    assert _copies_in_memory(codes[5].tobytes(), besides=codes) > 0


def _copies_in_memory(needle: bytes, besides: Codes) -> int:
    """How often the bytes lie in this process's larger mappings, but for themselves and the array they came from."""
    known = range(besides.ctypes.data, besides.ctypes.data + besides.nbytes)
    itself = range(id(needle), id(needle) + 100)
    found = 0
    mappings = Path("/proc/self/maps").read_text().splitlines()
    with Path("/proc/self/mem").open("rb", 0) as memory:
        for line in mappings:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if "rw" not in line or end - start < 1 << 20 or "[" in line:
                continue
            memory.seek(start)
            data = memory.read(end - start)
            at = data.find(needle)
            while at >= 0:
                found += start + at not in known and start + at not in itself
                at = data.find(needle, at + 1)
    return found


def test_removed_codes_never_come_back_with_a_merge(bank: tuple[Codes, HammingIndex]) -> None:
    codes, index = bank
    for id_ in range(0, SIZE, 7):
        index.remove(id_)
    index.merge()
    assert len(index) == SIZE - len(range(0, SIZE, 7))
    assert index.query(codes[7], 0).ids.tolist() == []
    assert index.query(codes[8], 0).ids.tolist() == [8]


def test_changes_during_a_merge_are_in_its_result(bank: tuple[Codes, HammingIndex]) -> None:
    codes, index = bank
    index.add(SIZE, codes[0])

    def meddle(done: int, of: int) -> None:
        if done == 3:
            index.remove(1)
            index.remove(SIZE)
            index.add(SIZE + 1, codes[1])
            index.add(SIZE + 2, codes[2])
            index.remove(SIZE + 2)
            index.remove(5)
            index.add(5, codes[6])

    index.merge(meddle)
    for code, expected in ((0, [0]), (1, [SIZE + 1]), (2, [2]), (5, []), (6, [5, 6])):
        assert index.query(codes[code], 0).ids.tolist() == expected
    assert len(index) == SIZE
    index.merge()
    assert index.query(codes[6], 0).ids.tolist() == [5, 6]


def test_many_added_codes_are_merged_by_themselves(bank: tuple[Codes, HammingIndex]) -> None:
    codes, index = bank
    for id_ in range(SIZE):
        index.add(SIZE + id_, codes[id_])
    index.merge()
    assert index._native.state()["rows"] == 2 * SIZE
    assert index.query(codes[9], 0).ids.tolist() == [9, SIZE + 9]


def test_searches_see_either_the_code_or_its_absence_while_another_thread_changes_it(
    bank: tuple[Codes, HammingIndex],
) -> None:
    codes, index = bank
    stop = threading.Event()
    wrong: list[list[int]] = []

    def search_on() -> None:
        while not stop.is_set():
            for hits in index.query_batch(codes[:80], 31):
                ids = hits.ids.tolist()
                if len(ids) > 2 or any(hits.distances.tolist()):
                    wrong.append(ids)
            for steady in index.query_batch(codes[100:103], 0):
                if len(steady.ids) != 1:
                    wrong.append(steady.ids.tolist())

    readers = [threading.Thread(target=search_on) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(6):
        for id_ in range(80):
            index.remove(id_)
            index.add(SIZE + id_, codes[id_])
        if turn % 2:
            index.merge()
        for id_ in range(80):
            index.remove(SIZE + id_)
            index.add(id_, codes[id_])
    stop.set()
    for reader in readers:
        reader.join()
    assert not wrong
    assert len(index) == SIZE
