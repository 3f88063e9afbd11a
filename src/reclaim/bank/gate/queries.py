"""Reads of the gate."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from reclaim.bank.gate.figures import figures
from reclaim.bank.gate.models import IntakeCode
from reclaim.sitekit.limits import times_noted

ARRIVED = "case, whole bank"
EVERYWHERE = b"everywhere"
HOUR = 3600


def load() -> int:
    """How many cases and additions the whole bank got in the last hour, counted up to the highest figure that asks."""
    asked = figures()
    highest = max([step.cases for step in asked.puzzle.load] + [asked.holding.flood.load])
    return times_noted(ARRIVED, EVERYWHERE, HOUR, highest)


def usable_codes() -> QuerySet[IntakeCode]:
    """Codes that would let somebody in now."""
    return IntakeCode.objects.filter(used_receipt_mac=None, revoked=False, expires_at__gt=timezone.now())


class CodeCounts(NamedTuple):
    """How many codes of an organisation are unused, used and revoked, among those that have not expired."""

    organisation: str
    unused: int
    used: int
    revoked: int


def code_counts() -> list[CodeCounts]:
    """The codes of each organisation, by its name."""
    used = Count("pk", filter=~Q(used_receipt_mac=None))
    revoked = Count("pk", filter=Q(revoked=True))
    alive = IntakeCode.objects.filter(expires_at__gt=timezone.now()).values("organisation").order_by("organisation")
    return [
        CodeCounts(row["organisation"], row["made"] - row["used"] - row["revoked"], row["used"], row["revoked"])
        for row in alive.annotate(made=Count("pk"), used=used, revoked=revoked)
    ]
