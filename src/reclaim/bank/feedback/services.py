"""Writes on feedback, acknowledgements and platforms' own finds."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from reclaim.bank.feedback.models import Acknowledgement, Feedback
from reclaim.bank.feedback.queries import owed_by
from reclaim.bank.ledger.models import LedgerRecord, Source
from reclaim.bank.ledger.queries import tombstones
from reclaim.bank.ledger.services import LedgerTransaction, erase, locked_ledger
from reclaim.bank.platforms.models import Platform
from reclaim.bank.platforms.queries import vetted_platforms
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


def take_finds(platform: Platform, words: Sequence[Word]) -> list[int]:
    """Put signals that a platform found by itself into the bank, with what it says about them.

    A signal of a person's case stays the person's: what the platform says of it is saved, but its find keeps nothing
    in the bank that a person withdraws, and brings nothing back. Returns the indexes of signals that are withdrawn.
    """
    withdrawn = []
    with locked_ledger() as ledger:
        for index, word in enumerate(words):
            record = LedgerRecord.objects.filter(type=word.type, value=word.value).first()
            if record is None or not record.sources.filter(platform=None).exists():
                record = ledger.add_find(word.type, word.value, platform)
            if ledger.current(record).status == LedgerRecord.Status.WITHDRAWN:
                withdrawn.append(index)
            else:
                _take(ledger, platform, ledger.current(record), word)
        audit.record(f"platform:{platform.pk}", "finds.take", f"signals:{len(words) - len(withdrawn)}")
    log_event("a platform submitted signals", platform=platform.pk, signals=len(words) - len(withdrawn))
    return withdrawn


def _take(ledger: LedgerTransaction, platform: Platform, record: LedgerRecord, word: Word) -> None:
    if word.feedback in ENDS_A_COPY:
        ledger.withdraw_sources(Source.objects.filter(record=record, platform=platform).select_related("record"))
        _acknowledge(platform, ledger.current(record))
        return
    Feedback.objects.update_or_create(
        platform=platform,
        record=record,
        defaults={"value": word.feedback.value, "tags": word.tags, "said_position": ledger.position},
    )
    if record.status == LedgerRecord.Status.ACTIVE:
        ledger.touch(record)


def _acknowledge(platform: Platform, record: LedgerRecord) -> None:
    if record.status != LedgerRecord.Status.WITHDRAWN:
        return
    Acknowledgement.objects.update_or_create(platform=platform, record=record, defaults={"at": timezone.now()})
    if _all_have_acknowledged(record):
        erase(record)


def _all_have_acknowledged(record: LedgerRecord) -> bool:
    # An acknowledgement of an earlier withdrawal of the same signal does not count for this one.
    acknowledged = Acknowledgement.objects.filter(record=record, at__gte=record.withdrawn_at).values("platform")
    platforms = vetted_platforms()
    if record.type == LedgerRecord.Type.VPDQ:
        platforms = platforms.filter(takes_videos=True)
    return platforms.exists() and not platforms.exclude(pk__in=acknowledged).exists()


def erase_tombstones() -> int:
    """Forget the values of tombstones that nobody is waited for any more; returns how many.

    Those whose retention has ended, acknowledged or not; and those for which only a platform was missing that has
    lost its access since.
    """
    erased = 0
    end = timezone.now() - TOMBSTONE_RETENTION
    with locked_ledger():
        for record in tombstones():
            if record.withdrawn_at is None or record.withdrawn_at < end or _all_have_acknowledged(record):
                erase(record)
                erased += 1
    if erased:
        log_event("tombstones lost their values", signals=erased)
    return erased


def note_fetch_start(platform: Platform) -> None:
    """Note that a platform begins to fetch, and what it has confirmed by coming back.

    Everything that it was given before its last fetch began counts as confirmed, unless it owes the acknowledgement
    of a tombstone among it, or has never acknowledged any. This is the same for a picture that another case holds
    too, for which there is no tombstone: a person must not learn from her own page that there is such a case.
    """
    with transaction.atomic():
        now = Platform.objects.select_for_update().get(pk=platform.pk)
        candidate = now.covered_at_last_start
        if (
            candidate > now.confirmed_position
            and Acknowledgement.objects.filter(platform=now).exists()
            and not owed_by(now).filter(position__lte=candidate).exists()
        ):
            now.confirmed_position = candidate
        now.covered_at_last_start = now.covered_position
        now.save(update_fields=["confirmed_position", "covered_at_last_start"])
