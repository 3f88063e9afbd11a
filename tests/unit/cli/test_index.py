"""``reclaim index``: signals out of files into a folder of indexes, and what happens to lines that are none."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from reclaim.cli import index_build
from reclaim.cli.exits import Exit
from reclaim.cli.index import command
from reclaim.cli.signal_lines import LINE_BYTES, BadLine, SignalLine, read_signals
from reclaim.index import ExactIndex, FrameIndex, HammingIndex, StoredIndex
from reclaim.signals import fingerprint, frames_text
from tests.personas import clip_frames

PHOTOS = Path(__file__).parents[2] / "photos"
CAT, BEE = (fingerprint(PHOTOS / name) for name in ("cat.jpg", "bee.jpg"))
SIGNALS = [("pdq", CAT.pdq, 11), ("md5", CAT.md5, 11), ("pdq", BEE.pdq, 12), ("md5", BEE.md5, 12)]


def run(*arguments: object, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments], input=stdin)


def written(folder: Path, kind: str) -> Path:
    """The four signals in a file of this kind."""
    path = folder / f"signals.{kind}"
    if kind == "parquet":
        columns = dict(zip(("type", "value", "id"), zip(*SIGNALS, strict=True), strict=True))
        parquet.write_table(pa.table({name: list(cells) for name, cells in columns.items()}), path)
    elif kind == "csv":
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([("id", "type", "note", "value"), *((i, t, "a, b", v) for t, v, i in SIGNALS)])
    elif kind == "jsonl":
        path.write_text("".join(json.dumps({"type": t, "value": v, "id": i}) + "\n" for t, v, i in SIGNALS))
    else:
        path.write_text("# from the bank\n\n" + "".join(f"{value.upper()} {id_}\n" for _, value, id_ in SIGNALS))
    return path


def held(folder: Path) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Under which ids the two pictures are there, PDQ and MD5."""
    with StoredIndex(folder / "pdq.index") as pdq, StoredIndex(folder / "md5.index") as md5:
        exact = ExactIndex(md5)
        return (
            {each.pdq: pdq.query(bytes.fromhex(each.pdq), 0).ids.tolist() for each in (CAT, BEE)},
            {each.md5: exact.query(bytes.fromhex(each.md5)).tolist() for each in (CAT, BEE)},
        )


BOTH = ({CAT.pdq: [11], BEE.pdq: [12]}, {CAT.md5: [11], BEE.md5: [12]})


@pytest.fixture
def indexes(tmp_path: Path) -> Path:
    out = tmp_path / "indexes"
    assert run("build", written(tmp_path, "csv"), "--out", out).exit_code == Exit.OK
    return out


@pytest.mark.parametrize("kind", ["txt", "csv", "jsonl", "parquet"])
def test_signals_are_found_whatever_kind_of_file_they_come_in(tmp_path: Path, kind: str) -> None:
    done = run("build", written(tmp_path, kind), "--out", tmp_path / "new" / "indexes")
    assert (done.exit_code, done.stdout) == (Exit.OK, "2 pdq, 2 md5 signals indexed.\n")
    assert held(tmp_path / "new" / "indexes") == BOTH


def test_the_kind_can_be_named_where_the_file_does_not_tell(tmp_path: Path) -> None:
    path = written(tmp_path, "csv").rename(tmp_path / "signals")
    assert run("build", path, "--out", tmp_path / "indexes", "--format", "csv").exit_code == Exit.OK
    assert held(tmp_path / "indexes") == BOTH


def test_without_ids_a_line_is_its_id(tmp_path: Path) -> None:
    path = tmp_path / "hashes.txt"
    path.write_bytes(b"\xef\xbb\xbf" + f"{CAT.pdq}\r\n{CAT.md5}\n\n{BEE.pdq}".encode())
    assert run("build", path, "--out", tmp_path / "indexes").exit_code == Exit.OK
    assert held(tmp_path / "indexes") == ({CAT.pdq: [1], BEE.pdq: [4]}, {CAT.md5: [2], BEE.md5: []})


BAD: dict[str, tuple[str | bytes, str]] = {
    "nonsense": ("not a signal", "A line is a PDQ"),
    "other digits": ("g" * 64, "A PDQ value is 64"),
    "cut short": (CAT.pdq[:-1], "A line is a PDQ"),
    "an id that is none": (f"{CAT.pdq} 1.5", "not a whole number"),
    "an id too large": (f"{CAT.pdq} 9223372036854775808", "not a whole number"),
    "nothing but a comma": (",", "A line is a PDQ"),
    "too many words": (f"{CAT.pdq} 1 2", "A line is a PDQ"),
    "of no real picture": ("0" * 64, "No real picture"),
    "an id twice": (f"{CAT.pdq} 12", "there already"),
    "not text": (b"\xff\xfe\n", "not UTF-8"),
    "endless": (CAT.pdq + "0" * 3 * LINE_BYTES, "not UTF-8"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_named_by_its_number_never_by_its_content_and_the_rest_is_indexed(
    tmp_path: Path, name: str
) -> None:
    line, reason = BAD[name]
    path = tmp_path / "hashes.txt"
    data = line if isinstance(line, bytes) else line.encode() + b"\n"
    path.write_bytes(f"{BEE.pdq} 12\n".encode() + data + f"{BEE.md5} 12\n".encode())
    done = run("build", path, "--out", tmp_path / "indexes")
    assert done.exit_code == Exit.ERROR
    assert done.stdout == "1 pdq, 1 md5 signals indexed.\n"
    assert done.stderr.startswith("line 2: ")
    assert reason in done.stderr
    assert done.stderr.endswith("1 line was left out.\n")
    assert CAT.pdq[:8] not in done.output
    assert "g" * 8 not in done.output
    assert held(tmp_path / "indexes") == ({CAT.pdq: [], BEE.pdq: [12]}, {CAT.md5: [], BEE.md5: [12]})


@pytest.mark.parametrize(
    ("kind", "lines", "bad"),
    [
        ("csv", ["type,value", f'pdq,"{CAT.pdq}', f"md5,{BEE.md5}", "sha256,00", "pdq"], {2, 4, 5}),
        ("jsonl", ["[" * 20000, "[1]", '{"type": 5}', '{"type": "pdq", "value": 7, "id": true}', "{"], {1, 2, 3, 4, 5}),
        (
            "jsonl",
            [json.dumps({"type": "md5", "value": CAT.md5, "id": id_}) for id_ in (True, 1.5, 2**63, "x")],
            {1, 2, 3, 4},
        ),
    ],
)
def test_a_bad_line_spoils_no_other(tmp_path: Path, kind: str, lines: Sequence[str], bad: set[int]) -> None:
    path = tmp_path / f"signals.{kind}"
    path.write_text("\n".join(lines))
    answers = list(read_signals(path, kind, lambda done, of: None))  # type: ignore[arg-type]
    first = 2 if kind == "csv" else 1
    assert [line.number for line in answers] == list(range(first, len(lines) + 1))
    assert {line.number for line in answers if isinstance(line, BadLine)} == bad


@given(st.binary(max_size=300), st.sampled_from(["text", "csv", "jsonl"]))
def test_no_bytes_make_the_reader_fail(data: bytes, kind: str) -> None:
    import io

    from reclaim.cli.signal_lines import BadFileError, read_lines

    heard: list[int] = []
    try:
        answers = list(read_lines(io.BytesIO(data), kind, heard.append))  # type: ignore[arg-type]
    except BadFileError:
        assert kind == "csv"
        return
    assert all(isinstance(answer, SignalLine | BadLine) for answer in answers)
    assert heard[-1] == len(data)


def test_of_lines_with_the_same_id_the_first_counts_and_the_others_are_named_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_build, "_CHUNK", 4)
    path = tmp_path / "hashes.txt"
    lines = [f"{CAT.pdq} 5", f"{CAT.md5} 5", f"{BEE.pdq} 5", f"{BEE.md5} 6", "?", f"{CAT.pdq} 9", f"{BEE.pdq} 9"]
    lines += [f"{CAT.pdq} {id_}" for id_ in range(20, 29)] + [f"{CAT.md5} 6", f"{BEE.pdq} 28", f"{BEE.pdq}"]
    path.write_text("\n".join(lines))
    done = run("build", path, "--out", tmp_path / "indexes")
    assert done.stdout == "12 pdq, 2 md5 signals indexed.\n"
    assert [line.split(":")[0] for line in done.stderr.splitlines()[:-1]] == [f"line {n}" for n in (3, 5, 7, 17, 18)]
    assert held(tmp_path / "indexes") == (
        {CAT.pdq: [5, 9, *range(20, 29)], BEE.pdq: [19]},
        {CAT.md5: [5], BEE.md5: [6]},
    )


VIDEO = frames_text(clip_frames(1, 5))
POOR = f"0,10,{CAT.pdq},0.000"


def test_videos_make_an_index_of_frames_that_match_video_searches(tmp_path: Path) -> None:
    path = tmp_path / "signals.jsonl"
    bad = [{"frames": []}, {"frames": [1]}, {"frames": VIDEO, "id": -1}, {"frames": VIDEO[::-1]}, {"frames": [POOR]}]
    lines = [{"frames": VIDEO, "id": 7, "md5": "of the file"}, *bad, {"frames": VIDEO, "id": 7}, {"frames": VIDEO}]
    path.write_text("".join(json.dumps({"type": "vpdq", **line}) + "\n" for line in lines))
    done = run("build", path, "--out", tmp_path / "indexes")
    assert done.stdout == "0 pdq, 0 md5, 2 video signals indexed.\n"
    assert [line.split(":")[0] for line in done.stderr.splitlines()[:-1]] == [f"line {n}" for n in range(2, 8)]
    about = json.loads(run("info", tmp_path / "indexes", "--json").stdout)["indexes"]
    # Ten frames, and one entry for each video's times.
    assert [(each["index"], each["signals"]) for each in about] == [("pdq", 0), ("md5", 0), ("video", 12)]
    with StoredIndex(tmp_path / "indexes/video.index") as stored:
        assert [FrameIndex(stored).count(video) for video in (7, 8)] == [5, 5]
    added = run("add", tmp_path / "indexes", stdin=f"{CAT.pdq} 1\n")
    assert added.stdout == "1 pdq, 0 md5 signals added.\n"
    assert run("compact", tmp_path / "indexes").exit_code == Exit.OK
    (tmp_path / "other.txt").write_text(f"{CAT.pdq} 5\n")
    assert "0 video" in run("build", tmp_path / "other.txt", "--out", tmp_path / "indexes", "--replace").stdout


def test_of_many_bad_lines_twenty_are_named_and_all_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "hashes.txt"
    path.write_text(f"{CAT.pdq}\n" + "?\n" * 5000)
    done = run("build", path, "--out", tmp_path / "indexes", "--json")
    said = json.loads(done.stdout)
    assert done.exit_code == Exit.ERROR
    assert (said["pdq"], said["md5"], said["left_out"]) == (1, 0, 5000)
    assert [line["line"] for line in said["lines"]] == list(range(2, 22))
    assert len(done.stderr.splitlines()) == 21


@pytest.mark.parametrize("content", [b"", b"\n# nothing\n", b"?\n", b"type,value\n"])
def test_a_file_without_a_signal_makes_no_index_and_replaces_none(
    indexes: Path, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "empty.txt"
    path.write_bytes(content)
    done = run("build", path, "--out", indexes, "--replace")
    assert done.exit_code == Exit.ERROR
    assert "nothing was written" in done.stderr
    assert held(indexes) == BOTH


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"1,2,3\n", "names its columns"),
        ("a.parquet", b"PAR1 nothing PAR1", "no Parquet file"),
        ("a.parquet", b"", "no Parquet file"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_a_sentence(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    done = run("build", tmp_path / name, "--out", tmp_path / "indexes")
    assert done.exit_code == Exit.ERROR
    assert says in done.stderr
    assert not (tmp_path / "indexes").exists()


def test_a_parquet_file_with_other_columns_is_refused(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"hash": [CAT.pdq]}), tmp_path / "a.parquet")
    assert "columns type and value" in run("build", tmp_path / "a.parquet", "--out", tmp_path / "indexes").stderr


def test_an_index_that_is_there_is_not_overwritten_unless_asked(indexes: Path, tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    path.write_text(f"{CAT.pdq} 5\n")
    done = run("build", path, "--out", indexes)
    assert done.exit_code == Exit.ERROR
    assert "give --replace" in done.stderr
    assert held(indexes) == BOTH
    with StoredIndex(indexes / "pdq.index") as reader:
        assert run("build", path, "--out", indexes, "--replace", "--compact").exit_code == Exit.OK
        reader.refresh()
        assert reader.query(bytes.fromhex(CAT.pdq), 0).ids.tolist() == [5]
        assert len(reader) == 1
    assert len(list(indexes.glob("pdq.index.*.log"))) == 1
    assert json.loads(run("info", indexes, "--json").stdout)["indexes"][0]["mode"] == "compact"


def test_an_index_that_a_process_writes_to_is_neither_replaced_nor_changed(indexes: Path, tmp_path: Path) -> None:
    with StoredIndex(indexes / "pdq.index", writable=True):
        for done in (
            run("build", tmp_path / "signals.csv", "--out", indexes, "--replace"),
            run("add", indexes, stdin=f"{CAT.pdq} 3\n"),
            run("compact", indexes),
        ):
            assert done.exit_code == Exit.ERROR
            assert "Another process writes" in done.stderr
    assert held(indexes) == BOTH


def test_of_two_indexes_none_is_replaced_while_a_process_writes_to_one(indexes: Path, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text(f"{CAT.pdq} 5\n")
    with StoredIndex(indexes / "md5.index", writable=True):
        done = run("build", tmp_path / "one.txt", "--out", indexes, "--replace")
    assert "Another process writes" in done.stderr
    assert held(indexes) == BOTH


def test_info_says_what_is_there(indexes: Path) -> None:
    run("remove", indexes, stdin=f"{CAT.md5}\n")
    about = json.loads(run("info", indexes, "--json").stdout)["indexes"]
    assert [(each["index"], each["signals"], each["mode"], each["changes_in_log"]) for each in about] == [
        ("pdq", 2, "fast", 0),
        ("md5", 1, "compact", 1),
    ]
    assert "Every byte was checked" in run("info", indexes).stdout


def test_info_counts_changes_also_of_a_batch_and_opens_each_index_once(
    indexes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("add", indexes, stdin="".join(f"{CAT.pdq} {id_}\n" for id_ in range(50, 60)))
    opened: list[Path] = []
    real = HammingIndex.open

    def noted(path: Path, **how: bool) -> HammingIndex:
        opened.append(path)
        return real(path, **how)

    monkeypatch.setattr(HammingIndex, "open", noted)
    about = json.loads(run("info", indexes, "--json").stdout)["indexes"]
    assert [(each["signals"], each["changes_in_log"]) for each in about] == [(12, 10), (2, 0)]
    assert len(opened) == 2


@pytest.mark.parametrize(("each", "where"), [("add", "change"), ("remove", "change"), ("compact", "compact")])
def test_too_little_memory_is_told_with_a_sentence(
    indexes: Path, monkeypatch: pytest.MonkeyPatch, each: str, where: str
) -> None:
    def no_memory(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(StoredIndex, where, no_memory)
    done = run(each, indexes, stdin=f"{CAT.pdq} 11\n")
    assert done.exit_code == Exit.ERROR
    assert "There is too little memory. Make room and give the command again." in done.stderr
    assert isinstance(done.exception, SystemExit)


def test_a_damaged_index_is_told_by_name(indexes: Path) -> None:
    data = bytearray((indexes / "md5.index").read_bytes())
    data[-1] ^= 1
    (indexes / "md5.index").write_bytes(data)
    done = run("info", indexes)
    assert done.exit_code == Exit.ERROR
    assert done.stderr.startswith("md5.index: This snapshot is damaged")


def test_a_folder_without_an_index_is_told_how_to_make_one(tmp_path: Path) -> None:
    for each in ("info", "add", "remove", "compact"):
        done = run(each, tmp_path / "nowhere", stdin="")
        assert done.exit_code == Exit.ERROR
        assert "reclaim index build" in done.stderr


def test_added_signals_are_found_and_a_reader_sees_them(indexes: Path) -> None:
    new = hashlib.md5(b"new", usedforsecurity=False).hexdigest()
    with StoredIndex(indexes / "md5.index") as reader:
        done = run("add", indexes, stdin=f"{new},77\n{CAT.md5} 11\n{CAT.md5}\n{'0' * 64} 4\n")
        assert (done.exit_code, done.stdout) == (Exit.ERROR, "0 pdq, 1 md5 signals added.\n")
        assert [line.split(":")[0] for line in done.stderr.splitlines()[:3]] == ["line 2", "line 3", "line 4"]
        reader.refresh()
        assert ExactIndex(reader).query(bytes.fromhex(new)).tolist() == [77]


def test_a_removed_value_is_gone_under_every_id_it_had(indexes: Path) -> None:
    assert run("add", indexes, stdin=f"{CAT.pdq} 50\n{CAT.pdq} 51\n").exit_code == Exit.OK
    done = run("remove", indexes, stdin=f"{CAT.pdq} 50\n{BEE.md5}\n")
    assert (done.exit_code, done.stdout) == (Exit.OK, "1 pdq, 1 md5 signals removed.\n")
    assert held(indexes)[0][CAT.pdq] == [11, 51]
    assert run("remove", indexes, stdin=CAT.pdq).stdout == "2 pdq, 0 md5 signals removed.\n"
    assert held(indexes) == ({CAT.pdq: [], BEE.pdq: [12]}, {CAT.md5: [11], BEE.md5: []})
    again = run("remove", indexes, stdin=CAT.pdq)
    assert (again.exit_code, again.stderr) == (Exit.ERROR, "line 1: It is not there.\n1 line was left out.\n")


def test_after_compacting_no_file_holds_what_was_removed(indexes: Path) -> None:
    code = bytes.fromhex(CAT.pdq)
    run("remove", indexes, stdin=CAT.pdq)
    assert any(code in path.read_bytes() for path in indexes.iterdir())
    assert run("compact", indexes).exit_code == Exit.OK
    assert not any(code in path.read_bytes() for path in indexes.iterdir())


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("build", written(tmp_path, "csv"), "--out", tmp_path / "file" / "indexes")
    assert done.exit_code == Exit.ERROR
    assert "could not be read or written" in done.stderr
