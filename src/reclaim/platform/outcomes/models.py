"""What the bank is told."""

from __future__ import annotations

from django.db import models

DECISIONS = ("pending", "blocked", "not-blocked")


class Outcome(models.Model):
    """What this platform says of one signal, and what of it the bank has already.

    One row a signal, not a queue: only the latest word counts, so the bank cannot be given an old word after a new
    one, and is told once however often a word was said before it could be reached. A withdrawn signal takes its row
    with it.
    """

    signal = models.OneToOneField("platform_subscription.KnownSignal", on_delete=models.CASCADE, related_name="outcome")
    decision = models.CharField(max_length=11, choices=[(word, word) for word in DECISIONS], default="pending")
    """``pending``: there was a match, a person will look."""
    reason = models.CharField(max_length=12, blank=True)
    """Why it was not blocked, in the exchange's own words."""
    distance = models.PositiveSmallIntegerField(null=True)
    """Bits of 256 between the signal and the nearest upload; None of a video's frames."""
    count = models.PositiveIntegerField(default=1)
    """Uploads that matched it so far."""
    measure = models.CharField(max_length=18, blank=True)
    """What was done to them, in the exchange's own words."""
    by_machine = models.BooleanField(default=False)
    """Nobody looked yet."""
    changed_at = models.DateTimeField()
    """When it was last said, the same word or another."""
    delivered = models.CharField(max_length=11, default="")
    """The word that the bank has; empty from the moment something was said until the bank has it."""
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["changed_at"])]
