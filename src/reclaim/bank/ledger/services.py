"""Writes on the ledger. Call them inside a transaction that ``locked_ledger`` has opened.

Every writer waits while another holds the lock, so a transaction gathers what it is told and writes it in a few
statements for all signals at once. A value that the bank knew takes the same statements as a new one: nobody can tell
by the time that an answer takes (promise 8).
"""

from __future__ import annotations

import random
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from reclaim.bank.ledger.models import BODIES, HeldSignal, LedgerClock, LedgerRecord, Source
from reclaim.bank.peers.models import Peer, Withdrawal
from reclaim.bank.peers.queries import withdrawal_mac
from reclaim.bank.platforms.models import Platform
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event

MOST_IN_ONE_SECOND = 400
"""A client that is cut off resumes by the second alone, so no second may hold more than it fetches in one go."""
_ROWS_A_STATEMENT = 1000
MEAN_GAP = 1000
"""Positions are so far apart on average, and as events that nobody plans: one more between them looks like the rest."""
_chance = random.SystemRandom()

Companion = Callable[["LedgerTransaction"], None]
_companions: list[Companion] = []


def accompany(companion: Companion) -> None:
    """Let an app that stands on the ledger have its say whenever records are about to be written.

    It is called under the lock with what is ``moving``, once for each time that something is settled.
    """
    _companions.append(companion)


Parting = Callable[[Collection[uuid.UUID]], None]
_partings: list[Parting] = []


def at_parting(parting: Parting) -> None:
    """Let an app that keeps something with sources know, under the lock, the keys of those that end, held ones too."""
    _partings.append(parting)


class LedgerTransaction:
    """An open transaction that holds the ledger's lock: the only way to change the ledger.

    What it is told is in the database when it ends, or after ``settle``.
    """

    def __init__(self, clock: LedgerClock) -> None:
        self._clock = clock
        self._begin = clock.position
        self._now = timezone.now()
        self._put: dict[tuple[str, str], LedgerRecord] = {}
        self._changed: dict[int, LedgerRecord] = {}
        self._gone: set[int] = set()
        self._added: list[Source] = []
        self._finds: dict[tuple[str, str, int], Source] = {}
        self._held: list[HeldSignal] = []
        self._released: list[Source] = []
        self._ended: dict[Any, Source] = {}
        self._withdrawn: list[Withdrawal] = []
        self.for_case: Hashable = None
        """Whose sources are added or released; ``None`` where that is nobody's case."""
        self.by_platform: Platform | None = None
        """Whose words or finds these are; ``None`` where that is no platform's."""

    @property
    def synthetic(self) -> bool:
        """Whether every signal in it is made up, so that nobody's may be put beside them."""
        return self._clock.synthetic

    def add_source(
        self,
        signal_type: str,
        value: str,
        frames: Sequence[str] = (),
        *,
        quality: int | None = None,
        peer: Peer | None = None,
        made_with_ai: bool = False,
        descriptors: bytes | None = None,
        of_source: bool = False,
    ) -> Source:
        """Put a person's signal, or a peer's, into the bank; it is active from now on.

        ``frames`` are the texts of a vPDQ's frames, and ``descriptors`` the bytes of a picture's, which ``value``
        names. The source has its key at once, and its record has one after ``settle``.
        """
        if peer is not None and self.synthetic:
            raise ValueError("A staging bank takes in nobody's real signals.")
        record = self._record(signal_type, value, frames, descriptors)
        source = Source(record=record, quality=quality, peer=peer, made_with_ai=made_with_ai, of_source=of_source)
        self._added.append(source)
        return source

    def add_find(
        self,
        signal_type: str,
        value: str,
        platform: Platform,
        frames: Sequence[str] = (),
        *,
        quality: int | None = None,
        made_with_ai: bool = False,
    ) -> LedgerRecord:
        """Put a platform's own find into the bank. One that it submits again keeps its one source.

        The record has its key after ``settle``.
        """
        record = self._record(signal_type, value, frames)
        self._finds[signal_type, value, platform.pk] = Source(
            record=record, platform=platform, quality=quality, made_with_ai=made_with_ai
        )
        return record

    def hold_source(
        self,
        signal_type: str,
        value: str,
        frames: Sequence[str] = (),
        *,
        quality: int | None = None,
        descriptors: bytes | None = None,
        of_source: bool = False,
    ) -> Source:
        """Keep a person's signal until somebody at the bank has looked at it; no feed and no record knows of it."""
        source = Source(state=Source.State.HELD, quality=quality, of_source=of_source)
        self._added.append(source)
        self._held.append(
            HeldSignal(
                source=source, type=signal_type, value=value, frames=list(frames) or None, descriptors=descriptors
            )
        )
        return source

    def release_source(self, source: Source) -> None:
        """Let a held signal into the bank, as if it had come now."""
        held = HeldSignal.objects.get(source=source)
        source.record = self._record(held.type, held.value, held.frames or (), bytes(held.descriptors or b"") or None)
        source.state = Source.State.ACTIVE
        self._released.append(source)
        held.delete()

    def withdraw_sources(self, sources: Iterable[Source]) -> None:
        """End sources. A signal that has none left becomes a tombstone; one that was held is gone.

        A person's word outranks a platform's find and a peer's word: when the last person's source of a signal ends, so
        do theirs, and no peer brings it back.
        """
        if self._put:
            self.settle()
        held: list[Any] = []
        ending: dict[int, list[Source]] = defaultdict(list)
        for source in sources:
            if source.state == Source.State.HELD:
                held.append(source.pk)
            elif source.active and source.record_id is not None and source.pk not in self._ended:
                ending[source.record_id].append(source)
        HeldSignal.objects.filter(source__in=held).delete()
        Source.objects.filter(pk__in=held).update(state=Source.State.ENDED)
        _part(held)
        others: dict[int | None, list[Source]] = defaultdict(list)
        named = {source.pk for each in ending.values() for source in each} | self._ended.keys()
        for other in Source.objects.filter(record__in=list(ending), state=Source.State.ACTIVE):
            if other.pk not in named:
                others[other.record_id].append(other)
        records = LedgerRecord.objects.defer(*BODIES).in_bulk(list(ending))
        for key, ended in ending.items():
            record, left, outranked = self.current(records[key]), others[key], list[Source]()
            if any(source.of_a_person for source in ended):
                # Whether or not another case has the signal: the same work, and the same trace.
                self._withdrawn.append(Withdrawal(mac=withdrawal_mac(record.type, record.value or "")))
                if not any(source.of_a_person for source in left):
                    left, outranked = [], left
            if not left:
                record.status, record.withdrawn_at = LedgerRecord.Status.WITHDRAWN, self._now
                self._gone.add(key)
            for source in (*ended, *outranked):
                source.state, source.record = Source.State.ENDED, record
                source.made_tombstone = not left and source in ended
                self._ended[source.pk] = source
            self._changed[key] = record

    @property
    def position(self) -> int:
        """The last position that was handed out before this transaction."""
        return self._begin

    def current(self, record: LedgerRecord) -> LedgerRecord:
        """The record as this transaction has changed it so far."""
        return self._changed.get(record.pk, record)

    def touch(self, record: LedgerRecord) -> None:
        """Let the record move to the end of the feed when the transaction ends.

        Whatever else changed about it is the caller's to save, before.
        """
        if record.position <= self._begin:
            self._changed.setdefault(record.pk, record)

    @property
    def moving(self) -> list[LedgerRecord]:
        """The records that are about to be written; those that may be new have no key yet."""
        return [*self._put.values(), *self._changed.values()]

    @property
    def coming(self) -> list[Source]:
        """The sources that are about to be active."""
        return [*self._added, *self._finds.values(), *self._released]

    @property
    def withdrawn(self) -> set[int]:
        """The keys of the records that are about to be tombstones."""
        return self._gone

    @property
    def going(self) -> set[uuid.UUID]:
        """The keys of the sources that are about to end."""
        return set(self._ended)

    def settle(self) -> None:
        """Write what was told so far: changed records, and the sources that changed with them, have their new
        positions and seconds."""
        if self._put or self._changed:
            for companion in _companions:
                companion(self)
        # Not in the order in which a person chose the pictures: neighbours in the feed should say as little as
        # they can. The values are as good as random, and sorting by them shows nothing that they do not.
        for record in sorted((*self._put.values(), *self._changed.values()), key=lambda record: record.value or ""):
            self._move(record)
        # One statement for values that the bank knew and for new ones.
        LedgerRecord.objects.bulk_create(
            list(self._put.values()),
            update_conflicts=True,
            unique_fields=["type", "value"],
            update_fields=[
                "status",
                "position",
                "modified_at",
                "withdrawn_at",
                "only_for",
                "trust",
                "review_only",
                # Gone while it was a tombstone; the value names these very bytes.
                "descriptors",
            ],
        )
        self._write_changed()
        for source in (*self._added, *self._finds.values(), *self._released):
            source.added_position = source.record.position if source.record else 0
        Source.objects.bulk_create(self._added)
        HeldSignal.objects.bulk_create(self._held)
        Source.objects.bulk_create(
            list(self._finds.values()),
            update_conflicts=True,
            unique_fields=["record", "platform"],
            update_fields=[
                "state",
                "added_position",
                "withdrawn_position",
                "made_tombstone",
                "quality",
                "made_with_ai",
            ],
        )
        Source.objects.bulk_update(self._released, ["record", "state", "added_position"])
        self._write_ended()
        Withdrawal.objects.bulk_create(self._withdrawn, ignore_conflicts=True)
        for gathered in (
            self._put,
            self._changed,
            self._gone,
            self._added,
            self._finds,
            self._held,
            self._released,
            self._ended,
            self._withdrawn,
        ):
            gathered.clear()

    def finish(self) -> None:
        """Write everything, and what the clock handed out."""
        self.settle()
        self._clock.save()

    def _record(
        self, signal_type: str, value: str, frames: Sequence[str], descriptors: bytes | None = None
    ) -> LedgerRecord:
        if self._gone:
            self.settle()
        record = LedgerRecord(type=signal_type, value=value, frames=list(frames) or None, descriptors=descriptors)
        return self._put.setdefault((signal_type, value), record)

    def _move(self, record: LedgerRecord) -> None:
        clock, now = self._clock, int(time.time())
        if now > clock.second:
            clock.second, clock.in_second = now, 0
        elif clock.in_second >= MOST_IN_ONE_SECOND:
            clock.second, clock.in_second = clock.second + 1, 0
        clock.position += 1 + int(_chance.expovariate(1 / MEAN_GAP))
        clock.in_second += 1
        record.position, record.modified_at = clock.position, clock.second

    def _write_changed(self) -> None:
        rows = [
            (key, record.position, record.modified_at, key in self._gone, record.trust, record.review_only)
            for key, record in self._changed.items()
        ]
        _update_rows(
            LedgerRecord,
            "position = new.column2, modified_at = new.column3, trust = new.column5, review_only = new.column6, "
            "status = CASE WHEN new.column4 THEN 'withdrawn' ELSE status END, "
            "descriptors = CASE WHEN new.column4 THEN NULL ELSE descriptors END, "
            "withdrawn_at = CASE WHEN new.column4 THEN %s ELSE withdrawn_at END",
            [LedgerRecord._meta.get_field("withdrawn_at").get_db_prep_value(self._now, connection)],
            rows,
        )

    def _write_ended(self) -> None:
        key_of = Source._meta.pk.get_db_prep_value
        rows = [
            (key_of(key, connection), source.record.position, source.made_tombstone)
            for key, source in self._ended.items()
            if source.record is not None
        ]
        _update_rows(
            Source,
            "state = 'ended', withdrawn_position = new.column2, made_tombstone = new.column3",
            [],
            rows,
        )
        _part(self._ended)


def _part(sources: Collection[uuid.UUID]) -> None:
    if sources:
        for parting in _partings:
            parting(list(sources))


def _update_rows(model: type[Model], assignments: str, parameters: list[Any], rows: Sequence[Sequence[Any]]) -> None:
    """Update many rows in one statement. ``assignments`` are SQL on the columns of ``new``; the first is the key.

    Django's own ``bulk_update`` writes a CASE with a branch for every row and column, which takes ten times as long.
    """
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        some = rows[start : start + _ROWS_A_STATEMENT]
        places = ", ".join("(" + ", ".join(["%s"] * len(row)) + ")" for row in some)
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {model._meta.db_table} SET {assignments} FROM (VALUES {places}) AS new "  # noqa: S608
                f"WHERE {model._meta.db_table}.id = new.column1",
                [*parameters, *(value for row in some for value in row)],
            )


@contextmanager
def locked_ledger() -> Iterator[LedgerTransaction]:
    """Open a transaction that alone may write the ledger until it commits.

    Writers take their turn, so positions and seconds are committed in their order; a case takes a few milliseconds.
    """
    with transaction.atomic():
        ledger = LedgerTransaction(LedgerClock.objects.select_for_update().get(pk=1))
        yield ledger
        ledger.finish()


def close_second(second: int) -> None:
    """See to it that every change of this second (epoch seconds) or an earlier one is visible, and no more will come.

    For readers that go by time alone. It waits for the writer that is at work, and takes the lock only where the
    ledger's clock has not passed that second already.
    """
    if LedgerClock.objects.filter(pk=1, second__gt=second).exists():
        return
    with transaction.atomic():
        clock = LedgerClock.objects.select_for_update().get(pk=1)
        if clock.second <= second:
            clock.second, clock.in_second = second + 1, 0
            clock.save(update_fields=["second", "in_second"])


def erase(tombstones: QuerySet[LedgerRecord]) -> int:
    """Forget the values of tombstones; returns how many. The rows stay for persons' case pages; the feed no longer has
    them. Not before ``settle`` where they became tombstones in the same transaction."""
    return tombstones.update(value=None, frames=None, status=LedgerRecord.Status.ERASED)


def forget_sources(sources: Iterable[Source]) -> None:
    """Delete ended sources, and the rows of erased signals that nobody's source is left of."""
    ended = [source for source in sources if source.state == Source.State.ENDED]
    Source.objects.filter(pk__in=[source.pk for source in ended]).delete()
    LedgerRecord.objects.filter(
        pk__in=[source.record_id for source in ended if source.record_id is not None],
        status=LedgerRecord.Status.ERASED,
        sources=None,
    ).delete()


def make_synthetic() -> bool:
    """Make an untouched ledger one of made-up signals alone, for good; ``False`` if it is no longer untouched."""
    with transaction.atomic():
        clock = LedgerClock.objects.select_for_update().get(pk=1)
        if clock.synthetic:
            return True
        if clock.position or any(kind.objects.exists() for kind in (Source, Platform, Peer)):
            return False
        clock.synthetic = True
        clock.save(update_fields=["synthetic"])
        audit.record("operator", "ledger.synthetic", "ledger")
    return True


def begin_another_ledger(known: uuid.UUID, actor: str) -> None:
    """Give the ledger that has this identity another one: it was restored from a backup, so that what was fetched from
    it may be of changes that it does not know. Whoever shows a cursor of the earlier one is sent to a snapshot."""
    with transaction.atomic():
        if LedgerClock.objects.filter(pk=1, identity=known).update(identity=uuid.uuid4()):
            audit.record(actor, "ledger.restored", "ledger")
            log_event("the ledger was restored; every platform is sent to a snapshot")
