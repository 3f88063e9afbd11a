"""What the bank is told."""

from __future__ import annotations

from django.db import models

from reclaim.protocol.stopncii_v1 import FeedbackValue


class Outcome(models.Model):
    """What this platform says of one signal, and what of it the bank has already.

    One row a signal, not a queue: only the latest word counts, so the bank cannot be given an old word after a new
    one, and is told once however often a word was said before it could be reached. A withdrawn signal takes its row
    with it.
    """

    signal = models.OneToOneField("platform_subscription.KnownSignal", on_delete=models.CASCADE, related_name="outcome")
    value = models.CharField(max_length=16, choices=[(value.value, value.value) for value in FeedbackValue])
    tags = models.JSONField(default=list)
    """Why, in the exchange's own words."""
    changed_at = models.DateTimeField()
    """When it was last said, the same word or another."""
    delivered = models.CharField(max_length=16, default="")
    """The word that the bank has; empty from the moment something was said until the bank has it."""
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["changed_at"])]
