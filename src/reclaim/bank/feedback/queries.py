"""Reads on feedback: what a person is told, and what a platform owes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, QuerySet

from reclaim.bank.feedback.models import Acknowledgement, Feedback
from reclaim.bank.ledger.models import LedgerRecord, Source
from reclaim.bank.ledger.queries import tombstones
from reclaim.bank.platforms.models import Platform
from reclaim.bank.platforms.queries import active_platforms
from reclaim.protocol.stopncii_v1 import FeedbackValue


@dataclass
class PlatformReport:
    """What one platform did with a case's pictures, as counts: never which other case a signal belongs to."""

    name: str
    has: int = 0
    """It was given the signal."""
    reviewing: int = 0
    removed: int = 0
    kept: int = 0
    """A person there looked, and left it up."""
    withdrawal_taken: int = 0
    withdrawal_open: int = 0
    """It may still hold the signal: it has not confirmed the withdrawal."""


def report(sources: Sequence[Source]) -> list[PlatformReport]:
    """What every platform did with these pictures of one case (``Source.record`` loaded).

    Every answer depends on the platform and on this case's own positions alone. What happened to the same signal
    before, or for another case, changes nothing here: it would tell that there is such a case.
    """
    records = [source.record_id for source in sources]
    feedback = {(row.platform_id, row.record_id): row for row in Feedback.objects.filter(record__in=records)}
    acknowledged = set(Acknowledgement.objects.filter(record__in=records).values_list("platform", "record"))
    reports = []
    for platform in active_platforms():
        line = PlatformReport(platform.name)
        for source in sources:
            key = (platform.pk, source.record_id)
            if source.withdrawn_position is not None:
                if _withdrawal_is_taken(source, platform, key in acknowledged):
                    line.withdrawal_taken += 1
                else:
                    line.withdrawal_open += 1
                continue
            line.has += source.added_position <= platform.covered_position
            said = feedback.get(key)
            if said is not None and said.said_position >= source.added_position:
                line.reviewing += said.value == FeedbackValue.PENDING_REVIEW
                line.removed += said.value == FeedbackValue.BLOCKED
                line.kept += said.value == FeedbackValue.NOT_BLOCKED
        reports.append(line)
    return reports


def _withdrawal_is_taken(source: Source, platform: Platform, has_acknowledged: bool) -> bool:
    if source.withdrawn_position is None or source.withdrawn_position > platform.confirmed_position:
        return False
    # A tombstone whose retention ended before the platform said anything is owed no more, but never was confirmed.
    never_said = source.made_tombstone and source.record.status == LedgerRecord.Status.ERASED and not has_acknowledged
    return not never_said


def owed_by(platform: Platform) -> QuerySet[LedgerRecord]:
    """Tombstones that a platform has not acknowledged."""
    acknowledged = Acknowledgement.objects.filter(platform=platform, at__gte=F("record__withdrawn_at")).values("record")
    return tombstones().exclude(pk__in=acknowledged)
