"""The database as the store of ``reclaim.client.sync``."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F

from reclaim.client import Change, Checkpoint, Owed, SignalName, SyncOvertaken
from reclaim.platform.inbox.deciding import close_withdrawn
from reclaim.platform.subscription.models import KnownSignal, PendingAcknowledgement, Subscription
from reclaim.platform.subscription.queries import subscription
from reclaim.platform.subscription.services import (
    HELD_TYPES,
    checkpoint_of,
    drop_signals,
    forget_acknowledgements,
    held_signals,
    keep_signals,
    locked_signals,
    move_checkpoint,
    owe_acknowledgements,
)
from reclaim.protocol.stopncii_v1 import SignalType
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event

_SWEPT_AT_ONCE = 500


def _insist_on(row: Subscription, previous: Checkpoint | None) -> None:
    if checkpoint_of(row) != previous:
        raise SyncOvertaken


class DatabaseStore:
    """A ``SignalStore``: each page in one transaction, with its checkpoint and all that its tombstones end."""

    def load_checkpoint(self) -> Checkpoint | None:
        """See ``SignalStore``."""
        row = subscription()
        return checkpoint_of(row) if row else None

    def apply(self, changes: Sequence[Change], checkpoint: Checkpoint, previous: Checkpoint | None) -> None:
        """See ``SignalStore``. Matches that wait for a decision about a withdrawn signal are closed."""
        # The last record of a signal says where it stands.
        last = {change.name: change for change in changes if change.type in HELD_TYPES}
        tombstones = [change for change in last.values() if change.withdrawn]
        active = [change for change in last.values() if not change.withdrawn]
        with locked_signals() as row:
            _insist_on(row, previous)
            gone = held_signals(change.name for change in tombstones)
            close_withdrawn(gone)
            drop_signals(row, gone)
            owe_acknowledgements(Owed(change.name, change.acknowledge_by) for change in tombstones if change.owed)
            keep_signals(row, active, checkpoint.generation)
            move_checkpoint(row, checkpoint)
            if last:
                audit.record("system", "signals.apply", f"signals:{len(last)}")
        if last:
            log_event("signals came in", active=len(active), withdrawn=len(tombstones))

    def sweep(self, checkpoint: Checkpoint, previous: Checkpoint | None) -> int:
        """See ``SignalStore``."""
        with locked_signals() as row:
            _insist_on(row, previous)
            swept = 0
            while gone := list(KnownSignal.objects.exclude(generation=checkpoint.generation)[:_SWEPT_AT_ONCE]):
                close_withdrawn(gone)
                drop_signals(row, gone)
                swept += len(gone)
            move_checkpoint(row, checkpoint)
            audit.record("system", "signals.sweep", f"signals:{swept}")
        return swept

    def owe(self, owed: Sequence[Owed]) -> None:
        """See ``SignalStore``."""
        with locked_signals():
            held = {(row.type, row.value) for row in held_signals(each.name for each in owed)}
            owe_acknowledgements(each for each in owed if each.name not in held)

    def pending_acknowledgements(self) -> list[SignalName]:
        """See ``SignalStore``."""
        rows = PendingAcknowledgement.objects.order_by(F("acknowledge_by").asc(nulls_last=True), "pk")
        return [SignalName(SignalType(row.type), row.value) for row in rows]

    def acknowledged(self, signals: Sequence[SignalName]) -> None:
        """See ``SignalStore``."""
        forget_acknowledgements(signals)
