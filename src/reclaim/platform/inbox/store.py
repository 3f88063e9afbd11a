"""The database as the store of ``reclaim.client.sync``."""

from __future__ import annotations

from collections.abc import Sequence

from reclaim.client import Checkpoint, SignalName
from reclaim.platform.inbox.services import close_withdrawn
from reclaim.platform.subscription.models import KnownSignal, PendingAcknowledgement
from reclaim.platform.subscription.queries import subscription
from reclaim.platform.subscription.services import (
    HELD_TYPES,
    drop_signals,
    forget_acknowledgements,
    held_signals,
    keep_signals,
    locked_signals,
    move_checkpoint,
    name_of,
    owe_acknowledgements,
)
from reclaim.protocol.stopncii_v1 import HashRecord, SignalType
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event

_SWEPT_AT_ONCE = 500


class DatabaseStore:
    """A ``SignalStore``: each page in one transaction, with its checkpoint and all that its tombstones end."""

    def load_checkpoint(self) -> Checkpoint | None:
        """See ``SignalStore``."""
        row = subscription()
        return Checkpoint.from_text(row.checkpoint) if row and row.checkpoint else None

    def apply(self, records: Sequence[HashRecord], checkpoint: Checkpoint) -> None:
        """See ``SignalStore``. Matches that wait for a decision about a withdrawn signal are closed."""
        # The last record of a signal says where it stands.
        last = {name_of(record): record for record in records if record.signalType in HELD_TYPES}
        tombstones = [name for name, record in last.items() if record.hashStatus.is_tombstone]
        active = [record for record in last.values() if not record.hashStatus.is_tombstone]
        with locked_signals() as row:
            gone = held_signals(tombstones)
            close_withdrawn(gone)
            drop_signals(row, gone)
            owe_acknowledgements(tombstones)
            keep_signals(row, active, checkpoint.generation)
            move_checkpoint(row, checkpoint)
            if last:
                audit.record("system", "signals.apply", f"signals:{len(last)}")
        if last:
            log_event("signals came in", active=len(active), withdrawn=len(tombstones))

    def sweep(self, checkpoint: Checkpoint) -> int:
        """See ``SignalStore``."""
        with locked_signals() as row:
            swept = 0
            while gone := list(KnownSignal.objects.exclude(generation=checkpoint.generation)[:_SWEPT_AT_ONCE]):
                close_withdrawn(gone)
                drop_signals(row, gone)
                swept += len(gone)
            move_checkpoint(row, checkpoint)
            audit.record("system", "signals.sweep", f"signals:{swept}")
        return swept

    def pending_acknowledgements(self) -> list[SignalName]:
        """See ``SignalStore``; oldest first."""
        rows = PendingAcknowledgement.objects.order_by("pk")
        return [SignalName(SignalType(row.type), row.value) for row in rows]

    def acknowledged(self, signals: Sequence[SignalName]) -> None:
        """See ``SignalStore``."""
        forget_acknowledgements(signals)
