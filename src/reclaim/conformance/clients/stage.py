"""One client under test in front of one scripted bank."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from reclaim.conformance.clients.scripted_bank import V1, ScriptedBank
from reclaim.conformance.outcome import FailedError, NotApplicableError, expect

DRIVERS = ("threatexchange", "reclaim")
"""Clients that the suite itself knows how to run."""
UNSUPPORTED = 77
"""What a command's ``sync`` or ``list`` exits with for a wire that the client does not speak."""


class NoSuchClientError(Exception):
    """The command cannot be run."""


def command_of(client: str) -> list[str]:
    """A command line, or the name of one of ``DRIVERS``. Raises ``NoSuchClientError``."""
    if client in DRIVERS:
        return [sys.executable, "-m", f"reclaim.conformance.drivers.{client}"]
    words = shlex.split(client)
    if not words:
        raise NoSuchClientError("Name the command that runs the client.")
    return words


class Stage:
    """A fresh bank, and a fresh folder for the client's state. Use it in a ``with`` block.

    The client's command is run with one more word: ``sync`` (fetch what changed, confirm what was withdrawn, exit 0 if
    that went well) or ``list`` (print each signal held, one a line, the type, a space and the value).
    """

    def __init__(self, command: Sequence[str], wire: str, seconds: float) -> None:
        self._command = command
        self._seconds = seconds
        self.bank = ScriptedBank(wire)

    def __enter__(self) -> Stage:
        self._folder = tempfile.TemporaryDirectory(prefix="reclaim-conformance-")
        self.bank.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bank.__exit__()
        self._folder.cleanup()

    def sync(self) -> int:
        """Let the client sync once; its exit code."""
        return self._run("sync")[0]

    def syncs_well(self) -> None:
        """Let the client sync; it must say that it went well."""
        code = self.sync()
        expect(
            code == 0,
            f"The client's sync ended with exit code {code} though the bank answered as it should.",
            "Run the client by hand against a bank and read what it says.",
        )

    def held(self) -> set[str]:
        """The values that the client says it holds."""
        code, printed = self._run("list")
        expect(
            code == 0,
            f"The client could not list what it holds: exit code {code}.",
            "«CMD list» prints each signal held, one a line: its type, a space, its value.",
        )
        return {words[1] for words in map(str.split, printed.splitlines()) if len(words) == 2}

    def holds(self, values: Sequence[str], mend: str) -> None:
        """The client must hold exactly these."""
        held, wanted = self.held(), set(values)
        missing, extra = len(wanted - held), len(held - wanted)
        expect(
            not missing and not extra,
            f"Of {len(wanted)} signals that it must hold it lacks {missing}; it holds {extra} that it must not.",
            mend,
        )

    def _run(self, act: str) -> tuple[int, str]:
        bank, keys = self.bank, self.bank.keys
        base = f"{bank.base}/v1" if bank.wire == V1 else bank.base
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("RECLAIM_", "TX_"))},
            "RECLAIM_CONFORMANCE_BANK": base,
            "RECLAIM_CONFORMANCE_WIRE": bank.wire,
            "RECLAIM_CONFORMANCE_FETCH_KEY": keys.fetch_key,
            "RECLAIM_CONFORMANCE_SUBSCRIPTION_KEY": keys.subscription_key,
            "RECLAIM_CONFORMANCE_FEEDBACK_KEY": keys.feedback_key,
            "RECLAIM_CONFORMANCE_PLATFORM_KEY": keys.platform_key,
            "RECLAIM_CONFORMANCE_STATE": self._folder.name,
        }
        try:
            # A session of its own, so that a client that hangs ends with all that it has started.
            process = subprocess.Popen(  # noqa: S603 the tester's own command
                [*self._command, act],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=environment,
                cwd=Path.cwd(),
                start_new_session=True,
            )
        except OSError as error:
            raise NoSuchClientError(f"The command cannot be run: {error.strerror}.") from error
        try:
            printed, _ = process.communicate(timeout=self._seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise FailedError(
                f"«{act}» had not ended after {self._seconds:.0f} seconds; it was stopped.",
                "A fetch ends with the last page. Bound how long one call, and one fetch, may take.",
            ) from None
        if process.returncode == UNSUPPORTED:
            raise NotApplicableError("This client does not speak this wire.")
        return process.returncode, printed
