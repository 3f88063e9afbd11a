"""Writes on the ledger. Call them inside a transaction that ``locked_ledger`` has opened."""

from __future__ import annotations

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
        self._added: list[Source] = []
        self._ended: list[Source] = []

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
            source.active, source.withdrawn_position, source.made_tombstone = True, None, False
            source.save(update_fields=["active", "withdrawn_position", "made_tombstone"])
        record = self.current(record)
        record.status = LedgerRecord.Status.ACTIVE
        record.withdrawn_at = None
        self._added.append(source)
        self.touch(record)
        return source

    def withdraw_sources(self, sources: Iterable[Source]) -> None:
        """End sources. A signal that has none left becomes a tombstone.

        A person's word outranks a platform's find: when the last person's source of a signal ends, so do platforms'.
        """
        for source in sources:
            if not source.active:
                continue
            record = self.current(source.record)
            self._end(source)
            if source.platform_id is None and not record.sources.filter(active=True, platform=None).exists():
                for find in record.sources.filter(active=True):
                    self._end(find)
            if not record.sources.filter(active=True).exists():
                record.status = LedgerRecord.Status.WITHDRAWN
                record.withdrawn_at = timezone.now()
                source.made_tombstone = True
            self.touch(record)

    def _end(self, source: Source) -> None:
        source.active = False
        source.save(update_fields=["active"])
        self._ended.append(source)

    @property
    def position(self) -> int:
        """The last position that was handed out before this transaction."""
        return self._clock.position

    def current(self, record: LedgerRecord) -> LedgerRecord:
        """The record as this transaction has changed it so far."""
        return self._changed.get(record.pk, record)

    def touch(self, record: LedgerRecord) -> None:
        """Let the record move to the end of the feed when the transaction ends."""
        self._changed[record.pk] = record

    def finish(self) -> None:
        """Give the changed records, and the sources that changed with them, their new positions and seconds."""
        clock = self._clock
        now = int(time.time())
        # Not in the order in which a person chose the pictures: neighbours in the feed should say as little as
        # they can. The values are as good as random, and sorting by them shows nothing that they do not.
        for record in sorted(self._changed.values(), key=lambda record: record.value or ""):
            if now > clock.second:
                clock.second, clock.in_second = now, 0
            elif clock.in_second >= MOST_IN_ONE_SECOND:
                clock.second, clock.in_second = clock.second + 1, 0
            clock.position += 1
            clock.in_second += 1
            record.position, record.modified_at = clock.position, clock.second
            record.save()
        for source in self._added:
            source.added_position = self._changed[source.record_id].position
            source.save(update_fields=["added_position"])
        for source in self._ended:
            source.withdrawn_position = self._changed[source.record_id].position
            source.save(update_fields=["withdrawn_position", "made_tombstone"])
        clock.save()


@contextmanager
def locked_ledger() -> Iterator[LedgerTransaction]:
    """Open a transaction that alone may write the ledger until it commits.

    Writers take their turn, so positions and seconds are committed in their order; a case takes a few milliseconds.
    """
    with transaction.atomic():
        ledger = LedgerTransaction(LedgerClock.objects.select_for_update().get(pk=1))
        yield ledger
        ledger.finish()


def erase(record: LedgerRecord) -> None:
    """Forget the value of a tombstone. The row stays for the person's case page; the feed no longer has it."""
    record.value = None
    record.status = LedgerRecord.Status.ERASED
    record.save(update_fields=["value", "status"])
