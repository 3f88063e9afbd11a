"""The stored index in service: what fails leaves it sound, and readers follow without waiting."""

from __future__ import annotations

import errno
import os
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from reclaim.index import (
    DamagedFile,
    HammingIndex,
    IndexFileError,
    LogInUse,
    StoredIndex,
    aside,
    create_stored,
    drafts,
    log,
    pair,
)
from tests.unit.index.banks import SIZE, eventually, uniform

CODES = uniform(np.random.default_rng(51))


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "pdq.index"
    create_stored(path, HammingIndex(CODES[:50], np.arange(50)))
    return path


@pytest.fixture
def compacts_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair, "COMPACT_LEAST", 50)
    monkeypatch.setattr(pair, "COMPACT_SHARE", 10**9)


def names(path: Path) -> list[str]:
    """Of the files beside the index, each log as «log»."""
    return sorted("log" if entry.suffix == ".log" else entry.name for entry in path.parent.iterdir())


SOUND = ["log", "pdq.index", "pdq.index.lock"]


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def fails(error: BaseException) -> Callable[..., None]:
    def function(*_: object, **__: object) -> None:
        raise error

    return function


# ---- what fails ----


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EMFILE, "too many"), DamagedFile("damaged")])
def test_after_a_compaction_that_cannot_be_opened_no_change_is_lost(
    stored: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    with StoredIndex(stored, writable=True) as writer:
        writer.remove(6)
        with monkeypatch.context() as broken:
            broken.setattr(HammingIndex, "open", fails(error))
            with pytest.raises(type(error)):
                writer.compact()
        writer.remove(7)
        writer.add(77, CODES[77])
    assert names(stored) == SOUND
    with StoredIndex(stored, writable=True) as again:
        assert 6 not in again
        assert 7 not in again
        assert again.code_of(77) == CODES[77].tobytes()


@pytest.mark.parametrize("error", [OSError(errno.EIO, "broken"), KeyboardInterrupt()])
def test_when_it_is_in_doubt_which_files_hold_the_writer_refuses_every_change_and_nothing_is_lost(
    stored: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    writer = StoredIndex(stored, writable=True)
    writer.remove(3)
    real = drafts.sync_folder

    def after_the_snapshot_was_renamed(folder: Path) -> None:
        if stored.stat().st_ino != inode:
            raise error
        real(folder)

    inode = stored.stat().st_ino
    with monkeypatch.context() as broken:
        broken.setattr(drafts, "sync_folder", after_the_snapshot_was_renamed)
        with pytest.raises(type(error)):
            writer.compact()
    changes: list[Callable[[], None]] = [lambda: writer.remove(7), lambda: writer.add(60, CODES[60]), writer.compact]
    for change in changes:
        with pytest.raises(ValueError, match="open it anew"):
            change()
    with StoredIndex(stored) as reader:
        assert 3 not in reader
        assert len(reader) == 49
    with StoredIndex(stored, writable=True) as again:
        assert names(stored) == SOUND
        again.remove(7)
        assert len(again) == 48


def test_a_change_the_disk_did_not_take_is_taken_back_also_by_readers_that_had_seen_it(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StoredIndex(stored, writable=True) as writer, StoredIndex(stored) as reader:

        def full(_: int) -> None:
            assert reader.refresh() == 2
            raise OSError(errno.ENOSPC, "full")

        with monkeypatch.context() as broken:
            broken.setattr(os, "fdatasync", full)
            with pytest.raises(OSError, match="full"):
                writer.change(added=[(60, CODES[60])], removed=[1])
        assert 1 in writer
        assert 60 not in writer
        writer.change(added=[(61, CODES[61])], removed=[2])
        reader.refresh()
        for index in (writer, reader):
            assert 1 in index
            assert 60 not in index
            assert 61 in index
            assert 2 not in index


def test_a_log_that_cannot_even_be_cut_back_closes_the_writer(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = StoredIndex(stored, writable=True)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fails(OSError(errno.EIO, "broken")))
        broken.setattr(os, "ftruncate", fails(OSError(errno.EIO, "broken")))
        with pytest.raises(OSError, match="broken"):
            writer.remove(1)
    with pytest.raises(ValueError, match="open it anew"):
        writer.remove(2)
    StoredIndex(stored, writable=True).close()


@pytest.mark.parametrize("change", [log.Change(999, None), log.Change(5, CODES[5].tobytes())])
def test_a_log_that_says_what_cannot_be_is_refused_for_good(stored: Path, change: log.Change) -> None:
    identity = HammingIndex.open(stored).identity
    with StoredIndex(stored) as reader:
        before = open_files()
        with log.log_path(stored, identity).open("ab") as file:
            file.write(log.packed(identity, 0, [log.Change(1, None)]))
            file.write(log.packed(identity, 1, [change]))
        for _ in range(3):
            with pytest.raises(DamagedFile, match="build the index anew"):
                reader.refresh()
            assert reader.is_behind
        for writable in (False, True):
            with pytest.raises(DamagedFile, match="build the index anew"):
                StoredIndex(stored, writable=writable)
        assert open_files() == before
        with log.log_path(stored, identity).open("r+b") as file:
            file.truncate(log._HEADER.size)
        reader.refresh()
        assert not reader.is_behind
        assert len(reader) == 50
        assert 1 in reader


@pytest.mark.parametrize("writable", [False, True])
def test_a_closed_index_says_so_and_closing_twice_harms_nobody(stored: Path, writable: bool) -> None:
    index = StoredIndex(stored, writable=writable)
    index.close()
    with stored.open("rb") as other:
        index.close()
        assert other.read(8) == b"RCLMIDX\n"
    for use in (
        lambda: len(index),
        lambda: 1 in index,
        lambda: index.query(CODES[0], 3),
        lambda: index.query_many(CODES[:2], 3),
        lambda: index.query_batch(CODES[:2], 3),
        lambda: index.code_of(1),
        lambda: index.remove(1),
        index.refresh,
        index.compact,
    ):
        with pytest.raises(ValueError, match="This index is closed"):
            use()


def test_what_a_killed_writer_left_behind_is_gone_after_the_next_one_also_with_odd_names(tmp_path: Path) -> None:
    path, other = tmp_path / "pdq[1].index", tmp_path / "pdq[1].index.more"
    for each in (path, other):
        create_stored(each, HammingIndex(CODES[:50], np.arange(50)))
    kept = set(tmp_path.iterdir())
    left = [f".{path.name}.abcd_123.draft", f".{path.name}.0123456789abcdef.log.abcd_123.draft"]
    left.append(f"{path.name}.0123456789abcdef.log")
    others = f".{other.name}.abcd_123.draft"
    for name in (*left, others):
        (tmp_path / name).write_bytes(CODES[7].tobytes())
    with StoredIndex(path):
        assert all((tmp_path / name).exists() for name in left)
    with StoredIndex(path, writable=True) as writer:
        assert not any((tmp_path / name).exists() for name in left)
        writer.add(60, CODES[60])
        writer.remove(60)
        writer.compact()
    assert (tmp_path / others).exists()
    assert not any(CODES[60].tobytes() in entry.read_bytes() for entry in tmp_path.iterdir())
    assert len(set(tmp_path.iterdir())) == len(kept | {tmp_path / others, tmp_path / f"{path.name}.lock"})


def test_an_index_is_replaced_by_another_only_on_request_and_not_under_a_writer(stored: Path) -> None:
    other = HammingIndex(CODES[50:80], np.arange(50, 80))
    with StoredIndex(stored) as reader:
        with pytest.raises(FileExistsError, match="already"):
            create_stored(stored, other)
        with StoredIndex(stored, writable=True), pytest.raises(LogInUse):
            create_stored(stored, other, replace=True)
        stored.unlink()  # what is mapped must not be written into
        stored.write_bytes(b"damaged")
        create_stored(stored, other, replace=True)
        assert reader.refresh() == 30
        assert 50 in reader
        assert 1 not in reader
    assert names(stored) == SOUND


def test_files_that_are_replaced_without_end_are_given_up_on(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stamps = count()
    monkeypatch.setattr(pair, "stamp_of", lambda _: (0, 0, next(stamps)))
    monkeypatch.setattr(pair, "DeltaLog", fails(FileNotFoundError()))
    with pytest.raises(IndexFileError, match="again and again"):
        StoredIndex(stored)


# ---- in service ----


def test_a_log_grown_long_is_compacted_by_itself_and_readers_follow(stored: Path, compacts_soon: None) -> None:
    first = HammingIndex.open(stored).identity
    with StoredIndex(stored, writable=True) as passing:
        passing.change(added=[(10_000 + number, CODES[number]) for number in range(60)])
    second = HammingIndex.open(stored).identity
    assert second != first  # closing waits for what was begun
    with StoredIndex(stored, writable=True) as writer, StoredIndex(stored) as reader:
        writer.change(removed=range(10_000, 10_060))
        for number in range(100):
            writer.add(1000 + number, CODES[1000 + number])
        assert eventually(lambda: HammingIndex.open(stored).identity != second)
        writer.remove(1000)
        reader.refresh()
        assert len(reader) == len(writer) == 149
        assert reader.query(CODES[1001], 0).ids.tolist() == [1001]
    assert names(stored) == SOUND


def test_a_compaction_that_failed_by_itself_is_told_and_tried_again(
    stored: Path, compacts_soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = HammingIndex.open(stored).identity
    monkeypatch.setattr(aside, "RETRY_SECONDS", 0.0)
    with StoredIndex(stored, writable=True) as writer:
        with monkeypatch.context() as broken:
            broken.setattr(HammingIndex, "write", fails(MemoryError()))
            writer.change(added=[(1000 + number, CODES[number]) for number in range(120)])
            assert eventually(lambda: isinstance(writer.error, MemoryError))
        writer.remove(1000)
        assert eventually(lambda: HammingIndex.open(stored).identity != first)
        assert eventually(lambda: writer.error is None)
        assert len(writer) == 169
    assert names(stored) == SOUND


def test_neither_a_reader_nor_the_writer_takes_a_copy_of_the_snapshot_into_memory_of_its_own(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair, "COMPACT_LEAST", 10**9)
    with StoredIndex(stored, writable=True) as writer, StoredIndex(stored) as reader:
        writer.change(added=[(1000 + number, CODES[number]) for number in range(SIZE)])
        writer.add(-1, CODES[0])
        reader.refresh()
        for index in (writer, reader):
            state = index._index()._native.state()
            assert state["mapped"]
            assert (state["rows"], state["delta"]) == (50, SIZE + 1)
        writer.compact()
        reader.refresh()
        for index in (writer, reader):
            state = index._index()._native.state()
            assert state["mapped"]
            assert (state["rows"], state["delta"]) == (SIZE + 51, 0)


def test_what_changes_while_a_snapshot_is_written_is_in_the_next_pair_of_files(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StoredIndex(stored, writable=True) as writer:
        real = HammingIndex.open

        def meanwhile(path: Path, **how: bool) -> HammingIndex:
            writer.change(added=[(60, CODES[60]), (61, CODES[61])], removed=[1])
            writer.change(added=[(1, CODES[62])], removed=[61])
            return real(path, **how)

        with monkeypatch.context() as slow:
            slow.setattr(HammingIndex, "open", meanwhile)
            writer.compact()
        with StoredIndex(stored) as reader:
            for index in (writer, reader):
                assert len(index) == 51
                assert index.code_of(60) == CODES[60].tobytes()
                assert index.code_of(1) == CODES[62].tobytes()
                assert 61 not in index


@pytest.fixture
def slow_open(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Opening a snapshot tells that it has begun, and waits to go on."""
    begun, go_on = threading.Event(), threading.Event()
    real = HammingIndex.open

    def wait_and_open(path: Path, **how: bool) -> HammingIndex:
        opened = real(path, **how)
        begun.set()
        assert go_on.wait(60)
        return opened

    monkeypatch.setattr(HammingIndex, "open", wait_and_open)
    yield begun, go_on
    go_on.set()


def test_while_a_new_snapshot_is_read_news_still_arrive_and_nothing_withdrawn_comes_back(
    stored: Path, slow_open: tuple[threading.Event, threading.Event]
) -> None:
    begun, go_on = slow_open
    go_on.set()
    with StoredIndex(stored, writable=True) as writer, StoredIndex(stored) as reader:
        writer.remove(1)
        writer.compact()
        writer.remove(2)
        begun.clear()
        go_on.clear()
        loader = threading.Thread(target=reader.refresh)
        loader.start()
        assert begun.wait(60)
        assert 1 not in reader
        assert 2 not in reader
        writer.remove(3)
        assert reader.refresh() == 1
        assert 3 not in reader
        assert reader.query(CODES[3], 0).ids.tolist() == []
        writer.remove(4)
        go_on.set()
        loader.join()
        assert len(reader) == 46
        assert reader._index().identity == writer._index().identity


def test_a_reader_that_is_loading_hears_of_withdrawals_however_many_snapshots_follow(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    real = HammingIndex.open

    def slowly_by_the_loader(path: Path, **how: bool) -> HammingIndex:
        opened = real(path, **how)
        if threading.current_thread() is loader:
            begun.set()
            assert go_on.wait(60)
        return opened

    with StoredIndex(stored, writable=True) as writer, StoredIndex(stored) as reader:
        writer.compact()
        loader = threading.Thread(target=reader.refresh)
        with monkeypatch.context() as slow:
            slow.setattr(HammingIndex, "open", slowly_by_the_loader)
            loader.start()
            assert begun.wait(60)
            for id_ in (1, 2, 3):
                writer.remove(id_)
                assert reader.refresh() == 1
                assert id_ not in reader
                writer.compact()
            writer.remove(4)
            go_on.set()
            loader.join()
        assert not {1, 2, 3, 4} & {id_ for id_ in range(50) if id_ in reader}
        reader.refresh()
        assert len(reader) == 46
        assert reader._index().identity == writer._index().identity


def test_the_logs_of_former_snapshots_are_let_go_of(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with StoredIndex(stored, writable=True) as writer:
        before = open_files()
        for _ in range(3):
            writer.compact()
        assert open_files() == before + 3
        with monkeypatch.context() as later:
            later.setattr("reclaim.index.log.time.monotonic", lambda: 10.0**12)
            writer.remove(1)
        assert open_files() == before
        monkeypatch.setattr(log, "_FOLLOWED_MOST", 2)
        for _ in range(4):
            writer.compact()
        assert open_files() == before + 2


def test_what_is_withdrawn_is_seen_also_while_the_snapshot_has_no_name(stored: Path) -> None:
    with StoredIndex(stored, writable=True) as writer, StoredIndex(stored) as reader:
        elsewhere = stored.rename(stored.with_name("elsewhere"))
        writer.remove(1)
        for _ in range(2):
            with pytest.raises(FileNotFoundError):
                reader.refresh()
            assert 1 not in reader
        elsewhere.rename(stored)
        assert reader.refresh() == 0
        assert len(reader) == 49


def test_an_error_told_at_each_refresh_takes_no_more_memory_each_time(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StoredIndex(stored, writable=True) as writer, StoredIndex(stored) as reader:
        writer.compact()
        monkeypatch.setattr(HammingIndex, "open", fails(MemoryError()))
        reader.refresh(wait=False)
        assert eventually(lambda: reader.error is not None)
        lengths = set()
        for _ in range(5):
            with pytest.raises(MemoryError) as caught:
                reader.refresh(wait=False)
            lengths.add(len(list(traceback.walk_tb(caught.value.__traceback__))))
        assert len(lengths) == 1


def test_a_refresh_that_does_not_wait_leaves_the_new_snapshot_to_a_thread_and_tells_its_error(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "RETRY_SECONDS", 0.0)
    with StoredIndex(stored, writable=True) as writer, StoredIndex(stored) as reader:
        writer.compact()
        with monkeypatch.context() as broken:
            broken.setattr(HammingIndex, "open", fails(MemoryError()))
            assert reader.refresh(wait=False) == 0
            assert eventually(lambda: reader.error is not None)
            with pytest.raises(MemoryError):
                reader.refresh(wait=False)
        writer.remove(1)

        def follows() -> bool:
            with suppress(MemoryError):  # of the last try
                reader.refresh(wait=False)
            return reader._index().identity == writer._index().identity

        assert eventually(follows)
        assert reader.refresh(wait=False) == 0
        assert len(reader) == 49
        assert 1 not in reader


def test_many_threads_search_while_others_change_compact_and_refresh(stored: Path, compacts_soon: None) -> None:
    stop = threading.Event()
    wrong: list[object] = []

    def search_on(reader: StoredIndex) -> None:
        there = set(range(50))
        while not stop.is_set():
            found = {id_ for id_ in reader.query_many(CODES[:50], 0).ids.tolist() if id_ < 50}
            if not found <= there:
                wrong.append(found - there)
            there = found

    def refresh_on(reader: StoredIndex) -> None:
        while not stop.is_set():
            reader.refresh()

    with StoredIndex(stored, writable=True) as writer, StoredIndex(stored) as first, StoredIndex(stored) as second:
        threads = [threading.Thread(target=search_on, args=(index,)) for index in (first, first, second, writer)]
        threads += [threading.Thread(target=refresh_on, args=(index,)) for index in (first, first, second)]
        for thread in threads:
            thread.start()
        for turn in range(50):
            writer.change(added=[(1000 + 20 * turn + n, CODES[1000 + 20 * turn + n]) for n in range(20)])
            writer.remove(turn)
            if turn % 10 == 9:
                writer.compact()
        stop.set()
        for thread in threads:
            thread.join()
        assert not wrong
        for reader in (first, second):
            reader.refresh()
            reader.refresh()
            assert len(reader) == len(writer) == 1000
