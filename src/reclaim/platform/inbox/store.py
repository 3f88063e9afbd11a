"""The database as the store of ``reclaim.client.sync``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from django.db.models import F, QuerySet

from reclaim.client import Change, Checkpoint, Owed, SignalName, SyncOvertaken, kind_of
from reclaim.platform.inbox.deciding import close_withdrawn
from reclaim.platform.subscription.models import KnownSignal, PendingAcknowledgement, Subscription
from reclaim.platform.subscription.queries import subscription
from reclaim.platform.subscription.services import (
    EXTRA_TYPES,
    HELD_TYPES,
    checkpoint_of,
    drop_signals,
    forget_acknowledgements,
    held_signals,
    keep_signals,
    locked_signals,
    move_checkpoint,
    owe_acknowledgements,
    set_extra_types,
)
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event

_SWEPT_AT_ONCE = 500


class DatabaseStore:
    """A ``SignalStore``: each page in one transaction, with its checkpoint and all that its tombstones end."""

    types: ClassVar[tuple[str, ...]] = HELD_TYPES
    extra: ClassVar[bool] = False

    def load_checkpoint(self) -> Checkpoint | None:
        """See ``SignalStore``."""
        row = subscription()
        return checkpoint_of(row, extra=self.extra) if row else None

    def _insist_on(self, row: Subscription, previous: Checkpoint | None) -> None:
        if checkpoint_of(row, extra=self.extra) != previous:
            raise SyncOvertaken

    def apply(self, changes: Sequence[Change], checkpoint: Checkpoint, previous: Checkpoint | None) -> None:
        """See ``SignalStore``. Matches that wait for a decision about a withdrawn signal are closed."""
        # The last record of a signal says where it stands.
        last = {change.name: change for change in changes if change.type in self.types}
        tombstones = [change for change in last.values() if change.withdrawn]
        active = [change for change in last.values() if not change.withdrawn]
        with locked_signals() as row:
            self._insist_on(row, previous)
            gone = held_signals(change.name for change in tombstones)
            close_withdrawn(gone)
            drop_signals(row, gone)
            owe_acknowledgements(Owed(change.name, change.acknowledge_by) for change in tombstones if change.owed)
            keep_signals(row, active, checkpoint.generation)
            move_checkpoint(row, checkpoint, extra=self.extra)
            if last:
                audit.record("system", "signals.apply", f"signals:{len(last)}")
        if last:
            log_event("signals came in", active=len(active), withdrawn=len(tombstones))

    def sweep(self, checkpoint: Checkpoint, previous: Checkpoint | None) -> int:
        """See ``SignalStore``."""
        with locked_signals() as row:
            self._insist_on(row, previous)
            held = KnownSignal.objects.filter(type__in=self.types)
            swept = _drop(row, held.exclude(generation=checkpoint.generation))
            move_checkpoint(row, checkpoint, extra=self.extra)
            audit.record("system", "signals.sweep", f"signals:{swept}")
        return swept

    def owe(self, owed: Sequence[Owed]) -> None:
        """See ``SignalStore``."""
        with locked_signals():
            held = {(row.type, row.value) for row in held_signals(each.name for each in owed)}
            owe_acknowledgements(each for each in owed if each.name not in held)

    def pending_acknowledgements(self) -> list[SignalName]:
        """See ``SignalStore``."""
        rows = PendingAcknowledgement.objects.filter(type__in=self.types).order_by(
            F("acknowledge_by").asc(nulls_last=True), "pk"
        )
        return [SignalName(kind_of(row.type), row.value) for row in rows]

    def acknowledged(self, signals: Sequence[SignalName]) -> None:
        """See ``SignalStore``."""
        forget_acknowledgements(signals)


class ExtraStore(DatabaseStore):
    """The same for the extra types, which the bank gives in a fetch of their own."""

    types = EXTRA_TYPES
    extra = True


def follow_extra_types(types: Sequence[str]) -> None:
    """Follow these extra types from now on, which may be none; what is held of others goes at once."""
    row = subscription()
    if sorted(types) == (row.extra_types if row else []):
        return
    with locked_signals() as locked:
        dropped = _drop(locked, KnownSignal.objects.filter(type__in=set(EXTRA_TYPES) - set(types)))
        set_extra_types(locked, types)
        audit.record("system", "signals.follow_extra", f"signals:{dropped}")


def forget_extra_signals() -> None:
    """Drop what is held of the extra types, because the bank gives them to this platform no longer: it would not learn
    of a withdrawal."""
    held = KnownSignal.objects.filter(type__in=EXTRA_TYPES)
    if held.exists():
        with locked_signals() as row:
            dropped = _drop(row, held)
            set_extra_types(row, row.extra_types)
            audit.record("system", "signals.forget_extra", f"signals:{dropped}")
        log_event("the bank gives descriptors and source photographs no longer; they are deleted", signals=dropped)


def _drop(row: Subscription, signals: QuerySet[KnownSignal]) -> int:
    """Drop these signals, and close what waits because of them; how many."""
    dropped = 0
    while gone := list(signals.defer("frames", "descriptors")[:_SWEPT_AT_ONCE]):
        close_withdrawn(gone)
        drop_signals(row, gone)
        dropped += len(gone)
    return dropped
