"""Adding, removing and merging in any order, held to a plain dictionary; and the same between threads."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reclaim.index import HammingIndex, ManyHits, aside
from reclaim.index.hamming import Mode
from reclaim.index.reference import search
from tests.unit.index.banks import SIZE, Codes, eventually, flipped, skewed, uniform

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
        asked = np.repeat(NEAR[which : which + 1], 600 if batch else 1, axis=0)
        expected = search(codes, ids, NEAR[which], radius)
        found = self.index.query_many(asked, radius)
        assert np.diff(found.starts).tolist() == [len(expected)] * len(asked)
        assert list(zip(found.ids.tolist(), found.distances.tolist(), strict=True)) == expected * len(asked)

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
        if done == of:
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
    assert eventually(lambda: index._native.state()["rows"] > SIZE)
    index.merge()
    assert index._native.state()["rows"] == 2 * SIZE
    assert index.query(codes[9], 0).ids.tolist() == [9, SIZE + 9]


def test_many_added_at_once_are_merged_by_themselves_too(bank: tuple[Codes, HammingIndex]) -> None:
    codes, index = bank
    index.extend(codes, np.arange(SIZE, 2 * SIZE))
    assert eventually(lambda: index._native.state()["rows"] == 2 * SIZE)
    assert index.query(codes[9], 0).ids.tolist() == [9, SIZE + 9]


def test_what_could_not_be_added_at_once_takes_no_place(bank: tuple[Codes, HammingIndex]) -> None:
    codes, index = bank
    index.add(-1, codes[3])
    for ids in ([*range(SIZE, 2 * SIZE - 1), 5], [*range(SIZE, 2 * SIZE - 1), SIZE], [-1, *range(SIZE, 2 * SIZE - 1)]):
        with pytest.raises(ValueError, match="twice"):
            index.extend(codes, ids)
        assert index._native.state()["delta"] == 1
    assert len(index) == SIZE + 1
    index.extend(codes[:2], [SIZE, SIZE + 1])
    assert index.query(codes[0], 0).ids.tolist() == [0, SIZE]
    assert index.query(codes[3], 0).ids.tolist() == [-1, 3]


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


@pytest.fixture
def hectic() -> Iterator[None]:
    """Threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


def test_a_code_replaced_as_a_merge_begins_is_not_lost(hectic: None) -> None:
    codes = uniform(np.random.default_rng(23))
    index = HammingIndex(codes[:300], np.arange(300))
    stop = threading.Event()
    lost: list[int] = []

    def merge_on() -> None:
        while not stop.is_set():
            index.merge()

    def replace_on(first: int) -> None:
        for turn in range(2000):
            for id_ in range(first, first + 30):
                try:
                    index.remove(id_)
                except KeyError:
                    lost.append(id_)
                index.add(id_, codes[300 + turn + id_])

    merger = threading.Thread(target=merge_on)
    others = [threading.Thread(target=replace_on, args=(30 * number,)) for number in range(4)]
    for thread in (merger, *others):
        thread.start()
    for thread in others:
        thread.join()
    stop.set()
    merger.join()
    assert not lost
    assert len(index) == 300


def test_removing_most_codes_gives_their_memory_back(bank: tuple[Codes, HammingIndex]) -> None:
    codes, index = bank
    for id_ in range(16_390):
        index.remove(id_)
    assert eventually(lambda: index._native.state()["rows"] < 1000)
    assert len(index) == SIZE - 16_390
    assert index.query(codes[16_391], 0).ids.tolist() == [16_391]


def test_a_merge_that_ran_out_of_memory_is_told_and_tried_again(
    bank: tuple[Codes, HammingIndex], monkeypatch: pytest.MonkeyPatch
) -> None:
    codes, index = bank

    def no_memory(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(aside, "RETRY_SECONDS", 0.0)
    with monkeypatch.context() as shortage:
        shortage.setattr(HammingIndex, "merge", no_memory)
        for id_ in range(16_385):
            index.add(SIZE + id_, codes[id_])
        assert eventually(lambda: isinstance(index.merge_error, MemoryError))
    assert len(index) == SIZE + 16_385
    assert index.query(codes[16_384], 0).ids.tolist() == [16_384, SIZE + 16_384]

    def merged_with_the_next_change() -> bool:
        index.add(-1, codes[0])
        index.remove(-1)
        return index._native.state()["rows"] > SIZE

    assert eventually(merged_with_the_next_change)
    assert eventually(lambda: index.merge_error is None)
    assert len(index) == SIZE + 16_385


def test_a_save_ends_however_many_changes_come_meanwhile(bank: tuple[Codes, HammingIndex], tmp_path: Path) -> None:
    codes, index = bank
    stop = threading.Event()

    def change_on() -> None:
        while not stop.is_set():
            index.remove(3)
            index.add(3, codes[3])

    changer = threading.Thread(target=change_on)
    changer.start()
    try:
        for _ in range(3):
            index.save(tmp_path / "pdq.index")
    finally:
        stop.set()
        changer.join()
    opened = HammingIndex.open(tmp_path / "pdq.index")
    assert set(range(SIZE)) - {3} <= {id_ for id_ in range(SIZE) if id_ in opened}


@pytest.mark.parametrize("merged", [True, False])
def test_a_snapshot_holds_what_there_was_at_one_moment(
    bank: tuple[Codes, HammingIndex], tmp_path: Path, merged: bool
) -> None:
    codes, index = bank
    if not merged:
        index.add(SIZE, codes[0])
        index.remove(0)

    def change() -> None:
        index.add(SIZE + 1, codes[1])
        index.remove(1)

    with (tmp_path / "pdq.index").open("wb") as file:
        index.write(file.fileno(), 7, change)
    opened = HammingIndex.open(tmp_path / "pdq.index")
    assert opened.query(codes[1], 0).ids.tolist() == [1]
    assert opened.query(codes[0], 0).ids.tolist() == [0 if merged else SIZE]
    assert index.query(codes[1], 0).ids.tolist() == [SIZE + 1]
    assert _copies_in_memory(codes[2].tobytes(), besides=codes) > 0


@pytest.mark.parametrize("merged", [True, False])
def test_nobody_waits_for_a_slow_disk_and_what_was_removed_meanwhile_is_wiped_in_the_end(merged: bool) -> None:
    codes = uniform(np.random.default_rng(24 + merged))  # which no other test has left in memory
    index = HammingIndex(codes, np.arange(SIZE))
    if not merged:
        index.add(SIZE, codes[7])
    reading, writing = os.pipe()

    def write() -> None:
        index.write(writing, 7)
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    os.read(reading, 1)  # from here on the writer waits for somebody to read on
    index.remove(4)
    index.add(SIZE + 1, codes[5])
    assert index.query(codes[4], 0).ids.tolist() == []
    assert index.query(codes[5], 0).ids.tolist() == [5, SIZE + 1]
    assert writer.is_alive()
    read = bytearray(1 << 16)  # one place, as what was read must not lie about in this test's own memory
    while os.readv(reading, [read]):
        pass
    read[:] = bytes(1 << 16)
    writer.join()
    os.close(reading)
    assert _copies_in_memory(codes[4].tobytes(), besides=codes) == 0
    assert _copies_in_memory(codes[6].tobytes(), besides=codes) > 0


def test_of_many_equal_codes_each_removed_during_and_after_a_save_is_wiped() -> None:
    codes = uniform(np.random.default_rng(27))
    codes[:3000] = codes[0]
    index = HammingIndex(codes, np.arange(SIZE))
    reading, writing = os.pipe()

    def write() -> None:
        index.write(writing, 7)
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    os.read(reading, 1)
    for id_ in range(1500):
        index.remove(id_)
    read = bytearray(1 << 16)
    while os.readv(reading, [read]):
        if index._native.state()["dead"] < 3000:
            index.remove(index._native.state()["dead"])
    read[:] = bytes(1 << 16)
    for id_ in range(index._native.state()["dead"], 3000):
        index.remove(id_)
    writer.join()
    os.close(reading)
    assert _copies_in_memory(codes[0].tobytes(), besides=codes) == 0
    assert index.query(codes[0], 0).ids.tolist() == []
    assert index.query(codes[3000], 0).ids.tolist() == [3000]


def test_neither_searches_nor_changes_starve_the_other(bank: tuple[Codes, HammingIndex]) -> None:
    codes, index = bank
    stop = threading.Event()

    def change_on(first: int) -> None:
        while not stop.is_set():
            for id_ in range(first, first + 50):
                index.remove(id_)
                index.add(id_, codes[id_])

    def search_on(first: int) -> None:
        while not stop.is_set():
            index.query_batch(codes[first : first + 50], 31)

    for others, own in ((change_on, search_on), (search_on, change_on)):
        stop.clear()
        crowd = [threading.Thread(target=others, args=(1000 * number,)) for number in range(4)]
        for thread in crowd:
            thread.start()
        try:
            for id_ in range(5000, 5200):
                if own is search_on:
                    assert index.query(codes[id_], 0).ids.tolist() == [id_]
                else:
                    index.remove(id_)
                    index.add(id_, codes[id_])
        finally:
            stop.set()
            for thread in crowd:
                thread.join()


@pytest.mark.parametrize("merged", [True, False])
def test_a_batch_that_takes_long_lets_changes_in_between_and_is_answered_in_order(merged: bool, tmp_path: Path) -> None:
    codes = uniform(np.random.default_rng(26))
    HammingIndex().save(tmp_path / "empty.index")
    index = HammingIndex.open(tmp_path / "empty.index", merges=False)
    index.extend(codes, np.arange(SIZE))
    if merged:
        index.merge()
    times = 18
    asked = np.tile(np.arange(SIZE), times)
    answers: list[ManyHits] = []

    def ask() -> None:
        answers.append(index.query_many(codes[asked], 64))

    def removed_in_the_middle() -> bool:
        """Whether the first to ask for a code still found it and the last did not."""
        batch = threading.Thread(target=ask)
        batch.start()
        batch.join(0.1)
        index.remove(0)
        batch.join()
        index.add(0, codes[0])
        found = answers.pop()
        seen = int((found.ids == 0).sum())
        assert np.array_equal(found.ids[found.ids != 0], asked[asked != 0])
        assert np.diff(found.starts)[asked == 0].tolist() == [1] * seen + [0] * (times - seen)
        return 0 < seen < times

    assert any(removed_in_the_middle() for _ in range(20))
