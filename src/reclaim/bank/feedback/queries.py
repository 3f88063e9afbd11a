"""Reads on feedback: what a person is told, and what platforms see of one another."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F

from reclaim.bank.feedback.models import Acknowledgement, Feedback
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.platforms.models import Platform
from reclaim.bank.platforms.queries import active_platforms
from reclaim.protocol.stopncii_v1 import FeedbackValue


@dataclass(frozen=True)
class Picture:
    """One picture of a case, as far as this app needs to know it."""

    record: LedgerRecord
    added_at: datetime.datetime
    withdrawn_at: datetime.datetime | None


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
    """It may still hold the signal: it has not said that it deleted its copy."""


def report(pictures: Sequence[Picture]) -> list[PlatformReport]:
    """What every platform did with these pictures.

    Feedback older than the picture's own day in the bank is left out: it was given for another case, and showing it
    would tell that there is one.
    """
    records = [picture.record.pk for picture in pictures]
    feedback = {(row.platform_id, row.record_id): row for row in Feedback.objects.filter(record__in=records)}
    acknowledged = {
        (row.platform_id, row.record_id): row.at for row in Acknowledgement.objects.filter(record__in=records)
    }
    acknowledges = set(Acknowledgement.objects.values_list("platform", flat=True).distinct())
    reports = []
    for platform in active_platforms():
        line = PlatformReport(platform.name)
        for picture in pictures:
            key = (platform.pk, picture.record.pk)
            if picture.withdrawn_at is not None:
                if _withdrawal_is_taken(picture, platform, acknowledged.get(key), platform.pk in acknowledges):
                    line.withdrawal_taken += 1
                else:
                    line.withdrawal_open += 1
                continue
            line.has += picture.record.sources_position <= platform.covered_position
            said = feedback.get(key)
            if said is not None and said.said_at >= picture.added_at:
                line.reviewing += said.value == FeedbackValue.PENDING_REVIEW
                line.removed += said.value == FeedbackValue.BLOCKED
                line.kept += said.value == FeedbackValue.NOT_BLOCKED
        reports.append(line)
    return reports


def _withdrawal_is_taken(
    picture: Picture, platform: Platform, acknowledged_at: datetime.datetime | None, acknowledges: bool
) -> bool:
    record = picture.record
    if record.status == LedgerRecord.Status.ACTIVE:
        # Another case still holds the same signal. This person must not learn so: a platform that acknowledges
        # tombstones counts as having taken the withdrawal once it was given the record without this case.
        return acknowledges and record.sources_position <= platform.covered_position
    return acknowledged_at is not None and (record.withdrawn_at is None or acknowledged_at >= record.withdrawn_at)


def open_withdrawals(platform: Platform) -> int:
    """How many tombstones a platform has not acknowledged."""
    acknowledged = Acknowledgement.objects.filter(platform=platform, at__gte=F("record__withdrawn_at")).values("record")
    return LedgerRecord.objects.filter(status=LedgerRecord.Status.WITHDRAWN).exclude(pk__in=acknowledged).count()
