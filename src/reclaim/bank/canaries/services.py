"""Making canaries, and putting them into platforms' feeds where they do not stand out. docs/canaries.md says how."""

from __future__ import annotations

import secrets

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from reclaim.bank.canaries.models import Canary, CanaryFigures
from reclaim.bank.canaries.queries import known_to_all
from reclaim.bank.canaries.values import draw
from reclaim.bank.ledger.models import ORDINARY_TYPES, LedgerClock, LedgerRecord, Source
from reclaim.bank.ledger.services import MEAN_GAP, LedgerTransaction, locked_ledger
from reclaim.bank.platforms.models import Platform
from reclaim.bank.platforms.queries import vetted_platforms
from reclaim.bank.screening.harmless import known_harmless
from reclaim.bank.trust.score import Evidence, score
from reclaim.index import CODE_BYTES
from reclaim.sitekit import audit

A_PLATFORM = 32
"""Of a list of which a tenth leaks, 32 canaries name the source with a probability of 0.97: 1 - 0.9 ** 32."""
REAL_SIGNALS_A_CANARY = 4
"""Where canaries come in beside new signals, one comes for so many."""
MOST_MOVED = 100
"""Canaries that move in one transaction: writers wait for one another."""
_NEIGHBOURHOOD = 50 * MEAN_GAP
_TRIES_A_PLACE = 40
_USUAL_QUALITY = 100
_random = secrets.SystemRandom()


def _codes(values: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.frombuffer(bytes.fromhex("".join(values)), np.uint8).reshape(-1, CODE_BYTES)


def make_missing() -> int:
    """Make canaries for each vetted platform that has none; those of a platform that was let in again are its old ones.

    Returns how many platforms got some: none if the operator wants no canaries. Where the platform has fetched nothing
    yet, they take places in the past that records have left by changing or that were never taken; the others wait for
    real signals to come in with.
    """
    if not settings.CANARIES:
        return 0
    have = set(Canary.objects.exclude(platform=None).values_list("platform", flat=True))
    new = [platform for platform in vetted_platforms() if platform.pk not in have]
    for platform in new:
        others = _codes(list(Canary.objects.values_list("value", flat=True)))
        harmless = known_harmless().pdq.view(np.uint8).reshape(-1, CODE_BYTES)
        values = draw(A_PLATFORM, np.concatenate([others, harmless]))
        with transaction.atomic():
            rows = Canary.objects.bulk_create(
                Canary(platform=platform, platform_name=platform.name, value=value) for value in values
            )
            audit.record("system", "canaries.make", f"platform:{platform.pk}")
        _place_in_the_past(platform, rows)
    if new:
        _note_figures()
    return len(new)


def _place_in_the_past(platform: Platform, canaries: list[Canary]) -> None:
    qualities = _qualities()
    with transaction.atomic():
        clock = LedgerClock.objects.select_for_update().get(pk=1)
        platform.refresh_from_db(fields=["last_fetch_at", "told_position"])
        has_fetched = platform.last_fetch_at is not None or platform.snapshots.exists()
        if has_fetched or clock.position == 0:
            return
        # At most one for so many real signals here too, or the first page would be full of them.
        real = _real_signals()
        enough = REAL_SIGNALS_A_CANARY * len(canaries)
        for canary in canaries[: real[:enough].count() // REAL_SIGNALS_A_CANARY]:
            place = _left_place(clock.position)
            if place is not None:
                _put(platform, canary, *place, _random.choice(qualities))


def _real_signals() -> QuerySet[LedgerRecord]:
    """Those in the feed in which canaries are: extra types have one of their own."""
    return LedgerRecord.objects.filter(only_for=None, status=LedgerRecord.Status.ACTIVE, type__in=ORDINARY_TYPES)


def _left_place(last: int) -> tuple[int, int] | None:
    """A free position, and the second of the record before it; ``None`` if none was found.

    It is near a real signal that was drawn by lot, so that the old and the new have as many canaries as signals.
    """
    real = _real_signals()
    keys = real.values_list("pk", flat=True)
    first, newest = keys.order_by("pk").first(), keys.order_by("-pk").first()
    if first is None or newest is None:
        return None
    placed = LedgerRecord.objects.order_by("-position").values_list("position", "modified_at")
    for _ in range(_TRIES_A_PLACE):
        near = real.filter(pk__gte=_random.randint(first, newest)).order_by("pk").only("position")[0]
        position = near.position + _random.randint(-_NEIGHBOURHOOD, _NEIGHBOURHOOD)
        before = placed.filter(position__lte=position, position__gt=0).first()
        if position <= last and before is not None and before[0] != position:
            return position, before[1]
    return None


def _put(platform: Platform, canary: Canary, position: int, second: int, quality: int) -> None:
    record = LedgerRecord.objects.create(
        type=LedgerRecord.Type.PDQ,
        value=canary.value,
        only_for=platform,
        position=position,
        modified_at=second,
        trust=score(Evidence(persons=1, quality=quality)),
    )
    # A source as a person's, so that everything the wire tells of a record it tells of this one too.
    Source.objects.create(record=record, added_position=position, quality=quality)
    Canary.objects.filter(pk=canary.pk).update(placed=True)


def _qualities() -> list[int]:
    """Qualities of real signals, to draw from. Read before the ledger's lock is taken, for which every writer waits."""
    of_persons = Source.objects.filter(platform=None, peer=None, record__only_for=None).exclude(quality=None)
    some = of_persons.filter(record__position__gt=0).order_by("-record__position")
    known = [quality for quality in some.values_list("quality", flat=True)[:200] if quality is not None]
    return known or [_USUAL_QUALITY]


def come_along(ledger: LedgerTransaction) -> None:
    """Let canaries come into feeds and move in them together with real signals, in the same second and as often.

    Not those of a platform whose own words or finds move the signals: it knows which it named, and would see that
    nothing else but its canaries moves with them. Nor with signals of the extra types, beside which nothing else moves
    in the feed that all follow.
    """
    figures = CanaryFigures.objects.filter(pk=1).first()
    if figures is None or not figures.placed + figures.waiting:
        return
    ordinary = [record for record in ledger.moving if record.only_for_id is None and not record.extra]
    real = [record for record in ordinary if record.pk not in ledger.withdrawn]
    newcomers = sum(record.pk is None for record in real)
    if newcomers and figures.waiting:
        _bring_in(ledger, newcomers)
    # The chance of any real signal to be among so many that move.
    chance = len(real) / max(figures.signals, len(real), 1)
    moved = int(np.random.default_rng().binomial(figures.placed, chance))
    if moved:
        placed = LedgerRecord.objects.filter(only_for__isnull=False, status=LedgerRecord.Status.ACTIVE)
        keys = list(placed.values_list("pk", flat=True))
        chosen = placed.filter(pk__in=_random.sample(keys, min(moved, MOST_MOVED, len(keys)))).defer("frames")
        for record in chosen:
            if ledger.by_platform is None or record.only_for_id != ledger.by_platform.pk:
                ledger.touch(record)


def _bring_in(ledger: LedgerTransaction, newcomers: int) -> None:
    came: list[Canary] = []
    for platform in vetted_platforms():
        if platform == ledger.by_platform:
            continue
        came += Canary.objects.filter(platform=platform, placed=False).order_by("?")[: _share_of(newcomers)]
    qualities = _qualities() if came else []
    for canary in came:
        source = ledger.add_source("pdq", canary.value, quality=_random.choice(qualities))
        if source.record is not None:
            source.record.only_for = canary.platform
    Canary.objects.filter(pk__in=[canary.pk for canary in came]).update(placed=True)


def _share_of(came: int) -> int:
    """One for so many real signals; of the rest by lot, so that small numbers are not rounded away."""
    whole, rest = divmod(came, REAL_SIGNALS_A_CANARY)
    return whole + (_random.random() < rest / REAL_SIGNALS_A_CANARY)


def retire() -> int:
    """Take back canaries that everybody has, since somebody reported the very value; returns how many.

    They name nobody any more. What was theirs keeps nothing in the bank.
    """
    known = known_to_all()
    own = Source.objects.filter(record__in=known, state=Source.State.ACTIVE, platform=None, peer=None, casesignal=None)
    if not own.exists():
        return 0
    with locked_ledger() as ledger:
        sources = list(own.select_related("record").defer("record__frames"))
        ledger.withdraw_sources(sources)
        audit.record("system", "canaries.retire", f"signals:{len(sources)}")
    return len(sources)


def _note_figures() -> None:
    placed = LedgerRecord.objects.filter(status=LedgerRecord.Status.ACTIVE).exclude(only_for=None)
    CanaryFigures.objects.update_or_create(
        pk=1,
        defaults={
            "signals": _real_signals().count(),
            "placed": placed.count(),
            "waiting": Canary.objects.filter(placed=False, platform__isnull=False).count(),
        },
    )


def tend_canaries() -> None:
    """Make and retire what is due."""
    make_missing()
    retire()
    _note_figures()
