"""Reads on what the bank is told."""

from __future__ import annotations

from django.db.models import F

from reclaim.client import SignalName, Word, kind_of
from reclaim.platform.outcomes.models import Outcome


def due(most: int) -> list[Outcome]:
    """Words that the bank does not have yet, oldest first, with their signals."""
    rows = (
        Outcome.objects.exclude(delivered=F("decision"))
        .select_related("signal")
        .defer("signal__frames", "signal__descriptors")
    )
    return list(rows.order_by("changed_at", "pk")[:most])


def is_due() -> bool:
    """Whether the bank does not have a word yet."""
    return Outcome.objects.exclude(delivered=F("decision")).exists()


def has_been_told(signal_id: int) -> bool:
    """Whether anything was said of this signal, so that it has to be said where it stands now."""
    return Outcome.objects.filter(signal=signal_id).exists()


def word_of(outcome: Outcome) -> Word:
    """What the bank is told."""
    return Word(
        SignalName(kind_of(outcome.signal.type), outcome.signal.value),
        outcome.decision,  # type: ignore[arg-type]
        outcome.reason,
        outcome.distance,
        outcome.count,
        outcome.measure or None,  # type: ignore[arg-type]
        outcome.by_machine,
    )
