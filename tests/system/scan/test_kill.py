"""The command is killed at any moment; what it has done stays done, and nothing is done twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.system.scan.command import SCAN, figures, run
from tests.unit.scan.catalogue import rows_of

KILLS = 6
ROOT = Path(__file__).parents[3]


def test_a_scan_killed_again_and_again_ends_with_every_row_of_an_undisturbed_one(
    catalogue: Path, index: Path, tmp_path: Path
) -> None:
    undisturbed = tmp_path / "undisturbed"
    whole = figures(
        run(catalogue, "--index", index, "--out", undisturbed, "--shard-size", "5", "--turns", "1", "--json")
    )
    shards = len(list(undisturbed.glob("results/shard-*.parquet")))

    killed = tmp_path / "killed"
    command = [
        *SCAN,
        str(catalogue),
        "--index",
        str(index),
        "--out",
        str(killed),
        "--shard-size",
        "5",
        "--turns",
        "1",
        "--json",
    ]
    moments = random.Random(11)
    at_work = 0
    for kill in range(KILLS):
        # From before the first result to the last ones, each a little later than the results that bring it on.
        awaited = kill * shards // KILLS
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            while process.poll() is None and _done(killed) < awaited:
                time.sleep(0.002)
            time.sleep(moments.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
        at_work += 0 < _done(killed) < shards
    resumed = figures(run(*command[len(SCAN) :]))

    assert at_work, "No kill came while the scan was half done."
    assert rows_of(killed) == rows_of(undisturbed)
    assert len({row["name"] for row in rows_of(killed)}) == 163
    assert {key: resumed[key] for key in ("files", "match", "clear", "poor", "error", "reasons")} == {
        key: whole[key] for key in ("files", "match", "clear", "poor", "error", "reasons")
    }
    assert resumed["files_this_run"] < 163
    left = {path.name for path in killed.rglob("*") if path.is_file()} - {
        path.name for path in undisturbed.rglob("*") if path.is_file()
    }
    assert not left


def _done(folder: Path) -> int:
    return len(list(folder.glob("results/shard-*.parquet")))


def test_a_killed_scan_leaves_no_process_behind(catalogue: Path, index: Path, tmp_path: Path) -> None:
    marker = f"RECLAIM_TEST_RUN={tmp_path.name}{os.getpid()}"
    environment = {**os.environ, **dict([marker.split("=")])}
    command = [*SCAN, str(catalogue), "--index", str(index), "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while len(_with(marker)) < 2 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        at_work = len(_with(marker))
        process.send_signal(signal.SIGKILL)
    assert at_work > 1, "No worker was there when the scan was killed."
    assert _left(marker) == []


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux ends a process with the one that wants it.")
def test_a_killed_scan_leaves_no_process_behind_that_its_file_holds_up(index: Path, tmp_path: Path) -> None:
    marker = f"RECLAIM_TEST_RUN={tmp_path.name}{os.getpid()}"
    environment = {**os.environ, **dict([marker.split("=")])}
    command = [sys.executable, "-m", "tests.system.scan.hung_worker", str(index), str(tmp_path)]
    with subprocess.Popen(command, env=environment, cwd=ROOT) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "hangs").exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert (tmp_path / "hangs").exists()
        process.send_signal(signal.SIGKILL)
    assert _left(marker) == []


def _left(marker: str) -> list[str]:
    """What is still there after ten seconds."""
    deadline = time.monotonic() + 10
    while (left := _with(marker)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _with(marker: str) -> list[str]:
    found = []
    for process in Path("/proc").iterdir():
        try:
            if marker.encode() in (process / "environ").read_bytes():
                found.append(process.name)
        except OSError:
            continue
    return found
