"""Folders, archives and tables, honest and hostile. Nothing is ever written but the output folder."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reclaim.index import HammingIndex
from reclaim.scan import OtherScan, Request, ScanStopped, SourceNotFound, Summary, open_indexes, scan
from reclaim.scan.kernel import ScanOptions, scan_batch
from reclaim.scan.pipes import MOST_ANSWER
from reclaim.scan.schema import to_bytes
from reclaim.scan.sources import open_source, table, tar
from reclaim.scan.sources.table import SLICE_ROWS
from reclaim.scan.trim import MOST_MATCHES
from reclaim.signals import fingerprint
from tests.unit.scan.catalogue import PHOTOS, jpeg, make_index, rows_of

Rows = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_index(tmp_path_factory.mktemp("bank") / "pdq.index")


def scanned(source: Path, index: Path, out: Path, **more: Any) -> tuple[Rows, Summary]:
    """The rows by name, each with its reason or else its status."""
    summary = scan(Request(str(source), index, out, jobs=1, **more))
    rows = rows_of(out)
    assert len({row["name"] for row in rows}) == len(rows) == summary.counts.files
    return {row["name"]: row for row in rows}, summary


def reasons(rows: Rows) -> dict[str, str]:
    return {name: row["reason"] or row["status"] for name, row in rows.items()}


def tar_of(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_a_folder_is_scanned_with_all_that_can_be_in_one(index: Path, tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    (folder / "deep" / "deeper").mkdir(parents=True)
    (folder / "deep" / "deeper" / "a b%20c\nd.jpg").write_bytes(jpeg(0))
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.jpg")).write_bytes(jpeg(0))
    (folder / "link.jpg").symlink_to(PHOTOS[0])
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "gone").symlink_to(folder / "nowhere")
    (folder / ".hidden").write_bytes(b"text")
    os.mkfifo(folder / "pipe")
    rows, summary = scanned(folder, index, tmp_path / "out")
    assert reasons(rows) == {
        "deep/deeper/a b%20c\nd.jpg": "match",
        "caf\N{REPLACEMENT CHARACTER}.jpg": "match",
        "link.jpg": "link_not_followed",
        "loop": "link_not_followed",
        "gone": "link_not_followed",
        ".hidden": "not_a_picture",
        "pipe": "not_a_file",
    }
    assert rows["caf\N{REPLACEMENT CHARACTER}.jpg"]["raw_name"] == b"caf\xe9.jpg"
    assert summary.as_json()["reasons"] == {"link_not_followed": 3, "not_a_file": 1, "not_a_picture": 1}


def test_files_that_vanish_while_the_scan_runs_are_errors(index: Path, tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.jpg").write_bytes(jpeg(number))

    def delete(counts: Any, total: int) -> None:
        for number in (2, 4):
            (folder / f"{number}.jpg").unlink(missing_ok=True)

    scan(Request(str(folder), index, tmp_path / "out", jobs=1), delete)
    gone = "unreadable_file"
    assert [row["reason"] for row in rows_of(tmp_path / "out")] == [None, None, gone, None, gone, None]


def test_a_folder_that_goes_away_stops_the_scan_and_makes_no_error_of_every_file(index: Path, tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number}.jpg").write_bytes(jpeg(number))

    def unmount(counts: Any, total: int) -> None:
        if counts.files == 0 and total:
            folder.rename(tmp_path / "elsewhere")

    request = Request(str(folder), index, tmp_path / "out", jobs=1, shard_rows=2)
    with pytest.raises(ScanStopped, match="The source went away"):
        scan(request, unmount)
    (tmp_path / "elsewhere").rename(folder)
    assert scan(request).as_json()["error"] == 0


def make_source(kind: str, path: Path, count: int) -> Path:
    """So many rows, of any kind of source that is a file."""
    pictures = {f"{number}.jpg": jpeg(number) for number in range(count)}
    if kind == "parquet":
        pdq = [fingerprint(each).pdq for each in pictures.values()]
        pq.write_table(pa.table({"name": list(pictures), "pdq": pdq}), path, row_group_size=4)
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in pictures.items():
                archive.writestr(name, data)
    else:
        tar_of(path, pictures, kind)
    return path


@pytest.mark.parametrize("kind", ["w", "w:gz", "zip", "parquet"])
def test_a_file_that_goes_away_stops_the_scan_and_makes_no_error_of_all_that_is_in_it(
    index: Path, tmp_path: Path, kind: str
) -> None:
    path = make_source(kind, tmp_path / "some", 12)

    def unmount(counts: Any, total: int) -> None:
        if total and not counts.files:
            path.rename(tmp_path / "elsewhere")

    request = Request(str(path), index, tmp_path / "out", jobs=1, shard_rows=4)
    with pytest.raises(ScanStopped, match="The source went away"):
        scan(request, unmount)
    (tmp_path / "elsewhere").rename(path)
    assert scan(request).as_json() | {"clear": 0, "match": 0, "poor": 0, "seconds": 0, "files_per_second": 0} == {
        "files": 12,
        "files_this_run": 12,
        "error": 0,
        "reasons": {},
        **dict.fromkeys(("clear", "match", "poor", "seconds", "files_per_second"), 0),
    }


def test_a_packed_tar_that_is_another_one_by_now_is_not_read_under_the_names_of_the_first(
    index: Path, tmp_path: Path
) -> None:
    path = make_source("w:gz", tmp_path / "some", 4)

    def replace(counts: Any, total: int) -> None:
        if total and not counts.files:
            make_source("w:gz", path, 5)

    with pytest.raises(ScanStopped, match="The source went away"):
        scan(Request(str(path), index, tmp_path / "out", jobs=1), replace)
    with pytest.raises(OtherScan, match="the source has changed"):
        scan(Request(str(path), index, tmp_path / "out", jobs=1))


@pytest.mark.parametrize("signals", [False, True])
def test_a_folder_that_is_not_mounted_between_two_runs_is_not_taken_for_the_first(
    index: Path, tmp_path: Path, signals: bool
) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    if signals:
        make_source("parquet", folder / "signals.parquet", 4)
    else:
        (folder / "0.jpg").write_bytes(jpeg(0))
    request = Request(str(folder), index, tmp_path / "out", jobs=1, signals=signals)
    scan(request)
    folder.rename(tmp_path / "elsewhere")
    folder.mkdir()
    with pytest.raises(OtherScan, match="the source has changed"):
        scan(request)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz", "zst"])
def test_a_tar_gives_the_rows_of_its_members(index: Path, tmp_path: Path, mode: str) -> None:
    members = {f"in/{number}.jpg": jpeg(number) for number in range(9)}
    hostile = {"../../escape.jpg": jpeg(0), "/etc/passwd": b"root", "empty": b"", "x" * 300: jpeg(3)}
    path = tar_of(tmp_path / "some.tar", members | hostile, "w" if mode == "zst" else mode)
    with tarfile.open(path) as archive:
        count = len(archive.getmembers())
    if mode == "zst":
        plain = path.read_bytes()
        with pa.CompressedOutputStream(pa.OSFile(str(path), "wb"), "zstd") as packed:
            packed.write(plain)
    rows, _ = scanned(path, index, tmp_path / "out", shard_rows=4)
    assert len(rows) == count
    for name, data in members.items():
        made = fingerprint(data)
        assert (rows[name]["pdq"], rows[name]["md5"]) == (made.pdq, made.md5)
    assert rows["../../escape.jpg"]["status"] == "match"
    assert rows["/etc/passwd"]["reason"] == "not_a_picture"
    assert rows["empty"]["reason"] == "empty_file"
    assert {entry.name for entry in tmp_path.iterdir()} == {"some.tar", "out"}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_links_and_devices_in_a_tar_are_rows_and_lead_nowhere(index: Path, tmp_path: Path, mode: str) -> None:
    with tarfile.open(tmp_path / "some.tar", mode) as archive:
        for name, kind in (("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("pipe", tarfile.FIFOTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        member = tarfile.TarInfo("folder/last.jpg")
        member.size = len(jpeg(0))
        archive.addfile(member, io.BytesIO(jpeg(0)))
    rows, _ = scanned(tmp_path / "some.tar", index, tmp_path / "out", shard_rows=2)
    assert reasons(rows) == {
        "link": "link_not_followed",
        "hard": "link_not_followed",
        "pipe": "not_a_file",
        "folder/last.jpg": "match",
    }


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_that_is_cut_short_gives_what_is_whole_and_a_row_for_the_rest(
    index: Path, tmp_path: Path, mode: str
) -> None:
    whole = tar_of(tmp_path / "whole.tar", {f"{number}.jpg": jpeg(number) for number in range(8)}, mode).read_bytes()
    (tmp_path / "half.tar").write_bytes(whole[: len(whole) // 2])
    rows, _ = scanned(tmp_path / "half.tar", index, tmp_path / "out", shard_rows=3)
    found = reasons(rows)
    assert found.pop("half.tar") == "damaged_archive"
    assert found["0.jpg"] == "match"
    assert set(list(found.values())[:-1]) <= {"match", "clear", "poor"}
    assert 2 < len(found) < 8


def test_a_tar_with_a_broken_header_inside_says_so(index: Path, tmp_path: Path) -> None:
    path = tar_of(tmp_path / "some.tar", {"a.jpg": jpeg(0), "b.jpg": jpeg(1)})
    data = bytearray(path.read_bytes())
    second = data.index(b"b.jpg")
    data[second : second + 512] = b"\xaa" * 512
    path.write_bytes(data)
    rows, _ = scanned(path, index, tmp_path / "out")
    assert reasons(rows) == {"a.jpg": "match", "some.tar": "damaged_archive"}


def test_a_tar_bomb_is_given_up(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar, "_FREE", 2**20)
    path = tmp_path / "bomb.tar.xz"
    member = tarfile.TarInfo("zeros")
    member.size = 64 * 2**20
    path.write_bytes(lzma.compress(member.tobuf() + bytes(member.size)))
    assert path.stat().st_size < 20_000
    units = list(open_source(str(path)).units())
    assert [unit.fault for unit in units] == [None, "archive_bomb"]


def test_a_tar_whose_header_asks_for_gigabytes_is_damaged(index: Path, tmp_path: Path) -> None:
    huge = tarfile.TarInfo("././@LongLink")
    huge.type, huge.size = tarfile.GNUTYPE_LONGNAME, 2**40
    (tmp_path / "some.tar").write_bytes(huge.tobuf(tarfile.GNU_FORMAT) + b"name" * 1000)
    rows, _ = scanned(tmp_path / "some.tar", index, tmp_path / "out")
    assert reasons(rows) == {"some.tar": "damaged_archive"}


def test_a_zip_gives_the_rows_of_its_members(index: Path, tmp_path: Path) -> None:
    path = tmp_path / "some.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("folder")
        for number in range(5):
            archive.writestr(f"folder/{number}.jpg", jpeg(number))
        archive.writestr("../../escape.jpg", jpeg(0))
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("bomb.png", bytes(300 * 2**20))
    assert path.stat().st_size < 2**20
    rows, _ = scanned(path, index, tmp_path / "out", shard_rows=3)
    assert len(rows) == 8
    assert rows["folder/4.jpg"]["pdq"] == fingerprint(jpeg(4)).pdq
    assert rows["../../escape.jpg"]["status"] == "match"
    assert rows["link"]["reason"] == "link_not_followed"
    assert rows["bomb.png"]["reason"] == "picture_too_large"
    assert {entry.name for entry in tmp_path.iterdir()} == {"some.zip", "out"}


def test_members_of_a_zip_that_lie_are_errors_of_their_own(index: Path, tmp_path: Path) -> None:
    path = tmp_path / "some.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("good", "locked", "broken", "rare", "liar"):
            archive.writestr(f"{name}.jpg", jpeg(0))
    data = bytearray(path.read_bytes())

    def central(name: bytes) -> int:
        return data.rindex(b"PK\x01\x02", 0, data.rindex(name))

    data[central(b"locked.jpg") + 8] |= 1
    data[data.index(b"broken.jpg") + 40] ^= 0xFF
    for at in (central(b"rare.jpg") + 10, data.index(b"rare.jpg") - 30 + 8):
        data[at : at + 2] = struct.pack("<H", 98)
    at = central(b"liar.jpg") + 24
    data[at : at + 4] = struct.pack("<I", 10)
    path.write_bytes(data)
    rows, _ = scanned(path, index, tmp_path / "out")
    assert reasons(rows) == {
        "good.jpg": "match",
        "locked.jpg": "unsupported_member",
        "broken.jpg": "damaged_archive",
        "rare.jpg": "unsupported_member",
        "liar.jpg": "damaged_archive",
    }


def test_a_packed_file_that_holds_no_tar_is_unpacked_only_by_a_limited_process_and_refused(
    index: Path, tmp_path: Path
) -> None:
    (tmp_path / "some.gz").write_bytes(gzip.compress(b"no tar" * 1000))
    open_source(str(tmp_path / "some.gz"))
    with pytest.raises(ScanStopped, match="no tar archive begins in it"):
        scan(Request(str(tmp_path / "some.gz"), index, tmp_path / "out", jobs=1))
    assert not (tmp_path / "out" / "index").exists()


def test_an_lzma_member_that_is_damaged_is_an_error_of_its_own(index: Path, tmp_path: Path) -> None:
    path = tmp_path / "some.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("good.jpg", jpeg(0))
        archive.writestr("broken.jpg", jpeg(1))
        archive.writestr("short.jpg", jpeg(2))
    data = bytearray(path.read_bytes())
    # A member begins with a version of two bytes, the length of its properties in two, and its properties.
    for name, at in ((b"broken.jpg", 4), (b"short.jpg", 2)):
        begin = data.index(name) + len(name) + at
        data[begin : begin + 2] = b"\xff\xff"
    path.write_bytes(data)
    rows, _ = scanned(path, index, tmp_path / "out")
    assert reasons(rows) == {"good.jpg": "match", "broken.jpg": "damaged_archive", "short.jpg": "damaged_archive"}


def test_a_zip_without_its_directory_is_one_error(index: Path, tmp_path: Path) -> None:
    (tmp_path / "half.zip").write_bytes(b"PK\x03\x04" + b"x" * 100)
    rows, _ = scanned(tmp_path / "half.zip", index, tmp_path / "out")
    assert reasons(rows) == {"half.zip": "damaged_archive"}


@pytest.mark.parametrize("form", ["hex", "HEX", "binary", "bytes", "large"])
def test_signals_in_any_form_are_found(index: Path, tmp_path: Path, form: str) -> None:
    made = [fingerprint(photo) for photo in PHOTOS]
    hexadecimal = [each.pdq for each in made]
    raw = [bytes.fromhex(each) for each in hexadecimal]
    column = {
        "hex": pa.array(hexadecimal),
        "HEX": pa.array([each.upper() for each in hexadecimal]),
        "binary": pa.array(raw, pa.binary(32)),
        "bytes": pa.array(raw, pa.binary()),
        "large": pa.array(hexadecimal, pa.large_string()),
    }[form]
    columns = {
        "id": range(len(made)),
        "pdq": column,
        "quality": [each.quality for each in made],
        "other": [{}] * len(made),
    }
    columns["other"] = ["x"] * len(made)
    pq.write_table(pa.table(columns), tmp_path / "signals.parquet", row_group_size=7)
    rows, summary = scanned(tmp_path / "signals.parquet", index, tmp_path / "out", shard_rows=10)
    for number, each in enumerate(made):
        assert (rows[str(number)]["pdq"], rows[str(number)]["quality"]) == (each.pdq, each.quality)
    assert summary.counts.statuses["match"] == sum(not each.poor for each in made[:12])


def test_rows_without_a_signal_and_damaged_tables_are_errors(index: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    right = fingerprint(PHOTOS[0]).pdq
    values = [right, None, right[:-1], right[:-1] + "g", "é" * 32, ""]
    pq.write_table(
        pa.table({"path": list("abcdef"), "pdq": values, "quality": [80, 80, 80, 80, 80, 3e9]}), folder / "1.parquet"
    )
    (folder / "2.parquet").write_bytes(b"PAR1 and nothing")
    pq.write_table(pa.table({"unrelated": [1]}), folder / "3.parquet")
    rows, _ = scanned(folder, index, tmp_path / "out", signals=True)
    assert reasons(rows) == {"a": "match"} | dict.fromkeys("bcdef", "unreadable_signal") | {
        "2.parquet": "unreadable_table",
        "3.parquet": "unreadable_table",
    }


def test_the_results_of_a_scan_are_signals_for_another(index: Path, tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.jpg").write_bytes(jpeg(number))
    first, _ = scanned(folder, index, tmp_path / "first", turns=1)
    second, _ = scanned(tmp_path / "first" / "results", index, tmp_path / "second", signals=True)
    assert {name: row["matches"] for name, row in second.items()} == {
        name: row["matches"] for name, row in first.items()
    }


def test_rows_without_a_name_are_told_apart_by_their_table(index: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    for name in ("a.parquet", "b.parquet"):
        pq.write_table(pa.table({"pdq": [fingerprint(PHOTOS[0]).pdq] * 3}), folder / name, row_group_size=2)
    rows, _ = scanned(folder, index, tmp_path / "out", signals=True)
    numbers = ("0:0", "0:1", "1:0")
    assert set(rows) == {f"{name}:{number}" for name in ("a.parquet", "b.parquet") for number in numbers}


def test_a_slice_with_the_most_matches_in_every_row_is_no_longer_than_an_answer_may_be(tmp_path: Path) -> None:
    code = bytes.fromhex(fingerprint(PHOTOS[0]).pdq)
    HammingIndex(np.tile(np.frombuffer(code, np.uint8), (MOST_MATCHES, 1)), range(MOST_MATCHES)).save(tmp_path / "i")
    batch = pa.RecordBatch.from_pydict({"name": ["x" * 200] * 64, "pdq": pa.array([code] * 64, pa.binary(32))})
    answer = scan_batch(batch, open_indexes(tmp_path / "i"), ScanOptions())
    assert len(to_bytes(answer)) / 64 * SLICE_ROWS < MOST_ANSWER


def test_a_row_group_too_large_to_hold_is_refused_unread(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MOST_GROUP_BYTES", 100)
    pq.write_table(pa.table({"pdq": [fingerprint(PHOTOS[0]).pdq] * 50}), tmp_path / "signals.parquet")
    [unit] = open_source(str(tmp_path / "signals.parquet")).units()
    assert unit.fault == "unreadable_table"


def test_a_source_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(jpeg(0))
    for source in (tmp_path / "nowhere", tmp_path / "photo.jpg", "s3://", "s3:///key"):
        with pytest.raises(SourceNotFound, match=r"^The source .*\.$"):
            open_source(str(source))
    with pytest.raises(SourceNotFound, match="endpoint"):
        open_source("s3://bucket", endpoint="store.example")
