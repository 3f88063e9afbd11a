"""Workers that die, hang, lie or want all memory: each costs one row."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reclaim.scan import ScanStopped
from reclaim.scan.crew import Crew, Piece
from reclaim.scan.errors import WorkerStop
from reclaim.scan.indexes import identity_of
from reclaim.scan.processes import listed
from reclaim.scan.sources.base import Source, Unit, units_batch
from reclaim.scan.worker import Spec
from tests.unit.scan.catalogue import jpeg, make_index


@dataclass(frozen=True)
class Obeying(Source):
    """A source whose files do to their reader what their names say."""

    folder: Path

    def read(self, name: bytes, part: int, offset: int, size: int) -> bytes:
        order = name.decode().split("-")[0]
        if order == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif order == "hang":
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


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    index = make_index(tmp_path / "pdq.index")
    return Spec(Obeying(tmp_path), index, identity_of(index), 1, 31)


def answered(spec: Spec, pieces: list[list[str]], jobs: int = 2, seconds: float = 60) -> dict[str, Any]:
    """The reason, or else the status, of each name; every unit is answered exactly once."""
    crew = Crew(spec, jobs, seconds)
    found = []
    try:
        batches = [units_batch([Unit(name.encode()) for name in piece]) for piece in pieces]
        for answer in crew.answers(Piece(shard, 0, batch) for shard, batch in enumerate(batches)):
            rows = answer.rows.to_pylist()
            assert len(rows) == answer.units
            assert [row["name"] for row in rows] == pieces[answer.shard][answer.start : answer.start + answer.units]
            found += [(row["name"], row["reason"] or row["status"]) for row in rows]
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


def test_a_listing_that_dies_stops_the_scan(spec: Spec) -> None:
    with pytest.raises(ScanStopped, match="Worker processes die"):
        list(listed(spec.source))
