"""What the bank's staff decided about signals that platforms reject."""

from __future__ import annotations

from django.db import models


class Correction(models.Model):
    """The latest decision about a signal. It holds for every platform."""

    class Decision(models.TextChoices):
        """What was decided."""

        KEEP = "keep", "Keep it for review only"
        """Whatever platforms say from now on."""
        RESTORE = "restore", "Restore it"
        """What platforms said against it so far counts no more."""
        WITHDRAW = "withdraw", "Take it out: reported by mistake"
        """What had brought it in before platforms spoke has ended. What comes after is for review only."""

    record = models.OneToOneField("ledger.LedgerRecord", on_delete=models.CASCADE, related_name="correction")
    decision = models.CharField(max_length=8, choices=Decision.choices)
    position = models.BigIntegerField()
    """Where the ledger's clock stood: words that were said up to here were known."""
    at = models.DateTimeField(auto_now=True)
    by = models.CharField(max_length=40)
    """As the audit trail names them."""
