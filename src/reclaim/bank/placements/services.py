"""Writes on placements: they are kept, forgotten, and answered for.

Who may ask has the descriptors and not where they lie. Each answer says a little of that, so the number of answers is
bounded: docs/exchange-v2.md says what can be learned within the bounds.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from reclaim.bank.ledger.models import LedgerRecord, Source
from reclaim.bank.placements.models import CheckDay, CheckedSignal
from reclaim.bank.placements.models import Placement as SealedPlacement
from reclaim.bank.placements.sealing import NotOursError, seal, unseal
from reclaim.bank.platforms.models import Platform
from reclaim.bank.platforms.queries import may_have_sources
from reclaim.signals.descriptors import ANGLES, FRAME, LEVELS, MOST, Place, Placement
from reclaim.signals.geometry import LEAST_INLIERS, LEAST_INLIERS_OF_MANY, Geometry, check
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_failure
from reclaim.sitekit.limits import Limit, SlowDownError, seconds_to_wait
from reclaim.sitekit.secrets import mac

PER_MINUTE = Limit("placement checks, platform", tries=600, window=60)
A_DAY = 20_000
"""Checks of one platform."""
OF_ONE_A_DAY = 20
"""Checks of one platform about one picture. What goes round unchanged is known by its PDQ, once the platform sends that
as a find; these are for edits that differ."""
OF_ONE_IN_ALL = 100
"""The same within ``WINDOW``."""
WINDOW = datetime.timedelta(days=30)
COUNTS_KEPT = datetime.timedelta(days=90)
MANY_PICTURES = 10_000
"""From so many pictures with descriptors on, one that is like many has so many chances that more of it must agree."""


class NewPlacement(NamedTuple):
    """A placement as it comes in: of which source, of the descriptors that ``value`` names."""

    source: uuid.UUID
    value: str
    placement: Placement


def keep(placements: Iterable[NewPlacement]) -> None:
    """Keep placements of sources that are in the database, sealed. Called in the transaction that brings them."""
    SealedPlacement.objects.bulk_create(
        SealedPlacement(source_id=new.source, sealed=seal(new.placement, new.source, new.value)) for new in placements
    )


def forget(sources: Collection[uuid.UUID]) -> None:
    """Delete the placements of sources that end."""
    SealedPlacement.objects.filter(source__in=list(sources)).delete()


def check_placement(
    platform: Platform, value: str, frame: tuple[int, int], pairs: Sequence[Sequence[int]]
) -> Geometry | None:
    """How an upload, with a frame of so many pixels, shows the picture whose descriptors ``value`` names, if it does.

    The pairs are as ``signals.geometry.Pair``. Whether the bank has such a picture or not, the work is the same. Raises
    ``SlowDownError`` for one too many, and ``ValueError``, with a sentence, for pairs outside the frame.
    """
    _admit(platform, value)
    rows = SealedPlacement.objects.filter(
        source__record__type=LedgerRecord.Type.DESCRIPTORS,
        source__record__value=value,
        source__state=Source.State.ACTIVE,
    )
    if not may_have_sources(platform):
        rows = rows.filter(source__of_source=False)
    # Of two persons' the earlier one: nobody changes what is known of a picture by bringing it again.
    row = rows.order_by("source__added_position", "source").first()
    decoy = _decoy(value)
    placement = _opened(row, value, decoy)
    known = [pair for pair in pairs if pair[0] < len(placement.places)]
    found = check(placement, known, frame, least=_least())
    matches = found is not None and row is not None and placement is not decoy
    with transaction.atomic():
        CheckDay.objects.filter(platform=platform, day=_today()).update(matches=F("matches") + int(matches))
        audit.record(f"platform:{platform.pk}", "placement.check", f"platform:{platform.pk}")
    return found if matches else None


def _opened(row: SealedPlacement | None, value: str, decoy: Placement) -> Placement:
    if row is None:
        nobody = uuid.UUID(int=0)
        unseal(seal(decoy, nobody, value), nobody, value)
        return decoy
    try:
        return unseal(bytes(row.sealed), row.source_id, value)
    except NotOursError as error:
        log_failure("a placement could not be opened", error)
        return decoy


def _decoy(value: str) -> Placement:
    """A placement of nobody's, the same at each asking."""
    chance = np.random.default_rng(int.from_bytes(mac("placement-decoy", bytes.fromhex(value))))
    places = chance.integers(0, Place(FRAME, FRAME, LEVELS, ANGLES), size=(MOST, 4)).astype(np.int16)
    return Placement((FRAME, FRAME), places)


def _least() -> int:
    described = LedgerRecord.objects.filter(type=LedgerRecord.Type.DESCRIPTORS, status=LedgerRecord.Status.ACTIVE)
    many = described.order_by("value")[MANY_PICTURES : MANY_PICTURES + 1].exists()
    return LEAST_INLIERS_OF_MANY if many else LEAST_INLIERS


def _today() -> datetime.date:
    return timezone.now().date()


def _admit(platform: Platform, value: str) -> None:
    """Count a check before it is judged: of checks at the same moment none slips through."""
    of_platform = platform.pk.to_bytes(8, "big")
    if wait := seconds_to_wait([(PER_MINUTE, of_platform)]):
        raise SlowDownError(wait)
    today = _today()
    asked = mac("placement-check", of_platform + bytes.fromhex(value))
    with transaction.atomic():
        day, _ = CheckDay.objects.get_or_create(platform=platform, day=today)
        CheckDay.objects.filter(pk=day.pk).update(checks=F("checks") + 1)
        day.refresh_from_db(fields=["checks"])
        of_one, _ = CheckedSignal.objects.get_or_create(asked=asked, day=today)
        CheckedSignal.objects.filter(pk=of_one.pk).update(checks=F("checks") + 1)
        of_one.refresh_from_db(fields=["checks"])
        lately = CheckedSignal.objects.filter(asked=asked, day__gt=today - WINDOW, day__lt=today)
        before = lately.aggregate(checks=Sum("checks"))["checks"] or 0
    allowed = min(OF_ONE_A_DAY, max(0, OF_ONE_IN_ALL - before))
    if day.checks > A_DAY or of_one.checks > allowed:
        with transaction.atomic():
            CheckDay.objects.filter(pk=day.pk).update(refused=F("refused") + 1)
            # A refused one told nothing, so it takes nothing away from the days to come.
            CheckedSignal.objects.filter(pk=of_one.pk, checks__gt=allowed).update(checks=F("checks") - 1)
        raise SlowDownError(_seconds_to_tomorrow())


def _seconds_to_tomorrow() -> int:
    now = timezone.now()
    tomorrow = (now + datetime.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return 1 + int((tomorrow - now).total_seconds())


def forget_checks() -> int:
    """Delete counts of long ago; returns how many."""
    days, _ = CheckDay.objects.filter(day__lt=_today() - COUNTS_KEPT).delete()
    checked, _ = CheckedSignal.objects.filter(day__lt=_today() - WINDOW).delete()
    return days + checked
