"""Lookups, their limits, and the alarm on somebody who looks for an edit that escapes."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Sequence

import numpy as np
from django.db import transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from reclaim.bank.canaries.queries import nearest_canary
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.lookup.index import signal_index
from reclaim.bank.lookup.models import Allowance, Lookup, LookupAlarm, LookupDay
from reclaim.bank.lookup.queries import allowance_of
from reclaim.bank.platforms.models import Platform
from reclaim.index import CODE_BYTES
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event
from reclaim.sitekit.limits import Limit, SlowDownError, seconds_to_wait
from reclaim.sitekit.secrets import mac

MATCHES = 31
"""Bits: the usual threshold of PDQ."""
NEAR = 64
"""Bits. Unrelated pictures lie about 128 apart; what is this near is most likely a version of the reported picture."""
MOST_TURNS = 8
PER_MINUTE = Limit("lookups, platform", tries=600, window=60)
WINDOW = datetime.timedelta(days=7)
ALARM_AT = 12
"""Versions of one picture within ``WINDOW``."""
LEAST_MISSED = 3
"""So many of them not found: who only sees a picture go round finds all its copies."""
STOP_AT = 40
COUNTS_KEPT = datetime.timedelta(days=90)


class StoppedError(Exception):
    """The platform's lookups are stopped until somebody at the bank has looked at its alarm."""


def look_up_picture(platform: Platform, values: Sequence[str]) -> bool:
    """Whether an upload matches: its PDQ value, or those of its turns (1 to 8 of 64 hex digits).

    As many statements and as much searching whatever is found, so that the time says no more than the answer. Raises
    ``SlowDownError``, ``StoppedError``.
    """
    _admit(platform)
    codes = np.frombuffer(bytes.fromhex("".join(values)), np.uint8).reshape(-1, CODE_BYTES)
    # The platform's own canaries too: one that may also fetch the list must not learn here which of it are real.
    each = [signal_index.nearest(codes, NEAR), nearest_canary(platform, codes, NEAR)]
    found = min((near for near in each if near is not None), key=lambda near: near[1], default=None)
    matches = found is not None and found[1] <= MATCHES
    key, near = (found[0], [values[place] for place in found[2]]) if found else (None, [])
    _note(platform, near, key, missed=found is not None and not matches)
    return matches


def look_up_file(platform: Platform, md5: str) -> bool:
    """Whether the very file was reported, by its MD5 (32 hex digits). Raises ``SlowDownError``, ``StoppedError``."""
    _admit(platform)
    known = LedgerRecord.objects.filter(
        type=LedgerRecord.Type.MD5, value=md5, status=LedgerRecord.Status.ACTIVE, only_for=None, review_only=False
    )
    return known.exists()


def _admit(platform: Platform) -> None:
    if LookupAlarm.objects.filter(platform=platform, closed_at=None, stopped=True).exists():
        raise StoppedError
    if wait := seconds_to_wait([(PER_MINUTE, platform.pk.to_bytes(8, "big"))]):
        raise SlowDownError(wait)
    now = timezone.now()
    # Counted before it is judged: of lookups at the same moment none slips through.
    with transaction.atomic():
        day, _ = LookupDay.objects.get_or_create(platform=platform, day=now.date())
        LookupDay.objects.filter(pk=day.pk).update(lookups=F("lookups") + 1)
        day.refresh_from_db(fields=["lookups"])
    if day.lookups > allowance_of(platform):
        tomorrow = (now + datetime.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        raise SlowDownError(1 + int((tomorrow - now).total_seconds()))


def _note(platform: Platform, values: Sequence[str], signal: int | None, *, missed: bool) -> None:
    """Write the lookup down, and raise the alarm if it is one too many around the same signal.

    ``values`` are those near it. Of a picture's turns that is one; what else is near it is another version, sent along
    as if it were a turn.
    """
    near, asked = secrets.token_bytes(32), [secrets.token_bytes(32)]
    if signal is not None:
        near = mac("lookup-near", platform.pk.to_bytes(8, "big") + signal.to_bytes(8, "big"))
        asked = [mac("lookup-asked", value.encode()) for value in values]
    with transaction.atomic():
        Lookup.objects.bulk_create(Lookup(platform=platform, near=near, asked=each, missed=missed) for each in asked)
        recent = Lookup.objects.filter(platform=platform, near=near, at__gt=timezone.now() - WINDOW)
        counts = recent.aggregate(
            versions=Count("asked", distinct=True), misses=Count("asked", distinct=True, filter=Q(missed=True))
        )
        if counts["versions"] >= ALARM_AT and counts["misses"] >= LEAST_MISSED:
            _raise_alarm(platform, counts["versions"])


def _raise_alarm(platform: Platform, versions: int) -> None:
    alarm, made = LookupAlarm.objects.get_or_create(
        platform=platform, closed_at=None, defaults={"versions": versions, "stopped": False}
    )
    stopped = versions >= STOP_AT
    if made:
        audit.record("system", "lookup.alarm", f"platform:{platform.pk}")
        log_event("a platform may be looking for an edit that escapes", platform=platform.pk, versions=versions)
    if stopped and not alarm.stopped:
        audit.record("system", "lookup.stop", f"platform:{platform.pk}")
        log_event("a platform's lookups are stopped until somebody has looked", platform=platform.pk)
    alarm.versions, alarm.stopped = max(alarm.versions, versions), alarm.stopped or stopped
    alarm.save(update_fields=["versions", "stopped"])


def close_alarm(platform: Platform, actor: str) -> bool:
    """Somebody has looked: lookups go on, and counting starts anew. ``False`` if there is no alarm."""
    with transaction.atomic():
        alarm = LookupAlarm.objects.select_for_update().filter(platform=platform, closed_at=None).first()
        if alarm is None:
            return False
        alarm.closed_at, alarm.closed_by = timezone.now(), actor
        alarm.save(update_fields=["closed_at", "closed_by"])
        Lookup.objects.filter(platform=platform).delete()
        audit.record(actor, "lookup.close_alarm", f"platform:{platform.pk}")
    return True


def allow(platform: Platform, a_day: int, actor: str) -> None:
    """Let the platform make so many lookups a day."""
    with transaction.atomic():
        Allowance.objects.update_or_create(platform=platform, defaults={"a_day": a_day})
        audit.record(actor, "lookup.allow", f"platform:{platform.pk}")


def forget_lookups() -> int:
    """Delete what the alarm needs no more, and counts of long ago; returns how many lookups."""
    LookupDay.objects.filter(day__lt=(timezone.now() - COUNTS_KEPT).date()).delete()
    deleted, _ = Lookup.objects.filter(at__lt=timezone.now() - WINDOW).delete()
    return deleted
