"""Our own client, ``reclaim.client``, with a copy that is kept in one file: the smallest store that does."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from reclaim.client import (
    Bank,
    BankClient,
    BankError,
    Change,
    Checkpoint,
    Keys,
    NativeClient,
    NativeKeys,
    Owed,
    SignalName,
    SyncOvertaken,
    sync,
)
from reclaim.conformance.clients.scripted_bank import V2
from reclaim.protocol.stopncii_v1 import SignalType


class FileStore:
    """A ``SignalStore``. The file is replaced whole, so each method is all stored or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        kept = json.loads(path.read_text()) if path.exists() else {"signals": [], "waiting": [], "checkpoint": None}
        self.signals = {SignalName(SignalType(kind), value): number for kind, value, number in kept["signals"]}
        self._waiting = [SignalName(SignalType(kind), value) for kind, value in kept["waiting"]]
        self._checkpoint: str | None = kept["checkpoint"]

    def _keep(self) -> None:
        kept = {
            "signals": [[*name, number] for name, number in self.signals.items()],
            "waiting": self._waiting,
            "checkpoint": self._checkpoint,
        }
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(kept))
        draft.replace(self._path)

    def load_checkpoint(self) -> Checkpoint | None:
        """As ``SignalStore``."""
        return Checkpoint.from_text(self._checkpoint) if self._checkpoint else None

    def _insist_on(self, previous: Checkpoint | None) -> None:
        if self.load_checkpoint() != previous:
            raise SyncOvertaken

    def apply(self, changes: Sequence[Change], checkpoint: Checkpoint, previous: Checkpoint | None) -> None:
        """As ``SignalStore``."""
        self._insist_on(previous)
        for change in changes:
            if change.withdrawn:
                self.signals.pop(change.name, None)
            else:
                self.signals[change.name] = checkpoint.generation
            if change.name in self._waiting:
                self._waiting.remove(change.name)
            if change.owed:
                self._waiting.append(change.name)
        self._checkpoint = checkpoint.as_text()
        self._keep()

    def sweep(self, checkpoint: Checkpoint, previous: Checkpoint | None) -> int:
        """As ``SignalStore``."""
        self._insist_on(previous)
        old = [name for name, generation in self.signals.items() if generation != checkpoint.generation]
        for name in old:
            del self.signals[name]
        self._checkpoint = checkpoint.as_text()
        self._keep()
        return len(old)

    def owe(self, owed: Sequence[Owed]) -> None:
        """As ``SignalStore``."""
        names = [each.name for each in owed if each.name not in self.signals and each.name not in self._waiting]
        self._waiting += names
        self._keep()

    def pending_acknowledgements(self) -> list[SignalName]:
        """As ``SignalStore``."""
        return list(self._waiting)

    def acknowledged(self, signals: Sequence[SignalName]) -> None:
        """As ``SignalStore``."""
        self._waiting = [name for name in self._waiting if name not in signals]
        self._keep()


def _client(given: Mapping[str, str]) -> Bank:
    if given["WIRE"] == V2:
        key = given["PLATFORM_KEY"]
        return NativeClient(f"{given['BANK']}/v2", NativeKeys(key, key, key))
    return BankClient(given["BANK"], Keys(given["FETCH_KEY"], given["SUBSCRIPTION_KEY"], given["FEEDBACK_KEY"]))


def main(act: str) -> int:
    """Do what the suite asks; the exit code."""
    prefix = "RECLAIM_CONFORMANCE_"
    given = {name.removeprefix(prefix): value for name, value in os.environ.items() if name.startswith(prefix)}
    store = FileStore(Path(given["STATE"]) / "copy.json")
    if act == "list":
        for kind, value in store.signals:
            sys.stdout.write(f"{kind} {value}\n")
        return 0
    try:
        sync(_client(given), store)
    except BankError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
