"""A platform's copy in memory, which keeps to the letter of ``SignalStore``."""

from __future__ import annotations

from collections.abc import Sequence

from reclaim.client import Checkpoint, SignalName, SyncOvertaken
from reclaim.protocol.stopncii_v1 import HashRecord


class MemoryStore:
    """Signals, checkpoint (kept as text, as a database would) and deletions that wait for acknowledgement."""

    def __init__(self) -> None:
        self.signals: dict[SignalName, tuple[HashRecord, int]] = {}
        self.waiting: dict[SignalName, None] = {}
        self.checkpoint_text: str | None = None
        self.applied: list[HashRecord] = []

    @property
    def values(self) -> set[str]:
        return {name.value for name in self.signals}

    def load_checkpoint(self) -> Checkpoint | None:
        return Checkpoint.from_text(self.checkpoint_text) if self.checkpoint_text else None

    def _insist_on(self, previous: Checkpoint | None) -> None:
        if self.load_checkpoint() != previous:
            raise SyncOvertaken

    def apply(self, records: Sequence[HashRecord], checkpoint: Checkpoint, previous: Checkpoint | None) -> None:
        self._insist_on(previous)
        for record in records:
            name = SignalName(record.signalType, record.hashValue)
            if record.hashStatus.is_tombstone:
                self.signals.pop(name, None)
                self.waiting[name] = None
            else:
                self.signals[name] = (record, checkpoint.generation)
                self.waiting.pop(name, None)
        self.applied += records
        self.checkpoint_text = checkpoint.as_text()

    def sweep(self, checkpoint: Checkpoint, previous: Checkpoint | None) -> int:
        self._insist_on(previous)
        old = [name for name, (_, generation) in self.signals.items() if generation != checkpoint.generation]
        for name in old:
            del self.signals[name]
        self.checkpoint_text = checkpoint.as_text()
        return len(old)

    def pending_acknowledgements(self) -> list[SignalName]:
        return list(self.waiting)

    def acknowledged(self, signals: Sequence[SignalName]) -> None:
        for name in signals:
            self.waiting.pop(name, None)
