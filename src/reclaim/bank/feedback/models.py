"""What platforms say."""

from __future__ import annotations

from django.db import models

from reclaim.protocol.stopncii_v1 import FeedbackValue


class Action(models.TextChoices):
    """What a platform did with uploads that it decided on."""

    NONE = "none"
    HIDDEN = "hidden"
    REMOVED = "removed"
    ACCOUNT_RESTRICTED = "account-restricted"
    OTHER = "other"


class DecidedBy(models.TextChoices):
    """Who decided at a platform."""

    PERSON = "person"
    MACHINE = "machine"


class Feedback(models.Model):
    """A platform's latest word on a signal."""

    platform = models.ForeignKey("platforms.Platform", on_delete=models.CASCADE)
    record = models.ForeignKey("ledger.LedgerRecord", on_delete=models.CASCADE, related_name="feedback")
    value = models.CharField(max_length=16, choices=[(value.value, value.value) for value in FeedbackValue])
    tags = models.JSONField(default=list)
    distance = models.PositiveSmallIntegerField(null=True)
    """Bits between the signal and the nearest upload that this is about, where the platform says it."""
    count = models.PositiveIntegerField(default=1)
    """How many uploads this is about, by the platform's word."""
    action = models.CharField(max_length=18, choices=Action.choices, blank=True)
    """What was done with them; empty where the platform does not say."""
    decided_by = models.CharField(max_length=7, choices=DecidedBy.choices, blank=True)
    """Empty where the platform does not say."""
    said_position = models.BigIntegerField()
    """Where the ledger's clock stood: feedback on a signal concerns the sources that were added before."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "record"], name="one_feedback_a_platform")]


class Acknowledgement(models.Model):
    """A platform's word that it has deleted its copy of a withdrawn signal."""

    platform = models.ForeignKey("platforms.Platform", on_delete=models.CASCADE)
    record = models.ForeignKey("ledger.LedgerRecord", on_delete=models.CASCADE, related_name="acknowledgements")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "record"], name="one_acknowledgement_a_platform")]
