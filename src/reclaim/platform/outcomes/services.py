"""Writes on what the bank is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from reclaim.client.changes import Decision, Measure
from reclaim.platform.outcomes.models import Outcome


def say(
    signal_id: int,
    decision: Decision,
    *,
    reason: str = "",
    distance: int | None = None,
    count: int = 1,
    measure: Measure | None = None,
    by_machine: bool = False,
) -> None:
    """Let this be our word on a signal, to be sent to the bank, also if the bank has the same word already.

    A bank shows a person only what was said since her picture came in. So a word is said again for each new decision
    and each new match, or whoever reports a known picture later would never read what came of it.

    Call it in the transaction of the act it tells of, under ``locked_signals``.
    """
    word: dict[str, Any] = {
        "decision": decision,
        "reason": reason,
        "distance": distance,
        "count": count,
        "measure": measure or "",
        "by_machine": by_machine,
    }
    Outcome.objects.update_or_create(
        signal_id=signal_id, defaults={**word, "changed_at": timezone.now(), "delivered": ""}
    )


def note_delivered(outcomes: Iterable[Outcome]) -> None:
    """Remember that the bank has these words. One that was said anew since it was read stays due."""
    for outcome in outcomes:
        same = Outcome.objects.filter(pk=outcome.pk, changed_at=outcome.changed_at)
        same.update(delivered=outcome.decision, delivered_at=timezone.now())
