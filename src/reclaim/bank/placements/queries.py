"""Reads on placements. What a placement holds leaves this app as a yes or a no, see ``services.check_placement``."""

from __future__ import annotations

from django.utils import timezone

from reclaim.bank.placements.models import CheckDay
from reclaim.bank.platforms.models import Platform


def checks_today(platform: Platform) -> CheckDay:
    """How many checks a platform asked for today (UTC), for those who watch it."""
    today = timezone.now().date()
    return CheckDay.objects.filter(platform=platform, day=today).first() or CheckDay(platform=platform, day=today)
