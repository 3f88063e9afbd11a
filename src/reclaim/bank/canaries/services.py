"""Making canaries, and putting them into platforms' feeds where they do not stand out. docs/canaries.md says how."""

from __future__ import annotations

import secrets

from django.db import transaction

from reclaim.bank.canaries.models import Canary, CanaryClock
from reclaim.bank.ledger.models import LedgerClock, LedgerRecord, Source
from reclaim.bank.ledger.services import locked_ledger
from reclaim.bank.platforms.models import Platform
from reclaim.bank.platforms.queries import vetted_platforms
from reclaim.bank.screening.queries import Candidate, screen
from reclaim.index import CODE_BYTES
from reclaim.sitekit import audit

A_PLATFORM = 32
"""Of a list of which a tenth leaks, 32 canaries name the source with a probability of 0.97: 1 - 0.9 ** 32."""
REAL_SIGNALS_A_CANARY = 4
"""Where canaries come in beside new signals, one comes for so many."""
_SET_BITS = 128
_TRIES_A_PLACE = 40
_USUAL_QUALITY = 100
_random = secrets.SystemRandom()


def draw_value() -> str:
    """A balanced random value, as a PDQ of a picture is: 128 of 256 bits set. 64 hexadecimal digits."""
    return f"{sum(1 << bit for bit in _random.sample(range(8 * CODE_BYTES), _SET_BITS)):064x}"


def _draw_harmless_to_all() -> str:
    while True:
        value = draw_value()
        [verdict] = screen([Candidate("pdq", value)])
        if not verdict.refused and not verdict.held_for:
            return value


def make_missing() -> int:
    """Make canaries for each vetted platform that has none; those of a platform that was let in again are its old ones.

    Returns how many platforms got some. Where the platform has fetched nothing yet, they take places in the past that
    records have left by changing; the others wait for ``place_pending``.
    """
    have = set(Canary.objects.exclude(platform=None).values_list("platform", flat=True))
    new = [platform for platform in vetted_platforms() if platform.pk not in have]
    for platform in new:
        values = [_draw_harmless_to_all() for _ in range(A_PLATFORM)]
        with transaction.atomic():
            rows = Canary.objects.bulk_create(
                Canary(platform=platform, platform_name=platform.name, value=value) for value in values
            )
            audit.record("system", "canaries.make", f"platform:{platform.pk}")
        _place_in_the_past(platform, rows)
    return len(new)


def _place_in_the_past(platform: Platform, canaries: list[Canary]) -> None:
    qualities = _qualities()
    with transaction.atomic():
        clock = LedgerClock.objects.select_for_update().get(pk=1)
        platform.refresh_from_db(fields=["last_fetch_at", "told_position"])
        if platform.last_fetch_at is not None or clock.position == 0:
            return
        # At most one for so many real signals here too, or the first page would be full of them.
        real = LedgerRecord.objects.filter(only_for=None, status=LedgerRecord.Status.ACTIVE)
        enough = REAL_SIGNALS_A_CANARY * len(canaries)
        for canary in canaries[: real[:enough].count() // REAL_SIGNALS_A_CANARY]:
            place = _left_place(clock.position)
            if place is not None:
                _put(platform, canary, *place, _random.choice(qualities))


def _left_place(last: int) -> tuple[int, int] | None:
    """A position that a record has left by changing, and the second of its neighbour; ``None`` if none was found."""
    for _ in range(_TRIES_A_PLACE):
        position = _random.randint(1, last)
        if LedgerRecord.objects.filter(position=position).exists():
            continue
        seconds = LedgerRecord.objects.filter(position__gt=0).values_list("modified_at", flat=True)
        before = seconds.filter(position__lt=position).order_by("-position").first()
        second = before or seconds.filter(position__gt=position).order_by("position").first()
        if second:
            return position, second
    return None


def _put(platform: Platform, canary: Canary, position: int, second: int, quality: int) -> None:
    record = LedgerRecord.objects.create(
        type=LedgerRecord.Type.PDQ,
        value=canary.value,
        only_for=platform,
        position=position,
        modified_at=second,
    )
    # A source as a person's, so that everything the wire tells of a record it tells of this one too.
    Source.objects.create(record=record, added_position=position, quality=quality)
    Canary.objects.filter(pk=canary.pk).update(placed=True)


def _qualities() -> list[int]:
    """Qualities of real signals, to draw from. Read before the ledger's lock is taken, for which every writer waits."""
    some = Source.objects.exclude(quality=None).filter(record__position__gt=0).order_by("-record__position")
    known = [quality for quality in some.values_list("quality", flat=True)[:200] if quality is not None]
    return known or [_USUAL_QUALITY]


def place_pending() -> int:
    """Put canaries that wait into feeds, beside the real signals that came in since the last time; returns how many."""
    if not Canary.objects.filter(placed=False).exclude(platform=None).exists():
        return 0
    placed, qualities = 0, _qualities()
    with locked_ledger() as ledger:
        clock, _ = CanaryClock.objects.select_for_update().get_or_create(pk=1)
        # Whose source was added since has moved since: the record's position has an index.
        new = Source.objects.filter(record__position__gt=clock.position, record__only_for=None)
        came = new.filter(added_position__gt=clock.position).count()
        for platform in vetted_platforms():
            waiting = list(Canary.objects.filter(platform=platform, placed=False).order_by("?")[: _share_of(came)])
            for canary in waiting:
                source = ledger.add_source("pdq", canary.value, quality=_random.choice(qualities))
                if source.record is not None:
                    source.record.only_for = platform
            Canary.objects.filter(pk__in=[canary.pk for canary in waiting]).update(placed=True)
            placed += len(waiting)
        clock.position = ledger.position
        clock.save(update_fields=["position"])
        if placed:
            audit.record("system", "canaries.place", f"signals:{placed}")
    return placed


def _share_of(came: int) -> int:
    """One for so many real signals; of the rest by lot, so that small numbers are not rounded away."""
    whole, rest = divmod(came, REAL_SIGNALS_A_CANARY)
    return whole + (_random.random() < rest / REAL_SIGNALS_A_CANARY)


def tend_canaries() -> None:
    """Make and place what is due."""
    make_missing()
    place_pending()
