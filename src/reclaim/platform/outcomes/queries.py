"""Reads on what the bank is told."""

from __future__ import annotations

from django.db.models import F

from reclaim.platform.outcomes.models import Outcome


def due(most: int) -> list[Outcome]:
    """Words that the bank does not have yet, oldest first, with their signals."""
    rows = Outcome.objects.exclude(delivered=F("value")).select_related("signal")
    return list(rows.order_by("changed_at", "pk")[:most])


def due_count() -> int:
    """How many words the bank does not have yet."""
    return Outcome.objects.exclude(delivered=F("value")).count()
