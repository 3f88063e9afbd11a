"""Reads on the ledger."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from reclaim.bank.ledger.models import BODIES, EXTRA_TYPES, ORDINARY_TYPES, WITH_BODY, LedgerClock, LedgerRecord
from reclaim.bank.platforms.models import ExtraCopy, Platform
from reclaim.protocol.stopncii_v1 import PageToken


@dataclass(frozen=True)
class FeedPage:
    """Records in feed order, and whether there are more after them."""

    records: list[LedgerRecord]
    has_more: bool
    end: tuple[int, int] | None
    """Position and second up to which the page tells of every change; ``None`` if there is none."""


PAGE_BYTES = 4 * 2**20
"""Frames and descriptors on one page, in bytes; a page with a single record may have more."""
_FEW_BODIES, _MANY_BODIES = 20, 200
"""Of how many signals frames or descriptors are read at once."""


def in_the_feed_of(platform: Platform) -> Q:
    """Which records a platform is given: every real signal, and its own canaries."""
    return Q(only_for=None) | Q(only_for=platform)


def extra_types_of(platform: Platform) -> frozenset[str]:
    """The extra types of which a platform has been given signals, so that it may hold some."""
    return frozenset(ExtraCopy.objects.filter(platform=platform).values_list("type", flat=True))


def feed_page(
    platform: Platform, start_timestamp: int, after: PageToken | None, size: int, *, videos: bool = False
) -> FeedPage:
    """The next records changed at ``start_timestamp`` or later (epoch seconds, inclusive): ``size``, or fewer.

    Frames of videos are left out unless ``videos`` asks for them; then the page ends before they are too many bytes.
    """
    left_out = EXTRA_TYPES if videos else (*EXTRA_TYPES, LedgerRecord.Type.VPDQ.value)
    records = _feed_of(platform).filter(modified_at__gte=start_timestamp, position__gt=0).exclude(type__in=left_out)
    if after is not None:
        records = records.filter(modified_at__gte=after.modified_at, position__gt=after.position)
    ordered = records.order_by("modified_at", "position").prefetch_related("sources")
    return _page(list(ordered[: size + 1]), size)


def changes(platform: Platform, after: int, size: int, types: Collection[str]) -> FeedPage:
    """The next records that changed after this position: ``size``, or fewer where frames of videos or descriptors fill
    the page.

    Active ones of these types, and every tombstone of the ordinary types, or of the extra ones that the platform was
    ever given: who stops asking for a type must still delete what was withdrawn.
    """
    extra = not set(types).isdisjoint(EXTRA_TYPES)
    told = {*types, *extra_types_of(platform)} if extra else set(ORDINARY_TYPES)
    records = _feed_of(platform).filter(position__gt=max(after, 0))
    # Named each time, so that the database sees that its short index of extra types has them all.
    records = records.filter(type__in=EXTRA_TYPES) if extra else records.exclude(type__in=EXTRA_TYPES)
    if set(types) != told or extra:
        records = records.filter(Q(type__in=types) | Q(type__in=told, status=LedgerRecord.Status.WITHDRAWN))
    return _page(list(records.order_by("position")[: size + 1]), size)


def between(after: int, end: tuple[int, int] | None) -> QuerySet[LedgerRecord]:
    """The records of a page of changes: those after this position, and up to the page's ``end``."""
    return LedgerRecord.objects.filter(position__gt=max(after, 0), position__lte=end[0] if end else 0)


def _feed_of(platform: Platform) -> QuerySet[LedgerRecord]:
    return (
        LedgerRecord.objects.filter(in_the_feed_of(platform)).exclude(status=LedgerRecord.Status.ERASED).defer(*BODIES)
    )


def _page(found: list[LedgerRecord], size: int) -> FeedPage:
    fits = with_bodies(found[:size])
    # A body that is gone by now went with its record, which has changed since: it comes again, further on.
    page = [
        record
        for record in found[:fits]
        if not has_body(record) or record.frames is not None or record.descriptors is not None
    ]
    end = (found[fits - 1].position, found[fits - 1].modified_at) if fits else None
    return FeedPage(page, len(found) > fits, end)


def with_bodies(page: list[LedgerRecord]) -> int:
    """Read the frames or descriptors of these records, each there once, as far as one page has room for; how many
    records that is."""
    room = PAGE_BYTES
    places = [place for place, record in enumerate(page) if has_body(record)]
    for record in page:
        record.frames = record.descriptors = None
    read, at_once = 0, _FEW_BODIES
    while read < len(places):
        some = {page[place].pk: place for place in places[read : read + at_once]}
        bodies = LedgerRecord.objects.filter(pk__in=some).values_list("pk", *BODIES)
        found = {key: (frames, descriptors) for key, frames, descriptors in bodies}
        for key, place in some.items():
            frames, descriptors = found.get(key, (None, None))
            # In base64, four thirds as long.
            room -= sum(len(text) + 3 for text in frames or ()) + len(descriptors or b"") * 4 // 3
            if room < 0 and place:
                return place
            page[place].frames, page[place].descriptors = frames, descriptors
        read += len(some)
        # A few first: long videos fill the page with less than that, and short ones come by the hundred.
        at_once = _MANY_BODIES if (PAGE_BYTES - room) / read * _MANY_BODIES < room else _FEW_BODIES
    return len(page)


def has_body(record: LedgerRecord) -> bool:
    """Whether it has more than its value: frames of a video, or descriptors."""
    return record.type in WITH_BODY and record.status == LedgerRecord.Status.ACTIVE


def active_signals(platform: Platform, kind: str, after: str, most: int) -> list[LedgerRecord]:
    """The platform's active signals of one type, with their frames, by value: the next few after this value."""
    active = LedgerRecord.objects.filter(in_the_feed_of(platform), status=LedgerRecord.Status.ACTIVE)
    return list(active.filter(type=kind, value__gt=after).order_by("value")[:most])


def of_values(kind: str, after: str, last: str) -> QuerySet[LedgerRecord]:
    """The records of one type whose values are after one and up to another."""
    return LedgerRecord.objects.filter(type=kind, value__gt=after, value__lte=last)


@dataclass(frozen=True)
class Standing:
    """Which ledger this is, and where its clock stands. What has a position up to there is visible."""

    ledger: uuid.UUID
    position: int
    second: int


def standing() -> Standing:
    """Where the ledger stands now."""
    clock = LedgerClock.objects.get(pk=1)
    return Standing(clock.identity, clock.position, clock.second)


def is_synthetic() -> bool:
    """Whether this is a staging bank: every signal is made up, and anybody may have them."""
    return LedgerClock.objects.filter(pk=1, synthetic=True).exists()


def knows_the_moment(position: int, second: int) -> bool:
    """Whether the ledger, when its clock stood at ``second``, had handed out this position and no later one.

    Not so where it was restored from a backup, and has handed out positions up to there anew, for later changes.
    """
    before = LedgerRecord.objects.filter(position__lte=position, position__gt=0).order_by("-position")
    latest = before.values_list("modified_at", flat=True).first()
    return latest is None or latest <= second


def names_of_videos(values: Iterable[str]) -> set[str]:
    """Those of these values that name frames of a video; a PDQ value looks the same."""
    found = LedgerRecord.objects.filter(type=LedgerRecord.Type.VPDQ, value__in=list(values))
    return {value for value in found.values_list("value", flat=True) if value is not None}


def tombstones() -> QuerySet[LedgerRecord]:
    """Withdrawn signals whose value is still there."""
    return LedgerRecord.objects.filter(status=LedgerRecord.Status.WITHDRAWN)
