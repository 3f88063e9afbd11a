"""Writes on feedback, acknowledgements and platforms' own finds."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from reclaim.bank.feedback.models import Acknowledgement, Feedback
from reclaim.bank.ledger.models import LedgerRecord, Source
from reclaim.bank.ledger.services import LedgerTransaction, erase, locked_ledger, tombstones_older_than
from reclaim.bank.platforms.models import Platform
from reclaim.bank.platforms.queries import active_platforms
from reclaim.protocol.stopncii_v1 import FeedbackValue
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event

TOMBSTONE_RETENTION = datetime.timedelta(days=30)

ENDS_A_COPY = (FeedbackValue.WITHDRAWN, FeedbackValue.DELETED)
"""Said of a tombstone: the platform acknowledges it. Said of its own find: the platform takes it back."""


@dataclass(frozen=True)
class Word:
    """What a platform says about one signal, already checked."""

    type: str
    value: str
    feedback: FeedbackValue
    tags: list[str]


def take_feedback(platform: Platform, words: Sequence[Word]) -> list[int]:
    """Save a platform's words on signals; returns the indexes of those that are in no bank's record."""
    unknown = []
    with locked_ledger() as ledger:
        for index, word in enumerate(words):
            record = LedgerRecord.objects.filter(type=word.type, value=word.value).first()
            if record is None:
                unknown.append(index)
            else:
                _take(ledger, platform, ledger.current(record), word)
        audit.record(f"platform:{platform.pk}", "feedback.take", f"signals:{len(words) - len(unknown)}")
    log_event("feedback came in", platform=platform.pk, signals=len(words) - len(unknown), unknown=len(unknown))
    return unknown


def take_finds(platform: Platform, words: Sequence[Word]) -> None:
    """Put signals that a platform found by itself into the bank, with what it says about them."""
    with locked_ledger() as ledger:
        for word in words:
            source = ledger.add_source(word.type, word.value, platform)
            _take(ledger, platform, ledger.current(source.record), word)
        audit.record(f"platform:{platform.pk}", "finds.take", f"signals:{len(words)}")
    log_event("a platform submitted signals", platform=platform.pk, signals=len(words))


def _take(ledger: LedgerTransaction, platform: Platform, record: LedgerRecord, word: Word) -> None:
    if word.feedback in ENDS_A_COPY:
        ledger.withdraw_sources(Source.objects.filter(record=record, platform=platform).select_related("record"))
        _acknowledge(platform, ledger.current(record))
        return
    Feedback.objects.update_or_create(
        platform=platform,
        record=record,
        defaults={"value": word.feedback.value, "tags": word.tags, "said_at": timezone.now()},
    )
    if record.status == LedgerRecord.Status.ACTIVE:
        ledger.touch(record)


def _acknowledge(platform: Platform, record: LedgerRecord) -> None:
    if record.status != LedgerRecord.Status.WITHDRAWN or record.withdrawn_at is None:
        return
    Acknowledgement.objects.update_or_create(platform=platform, record=record, defaults={"at": timezone.now()})
    # An acknowledgement of an earlier withdrawal of the same signal does not count for this one.
    acknowledged = Acknowledgement.objects.filter(record=record, at__gte=record.withdrawn_at).values("platform")
    if not active_platforms().exclude(pk__in=acknowledged).exists():
        erase(record)


def erase_old_tombstones() -> int:
    """Forget the values of tombstones whose retention has ended, acknowledged or not; returns how many."""
    erased = 0
    with locked_ledger():
        for record in tombstones_older_than(TOMBSTONE_RETENTION):
            erase(record)
            erased += 1
    if erased:
        log_event("tombstones reached the end of their retention", signals=erased)
    return erased
