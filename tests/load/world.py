"""A bank on a PostgreSQL of its own, filled, with what it takes to measure both."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.load.memory import forget_peak, peak_mib
from tests.load.postgres import Postgres
from tests.system.environment import plain_environment
from tests.system.site_process import Bank


@dataclass
class World:
    """A served bank and its database."""

    folder: Path
    postgres: Postgres
    bank: Bank

    @property
    def root(self) -> str:
        """The bank's address without a version."""
        return f"http://127.0.0.1:{self.bank.port}"

    def add_platforms(self, count: int) -> list[dict[str, str]]:
        """Vet so many platforms; the name and keys of each."""
        return self.bank.run(_ADD_PLATFORMS, count)

    def make_codes(self, count: int) -> list[str]:
        """At least so many one-time codes, each of which lets one case in."""
        return [code for some in self.bank.run(_MAKE_CODES, count) for code in some]

    def fill(self, count: int) -> float:
        """Fill the empty bank; how many seconds it took."""
        started = time.perf_counter()
        self.bank.run("from tests.load.filling import fill; fill(*arguments)", count)
        return time.perf_counter() - started

    def synced(self, kind: str, keys: dict[str, str]) -> dict[str, float]:
        """A first full sync by a client of a kind of ``tests.load.clients``, with the bank's peak memory meanwhile."""
        self.forget_peak()
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.load.clients", kind, self.bank.url, json.dumps(keys)],
            capture_output=True,
            text=True,
            check=False,
            env=plain_environment(),
        )
        if done.returncode:
            raise RuntimeError(f"«{kind}» failed:\n{done.stderr[-2000:]}")
        took: dict[str, float] = json.loads(done.stdout)
        return took | {"bank_mib": self.bank_peak(), "postgres_mib": self.postgres_memory()}

    def _bank_processes(self) -> list[psutil.Process]:
        first = psutil.Process(self.bank.pid)
        return [first, *first.children(recursive=True)]

    def forget_peak(self) -> None:
        """Let the peak memory of the bank's processes begin anew."""
        for process in self._bank_processes():
            forget_peak(process.pid)

    def bank_peak(self) -> float:
        """The peak memory of the bank's largest process, in MiB."""
        return max(peak_mib(process.pid) for process in self._bank_processes())

    def postgres_memory(self) -> float:
        """What all of PostgreSQL's processes hold now, in MiB; what they share counts once."""
        total = 0.0
        for process in self.postgres.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_full_info().pss / 2**20
        return total


_MAKE_CODES = """
import datetime
from reclaim.bank.gate.services import make_codes
for _ in range(-(-arguments[0] // 500)):
    say(make_codes("Load test", 500, datetime.timedelta(days=1)))
"""
_ADD_PLATFORMS = """
from dataclasses import asdict
from secrets import token_hex
from reclaim.bank.platforms.services import add_platform
for _ in range(arguments[0]):
    platform, keys = add_platform(f"Platform {token_hex(8)}")
    say({"name": platform.name, **asdict(keys)})
"""


@contextmanager
def a_world(*, events: bool = False, **environment: str) -> Iterator[World]:
    """A fresh one, gone afterwards; with ``events`` it tells platforms of changes at once. ``environment`` goes to the
    bank's server."""
    with tempfile.TemporaryDirectory(prefix="reclaim-load-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        postgres = Postgres(folder / "postgresql")
        try:
            bank = Bank(folder / "bank", postgres.new_database(), events=events, environment=environment)
            bank.start()
            try:
                yield World(folder, postgres, bank)
            finally:
                bank.stop()
        finally:
            postgres.stop()


def machine() -> str:
    """What it ran on, in words."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "unknown processor",
    )
    memory = psutil.virtual_memory().total / 2**30
    return f"{psutil.cpu_count()} cores ({model}), {memory:.0f} GiB, PostgreSQL, {time.strftime('%Y-%m-%d')}"


def as_json(value: Any) -> str:
    """For ``--json``."""
    return json.dumps(value, indent=2)
