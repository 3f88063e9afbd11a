"""What the gate remembers: puzzles that were used, and one-time codes."""

from __future__ import annotations

from django.db import models


class UsedPuzzle(models.Model):
    """A puzzle whose solution was handed in, until it expires: nobody gets in with it a second time."""

    signature = models.BinaryField(max_length=32, primary_key=True)
    receipt_mac = models.BinaryField(max_length=32)
    """Of the receipt it came with, what was sent and where to. A page whose answer was lost sends the same again, and
    is let in again."""
    expires_at = models.DateTimeField(db_index=True)


class IntakeCode(models.Model):
    """A one-time code that an organisation gives to a person, who then needs no puzzle."""

    mac = models.BinaryField(max_length=32, unique=True)
    organisation = models.CharField(max_length=80)
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    used_receipt_mac = models.BinaryField(max_length=32, null=True)
    """As ``UsedPuzzle.receipt_mac``; ``None`` while it is unused. There is no link to the case."""
    revoked = models.BooleanField(default=False)
