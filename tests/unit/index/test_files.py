"""Snapshots and logs: what was written comes back, and what was not written is refused."""

from __future__ import annotations

import struct
import traceback
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reclaim.index import (
    DamagedFile,
    ForeignFile,
    HammingIndex,
    IndexFileError,
    LogInUse,
    LogMismatch,
    StoredIndex,
    TruncatedFile,
    UnknownVersion,
    create_stored,
    log,
)
from reclaim.index.hamming import Mode
from tests.unit.index.banks import SIZE, flipped, uniform

CODES = uniform(np.random.default_rng(31))
PAGE = 4096
MASK = 2**64 - 1


def mixed(lane: int, word: int) -> int:
    lane = (lane ^ word) * 0x9E3779B97F4A7C15 & MASK
    return (lane << 29 | lane >> 35) & MASK


def checksum(data: bytes) -> int:
    """The snapshot's checksum, written a second time from docs/index.md."""
    lanes = [1, 2, 3, 4]
    padded = data + bytes(32 - len(data) % 32)
    for at in range(0, len(padded), 32):
        lanes = [mixed(lane, word) for lane, word in zip(lanes, struct.unpack_from("<4Q", padded, at), strict=True)]
    total = mixed(5, len(data))
    for lane in lanes:
        total = mixed(total, lane)
    return total


FIELDS = {"version": (8, "<I"), "mode": (12, "<I"), "size": (16, "<Q"), "rows": (24, "<Q")}
HEADER_END = 56


def resealed(data: bytes, body_too: bool = True) -> bytes:
    """The file with sums that fit what it says now, as somebody who means harm would write it."""
    page = bytearray(data[:PAGE])
    if body_too:
        struct.pack_into("<Q", page, HEADER_END - 24, checksum(data[PAGE:]))
    struct.pack_into("<Q", page, HEADER_END - 8, 0)
    total = mixed(checksum(bytes(page[:HEADER_END])), checksum(bytes(page[HEADER_END:])))
    struct.pack_into("<Q", page, HEADER_END - 8, total)
    return bytes(page) + data[PAGE:]


def small(folder: Path) -> Path:
    path = folder / "small.index"
    HammingIndex(CODES[:20], np.arange(20) + 100).save(path)
    return path


@pytest.mark.parametrize("in_memory", [False, True])
@pytest.mark.parametrize("mode", ["fast", "compact"])
def test_a_snapshot_answers_as_the_index_it_was_saved_from(tmp_path: Path, mode: Mode, in_memory: bool) -> None:
    path = tmp_path / "pdq.index"
    index = HammingIndex(CODES, np.arange(SIZE), mode=mode)
    index.remove(3)
    index.add(SIZE, CODES[3])
    index.save(path)
    opened = HammingIndex.open(path, in_memory=in_memory)
    asked = np.array([flipped(code, list(range(number % 33))) for number, code in enumerate(CODES[:100])])
    for radius in (0, 31, 40):
        for before, after in zip(index.query_batch(asked, radius), opened.query_batch(asked, radius), strict=True):
            assert before.ids.tolist() == after.ids.tolist()
            assert before.distances.tolist() == after.distances.tolist()
    assert opened.mode == mode
    opened.remove(5)
    opened.add(5, CODES[6])
    assert opened.query(CODES[5], 0).ids.tolist() == []
    assert opened.query(CODES[6], 0).ids.tolist() == [5, 6]
    opened.merge()
    assert opened.query(CODES[6], 0).ids.tolist() == [5, 6]
    assert len(opened) == SIZE


def test_an_empty_index_is_saved_and_opened(tmp_path: Path) -> None:
    path = tmp_path / "empty.index"
    HammingIndex().save(path)
    opened = HammingIndex.open(path)
    assert len(opened) == 0
    opened.add(1, CODES[0])
    assert opened.query(CODES[0], 31).ids.tolist() == [1]


def test_no_byte_of_a_snapshot_can_change_unseen(tmp_path: Path) -> None:
    path = small(tmp_path)
    data = path.read_bytes()
    for at in range(len(data)):
        for bit in range(8) if at < HEADER_END else [at % 8]:
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            path.write_bytes(changed)
            with pytest.raises(IndexFileError):
                HammingIndex.open(path)


def test_no_byte_of_a_banded_snapshot_can_change_unseen(tmp_path: Path) -> None:
    path = tmp_path / "pdq.index"
    HammingIndex(CODES, np.arange(SIZE)).save(path)
    size = path.stat().st_size
    generator = np.random.default_rng(32)
    for at in [*generator.integers(PAGE, size, 40).tolist(), size - 1]:
        with path.open("r+b") as file:
            file.seek(at)
            byte = file.read(1)
            file.seek(at)
            file.write(bytes([byte[0] ^ 16]))
        with pytest.raises(DamagedFile):
            HammingIndex.open(path)
        with path.open("r+b") as file:
            file.seek(at)
            file.write(byte)
    assert len(HammingIndex.open(path)) == SIZE


def test_a_snapshot_of_any_other_length_is_refused(tmp_path: Path) -> None:
    path = small(tmp_path)
    data = path.read_bytes()
    for length in [*range(0, 800, 7), *range(800, len(data), 97), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises((TruncatedFile, ForeignFile)):
            HammingIndex.open(path)
    path.write_bytes(data + b"\0")
    with pytest.raises(DamagedFile):
        HammingIndex.open(path)


@given(st.binary(max_size=6000))
@settings(max_examples=100, deadline=None)
def test_any_other_file_is_foreign(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("foreign") / "file"
    path.write_bytes(data)
    with pytest.raises(ForeignFile):
        HammingIndex.open(path)


def test_a_file_refused_again_and_again_takes_no_more_memory_each_time(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"nothing")
    refused = []
    for _ in range(3):
        with pytest.raises(ForeignFile) as caught:
            HammingIndex.open(path)
        refused.append(caught.value)
    assert len(set(map(id, refused))) == 3
    assert len({len(list(traceback.walk_tb(error.__traceback__))) for error in refused}) == 1


def test_a_snapshot_of_another_version_is_refused_by_name(tmp_path: Path) -> None:
    path = small(tmp_path)
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, FIELDS["version"][0], 2)
    path.write_bytes(resealed(bytes(data)))
    with pytest.raises(UnknownVersion, match="build it anew"):
        HammingIndex.open(path)


@pytest.mark.parametrize("field", [name for name in FIELDS if name != "version"])
@pytest.mark.parametrize("value", [1, 2, 16, 63, 4097, 2**31, 2**32 - 1, 2**63, 2**64 - 64])
def test_a_header_made_to_lead_outside_the_file_is_refused(tmp_path: Path, field: str, value: int) -> None:
    path = small(tmp_path)
    original = path.read_bytes()
    data = bytearray(original)
    at, kind = FIELDS[field]
    struct.pack_into(kind, data, at, min(value, 2 ** (8 * struct.calcsize(kind)) - 1))
    path.write_bytes(resealed(bytes(data)))
    if field == "mode" and value == 1:
        assert HammingIndex.open(path).mode == "compact"  # so small a bank has the same parts in both
    else:
        with pytest.raises((DamagedFile, TruncatedFile)):
            HammingIndex.open(path)


def test_an_identity_of_more_than_64_bits_is_refused(tmp_path: Path) -> None:
    for identity in (-1, 2**64):
        with pytest.raises(ValueError, match="64 bits"):
            HammingIndex().save(tmp_path / "any.index", identity=identity)
    assert not list(tmp_path.iterdir())


def test_a_table_of_ids_without_an_end_does_not_hold_up_a_search(tmp_path: Path) -> None:
    path = small(tmp_path)
    data = bytearray(path.read_bytes())
    codes_and_ids = 20 * 32 + 192  # each part begins at a multiple of 64 bytes
    slots = 20 + 20 // 4 + 8
    start = PAGE + codes_and_ids
    assert sorted(struct.unpack_from(f"<{slots}I", data, start))[:20] == list(range(20))
    data[start : start + 4 * slots] = struct.pack("<I", 2**32 - 2) * slots
    path.write_bytes(resealed(bytes(data)))
    opened = HammingIndex.open(path)
    assert 100 not in opened
    opened.add(1, CODES[0])
    assert opened.query(CODES[0], 0).ids.tolist() == [1, 100]


def test_a_failed_save_leaves_the_old_snapshot_and_no_other_file(tmp_path: Path) -> None:
    path = small(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        HammingIndex(CODES[:5], np.arange(5)).save(tmp_path / "folder")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["folder", "small.index"]
    assert len(HammingIndex.open(path)) == 20
    assert path.stat().st_mode & 0o777 == 0o600


# ---- the stored index: snapshot, log, readers ----


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "pdq.index"
    create_stored(path, HammingIndex(CODES[:50], np.arange(50)))
    return path


def the_log(path: Path) -> Path:
    (found,) = path.parent.glob("*.log")
    return found


def test_a_reader_sees_what_the_writer_changed_after_a_refresh_and_so_does_a_new_one(stored: Path) -> None:
    with StoredIndex(stored, writable=True) as writer, StoredIndex(stored) as reader:
        writer.add(50, CODES[50])
        writer.remove(1)
        writer.change(added=[(1, CODES[60]), (51, CODES[51])], removed=[2, 3])
        assert reader.query(CODES[50], 0).ids.tolist() == []
        assert reader.refresh() == 6
        assert reader.refresh() == 0
        with StoredIndex(stored) as late:
            for index in (writer, reader, late):
                assert len(index) == 50
                assert index.query(CODES[50], 0).ids.tolist() == [50]
                assert index.query(CODES[1], 0).ids.tolist() == []
                assert index.query_batch(CODES[60:61], 0)[0].ids.tolist() == [1]
                assert 2 not in index


def test_compacting_begins_a_new_pair_of_files_without_removed_codes_and_readers_follow(stored: Path) -> None:
    with StoredIndex(stored, writable=True) as writer, StoredIndex(stored) as reader:
        writer.remove(7)
        assert CODES[7].tobytes() in stored.read_bytes()
        old = the_log(stored)
        writer.compact()
        assert the_log(stored) != old
        assert CODES[7].tobytes() not in stored.read_bytes()
        writer.add(7, CODES[8])
        reader.refresh()
        assert reader.query(CODES[7], 0).ids.tolist() == []
        assert reader.query(CODES[8], 0).ids.tolist() == [7, 8]


def test_a_change_that_cannot_be_is_refused_whole(stored: Path) -> None:
    with StoredIndex(stored, writable=True) as writer:
        size = the_log(stored).stat().st_size
        with pytest.raises(ValueError, match="already"):
            writer.change(added=[(60, CODES[0]), (60, CODES[1])])
        with pytest.raises(KeyError):
            writer.change(added=[(60, CODES[0])], removed=[1, 1])
        with pytest.raises(ValueError, match="32 bytes"):
            writer.change(added=[(60, CODES[0]), (61, b"short")])
        assert the_log(stored).stat().st_size == size
        assert len(writer) == 50
    with StoredIndex(stored) as reader, pytest.raises(PermissionError, match="writable"):
        reader.add(60, CODES[0])


def test_one_process_writes_at_a_time(stored: Path) -> None:
    with StoredIndex(stored, writable=True), pytest.raises(LogInUse, match="Another process"):
        StoredIndex(stored, writable=True)
    with StoredIndex(stored, writable=True) as writer:
        assert len(writer) == 50


def three_records(stored: Path) -> tuple[Path, bytes]:
    with StoredIndex(stored, writable=True) as writer:
        writer.add(50, CODES[50])
        writer.remove(0)
        writer.add(51, CODES[51])
    return the_log(stored), the_log(stored).read_bytes()


def test_a_torn_tail_is_dropped_wherever_it_tore_and_writing_goes_on(stored: Path) -> None:
    path, data = three_records(stored)
    for length in range(len(data) - log.RECORD_BYTES, len(data)):
        path.write_bytes(data[:length])
        with StoredIndex(stored) as reader:
            assert len(reader) == 50
            assert 51 not in reader
        with StoredIndex(stored, writable=True) as writer:
            writer.add(52, CODES[52])
        with StoredIndex(stored) as reader:
            assert reader.query(CODES[52], 0).ids.tolist() == [52]


TOGETHER = 300
"""Changes in a batch whose records lie on several pages of a disk."""


def batch(stored: Path) -> tuple[Path, bytes, int]:
    """The log, its bytes with two changes and then a batch, and where the batch begins."""
    with StoredIndex(stored, writable=True) as writer:
        writer.add(50, CODES[50])
        writer.remove(0)
        begin = the_log(stored).stat().st_size
        writer.change(added=[(100 + n, CODES[n]) for n in range(TOGETHER - 3)], removed=[1, 2, 3])
    return the_log(stored), the_log(stored).read_bytes(), begin


def holes(begin: int, end: int) -> list[tuple[int, int]]:
    """What of a batch may have missed the disk: any pages of it, or any single record."""
    pages = sorted({begin, *range(PAGE, end, PAGE), end} - set(range(PAGE, begin, PAGE)))
    borders = [place for place in pages if begin <= place <= end]
    found = [(first, last) for n, first in enumerate(borders) for last in borders[n + 1 :]]
    return found + [(at, at + log.RECORD_BYTES) for at in range(begin, end, 7 * log.RECORD_BYTES)]


def test_a_batch_torn_by_a_power_cut_is_dropped_whole_wherever_it_tore(stored: Path) -> None:
    path, data, begin = batch(stored)
    assert len(holes(begin, len(data))) > 40
    torn = [data[:first] + bytes(last - first) + data[last:] for first, last in holes(begin, len(data))]
    torn += [data[:length] for length in range(begin, len(data), 131)]
    for each in torn:
        path.write_bytes(each)
        with StoredIndex(stored) as reader:
            assert (len(reader), 1 in reader, 100 in reader) == (50, True, False)
    with StoredIndex(stored, writable=True) as writer:
        assert path.read_bytes() == data[:begin]
        writer.change(added=[(60, CODES[60]), (61, CODES[61])])
    with StoredIndex(stored) as reader:
        assert (len(reader), 61 in reader, 100 in reader) == (52, True, False)


@pytest.mark.parametrize("later", [[(60, CODES[60])], [(60, CODES[60]), (61, CODES[61])]])
def test_a_batch_damaged_before_a_later_sound_change_is_refused(
    stored: Path, later: list[tuple[int, npt.NDArray[np.uint8]]]
) -> None:
    _, before, begin = batch(stored)
    with StoredIndex(stored, writable=True) as writer:
        writer.change(added=later)
    path = the_log(stored)
    data = path.read_bytes()
    for first, last in holes(begin, len(before)):
        path.write_bytes(data[:first] + bytes(last - first) + data[last:])
        with pytest.raises(DamagedFile):
            StoredIndex(stored)


def test_sound_records_of_two_batches_make_no_batch(stored: Path) -> None:
    path, data, begin = batch(stored)
    path.write_bytes(data[:begin])
    with StoredIndex(stored, writable=True) as writer:
        writer.change(added=[(900 + n, CODES[n]) for n in range(TOGETHER)])
    other = path.read_bytes()
    assert len(other) == len(data)
    path.write_bytes(data[: begin + 4000 // log.RECORD_BYTES * log.RECORD_BYTES] + other[begin + 4000 // 48 * 48 :])
    with StoredIndex(stored) as reader:
        assert len(reader) == 50


def test_a_reader_that_meets_a_batch_half_written_takes_in_none_of_it_until_it_is_whole(stored: Path) -> None:
    path, data, begin = batch(stored)
    path.write_bytes(data[:begin])
    with StoredIndex(stored) as reader:
        for length in range(begin, len(data), 997):
            path.write_bytes(data[:length])
            assert reader.refresh() == 0
            assert 1 in reader
        path.write_bytes(data)
        assert reader.refresh() == TOGETHER
        assert 1 not in reader


def test_a_reader_that_met_half_a_record_reads_it_when_it_is_whole(stored: Path) -> None:
    path, data = three_records(stored)
    path.write_bytes(data[:-20])
    with StoredIndex(stored) as reader:
        assert 51 not in reader
        path.write_bytes(data)
        assert reader.refresh() == 1
        assert 51 in reader


def test_no_byte_before_the_last_record_can_change_unseen(stored: Path) -> None:
    path, data = three_records(stored)
    for at in range(len(data) - log.RECORD_BYTES):
        changed = bytearray(data)
        changed[at] ^= 4
        path.write_bytes(changed)
        with pytest.raises((DamagedFile, ForeignFile)):
            StoredIndex(stored)


def test_records_that_were_moved_repeated_or_left_out_are_refused(stored: Path) -> None:
    path, data = three_records(stored)
    header, size = data[: -3 * log.RECORD_BYTES], log.RECORD_BYTES
    first, second, third = (data[len(header) + size * k :][:size] for k in range(3))
    for order in ([second, first, third], [second, third], [first, first, third]):
        path.write_bytes(header + b"".join(order))
        if order[-1] is third and len(order) == 3:
            with pytest.raises(DamagedFile):
                StoredIndex(stored)
        else:
            with StoredIndex(stored) as reader:
                assert len(reader) == 50  # nothing sound in its place: a torn end
    path.write_bytes(data)


def test_the_log_of_another_snapshot_or_none_is_refused(stored: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "pdq.index"
    other.parent.mkdir()
    create_stored(other, HammingIndex(CODES[:5], np.arange(5)))
    log_file = the_log(stored)
    log_file.write_bytes(the_log(other).read_bytes())
    with pytest.raises(LogMismatch, match="another snapshot"):
        StoredIndex(stored)
    log_file.unlink()
    with pytest.raises(LogMismatch, match="missing"):
        StoredIndex(stored)


def test_an_index_is_not_made_over_another(stored: Path) -> None:
    with pytest.raises(FileExistsError, match="already"):
        create_stored(stored, HammingIndex())
