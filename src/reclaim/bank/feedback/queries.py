"""Reads on feedback: what a person is told, and what a platform owes."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from reclaim.bank.feedback.models import Acknowledgement, Feedback
from reclaim.bank.ledger.models import EXTRA_TYPES, ORDINARY_TYPES, LedgerRecord, Source
from reclaim.bank.ledger.queries import in_the_feed_of, tombstones
from reclaim.bank.platforms.models import ExtraCopy, Platform
from reclaim.bank.platforms.queries import active_platforms, platforms_with_a_list, scopes_of_all_keys
from reclaim.protocol.native_v2 import EXTRA_SCOPES
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

    Each item that is in place counts once, unless it is of extra types that the platform may not have: as not given, or
    as one of ``reviewing``, ``removed``, ``kept`` and ``silent``, which together are ``given``. Each withdrawn one
    counts as taken or open. So does, besides, one that is in place and whose descriptors were withdrawn.
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
    patches_taken: int = 0
    """Of items in place, those whose descriptors alone were withdrawn."""
    patches_open: int = 0
    """It may still hold those: it has not confirmed that."""

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
    types = {source.record.type for sources in let_in for source in sources if source.record is not None}
    copies = ExtraCopy.objects.filter(type__in=types.intersection(EXTRA_TYPES)).select_related("platform")
    extra = {(copy.platform_id, copy.type): copy for copy in copies}
    reports = []
    for platform in active_platforms():
        line = PlatformReport(platform.name)
        opened = scopes_of_all_keys(platform) if types.intersection(EXTRA_TYPES) else frozenset()
        for sources in let_in:
            # A platform that takes no frames of videos, or no descriptors, never has them, and owes no word on them.
            given = [
                (source, copy)
                for source in sources
                if (copy := _copy_with(source, platform, extra)) is not None
                and (source.withdrawn_position is not None or _may_have(source, opened))
            ]
            ended = [(source, copy) for source, copy in given if source.withdrawn_position is not None]
            in_place = [(source, copy) for source, copy in given if source.withdrawn_position is None]
            taken = all(
                _withdrawal_is_taken(source, copy, (platform.pk, source.record_id) in acknowledged)
                for source, copy in ended
            )
            stays = any(source.withdrawn_position is None for source in sources)
            if in_place:
                said = [feedback.get((platform.pk, source.record_id)) for source, _ in in_place]
                _count(line, in_place, said)
            elif ended and not stays:
                line.withdrawal_taken += taken
                line.withdrawal_open += not taken
            elif any(source.withdrawn_position is None and _may_have(source, opened) for source in sources):
                line.not_given += 1
            # Of what is in place only descriptors end by themselves; given once more, they are there.
            if ended and stays and not any(_is_descriptors(source) for source, _ in in_place):
                line.patches_taken += taken
                line.patches_open += not taken
        reports.append(line)
    return reports


def _may_have(source: Source, opened: Collection[str]) -> bool:
    """Whether a platform for which these scopes are opened is given this signal, or will be."""
    kind = source.record.type if source.record is not None else ""
    if kind not in EXTRA_TYPES:
        return True
    return EXTRA_SCOPES[kind] in opened and (not source.of_source or EXTRA_SCOPES["source"] in opened)


def _is_descriptors(source: Source) -> bool:
    return source.record is not None and source.record.type == LedgerRecord.Type.DESCRIPTORS


@dataclass(frozen=True)
class _Copy:
    """How far a platform's copy of the signals of one type goes, and since when it has one."""

    covered_position: int
    confirmed_position: int
    since: datetime.datetime


def _copy_with(source: Source, platform: Platform, extra: dict[tuple[int, str], ExtraCopy]) -> _Copy | None:
    """The platform's copy of signals of this source's type; ``None`` if it has none."""
    kind = source.record.type if source.record is not None else ""
    if kind in EXTRA_TYPES:
        copy = extra.get((platform.pk, kind))
        since = max(copy.since, platform.vetted_at) if copy is not None else None
        return _Copy(copy.covered_position, copy.confirmed_position, since) if copy and since else None
    if kind == LedgerRecord.Type.VPDQ and not platform.takes_videos:
        return None
    return _Copy(platform.covered_position, platform.confirmed_position, platform.vetted_at)


def _count(line: PlatformReport, signals: Sequence[tuple[Source, _Copy]], on_each: Sequence[Feedback | None]) -> None:
    # What it said before this case brought the signal concerns somebody else.
    words = [
        word
        for (source, _), word in zip(signals, on_each, strict=True)
        if word is not None and word.said_position >= source.added_position
    ]
    said = {FeedbackValue(word.value) for word in words}
    if FeedbackValue.BLOCKED in said:
        line.removed += 1
    elif FeedbackValue.PENDING_REVIEW in said:
        line.reviewing += 1
    elif FeedbackValue.NOT_BLOCKED in said:
        tags = [tag for word in words if word.value == FeedbackValue.NOT_BLOCKED for tag in word.tags]
        line.kept[KeptFor.of(tags)] += 1
    elif any(source.added_position <= copy.covered_position for source, copy in signals):
        line.silent += 1
    else:
        line.not_given += 1


def _withdrawal_is_taken(source: Source, copy: _Copy, has_acknowledged: bool) -> bool:
    if source.withdrawn_position is None or source.withdrawn_position > copy.confirmed_position:
        return False
    # A tombstone whose retention ended before the platform said anything is owed no more, but never was confirmed. From
    # one that came later nobody waits for a word on it: without one it must look as if there had been no tombstone.
    record = source.record
    erased = record is not None and record.status == LedgerRecord.Status.ERASED
    was_there = record is None or record.withdrawn_at is None or copy.since <= record.withdrawn_at
    never_said = source.made_tombstone and erased and was_there and not has_acknowledged
    return not never_said


def ordinary_types_of(platform: Platform) -> list[str]:
    """The ordinary types of which a platform may hold signals: of videos' frames only if it was given some."""
    return [kind for kind in ORDINARY_TYPES if platform.takes_videos or kind != LedgerRecord.Type.VPDQ]


def owed_by(platform: Platform, types: Collection[str] | None = None) -> QuerySet[LedgerRecord]:
    """Tombstones that a platform has not acknowledged, of the types that it holds; of these types alone if some are
    named.

    None of a platform without a list: it has nothing to delete, and must not be given what was withdrawn either. Nor
    of an extra type what was withdrawn before it was given any of it.
    """
    if not platforms_with_a_list().filter(pk=platform.pk).exists():
        return LedgerRecord.objects.none()
    acknowledged = Acknowledgement.objects.filter(platform=platform, at__gte=F("record__withdrawn_at")).values("record")
    asked = LedgerRecord.Type.values if types is None else types
    of_types = Q(type__in=[kind for kind in ordinary_types_of(platform) if kind in asked])
    for copy in ExtraCopy.objects.filter(platform=platform, type__in=asked):
        of_types |= Q(type=copy.type, withdrawn_at__gte=copy.since)
    return tombstones().filter(of_types, in_the_feed_of(platform)).exclude(pk__in=acknowledged)


def acknowledge_by(withdrawn_at: datetime.datetime) -> datetime.datetime:
    """Until when a withdrawal is to be acknowledged."""
    return withdrawn_at + datetime.timedelta(seconds=settings.ACKNOWLEDGE_WITHIN)


def overdue(platform: Platform) -> QuerySet[LedgerRecord]:
    """Tombstones whose acknowledgement the platform owes for longer than it may. Its clock begins with its vetting."""
    before = timezone.now() - datetime.timedelta(seconds=settings.ACKNOWLEDGE_WITHIN)
    return (
        owed_by(platform).filter(withdrawn_at__lt=before) if platform.vetted_at < before else owed_by(platform).none()
    )
