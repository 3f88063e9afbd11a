"""Reads on feedback: what a person is told, and what a platform owes."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone

from reclaim.bank.feedback.models import Acknowledgement, Feedback
from reclaim.bank.ledger.models import LedgerRecord, Source
from reclaim.bank.ledger.queries import in_the_feed_of, tombstones
from reclaim.bank.platforms.models import Platform
from reclaim.bank.platforms.queries import active_platforms, platforms_with_a_list
from reclaim.protocol.stopncii_v1 import FeedbackValue

REASON_TAG = "reason:"
"""A platform says why it left something up in a tag that starts so; docs/exchange.md lists them."""


class KeptFor(StrEnum):
    """Why a platform left something up, by its own word."""

    NOT_THE_SAME = "not-the-same"
    NOT_INTIMATE = "not-intimate"
    ALLOWED_HERE = "allowed-here"
    CANNOT_TELL = "cannot-tell"
    OTHER = "other"
    UNSAID = "unsaid"
    """It gave no reason, or one that we do not know."""

    @classmethod
    def of(cls, tags: Iterable[str]) -> KeptFor:
        """The first reason among a platform's tags."""
        known = {f"{REASON_TAG}{reason}": reason for reason in cls if reason is not cls.UNSAID}
        return next((known[tag] for tag in tags if tag in known), cls.UNSAID)


@dataclass
class PlatformReport:
    """What one platform did with a case's items, as counts: never which other case a signal belongs to.

    Each item that is in place counts once: as not given, or as one of ``reviewing``, ``removed``, ``kept`` and
    ``silent``, which together are ``given``. Each withdrawn one counts as taken or open.
    """

    name: str
    not_given: int = 0
    reviewing: int = 0
    removed: int = 0
    kept: Counter[KeptFor] = field(default_factory=Counter)
    """A person there looked, and left it up: how many, by reason."""
    silent: int = 0
    """It was given the signals and has said nothing, as a platform does while it finds nothing."""
    withdrawal_taken: int = 0
    withdrawal_open: int = 0
    """It may still hold a signal: it has not confirmed the withdrawal."""

    @property
    def given(self) -> int:
        """How many items it was given any signal of."""
        return self.reviewing + self.removed + self.kept.total() + self.silent


def report(items: Sequence[Sequence[Source]]) -> list[PlatformReport]:
    """What every platform did with items of one case, each given as the sources of its signals (``record`` loaded).

    An item that was removed by one of its signals was removed; it counts as withdrawn once its sources have ended.
    What was held and never let in says nothing here. Every answer depends on the platform and on this case's own
    positions alone. What happened to the same signal before, or for another case, changes nothing here: it would tell
    that there is such a case.
    """
    let_in = [[source for source in sources if source.record_id is not None] for sources in items]
    records = [source.record_id for sources in let_in for source in sources]
    feedback: dict[tuple[int, int | None], Feedback] = {
        (row.platform_id, row.record_id): row for row in Feedback.objects.filter(record__in=records)
    }
    acknowledged = set(Acknowledgement.objects.filter(record__in=records).values_list("platform", "record"))
    reports = []
    for platform in active_platforms():
        line = PlatformReport(platform.name)
        for sources in let_in:
            # A platform that takes no frames of videos never has them, and owes no word on them.
            given = [source for source in sources if platform.takes_videos or not _is_frames(source)]
            ended = [source for source in given if source.withdrawn_position is not None]
            in_place = [source for source in given if source.withdrawn_position is None]
            if in_place:
                said = [feedback.get((platform.pk, source.record_id)) for source in in_place]
                _count(line, platform, list(zip(in_place, said, strict=True)))
            elif ended:
                taken = all(
                    _withdrawal_is_taken(source, platform, (platform.pk, source.record_id) in acknowledged)
                    for source in ended
                )
                line.withdrawal_taken += taken
                line.withdrawal_open += not taken
            elif any(source.withdrawn_position is None for source in sources):
                line.not_given += 1
        reports.append(line)
    return reports


def _is_frames(source: Source) -> bool:
    return source.record is not None and source.record.type == LedgerRecord.Type.VPDQ


def _count(line: PlatformReport, platform: Platform, signals: Sequence[tuple[Source, Feedback | None]]) -> None:
    # What it said before this case brought the signal concerns somebody else.
    words = [word for source, word in signals if word is not None and word.said_position >= source.added_position]
    said = {FeedbackValue(word.value) for word in words}
    if FeedbackValue.BLOCKED in said:
        line.removed += 1
    elif FeedbackValue.PENDING_REVIEW in said:
        line.reviewing += 1
    elif FeedbackValue.NOT_BLOCKED in said:
        tags = [tag for word in words if word.value == FeedbackValue.NOT_BLOCKED for tag in word.tags]
        line.kept[KeptFor.of(tags)] += 1
    elif any(source.added_position <= platform.covered_position for source, _ in signals):
        line.silent += 1
    else:
        line.not_given += 1


def _withdrawal_is_taken(source: Source, platform: Platform, has_acknowledged: bool) -> bool:
    if source.withdrawn_position is None or source.withdrawn_position > platform.confirmed_position:
        return False
    # A tombstone whose retention ended before the platform said anything is owed no more, but never was confirmed. From
    # one that came later nobody waits for a word on it: without one it must look as if there had been no tombstone.
    record = source.record
    erased = record is not None and record.status == LedgerRecord.Status.ERASED
    was_there = record is None or record.withdrawn_at is None or platform.vetted_at <= record.withdrawn_at
    never_said = source.made_tombstone and erased and was_there and not has_acknowledged
    return not never_said


def owed_by(platform: Platform) -> QuerySet[LedgerRecord]:
    """Tombstones that a platform has not acknowledged; of videos only if it takes their frames.

    None of a platform without a list: it has nothing to delete, and must not be given what was withdrawn either.
    """
    if not platforms_with_a_list().filter(pk=platform.pk).exists():
        return LedgerRecord.objects.none()
    acknowledged = Acknowledgement.objects.filter(platform=platform, at__gte=F("record__withdrawn_at")).values("record")
    owed = tombstones().filter(in_the_feed_of(platform)).exclude(pk__in=acknowledged)
    return owed if platform.takes_videos else owed.exclude(type=LedgerRecord.Type.VPDQ)


def acknowledge_by(withdrawn_at: datetime.datetime) -> datetime.datetime:
    """Until when a withdrawal is to be acknowledged."""
    return withdrawn_at + datetime.timedelta(seconds=settings.ACKNOWLEDGE_WITHIN)


def overdue(platform: Platform) -> QuerySet[LedgerRecord]:
    """Tombstones whose acknowledgement the platform owes for longer than it may. Its clock begins with its vetting."""
    before = timezone.now() - datetime.timedelta(seconds=settings.ACKNOWLEDGE_WITHIN)
    return (
        owed_by(platform).filter(withdrawn_at__lt=before) if platform.vetted_at < before else owed_by(platform).none()
    )
