"""What the bank is told."""

from __future__ import annotations

from django.db import models

from reclaim.protocol.stopncii_v1 import FeedbackValue


class Outcome(models.Model):
    """What this platform says of one signal, and what of it the bank has already.

    One row a signal, not a queue: only the latest word counts, so the bank can neither be given an old word after
    a new one nor the same word twice over. A withdrawn signal takes its row with it.
    """

    signal = models.OneToOneField("platform_subscription.KnownSignal", on_delete=models.CASCADE, related_name="outcome")
    value = models.CharField(max_length=16, choices=[(value.value, value.value) for value in FeedbackValue])
    changed_at = models.DateTimeField()
    delivered = models.CharField(max_length=16, default="")
    """The word that the bank has; empty before the first."""
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["changed_at"])]
