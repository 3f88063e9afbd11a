"""Run the two sites as the processes they are, for the demo and the loop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import urllib3

from reclaim.cli.address import AddressTakenError, check_address

RECLAIM = [sys.executable, "-m", "reclaim"]
START_TIMEOUT = 60.0
STOP_TIMEOUT = 20.0


class ProcessFailedError(Exception):
    """A command of ours ended with an error; the message is what it said."""


def _environment() -> dict[str, str]:
    # What the caller's shell says about another site must not reach these.
    return {name: value for name, value in os.environ.items() if not name.startswith(("RECLAIM_", "DJANGO_"))}


def reclaim(*arguments: str | Path, stdin: str = "") -> str:
    """Run ``reclaim`` with these arguments and return what it printed; raises ``ProcessFailedError``."""
    done = subprocess.run(  # noqa: S603 our own command
        [*RECLAIM, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env=_environment(),
    )
    if done.returncode:
        raise ProcessFailedError((done.stderr or done.stdout).strip() or f"exit code {done.returncode}")
    return done.stdout


def reclaim_json(*arguments: str | Path, stdin: str = "") -> Any:
    """Run ``reclaim … --json`` and return the object it printed."""
    return json.loads(reclaim(*arguments, "--json", stdin=stdin))


class Site:
    """A site that serves until the ``with`` block ends."""

    def __init__(self, arguments: Sequence[str | Path], port: int, *, quiet: bool = False) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._arguments = [*map(str, arguments), "--port", str(port)]
        self._quiet = quiet

    def __enter__(self) -> Site:
        try:
            # Whoever else serves there would answer in our server's name.
            check_address("127.0.0.1", self.port)
        except AddressTakenError as error:
            raise ProcessFailedError(str(error)) from error
        output = subprocess.PIPE if self._quiet else None
        # A session of its own: Ctrl-C reaches us alone, and we stop it in order.
        self.process = subprocess.Popen(  # noqa: S603 our own command
            [*RECLAIM, *self._arguments], stderr=output, env=_environment(), start_new_session=True
        )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _wait_until_it_answers(self) -> None:
        end = time.monotonic() + START_TIMEOUT
        while time.monotonic() < end:
            if self.process.poll() is not None:
                said = self.process.stderr.read().decode(errors="replace").strip() if self.process.stderr else ""
                raise ProcessFailedError(said or f"The server on port {self.port} ended at once.")
            try:
                urllib3.request("GET", f"{self.url}/", timeout=2, retries=False, redirect=False)
            except urllib3.exceptions.HTTPError:
                time.sleep(0.05)
            else:
                return
        raise ProcessFailedError(f"The server on port {self.port} did not answer within {START_TIMEOUT:.0f} s.")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            # communicate, not wait: a full pipe must not keep the server from ending.
            self.process.communicate(timeout=STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
