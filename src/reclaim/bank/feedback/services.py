"""Writes on feedback, acknowledgements and platforms' own finds."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from reclaim.bank.feedback.models import Acknowledgement, Feedback
from reclaim.bank.feedback.queries import owed_by
from reclaim.bank.ledger.models import BODIES, EXTRA_TYPES, ORDINARY_TYPES, LedgerRecord, Source
from reclaim.bank.ledger.queries import extra_types_of, in_the_feed_of, tombstones
from reclaim.bank.ledger.services import LedgerTransaction, erase, locked_ledger
from reclaim.bank.platforms.models import ExtraCopy, Platform
from reclaim.bank.platforms.queries import has_a_list, platforms_with_a_list
from reclaim.protocol.stopncii_v1 import FeedbackValue
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event

TOMBSTONE_RETENTION = datetime.timedelta(days=30)

_WITHOUT_FRAMES = [kind for kind in ORDINARY_TYPES if kind != LedgerRecord.Type.VPDQ]
ENDS_A_COPY = (FeedbackValue.WITHDRAWN, FeedbackValue.DELETED)
"""Said of a tombstone: the platform acknowledges it. Said of its own find: the platform takes it back."""


@dataclass(frozen=True)
class Word:
    """What a platform says about one signal, already checked."""

    type: str
    value: str
    feedback: FeedbackValue
    tags: list[str]
    distance: int | None = None
    count: int = 1
    action: str = ""
    decided_by: str = ""


@dataclass(frozen=True)
class Find:
    """A signal that a platform found by itself, already screened, and what it says about it, if anything."""

    type: str
    value: str
    frames: Sequence[str] = ()
    quality: int | None = None
    made_with_ai: bool = False
    word: Word | None = None


def take_feedback(platform: Platform, words: Sequence[Word]) -> list[int]:
    """Save a platform's words on signals; returns the indexes of those that are in no bank's record.

    A platform without a list is never told: it would learn of exact values what lookups do not tell.
    """
    if not has_a_list(platform):
        _take_unanswered(platform, words)
        return []
    with locked_ledger() as ledger:
        ledger.by_platform = platform
        known = _known(platform, [(word.type, word.value) for word in words])
        said = [(known.get((word.type, word.value)), word) for word in words]
        _take(ledger, platform, [(record, word) for record, word in said if record is not None])
        unknown = [index for index, (record, _) in enumerate(said) if record is None]
        audit.record(f"platform:{platform.pk}", "feedback.take", f"signals:{len(words) - len(unknown)}")
    log_event("feedback came in", platform=platform.pk, signals=len(words) - len(unknown), unknown=len(unknown))
    return unknown


def acknowledge(platform: Platform, names: Sequence[tuple[str, str]]) -> list[int]:
    """Save that a platform has deleted its copies of withdrawn signals, each given as type and value.

    Returns the indexes of those that are not withdrawn. What is in no record is taken: nobody waits for it. Nor does
    anybody wait for a platform without a list, whose acknowledgements are taken and not looked at.
    """
    if not has_a_list(platform):
        audit.record(f"platform:{platform.pk}", "withdrawals.acknowledge", f"signals:{len(names)}")
        return []
    with locked_ledger():
        known = _known(platform, names)
        in_place = [
            index
            for index, name in enumerate(names)
            if name in known and known[name].status == LedgerRecord.Status.ACTIVE
        ]
        _acknowledge(platform, tombstones().filter(pk__in=[record.pk for record in known.values()]))
        audit.record(f"platform:{platform.pk}", "withdrawals.acknowledge", f"signals:{len(names) - len(in_place)}")
    log_event("withdrawals were acknowledged", platform=platform.pk, signals=len(names) - len(in_place))
    return in_place


def take_back(platform: Platform, names: Sequence[tuple[str, str]]) -> list[int]:
    """End a platform's own finds, each given as type and value; returns the indexes of those that it has none of."""
    with locked_ledger() as ledger:
        ledger.by_platform = platform
        known = _known(platform, names)
        keys = [record.pk for record in known.values()]
        finds = list(Source.objects.filter(record__in=keys, platform=platform, state=Source.State.ACTIVE))
        ledger.withdraw_sources(finds)
        ended = {find.record_id for find in finds}
        none = [index for index, name in enumerate(names) if name not in known or known[name].pk not in ended]
        audit.record(f"platform:{platform.pk}", "finds.take_back", f"signals:{len(ended)}")
    log_event("a platform took finds back", platform=platform.pk, signals=len(ended))
    return none


def take_finds(platform: Platform, finds: Sequence[Find]) -> list[int]:
    """Put signals that a platform found by itself into the bank, with what it says about them.

    A signal of a person's case stays the person's: what the platform says of it is saved, but its find keeps nothing
    in the bank that a person withdraws, and brings nothing back. Returns the indexes of signals that are withdrawn; a
    platform without a list is told of none, as it could try out values with that.
    """
    withdrawn = []
    with locked_ledger() as ledger:
        ledger.by_platform = platform
        known = _known(platform, [(find.type, find.value) for find in finds])
        keys = [record.pk for record in known.values()]
        theirs = Source.objects.filter(record__in=keys, platform=None, peer=None)
        # A canary is nobody's find either: submitting it again must not put it into every feed.
        not_a_find = {
            *theirs.values_list("record_id", flat=True),
            *(record.pk for record in known.values() if record.only_for_id is not None),
        }
        said = []
        for index, find in enumerate(finds):
            record = known.get((find.type, find.value))
            if record is None or record.pk not in not_a_find:
                record = ledger.add_find(
                    find.type, find.value, platform, find.frames, quality=find.quality, made_with_ai=find.made_with_ai
                )
            if record.status == LedgerRecord.Status.WITHDRAWN:
                withdrawn.append(index)
            elif find.word is not None:
                said.append((record, find.word))
        ledger.settle()
        _take(ledger, platform, said)
        audit.record(f"platform:{platform.pk}", "finds.take", f"signals:{len(finds) - len(withdrawn)}")
    log_event("a platform submitted signals", platform=platform.pk, signals=len(finds) - len(withdrawn))
    return withdrawn if has_a_list(platform) else []


def _known(platform: Platform, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str | None], LedgerRecord]:
    """The records of these signals, each given as type and value, that the platform may know of: of extra types only
    where it was given some."""
    hidden = set(EXTRA_TYPES) - extra_types_of(platform)
    named = {(kind, value) for kind, value in names if kind not in hidden}
    types, values = {kind for kind, _ in named}, {value for _, value in named}
    records = LedgerRecord.objects.filter(in_the_feed_of(platform), type__in=types, value__in=values).defer(*BODIES)
    return {(record.type, record.value): record for record in records if (record.type, record.value) in named}


def _take(ledger: LedgerTransaction, platform: Platform, said: Sequence[tuple[LedgerRecord, Word]]) -> None:
    # Of several words on one signal the last counts.
    words = {record.pk: (record, word) for record, word in said if word.feedback not in ENDS_A_COPY}
    ends_of = [record.pk for record, word in said if word.feedback in ENDS_A_COPY]
    before = {row.record_id: row for row in Feedback.objects.filter(platform=platform, record__in=list(words))}
    _save(platform, [(record.pk, word) for record, word in words.values()], ledger.position)
    for record, word in words.values():
        # What changes nothing that the feed tells moves nothing in it.
        told = before.get(record.pk)
        same = told is not None and (told.value, told.tags) == (word.feedback.value, word.tags)
        if record.status == LedgerRecord.Status.ACTIVE and not same:
            ledger.touch(record)
    if ends_of:
        ledger.withdraw_sources(Source.objects.filter(record__in=ends_of, platform=platform))
        ledger.settle()
        _acknowledge(platform, tombstones().filter(pk__in=ends_of))


def _take_unanswered(platform: Platform, words: Sequence[Word]) -> None:
    """Keep the words on what is known, at the same cost whichever that is, and move nothing in the feed.

    As many rows are written in any case: in place of words on unknown signals others, which are rolled back.
    """
    said = {(word.type, word.value): word for word in words}
    to_keep = [word for word in said.values() if word.feedback not in ENDS_A_COPY]
    types, values = {kind for kind, _ in said}, {value for _, value in said}
    with locked_ledger() as ledger:
        ledger.by_platform = platform
        records = LedgerRecord.objects.filter(in_the_feed_of(platform), type__in=types, value__in=values)
        found = [
            (record, said[kind, str(value)])
            for record, kind, value in records.values_list("pk", "type", "value")
            if (kind, value) in said
        ]
        kept = [(record, word) for record, word in found if word.feedback not in ENDS_A_COPY]
        # One more than there are words: both writes below have a row to write, so both are always made.
        stand_ins = LedgerRecord.objects.order_by("pk").values_list("pk", flat=True)[: len(to_keep) + 1]
        others = [(record, to_keep[0]) for record in stand_ins] if to_keep else []
        first = kept or others[:1]
        with transaction.atomic():
            _save(platform, first, ledger.position)
            transaction.set_rollback(not kept)
        with transaction.atomic():
            _save(platform, others[: len(to_keep) + 1 - len(first)], ledger.position)
            transaction.set_rollback(True)
        # A query for no keys at all would not be sent.
        ended = [0, *(record for record, word in found if word.feedback in ENDS_A_COPY)]
        ledger.withdraw_sources(Source.objects.filter(record__in=ended, platform=platform))
        audit.record(f"platform:{platform.pk}", "feedback.take", f"signals:{len(words)}")
    log_event("feedback of a platform without a list came in", platform=platform.pk, signals=len(words))


def _save(platform: Platform, words: Sequence[tuple[int, Word]], position: int) -> None:
    """Write words, each with the key of its record, of which none comes twice."""
    Feedback.objects.bulk_create(
        [
            Feedback(
                platform=platform,
                record_id=record,
                value=word.feedback.value,
                tags=word.tags,
                distance=word.distance,
                count=word.count,
                action=word.action,
                decided_by=word.decided_by,
                said_position=position,
            )
            for record, word in words
        ],
        update_conflicts=True,
        unique_fields=["platform", "record"],
        update_fields=["value", "tags", "distance", "count", "action", "decided_by", "said_position"],
    )


def _acknowledge(platform: Platform, ended: QuerySet[LedgerRecord]) -> None:
    now = timezone.now()
    Acknowledgement.objects.bulk_create(
        [Acknowledgement(platform=platform, record=record, at=now) for record in ended.only("pk")],
        update_conflicts=True,
        unique_fields=["platform", "record"],
        update_fields=["at"],
    )
    for acknowledged in _all_have_acknowledged(ended):
        erase(acknowledged)


def _all_have_acknowledged(ended: QuerySet[LedgerRecord]) -> list[QuerySet[LedgerRecord]]:
    """Those of these tombstones that every platform with a list has acknowledged: frames of videos, those of each extra
    type, and the others."""
    # An acknowledgement of an earlier withdrawal of the same signal does not count for this one.
    record, withdrawn_at = OuterRef(OuterRef("pk")), OuterRef(OuterRef("withdrawn_at"))
    its_own = Acknowledgement.objects.filter(platform=OuterRef("pk"), record=record, at__gte=withdrawn_at)
    platforms = platforms_with_a_list()
    found = []
    for videos in (False, True):
        waited_for = platforms.filter(takes_videos=True) if videos else platforms
        of_a_kind = ended.filter(type=LedgerRecord.Type.VPDQ) if videos else ended.filter(type__in=_WITHOUT_FRAMES)
        if waited_for.exists():
            found.append(of_a_kind.exclude(Exists(waited_for.exclude(Exists(its_own)).order_by())))
    for kind in EXTRA_TYPES:
        # Where nobody was given any of it before, there is nobody to wait for.
        holds = ExtraCopy.objects.filter(platform=OuterRef("pk"), type=kind, since__lte=withdrawn_at)
        waited_for = platforms.filter(Exists(holds)).exclude(Exists(its_own)).order_by()
        found.append(ended.filter(type=kind).exclude(Exists(waited_for)))
    return found


def erase_tombstones() -> int:
    """Forget the values of tombstones that nobody is waited for any more; returns how many.

    Those whose retention has ended, acknowledged or not; and those for which only a platform was missing that has
    lost its access since.
    """
    end = timezone.now() - TOMBSTONE_RETENTION
    old = tombstones().filter(Q(withdrawn_at=None) | Q(withdrawn_at__lt=end))
    # Looked for before the lock is taken: every writer would wait for the search.
    if not any(some.exists() for some in (old, *_all_have_acknowledged(tombstones()))):
        return 0
    with locked_ledger():
        erased = erase(old) + sum(erase(acknowledged) for acknowledged in _all_have_acknowledged(tombstones()))
    if erased:
        log_event("tombstones lost their values", signals=erased)
    return erased


def note_fetch_start(platform: Platform) -> None:
    """Note that a platform begins to fetch, and what it has confirmed by coming back.

    Every tombstone that it was given before its last fetch began counts as confirmed, unless it owes the
    acknowledgement of one among them, or has never acknowledged any. This is the same for a picture that another case
    holds too, for which there is no tombstone: a person must not learn from her own page that there is such a case.
    """
    with transaction.atomic():
        now = Platform.objects.select_for_update().get(pk=platform.pk)
        _begin_fetch(now, now, ORDINARY_TYPES)
        now.last_fetch_at = timezone.now()
        now.save(update_fields=["confirmed_position", "told_at_last_start", "last_fetch_at"])


def _begin_fetch(now: Platform | ExtraCopy, platform: Platform, types: Collection[str]) -> None:
    candidate = now.told_at_last_start
    if (
        candidate > now.confirmed_position
        and Acknowledgement.objects.filter(platform=platform).exists()
        and not owed_by(platform, types).filter(position__lte=candidate).exists()
    ):
        now.confirmed_position = candidate
    now.told_at_last_start = now.told_position


_SEEN_AGAIN = datetime.timedelta(seconds=10)
"""A platform that asks all the time is noted as seen this often: its asking must not keep the database writing."""


@dataclass(frozen=True)
class Stored:
    """What a platform says by asking with the cursor of a fetch that had come to its end, or with none."""

    position: int
    """Every change up to here is stored."""
    second: int
    """The ledger's clock there, epoch seconds."""
    everything: bool
    """It was given the records of all signals but videos' frames, or all of the extra types that it asked for, and not
    only those that it chose."""


def note_fetch(platform: Platform, stored: Stored | None, *, videos: bool) -> None:
    """Note that a platform fetches, and what it has stored by its word.

    Only whole fetches count, as only whole ones begin (see ``note_fetch_start``): where a page ends depends on what
    other cases did, and a person must not learn from her own page which changes lay between her signals. ``videos``
    says that it may be given frames of videos.
    """
    seen = platform.last_fetch_at
    if seen is not None and timezone.now() - seen < _SEEN_AGAIN and not _fetched(copy(platform), stored, videos):
        return
    with transaction.atomic():
        now = Platform.objects.select_for_update().get(pk=platform.pk)
        _fetched(now, stored, videos)
        now.last_fetch_at = timezone.now()
        now.save(update_fields=["last_fetch_at", *_OF_FETCHES])


_OF_FETCHES = (
    "takes_videos",
    "told_position",
    "covered_position",
    "covered_until",
    "confirmed_position",
    "told_at_last_start",
)


def _fetched(now: Platform, stored: Stored | None, videos: bool) -> bool:
    """Change the platform by what it says; whether anything did change."""
    before = [getattr(now, name) for name in _OF_FETCHES]
    now.takes_videos = now.takes_videos or videos
    if stored is not None:
        now.told_position = max(now.told_position, stored.position)
        if stored.everything:
            now.covered_position = max(now.covered_position, stored.position)
            now.covered_until = max(now.covered_until, stored.second)
        _begin_fetch(now, now, ORDINARY_TYPES)
    return before != [getattr(now, name) for name in _OF_FETCHES]


_OF_EXTRA_FETCHES = ("told_position", "covered_position", "confirmed_position", "told_at_last_start")


def note_extra_fetch(platform: Platform, types: Collection[str], stored: Stored | None) -> None:
    """The same for a fetch of extra types, of which the platform may be given signals from now on.

    The first one waits for the ledger: of what is withdrawn at that moment it must be clear whether the platform has
    it, or the tombstone could be erased before the platform is told.
    """
    copies = {row.type: row for row in ExtraCopy.objects.filter(platform=platform)}
    seen = platform.last_fetch_at
    begins = not copies.keys() >= set(types)
    seen_lately = seen is not None and timezone.now() - seen < _SEEN_AGAIN and not begins
    if seen_lately and not any(_extra_fetched(copies[kind], stored) for kind in types):
        return
    with locked_ledger() if begins else transaction.atomic():
        now = Platform.objects.select_for_update().get(pk=platform.pk)
        now.last_fetch_at = timezone.now()
        now.save(update_fields=["last_fetch_at"])
        for kind in sorted(types):
            row, _ = ExtraCopy.objects.get_or_create(platform=now, type=kind)
            if _extra_fetched(row, stored):
                row.save(update_fields=_OF_EXTRA_FETCHES)


def _extra_fetched(now: ExtraCopy, stored: Stored | None) -> bool:
    before = [getattr(now, name) for name in _OF_EXTRA_FETCHES]
    if stored is not None:
        now.told_position = max(now.told_position, stored.position)
        if stored.everything:
            now.covered_position = max(now.covered_position, stored.position)
        _begin_fetch(now, now.platform, [now.type])
    return before != [getattr(now, name) for name in _OF_EXTRA_FETCHES]
