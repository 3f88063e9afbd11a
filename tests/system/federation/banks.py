"""Banks in processes of their own, and the lines to them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import secrets_in
from tests.system.environment import plain_environment
from tests.system.new_sites import BANK, make_site

NODE = Path(__file__).with_name("node.py")


class BankOfTheRing:
    """One of the banks, and the line to it."""

    def __init__(self, name: str, data: Path, database_url: str) -> None:
        self.name, self._data, self._database_url = name, data, database_url
        self.port, self.key = 0, ""

    def begin(self) -> None:
        """Start the process; ``wait`` ends when it serves."""
        make_site(BANK, self._data, self._database_url)
        self._log = self._data.with_suffix(".log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, NODE, self._data, self._database_url, str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=plain_environment(),
        )

    def wait(self) -> None:
        said = self.answer()
        self.port, self.key = said["port"], said["key"]

    def ask(self, what: str, *arguments: Any) -> None:
        """Tell it to do something, without waiting."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([what, *arguments]) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        """What it says next."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._data.with_suffix(".log").read_text()
        return json.loads(line)

    def __getattr__(self, what: str) -> Callable[..., Any]:
        def do(*arguments: Any) -> Any:
            self.ask(what, *arguments)
            return self.answer()

        return do

    def kill(self) -> None:
        """As a power cut does."""
        self._process.kill()
        self._process.communicate()
        self._log.close()
        assert secrets_in(self._data.with_suffix(".log").read_text()) == []


class Ring:
    """A, which reads from C; B, which reads from A; C, which reads from B."""

    subscriber: BankOfTheRing
    """A fourth bank, outside the ring."""

    def __init__(self, banks: list[BankOfTheRing]) -> None:
        self.banks = banks

    def turns(self, times: int, *, but: BankOfTheRing | None = None) -> None:
        """All of them read at once, so many times."""
        reading = [bank for bank in self.banks if bank is not but]
        for _ in range(times):
            for bank in reading:
                bank.ask("sync")
            for bank in reading:
                assert bank.answer() == ([] if but is None or self.before(bank) is not but else [UNREACHABLE])

    def before(self, bank: BankOfTheRing) -> BankOfTheRing:
        return self.banks[self.banks.index(bank) - 1]

    def all_say(self, value: str) -> list[list[str] | None]:
        return [bank.signals().get(value) for bank in self.banks]


UNREACHABLE = "The bank cannot be reached. Check its address and your network, and try again; what was stored stays."
