"""Reads on lookups."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from reclaim.bank.lookup.models import Allowance, LookupAlarm, LookupDay
from reclaim.bank.platforms.models import Platform
from reclaim.bank.platforms.queries import vetted_platforms

USUAL_ALLOWANCE = 10_000
"""Lookups a day."""


def allowance_of(platform: Platform) -> int:
    """How many lookups a day the platform may make."""
    own = Allowance.objects.filter(platform=platform).values_list("a_day", flat=True).first()
    return USUAL_ALLOWANCE if own is None else own


def open_alarms() -> QuerySet[LookupAlarm]:
    """Alarms that nobody at the bank has looked at yet, oldest first."""
    return LookupAlarm.objects.filter(closed_at=None).select_related("platform").order_by("raised_at")


@dataclass(frozen=True)
class LookupState:
    """Where a platform stands with its lookups today (UTC)."""

    name: str
    today: int
    a_day: int
    alarm: LookupAlarm | None


def lookup_states() -> list[LookupState]:
    """Of each platform that has ever looked anything up, or has an allowance of its own."""
    today = dict(LookupDay.objects.filter(day=timezone.now().date()).values_list("platform", "lookups"))
    alarms = {alarm.platform_id: alarm for alarm in open_alarms()}
    known = {
        *LookupDay.objects.values_list("platform", flat=True),
        *Allowance.objects.values_list("platform", flat=True),
    }
    return [
        LookupState(each.name, today.get(each.pk, 0), allowance_of(each), alarms.get(each.pk))
        for each in vetted_platforms().filter(pk__in=known)
    ]
