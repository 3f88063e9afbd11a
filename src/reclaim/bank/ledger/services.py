"""Writes on the ledger. Call them inside a transaction that ``locked_ledger`` has opened."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from reclaim.bank.ledger.models import HeldSignal, LedgerClock, LedgerRecord, Source
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

    def add_source(self, signal_type: str, value: str, frames: Sequence[str] = ()) -> Source:
        """Put a person's signal into the bank; it is active from now on.

        ``frames`` are the texts of a vPDQ's frames, which ``value`` names.
        """
        record = self._record(signal_type, value, frames)
        source = Source.objects.create(record=record)
        self._activate(record, source)
        return source

    def add_find(self, signal_type: str, value: str, platform: Platform, frames: Sequence[str] = ()) -> LedgerRecord:
        """Put a platform's own find into the bank. One that it submits again keeps its one source."""
        record = self._record(signal_type, value, frames)
        source, made = Source.objects.get_or_create(record=record, platform=platform)
        if not made and not source.active:
            source.state, source.withdrawn_position, source.made_tombstone = Source.State.ACTIVE, None, False
            source.save(update_fields=["state", "withdrawn_position", "made_tombstone"])
        self._activate(record, source)
        return record

    def hold_source(self, signal_type: str, value: str, frames: Sequence[str] = ()) -> Source:
        """Keep a person's signal until somebody at the bank has looked at it; no feed and no record knows of it."""
        source = Source.objects.create(state=Source.State.HELD)
        HeldSignal.objects.create(source=source, type=signal_type, value=value, frames=list(frames) or None)
        return source

    def release_source(self, source: Source) -> None:
        """Let a held signal into the bank, as if it had come now."""
        held = HeldSignal.objects.get(source=source)
        record = self._record(held.type, held.value, held.frames or ())
        source.record, source.state = record, Source.State.ACTIVE
        source.save(update_fields=["record", "state"])
        held.delete()
        self._activate(record, source)

    def withdraw_sources(self, sources: Iterable[Source]) -> None:
        """End sources. A signal that has none left becomes a tombstone; one that was held is gone.

        A person's word outranks a platform's find: when the last person's source of a signal ends, so do platforms'.
        """
        for source in sources:
            if source.state == Source.State.HELD:
                HeldSignal.objects.filter(source=source).delete()
                source.state = Source.State.ENDED
                source.save(update_fields=["state"])
            if source.record is None or not source.active:
                continue
            record = self.current(source.record)
            self._end(source)
            if source.platform_id is None and not _active_sources(record).filter(platform=None).exists():
                for find in _active_sources(record):
                    self._end(find)
            if not _active_sources(record).exists():
                record.status = LedgerRecord.Status.WITHDRAWN
                record.withdrawn_at = timezone.now()
                source.made_tombstone = True
            self.touch(record)

    def _record(self, signal_type: str, value: str, frames: Sequence[str]) -> LedgerRecord:
        record = LedgerRecord.objects.filter(type=signal_type, value=value).first()
        if record is not None:
            return record
        # Kept below zero until the end of the transaction: nobody sees it there, and it collides with nothing.
        placeholder = -(self._clock.position + len(self._changed) + 1)
        return LedgerRecord.objects.create(
            type=signal_type, value=value, frames=list(frames) or None, position=placeholder, modified_at=0
        )

    def _activate(self, record: LedgerRecord, source: Source) -> None:
        record = self.current(record)
        record.status = LedgerRecord.Status.ACTIVE
        record.withdrawn_at = None
        self._added.append(source)
        self.touch(record)

    def _end(self, source: Source) -> None:
        source.state = Source.State.ENDED
        source.save(update_fields=["state"])
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
            source.added_position = self._position_of(source)
            source.save(update_fields=["added_position"])
        for source in self._ended:
            source.withdrawn_position = self._position_of(source)
            source.save(update_fields=["withdrawn_position", "made_tombstone"])
        clock.save()

    def _position_of(self, source: Source) -> int:
        if source.record_id is None:
            raise ValueError("A source without a record has no position.")
        return self._changed[source.record_id].position


def _active_sources(record: LedgerRecord) -> QuerySet[Source]:
    return record.sources.filter(state=Source.State.ACTIVE)


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
    record.value = record.frames = None
    record.status = LedgerRecord.Status.ERASED
    record.save(update_fields=["value", "frames", "status"])


def forget_sources(sources: Iterable[Source]) -> None:
    """Delete ended sources, and the rows of erased signals that nobody's source is left of."""
    ids = [source.pk for source in sources]
    records = list(LedgerRecord.objects.filter(sources__in=ids, status=LedgerRecord.Status.ERASED).distinct())
    Source.objects.filter(pk__in=ids, state=Source.State.ENDED).delete()
    for record in records:
        if not record.sources.exists():
            record.delete()
