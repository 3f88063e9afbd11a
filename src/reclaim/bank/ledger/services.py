"""Writes on the ledger. Call them inside a transaction that ``locked_ledger`` has opened."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import transaction
from django.utils import timezone

from reclaim.bank.ledger.models import LedgerClock, LedgerRecord, Source
from reclaim.bank.platforms.models import Platform

MOST_IN_ONE_SECOND = 400
"""A client that is cut off resumes by the second alone, so no second may hold more than it fetches in one go."""


class LedgerTransaction:
    """An open transaction that holds the ledger's lock: the only way to change the ledger."""

    def __init__(self, clock: LedgerClock) -> None:
        self._clock = clock
        self._changed: dict[int, LedgerRecord] = {}
        self._sources_changed: set[int] = set()

    def add_source(self, signal_type: str, value: str, platform: Platform | None = None) -> Source:
        """Put a signal into the bank for one more reason; it is active from now on.

        A platform that submits the same signal again keeps its one source.
        """
        record = LedgerRecord.objects.filter(type=signal_type, value=value).first()
        if record is None:
            # Kept below zero until the end of the transaction: nobody sees it there, and it collides with nothing.
            placeholder = -(self._clock.position + len(self._changed) + 1)
            record = LedgerRecord.objects.create(type=signal_type, value=value, position=placeholder, modified_at=0)
        source = Source.objects.filter(record=record, platform=platform).first() if platform else None
        if source is None:
            source = Source.objects.create(record=record, platform=platform)
        elif not source.active:
            source.active = True
            source.save(update_fields=["active"])
        record = self.current(record)
        record.status = LedgerRecord.Status.ACTIVE
        record.withdrawn_at = None
        self._sources_changed.add(record.pk)
        self.touch(record)
        return source

    def withdraw_sources(self, sources: Iterable[Source]) -> list[LedgerRecord]:
        """End sources. A signal that has none left becomes a tombstone; those records are returned."""
        tombstones = []
        for source in sources:
            if not source.active:
                continue
            source.active = False
            source.save(update_fields=["active"])
            record = self.current(source.record)
            if not record.sources.filter(active=True).exists():
                record.status = LedgerRecord.Status.WITHDRAWN
                record.withdrawn_at = timezone.now()
                tombstones.append(record)
            self._sources_changed.add(record.pk)
            self.touch(record)
        return tombstones

    def current(self, record: LedgerRecord) -> LedgerRecord:
        """The record as this transaction has changed it so far."""
        return self._changed.get(record.pk, record)

    def touch(self, record: LedgerRecord) -> None:
        """Let the record move to the end of the feed when the transaction ends."""
        self._changed[record.pk] = record

    def finish(self, order: Iterable[LedgerRecord]) -> None:
        """Give the changed records their new positions and seconds, in this order."""
        clock = self._clock
        now = int(time.time())
        for record in order:
            if now > clock.second:
                clock.second, clock.in_second = now, 0
            elif clock.in_second >= MOST_IN_ONE_SECOND:
                clock.second, clock.in_second = clock.second + 1, 0
            clock.position += 1
            clock.in_second += 1
            record.position, record.modified_at = clock.position, clock.second
            if record.pk in self._sources_changed:
                record.sources_position = clock.position
            record.save()
        clock.save()

    @property
    def changed(self) -> list[LedgerRecord]:
        """The records that will move."""
        return list(self._changed.values())


@contextmanager
def locked_ledger() -> Iterator[LedgerTransaction]:
    """Open a transaction that alone may write the ledger until it commits.

    Writers take their turn, so positions and seconds are committed in their order; a case takes a few milliseconds.
    """
    with transaction.atomic():
        ledger = LedgerTransaction(LedgerClock.objects.select_for_update().get(pk=1))
        yield ledger
        # Not in the order in which a person chose the pictures: neighbours in the feed should say as little as
        # they can. The values are as good as random, and sorting by them shows nothing that they do not.
        ledger.finish(sorted(ledger.changed, key=lambda record: record.value or ""))


def erase(record: LedgerRecord) -> None:
    """Forget the value of a tombstone. The row stays for the person's case page; the feed no longer has it."""
    record.value = None
    record.status = LedgerRecord.Status.ERASED
    record.save(update_fields=["value", "status"])


def tombstones_older_than(retention: datetime.timedelta) -> Iterable[LedgerRecord]:
    """Tombstones whose retention has ended."""
    return LedgerRecord.objects.filter(
        status=LedgerRecord.Status.WITHDRAWN, withdrawn_at__lt=timezone.now() - retention
    )
