"""The kernel: a batch in, a batch out, equal to what one picture at a time gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from reclaim.index import HammingIndex, StoredIndex, create_stored
from reclaim.matching import match_picture
from reclaim.scan import RESULTS, Indexes, ScanOptions, open_indexes, scan_batch
from reclaim.scan.faults import FAULTS, code_of
from reclaim.scan.schema import SIGNALS, from_bytes, to_bytes
from reclaim.scan.trim import MOST_MATCHES
from reclaim.signals import fingerprint, is_degenerate, md5_of
from tests.unit.scan.catalogue import KNOWN, PHOTOS, jpeg, make_index, make_md5_index


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Indexes:
    folder = tmp_path_factory.mktemp("bank")
    make_md5_index(folder / "md5.index", {900: b"a letter", 901: jpeg(40)})
    return open_indexes(make_index(folder / "pdq.index"))


def files(*data: bytes | None, faults: list[str | None] | None = None) -> pa.RecordBatch:
    names = [f"{number}".encode() for number in range(len(data))]
    columns = {"name": names, "data": pa.array(data, pa.binary())}
    return pa.RecordBatch.from_pydict(columns | ({"fault": faults} if faults else {}))


def scanned(batch: pa.RecordBatch, indexes: Indexes, options: ScanOptions | None = None) -> list[dict[str, Any]]:
    result = scan_batch(batch, indexes, options or ScanOptions())
    assert result.schema == RESULTS
    result.validate(full=True)
    rows: list[dict[str, Any]] = result.to_pylist()
    return rows


def test_a_batch_finds_what_each_picture_by_itself_finds(indexes: Indexes) -> None:
    data = [jpeg(number) for number in range(0, 40)]
    rows = scanned(files(*data), indexes)
    assert any(match["turn"] != "original" for row in rows for match in row["matches"])
    for row, picture in zip(rows, data, strict=True):
        alone = match_picture(picture, indexes.pdq)
        expected = [("pdq", match.signal_id, match.distance, match.turn, match.relation.how) for match in alone.matches]
        assert [tuple(match.values()) for match in row["matches"]] == expected
        assert row["status"] == ("poor" if alone.poor else "match" if expected else "clear")
        made = fingerprint(picture)
        assert (row["pdq"], row["quality"], row["md5"]) == (made.pdq, made.quality, made.md5)
        assert (row["size"], row["reason"], row["match_count"]) == (len(picture), None, len(expected))


def test_one_turn_finds_a_picture_only_as_it_lies(indexes: Indexes) -> None:
    turned, upright = jpeg(1), jpeg(6)
    one = scanned(files(turned, upright), indexes, ScanOptions(turns=1))
    assert [row["status"] for row in one] == ["clear", "match"]
    assert scanned(files(turned), indexes)[0]["status"] == "match"


def test_what_is_wrong_with_a_file_is_its_row_and_the_others_go_on(indexes: Indexes) -> None:
    rows = scanned(files(b"text", jpeg(0), b"", jpeg(0)[:2000]), indexes)
    assert [row["reason"] for row in rows] == ["not_a_picture", None, "empty_file", "truncated_picture"]
    assert [row["status"] for row in rows] == ["error", "match", "error", "error"]
    assert rows[0]["reason_text"].startswith("This file is no picture")
    assert rows[0]["md5"] == md5_of(b"text")


def test_a_file_known_by_its_md5_matches_even_if_it_is_no_picture(indexes: Indexes) -> None:
    rows = scanned(files(b"a letter", jpeg(40), b"another"), indexes)
    assert [row["status"] for row in rows] == ["match", "match", "error"]
    exact = {"type": "md5", "signal_id": 900, "distance": 0, "turn": None, "how": None}
    assert rows[0]["matches"] == [exact]
    assert rows[0]["reason"] == "not_a_picture"
    assert rows[1]["matches"][0] == exact | {"signal_id": 901}
    assert rows[1]["matches"][1]["type"] == "pdq"


def test_signals_find_what_their_files_find_as_they_lie(indexes: Indexes) -> None:
    made = [fingerprint(photo) for photo in PHOTOS]
    columns: dict[str, Any] = {
        "name": [photo.name for photo in PHOTOS],
        "pdq": pa.array([bytes.fromhex(each.pdq) for each in made], pa.binary(32)),
        "quality": pa.array([each.quality for each in made], pa.int16()),
        "md5": pa.array([bytes.fromhex(each.md5) for each in made], pa.binary(16)),
    }
    rows = scanned(pa.RecordBatch.from_pydict(columns), indexes)
    data = [photo.read_bytes() for photo in PHOTOS]
    of_files = scanned(files(*data), indexes, ScanOptions(turns=1))
    for signal, file, photo in zip(rows, of_files, PHOTOS, strict=True):
        assert signal == file | {"size": None, "name": photo.name}


def test_signals_that_are_none_are_errors_and_degenerate_ones_are_poor(indexes: Indexes) -> None:
    flat, known = bytes(32), bytes.fromhex(fingerprint(KNOWN[100]).pdq)
    assert is_degenerate(flat.hex())
    batch = pa.RecordBatch.from_pydict(
        {
            "name": list("abcd"),
            "pdq": pa.array([None, flat, known, known], pa.binary(32)),
            "quality": [9, 100, None, 49],
        }
    )
    rows = scanned(batch, indexes)
    assert [row["status"] for row in rows] == ["error", "poor", "match", "poor"]
    assert rows[0]["reason"] == "unreadable_signal"
    assert [row["match_count"] for row in rows] == [0, 0, 1, 1]


def test_a_slice_of_signals_gives_the_rows_of_the_slice(indexes: Indexes) -> None:
    values = [bytes.fromhex(fingerprint(photo).pdq) for photo in PHOTOS[:6]]
    batch = pa.RecordBatch.from_pydict({"name": list("abcdef"), "pdq": pa.array(values, pa.binary(32))})
    assert scanned(batch.slice(2, 3), indexes) == scanned(batch, indexes)[2:5]
    assert scanned(batch.slice(0, 0), indexes) == []


def test_matches_beyond_the_most_are_counted_and_not_listed() -> None:
    code = np.frombuffer(bytes.fromhex(fingerprint(PHOTOS[0]).pdq), np.uint8)
    codes = np.tile(code, (MOST_MATCHES + 7, 1))
    codes[:5, 0] ^= 1
    many = Indexes(HammingIndex(codes, range(len(codes))))
    signals = pa.RecordBatch.from_pydict({"name": ["a"], "pdq": pa.array([code.tobytes()], pa.binary(32))})
    for batch in (signals, files(PHOTOS[0].read_bytes())):
        [row] = scanned(batch, many, ScanOptions(turns=1))
        assert (row["match_count"], len(row["matches"])) == (MOST_MATCHES + 7, MOST_MATCHES)
        assert {match["distance"] for match in row["matches"]} == {0}


def test_a_name_of_any_bytes_is_kept(indexes: Indexes) -> None:
    names = [b"new\nline", b"caf\xe9.jpg", "Grüße".encode()]
    rows = scanned(pa.RecordBatch.from_pydict({"name": names, "data": [b"x"] * 3}), indexes)
    assert [row["name"] for row in rows] == ["new\nline", "caf\N{REPLACEMENT CHARACTER}.jpg", "Grüße"]
    assert [row["raw_name"] for row in rows] == [None, b"caf\xe9.jpg", None]
    signals = pa.RecordBatch.from_pydict(
        {"name": names, "pdq": pa.nulls(3, pa.binary(32))}, schema=SIGNALS.remove(3).remove(2)
    )
    assert [row["raw_name"] for row in scanned(signals, indexes)] == [None, b"caf\xe9.jpg", None]


def test_a_fault_known_beforehand_is_the_reason(indexes: Indexes) -> None:
    rows = scanned(files(None, jpeg(0), faults=["link_not_followed", None]), indexes)
    assert [row["reason"] for row in rows] == ["link_not_followed", None]


def test_every_fault_has_a_code_of_its_own_and_a_sentence_without_a_path() -> None:
    for code, kind in FAULTS.items():
        assert code_of(kind) == code
        assert kind.sentence.endswith(".")
        assert "/" not in kind.sentence.replace("a//b", "")
    assert {"not_a_picture", "damaged_archive", "picture_too_large"} <= set(FAULTS)


def test_a_batch_that_is_none_is_refused() -> None:
    good = to_bytes(pa.RecordBatch.from_pydict({"name": ["some text", "more"]}))
    assert from_bytes(good).num_rows == 2
    for bad in (b"", b"nothing", good[: len(good) // 2], good.replace(b"some text", b"some \xff\xff\xff\xff")):
        with pytest.raises(ValueError, match="no Arrow batch"):
            from_bytes(bad)


def test_an_index_folder_is_opened_with_its_log_and_its_md5(tmp_path: Path) -> None:
    create_stored(tmp_path / "pdq.index", HammingIndex())
    with StoredIndex(tmp_path / "pdq.index", writable=True) as writer:
        writer.add(7, bytes.fromhex(fingerprint(PHOTOS[0]).pdq))
    found = open_indexes(tmp_path / "pdq.index")
    assert found.md5 is None
    assert scanned(files(PHOTOS[0].read_bytes()), found)[0]["matches"][0]["signal_id"] == 7
