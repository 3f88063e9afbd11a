"""Workers that die, hang, lie or want all memory: each costs one row."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from reclaim.scan import RESULTS, ScanStopped, pipes
from reclaim.scan.crew import Crew, Piece
from reclaim.scan.engines import ray
from reclaim.scan.errors import WorkerStop
from reclaim.scan.indexes import identity_of
from reclaim.scan.pipes import send
from reclaim.scan.processes import BEGINS, RESULT, listed, streamed
from reclaim.scan.schema import to_bytes
from reclaim.scan.sources.base import Source, Unit, units_batch
from reclaim.scan.worker import Spec
from tests.unit.scan.catalogue import jpeg, make_index


def pipe_of_this_worker() -> Connection:
    """As a file that has taken its process over would find it."""
    [pipe] = [each for each in gc.get_objects() if isinstance(each, Connection) and not each.closed and each.writable]
    return pipe


def forged(name: str, **lies: str) -> bytes:
    """A row that says what it should not."""
    row = {"name": name, "status": "error", "reason": "not_a_picture", "matches": [], "match_count": 0, **lies}
    return RESULT + to_bytes(pa.RecordBatch.from_pylist([row], RESULTS))


@dataclass(frozen=True)
class Obeying(Source):
    """A source whose files do to their reader what their names say."""

    folder: Path

    def identity(self) -> dict[str, Any]:
        return {"kind": "obeying"}

    def read(self, name: bytes, part: int, offset: int, size: int) -> bytes:
        order = name.decode().split("-")[0]
        if order == "die":
            with (self.folder / name.decode()).open("a") as tries:
                tries.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        elif order == "hang":
            (self.folder / "hangs").write_text(str(os.getpid()))
            time.sleep(600)
        elif order == "announce":
            os.write(pipe_of_this_worker().fileno(), struct.pack("!i", 1000))
            time.sleep(600)
        elif order == "repeat":
            while True:
                pipe_of_this_worker().send_bytes(BEGINS + bytes(4))
        elif order == "forge":
            about, lie = name.decode().split("-")[1:]
            pipe_of_this_worker().send_bytes(forged(name.decode(), **{about: lie}))
            time.sleep(600)
        elif order == "hog":
            bytearray(64 * 2**30)
        elif order == "surprise":
            raise KeyError(order)
        elif order == "once":
            try:
                (self.folder / "done").touch(exist_ok=False)
            except FileExistsError:
                return jpeg(0)
            os.kill(os.getpid(), signal.SIGKILL)
        elif order == "unmounted":
            raise WorkerStop("source")
        return jpeg(0)

    def units(self) -> Iterator[Unit]:
        yield Unit(b"first")
        os.kill(os.getpid(), signal.SIGKILL)

    def stream(self, wanted: list[tuple[int, int]]) -> Iterator[list[tuple[bytes | None, str | None]]]:
        yield [(b"first", None)]
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    index = make_index(tmp_path / "pdq.index")
    return Spec(Obeying(tmp_path), index, identity_of(index), 1, 31)


def answered(spec: Spec, pieces: list[list[str]], jobs: int = 2, seconds: float = 60) -> dict[str, Any]:
    """The reason, or else the status, of each name."""
    return {name: row["reason"] or row["status"] for name, row in rows(spec, pieces, jobs, seconds).items()}


def rows(spec: Spec, pieces: list[list[str]], jobs: int = 2, seconds: float = 60) -> dict[str, dict[str, Any]]:
    """The row of each name; every unit is answered exactly once."""
    crew = Crew(spec, jobs, seconds)
    found = []
    try:
        batches = [units_batch([Unit(name.encode()) for name in piece]) for piece in pieces]
        for answer in crew.answers(Piece(shard, 0, batch) for shard, batch in enumerate(batches)):
            made = answer.rows.to_pylist()
            assert len(made) == answer.units
            assert [row["name"] for row in made] == pieces[answer.shard][answer.start : answer.start + answer.units]
            found += [(row["name"], row) for row in made]
    finally:
        crew.close()
    assert len(found) == len(dict(found)) == sum(map(len, pieces))
    return dict(found)


def test_files_that_kill_their_process_cost_one_row_each(spec: Spec) -> None:
    pieces = [["a", "die-1", "b", "c", "die-2", "d"], ["die-3"], ["e", "f"]]
    found = answered(spec, pieces)
    assert {name for name, said in found.items() if said == "decoder_stopped"} == {"die-1", "die-2", "die-3"}
    assert {found[name] for name in "abcdef"} == {"match"}


def test_a_file_that_was_only_there_when_its_process_was_killed_gets_its_answer(spec: Spec) -> None:
    assert set(answered(spec, [["a", "once", "b"]]).values()) == {"match"}


def test_a_file_that_never_ends_is_given_up(spec: Spec) -> None:
    found = answered(spec, [["a", "hang-1", "b"], ["hang-2"]], seconds=1.5)
    assert found == {"a": "match", "b": "match", "hang-1": "decoder_stopped", "hang-2": "decoder_stopped"}


def test_a_file_that_wants_all_memory_or_surprises_is_an_error_of_its_own(spec: Spec) -> None:
    found = answered(spec, [["a", "hog-1", "b", "surprise-1", "c"]])
    assert found == {
        "a": "match",
        "b": "match",
        "c": "match",
        "hog-1": "picture_too_large",
        "surprise-1": "decoder_stopped",
    }


def test_a_source_that_goes_away_stops_all(spec: Spec) -> None:
    with pytest.raises(ScanStopped, match="The source went away"):
        answered(spec, [["a"], ["unmounted"]])


def test_a_worker_that_finds_another_index_refuses_to_work(spec: Spec, tmp_path: Path) -> None:
    make_index(tmp_path / "pdq.index")
    with pytest.raises(ScanStopped, match="cannot open the index"):
        answered(spec, [["a"]])


def test_a_file_that_killed_two_processes_is_not_tried_again(spec: Spec, tmp_path: Path) -> None:
    answered(spec, [["a", "die-1", "b"], ["die-2"]])
    assert (tmp_path / "die-1").read_text() == (tmp_path / "die-2").read_text() == "xx"


def test_a_worker_that_announces_more_than_it_sends_holds_nobody_up(
    spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipes, "MESSAGE_SECONDS", 0.3)
    found = answered(spec, [["a", "announce-1", "b"]], jobs=1)
    assert found == {"a": "match", "announce-1": "decoder_stopped", "b": "match"}


def test_a_process_that_stops_to_read_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "MESSAGE_SECONDS", 0.3)
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs, pytest.raises(OSError, match="pipe"):
        send(ours, bytes(2**25))


def test_a_worker_cannot_win_time_by_beginning_a_file_again_and_again(spec: Spec) -> None:
    found = answered(spec, [["a", "repeat-1", "b"]], jobs=1, seconds=600)
    assert found == {"a": "match", "repeat-1": "decoder_stopped", "b": "match"}


def test_a_worker_cannot_make_up_a_status_or_a_reason_or_a_sentence(spec: Spec) -> None:
    for name in ("forge-status-fine", "forge-reason-whim"):
        assert answered(spec, [[name]], jobs=1) == {name: "decoder_stopped"}
    [row] = rows(spec, [["forge-reason_text-Call me."]], jobs=1).values()
    assert row["reason"] == "not_a_picture"
    assert row["reason_text"].startswith("This file is no picture")


def test_a_ray_task_that_fails_leaves_nothing_behind_for_the_next(spec: Spec) -> None:
    nameless = units_batch([Unit(b"a")] * 4).drop_columns(["name"])
    try:
        with pytest.raises(KeyError):
            ray.answer_piece(spec, to_bytes(nameless), 60)
        [(start, units, _)] = ray.answer_piece(spec, to_bytes(units_batch([Unit(b"a")])), 60)
        assert (start, units) == (0, 1)
    finally:
        ray._close_crew()


def test_a_listing_or_a_reader_that_dies_stops_the_scan(spec: Spec) -> None:
    with pytest.raises(ScanStopped, match="no single file is to blame"):
        list(listed(spec.source))
    with pytest.raises(ScanStopped, match="no single file is to blame"):
        list(streamed(spec.source, [(0, 60)]))
