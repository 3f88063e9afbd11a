"""A platform's copy in memory, which keeps to the letter of ``SignalStore``."""

from __future__ import annotations

from collections.abc import Sequence

from reclaim.client import Change, Checkpoint, Owed, SignalName, SyncOvertaken


class MemoryStore:
    """Signals, checkpoint (kept as text, as a database would) and deletions that wait for acknowledgement."""

    def __init__(self) -> None:
        self.signals: dict[SignalName, tuple[Change, int]] = {}
        self.waiting: dict[SignalName, None] = {}
        self.checkpoint_text: str | None = None
        self.applied: list[Change] = []

    @property
    def values(self) -> set[str]:
        return {name.value for name in self.signals}

    def load_checkpoint(self) -> Checkpoint | None:
        return Checkpoint.from_text(self.checkpoint_text) if self.checkpoint_text else None

    def _insist_on(self, previous: Checkpoint | None) -> None:
        if self.load_checkpoint() != previous:
            raise SyncOvertaken

    def apply(self, changes: Sequence[Change], checkpoint: Checkpoint, previous: Checkpoint | None) -> None:
        self._insist_on(previous)
        for change in changes:
            if change.withdrawn:
                self.signals.pop(change.name, None)
                if change.owed:
                    self.waiting[change.name] = None
            else:
                self.signals[change.name] = (change, checkpoint.generation)
                self.waiting.pop(change.name, None)
        self.applied += changes
        self.checkpoint_text = checkpoint.as_text()

    def sweep(self, checkpoint: Checkpoint, previous: Checkpoint | None) -> int:
        self._insist_on(previous)
        old = [name for name, (_, generation) in self.signals.items() if generation != checkpoint.generation]
        for name in old:
            del self.signals[name]
        self.checkpoint_text = checkpoint.as_text()
        return len(old)

    def owe(self, owed: Sequence[Owed]) -> None:
        self.waiting |= {each.name: None for each in owed if each.name not in self.signals}

    def pending_acknowledgements(self) -> list[SignalName]:
        return list(self.waiting)

    def acknowledged(self, signals: Sequence[SignalName]) -> None:
        for name in signals:
            self.waiting.pop(name, None)
