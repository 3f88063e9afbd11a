"""Writes on what the bank is told."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from reclaim.platform.outcomes.models import Outcome
from reclaim.protocol.stopncii_v1 import FeedbackValue


def say(signal_id: int, value: FeedbackValue) -> None:
    """Let this be our word on a signal, to be sent to the bank. Saying the same again changes nothing.

    Call it in the transaction of the act it tells of, under ``locked_signals``.
    """
    outcome = Outcome.objects.filter(signal_id=signal_id).first()
    if outcome is None:
        Outcome.objects.create(signal_id=signal_id, value=value, changed_at=timezone.now())
    elif outcome.value != value:
        outcome.value = value
        outcome.changed_at = timezone.now()
        outcome.save(update_fields=["value", "changed_at"])


def note_delivered(outcomes: Iterable[Outcome]) -> None:
    """Remember that the bank has these words. One that has changed since it was read stays due."""
    for outcome in outcomes:
        Outcome.objects.filter(pk=outcome.pk).update(delivered=outcome.value, delivered_at=timezone.now())
