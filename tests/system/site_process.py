"""A bank as an operator runs it: the ``reclaim`` command in processes of its own, on a real socket."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.conftest import secrets_in
from tests.system.environment import RECLAIM, plain_environment
from tests.system.hands import Hands
from tests.system.new_sites import BANK, make_site

STARTUP_SECONDS = 60
_OPEN_SITE = """
import json, sys
from pathlib import Path
from reclaim.sitekit.setup import open_site
open_site("reclaim.bank.settings", Path(sys.argv[1]), sys.argv[2] or None)
arguments = json.loads(sys.argv[3])
def say(value): print(json.dumps(value), flush=True)
"""


@dataclass
class Bank:
    """A bank in a data folder; ``database_url`` is empty for SQLite."""

    data: Path
    database_url: str = ""
    port: int = 0
    events: bool = False
    """Whether it tells platforms of changes at once."""
    environment: dict[str, str] = field(default_factory=lambda: {"RECLAIM_CANARIES": "0"})
    """More for the server's environment. No canaries: they come by lot, and tests count signals."""
    _server: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _hands: Hands | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def pid(self) -> int:
        """Of the server's first process."""
        assert self._server is not None
        return self._server.pid

    @property
    def log(self) -> str:
        return (self.data.parent / f"{self.data.name}.log").read_text()

    def _site_options(self) -> list[str]:
        return ["--data", str(self.data), *(["--database-url", self.database_url] if self.database_url else [])]

    def start(self) -> None:
        """Serve, on the same port as before if there was one, and wait until it does."""
        make_site(BANK, self.data, self.database_url)
        with (self.data.parent / f"{self.data.name}.log").open("ab") as log:
            before = log.tell()
            self._server = subprocess.Popen(
                [
                    RECLAIM,
                    "bank",
                    "serve",
                    *self._site_options(),
                    "--port",
                    str(self.port),
                    *self._events_options(),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=plain_environment(**self.environment),
                start_new_session=True,
            )
        deadline = time.monotonic() + STARTUP_SECONDS
        while not (said := re.search(r"the bank is serving port=(\d+)", self.log[before:])):
            assert self._server.poll() is None, f"the bank did not start:\n{self.log}"
            assert time.monotonic() < deadline, f"the bank took too long to start:\n{self.log}"
            time.sleep(0.02)
        self.port = int(said[1])

    def _events_options(self) -> list[str]:
        if not self.events:
            return ["--no-events"]
        # On the port of before, too: the next one to the site's own may be somebody else's by now.
        before = re.findall(r"tells of changes port=(\d+)", self.log)
        return ["--events-port", before[-1]] if before else []

    def kill(self) -> None:
        """End every process of the server at once, those beside it too, as a power cut would."""
        assert self._server is not None
        first = psutil.Process(self._server.pid)
        every = [first, *first.children(recursive=True)]
        for process in every:
            # One that has just ended by itself is as good.
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._server.wait()
        psutil.wait_procs(every, timeout=30)
        self._server = None

    def stop(self) -> None:
        """Ask the server to stop, and wait; its log must not have said a secret."""
        if self._hands is not None:
            self._hands.end()
            self._hands = None
        if self._server is not None:
            self._server.terminate()
            assert self._server.wait(timeout=30) == 0, self.log
            self._server = None
        assert secrets_in(self.log) == []

    def _own_hands(self) -> Hands:
        if self._hands is None:
            make_site(BANK, self.data, self.database_url)
            self._hands = Hands("site", BANK, self.data, self.database_url, environment=plain_environment())
        return self._hands

    def command(self, *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run ``reclaim bank …``, which must succeed."""
        done = self._own_hands().command("bank", *map(str, arguments), *self._site_options(), stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done

    def add_platform(self, name: str) -> dict[str, str]:
        """Vet a platform; its keys as the command prints them."""
        keys: dict[str, str] = json.loads(self.command("platform", "add", name, "--json").stdout)
        return keys

    def submit(self, *files: Path) -> dict[str, Any]:
        """Make a case of pictures: ``{"case_number", "pin", "signals"}``."""
        case: dict[str, Any] = json.loads(self.command("submit", *files, "--json").stdout)
        return case

    def withdraw(self, case: dict[str, Any]) -> None:
        """Withdraw every picture of a case."""
        self.command("withdraw", case["case_number"], stdin=case["pin"] + "\n")

    def script(self, code: str, *arguments: Any) -> subprocess.Popen[str]:
        """Start a process with Python code inside this site, as ``run`` has it."""
        make_site(BANK, self.data, self.database_url)
        return subprocess.Popen(
            [sys.executable, "-c", _OPEN_SITE + code, str(self.data), self.database_url, json.dumps(arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=plain_environment(),
        )

    def run(self, code: str, *arguments: Any) -> list[Any]:
        """Run Python code inside this site, which has ``arguments``, and in which ``say(value)`` prints a line of JSON.

        What it said.
        """
        done = self._own_hands().code(code, arguments)
        assert done.returncode == 0, done.stderr
        return list(said_in(done.stdout.splitlines()))

    def make_cases(self, *cases: list[str]) -> list[dict[str, Any]]:
        """Make a case of each list of PDQ values."""
        return self.run(_MAKE_CASES, *cases)

    def holds(self, value: str) -> bool:
        """Whether any column of any table holds the value."""
        [found] = self.run(_LOOK_EVERYWHERE, value)
        return bool(found)


_MAKE_CASES = """
from reclaim.bank.cases.numbers import shown
from reclaim.bank.cases.services import NewItem, create_case
for values in arguments:
    made = create_case([NewItem.picture(number, value) for number, value in enumerate(values, start=1)])
    say({"case_number": shown(made.number), "pin": made.pin, "values": values})
"""

_LOOK_EVERYWHERE = """
from django.db import connection
found = False
with connection.cursor() as cursor:
    for table in connection.introspection.table_names(cursor):
        cursor.execute(f'SELECT * FROM "{table}"')
        found = found or any(arguments[0] in str(column) for row in cursor.fetchall() for column in row)
say(found)
"""


def said_in(lines: list[str]) -> Iterator[Any]:
    """The whole JSON lines among these: a process that is killed may leave half a line, or a line of its log."""
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            continue
