"""Reads on the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from reclaim.bank.ledger.models import LedgerRecord
from reclaim.protocol.stopncii_v1 import PageToken


@dataclass(frozen=True)
class FeedPage:
    """Records in feed order, and whether there are more after them."""

    records: list[LedgerRecord]
    has_more: bool


def feed_page(start_timestamp: int, after: PageToken | None, size: int) -> FeedPage:
    """The next ``size`` records changed at ``start_timestamp`` or later (epoch seconds, inclusive)."""
    records = LedgerRecord.objects.filter(modified_at__gte=start_timestamp, position__gt=0).exclude(
        status=LedgerRecord.Status.ERASED
    )
    if after is not None:
        records = records.filter(modified_at__gte=after.modified_at, position__gt=after.position)
    page = list(records.order_by("modified_at", "position").prefetch_related("sources")[: size + 1])
    return FeedPage(page[:size], len(page) > size)


def tombstones() -> QuerySet[LedgerRecord]:
    """Withdrawn signals whose value is still there."""
    return LedgerRecord.objects.filter(status=LedgerRecord.Status.WITHDRAWN)
