"""Writes on what the bank is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils import timezone

from reclaim.platform.outcomes.models import Outcome
from reclaim.protocol.stopncii_v1 import FeedbackValue


def say(signal_id: int, value: FeedbackValue, tags: Sequence[str] = ()) -> None:
    """Let this be our word on a signal, to be sent to the bank, also if the bank has the same word already.

    A bank shows a person only what was said since her picture came in. So a word is said again for each new decision
    and each new match, or whoever reports a known picture later would never read what came of it.

    Call it in the transaction of the act it tells of, under ``locked_signals``.
    """
    Outcome.objects.update_or_create(
        signal_id=signal_id,
        defaults={"value": value, "tags": list(tags), "changed_at": timezone.now(), "delivered": ""},
    )


def note_delivered(outcomes: Iterable[Outcome]) -> None:
    """Remember that the bank has these words. One that was said anew since it was read stays due."""
    for outcome in outcomes:
        same = Outcome.objects.filter(pk=outcome.pk, changed_at=outcome.changed_at)
        same.update(delivered=outcome.value, delivered_at=timezone.now())
