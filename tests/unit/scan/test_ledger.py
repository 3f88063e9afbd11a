"""One folder, one scan: what is kept, what is refused, who may look."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from reclaim.index import HammingIndex, StoredIndex, create_stored
from reclaim.scan import FolderInUse, IndexNotUsable, NothingToResume, OtherScan, Request, ScanError, ScanStopped, scan
from reclaim.scan.ledger import Ledger
from reclaim.signals import fingerprint
from tests.unit.scan.catalogue import PHOTOS, jpeg, make_index, make_md5_index, rows_of


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    folder = tmp_path / "uploads"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number:02}.jpg").write_bytes(jpeg(number))
    return folder


@pytest.fixture
def index(tmp_path: Path) -> Path:
    (tmp_path / "bank").mkdir()
    return make_index(tmp_path / "bank" / "pdq.index")


def request(uploads: Path, index: Path | None, out: Path, **more: Any) -> Request:
    return Request(str(uploads), index, out, jobs=1, **{"shard_rows": 6, **more})


class Enough(Exception):
    """The test has seen what it wanted to."""


def interrupted(asked: Request, after: int = 1) -> None:
    """Scan until so many shards are done."""

    def stop(_counts: Any, _total: int) -> None:
        if len(list(asked.out.glob("results/shard-*"))) >= after:
            raise Enough

    with pytest.raises(Enough):
        scan(asked, stop)


def test_results_are_for_the_owner_alone(uploads: Path, index: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o755)
    scan(request(uploads, index, out))
    for path in [out, *out.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_an_interrupted_scan_goes_on_without_naming_the_index_again(uploads: Path, index: Path, tmp_path: Path) -> None:
    asked = request(uploads, index, tmp_path / "out")
    interrupted(asked)
    resumed = scan(request(uploads, None, tmp_path / "out"))
    assert 0 < resumed.run_files < 20
    assert resumed.counts.files == len(rows_of(tmp_path / "out")) == 20
    whole = tmp_path / "whole"
    scan(request(uploads, index, whole))
    assert rows_of(whole) == rows_of(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["files"] == 20


def test_a_scan_that_is_done_is_not_done_again(uploads: Path, index: Path, tmp_path: Path) -> None:
    asked = request(uploads, index, tmp_path / "out")
    first = scan(asked)
    times = [path.stat().st_mtime_ns for path in (tmp_path / "out" / "results").iterdir()]
    again = scan(asked)
    assert (again.counts, again.run_files) == (first.counts, 0)
    assert [path.stat().st_mtime_ns for path in (tmp_path / "out" / "results").iterdir()] == times
    assert not (tmp_path / "out" / "index").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [({"turns": 1}, "turns"), ({"radius": 20}, "radius"), ({"shard_rows": 7}, "shard-size"), ({}, "another source")],
)
def test_a_scan_of_something_else_is_refused_unless_again(
    uploads: Path, index: Path, tmp_path: Path, change: dict[str, int], said: str
) -> None:
    interrupted(request(uploads, index, tmp_path / "out"))
    source = uploads if change else tmp_path / "bank"
    with pytest.raises(OtherScan, match=said):
        scan(request(source, index, tmp_path / "out", **change))
    assert scan(request(source, index, tmp_path / "out", again=True, **change)).counts.files == len(
        list(source.iterdir())
    )


def test_another_index_is_refused_and_the_first_one_is_kept_for_the_scan(
    uploads: Path, index: Path, tmp_path: Path
) -> None:
    interrupted(request(uploads, index, tmp_path / "out"))
    HammingIndex().save(index)
    with pytest.raises(OtherScan, match="another index"):
        scan(request(uploads, index, tmp_path / "out"))
    scan(request(uploads, None, tmp_path / "out"))
    scan(request(uploads, make_index(tmp_path / "bank" / "same.index"), tmp_path / "whole"))
    assert rows_of(tmp_path / "out") == rows_of(tmp_path / "whole")


def test_a_live_index_may_change_and_the_scan_looks_in_the_one_it_began_with(uploads: Path, tmp_path: Path) -> None:
    create_stored(tmp_path / "pdq.index", HammingIndex())
    with StoredIndex(tmp_path / "pdq.index", writable=True) as bank:
        bank.add(1, bytes.fromhex(fingerprint(uploads / "00.jpg").pdq))
        interrupted(request(uploads, tmp_path / "pdq.index", tmp_path / "out"))
        bank.change(added=[(2, bytes.fromhex(fingerprint(uploads / "19.jpg").pdq))], removed=[1])
        scan(request(uploads, tmp_path / "pdq.index", tmp_path / "out"))
        bank.compact()
    found = {match["signal_id"] for row in rows_of(tmp_path / "out") for match in row["matches"]}
    assert found == {1}


def test_an_md5_index_beside_the_snapshot_is_looked_in(uploads: Path, index: Path, tmp_path: Path) -> None:
    (uploads / "letter.txt").write_bytes(b"a letter")
    make_md5_index(index.with_name("md5.index"), {900: b"a letter"})
    scan(request(uploads, index, tmp_path / "out"))
    [row] = [row for row in rows_of(tmp_path / "out") if row["name"] == "letter.txt"]
    assert (row["status"], row["matches"][0]["signal_id"]) == ("match", 900)


def test_two_scans_into_one_folder_are_refused(uploads: Path, index: Path, tmp_path: Path) -> None:
    first = Ledger(tmp_path / "out")
    with pytest.raises(FolderInUse):
        scan(request(uploads, index, tmp_path / "out"))
    first.close()
    assert scan(request(uploads, index, tmp_path / "out")).counts.files == 20


def test_a_folder_with_other_things_in_it_is_left_alone(uploads: Path, index: Path, tmp_path: Path) -> None:
    for again in (False, True):
        with pytest.raises(OtherScan, match="holds other files"):
            scan(request(tmp_path / "bank", index, uploads, again=again))
    assert len(list(uploads.iterdir())) == 20


def test_a_folder_is_not_scanned_into_itself(uploads: Path, index: Path) -> None:
    with pytest.raises(OtherScan, match="lies in the source"):
        scan(request(uploads, index, uploads / "scan"))
    assert len(list(uploads.iterdir())) == 20


def test_again_does_not_discard_its_own_source(uploads: Path, index: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    scan(request(uploads, index, out))
    with pytest.raises(OtherScan, match="source lies in the output folder"):
        scan(request(out / "results", index, out, signals=True, again=True))
    assert len(rows_of(out)) == 20


def test_what_is_no_shard_is_left_alone_and_a_shard_that_cannot_be_read_is_done_again(
    uploads: Path, index: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    scan(request(uploads, index, tmp_path / "whole"))
    interrupted(request(uploads, index, out), after=2)
    (out / "results" / "notes.txt").write_text("mine")
    (out / "results" / "drafts").mkdir()
    done = sorted((out / "results").glob("shard-*"))[0]
    done.write_bytes(done.read_bytes()[:-20])
    assert scan(request(uploads, index, out)).counts.files == 20
    assert (out / "results" / "notes.txt").read_text() == "mine"
    (out / "results" / "notes.txt").unlink()
    (out / "results" / "drafts").rmdir()
    assert rows_of(out) == rows_of(tmp_path / "whole")


def test_a_damaged_manifest_is_one_sentence(uploads: Path, index: Path, tmp_path: Path) -> None:
    interrupted(request(uploads, index, tmp_path / "out"))
    [part] = (tmp_path / "out" / "manifest").iterdir()
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(OtherScan, match="manifest is damaged"):
        scan(request(uploads, index, tmp_path / "out"))


def grow_old(out: Path, days: int) -> None:
    """As if the scan had begun so many days earlier."""
    plan = json.loads((out / "scan.json").read_text())
    (out / "scan.json").write_text(json.dumps(plan | {"kept_at": plan["kept_at"] - days * 24 * 3600}))


def test_an_index_kept_for_more_than_seven_days_is_not_looked_in_again(
    uploads: Path, index: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    interrupted(request(uploads, index, out))
    grow_old(out, 6)
    interrupted(request(uploads, index, out), after=2)
    grow_old(out, 2)
    with pytest.raises(OtherScan, match="more than seven days ago"):
        scan(request(uploads, index, out))
    assert not (out / "index").exists()
    assert scan(request(uploads, index, out, again=True)).counts.files == 20
    grow_old(out, 8)
    assert scan(request(uploads, index, out)).counts.files == 20


def test_copies_of_an_index_are_for_the_owner_alone(
    uploads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError("another disk")

    monkeypatch.setattr(os, "link", refuse)
    create_stored(tmp_path / "pdq.index", HammingIndex())
    with StoredIndex(tmp_path / "pdq.index", writable=True) as bank:
        bank.add(1, bytes.fromhex(fingerprint(uploads / "00.jpg").pdq))
    for path in tmp_path.glob("pdq.index*"):
        path.chmod(0o644)
    interrupted(request(uploads, tmp_path / "pdq.index", tmp_path / "out"))
    kept = list((tmp_path / "out" / "index").iterdir())
    assert len(kept) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}


def test_a_listing_that_was_interrupted_begins_anew(uploads: Path, index: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for remains in ("index", "manifest.new", "manifest", "results"):
        (out / remains).mkdir(parents=True)
        (out / remains / "part-00000.parquet").write_bytes(b"half")
    assert scan(request(uploads, index, out)).counts.files == 20


def test_the_remains_of_an_interrupted_write_are_removed(uploads: Path, index: Path, tmp_path: Path) -> None:
    interrupted(request(uploads, index, tmp_path / "out"))
    half = tmp_path / "out" / "results" / ".shard-00000003.parquet"
    half.write_bytes(b"half")
    scan(request(uploads, index, tmp_path / "out"))
    assert not half.exists()
    assert len(pq.read_table(tmp_path / "out" / "results")) == 20


def test_an_empty_source_is_a_scan_of_no_files(index: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    assert scan(request(tmp_path / "nothing", index, tmp_path / "out")).counts.files == 0


def test_what_cannot_begin_says_why(uploads: Path, index: Path, tmp_path: Path) -> None:
    with pytest.raises(NothingToResume, match="--index"):
        scan(request(uploads, None, tmp_path / "out"))
    with pytest.raises(IndexNotUsable, match="no index of that name"):
        scan(request(uploads, tmp_path / "nowhere", tmp_path / "out"))
    with pytest.raises(IndexNotUsable, match="no snapshot"):
        scan(request(uploads, PHOTOS[0], tmp_path / "out"))
    (tmp_path / "file").write_text("")
    with pytest.raises(ScanError, match="cannot be written"):
        scan(request(uploads, index, tmp_path / "file"))
    (tmp_path / "out" / "scan.json").write_text("{")
    with pytest.raises(OtherScan, match="damaged"):
        scan(request(uploads, index, tmp_path / "out"))


def test_a_kept_index_that_is_damaged_stops_the_scan(uploads: Path, index: Path, tmp_path: Path) -> None:
    interrupted(request(uploads, index, tmp_path / "out"))
    kept = tmp_path / "out" / "index" / "pdq.index"
    data = kept.read_bytes()
    kept.unlink()
    kept.write_bytes(data[:-100])
    with pytest.raises(ScanStopped, match="cannot open the index"):
        scan(request(uploads, None, tmp_path / "out"))
