"""Many machines: a real Ray cluster of processes here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.system.scan.command import figures, run
from tests.unit.scan.catalogue import rows_of

ROOT = Path(__file__).parents[3]


def test_a_cluster_that_loses_a_machine_half_way_finds_what_one_machine_finds(
    catalogue: Path, index: Path, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    local = figures(run(catalogue, "--index", index, "--out", here, "--shard-size", "5", "--json"))
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_IMPORT_WARNING": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.system.scan.ray_cluster", str(catalogue), str(index), str(there)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    [shards] = found["shards_at_the_kill"]
    assert 0 < shards < 33
    assert found["figures"]["files"] == local["files"] == 163
    assert rows_of(there) == rows_of(here)


def test_a_cluster_that_is_not_there_is_one_sentence(catalogue: Path, index: Path, tmp_path: Path) -> None:
    arguments = ["--index", index, "--out", tmp_path / "out", "--engine", "ray", "--address", "127.0.0.1:1"]
    done = run(catalogue, *arguments)
    assert done.returncode == 1
    assert done.stderr.strip() == "No Ray cluster answers at this address: start one, or name it with --address."
