"""Reads on the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from reclaim.bank.ledger.models import LedgerRecord
from reclaim.protocol.stopncii_v1 import PageToken


@dataclass(frozen=True)
class FeedPage:
    """Records in feed order, and whether there are more after them."""

    records: list[LedgerRecord]
    has_more: bool


PAGE_BYTES = 4 * 2**20
"""Frames on one page, in bytes; a page with a single record may have more."""
_VIDEOS_AT_ONCE = 20


def feed_page(start_timestamp: int, after: PageToken | None, size: int, *, videos: bool = False) -> FeedPage:
    """The next records changed at ``start_timestamp`` or later (epoch seconds, inclusive): ``size``, or fewer.

    Frames of videos are left out unless ``videos`` asks for them; then the page ends before they are too many bytes.
    """
    records = LedgerRecord.objects.filter(modified_at__gte=start_timestamp, position__gt=0).exclude(
        status=LedgerRecord.Status.ERASED
    )
    if not videos:
        records = records.exclude(type=LedgerRecord.Type.VPDQ)
    if after is not None:
        records = records.filter(modified_at__gte=after.modified_at, position__gt=after.position)
    ordered = records.order_by("modified_at", "position").defer("frames").prefetch_related("sources")
    page = list(ordered[: size + 1])
    fits = _with_frames(page[:size])
    return FeedPage(page[:fits], len(page) > fits)


def _with_frames(page: list[LedgerRecord]) -> int:
    """Read the frames of these records, as far as one page has room for; how many records that is."""
    room = PAGE_BYTES
    frames: dict[int, list[str] | None] = {}
    active = [record.pk for record in page if _has_frames(record)]
    for place, record in enumerate(page):
        if not _has_frames(record):
            record.frames = None
            continue
        if record.pk not in frames:
            asked, active = active[:_VIDEOS_AT_ONCE], active[_VIDEOS_AT_ONCE:]
            frames |= dict(LedgerRecord.objects.filter(pk__in=asked).values_list("pk", "frames"))
        record.frames = frames.pop(record.pk, None)
        room -= sum(len(text) + 3 for text in record.frames or ())
        if room < 0 and place:
            return place
    return len(page)


def _has_frames(record: LedgerRecord) -> bool:
    return record.type == LedgerRecord.Type.VPDQ and record.status == LedgerRecord.Status.ACTIVE


def names_of_videos(values: Iterable[str]) -> set[str]:
    """Those of these values that name frames of a video; a PDQ value looks the same."""
    found = LedgerRecord.objects.filter(type=LedgerRecord.Type.VPDQ, value__in=list(values))
    return {value for value in found.values_list("value", flat=True) if value is not None}


def tombstones() -> QuerySet[LedgerRecord]:
    """Withdrawn signals whose value is still there."""
    return LedgerRecord.objects.filter(status=LedgerRecord.Status.WITHDRAWN)
