"""Canaries, and how far they have been handed out."""

from __future__ import annotations

from django.db import models


class Canary(models.Model):
    """A PDQ value that nobody reported, made for one platform.

    Kept when the platform loses its access, and beyond: a list may leak years later.
    """

    platform = models.ForeignKey("platforms.Platform", on_delete=models.SET_NULL, null=True, related_name="+")
    platform_name = models.CharField(max_length=80)
    value = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(auto_now_add=True)
    placed = models.BooleanField(default=False)
    """It is in the platform's feed."""


class CanaryFigures(models.Model):
    """The one row that says, as of the last tick, what writers of the ledger need to know of canaries."""

    signals = models.BigIntegerField(default=0)
    """Real signals that are active."""
    placed = models.BigIntegerField(default=0)
    """Canaries in feeds."""
    waiting = models.BigIntegerField(default=0)
    """Canaries that are not in their feed yet."""
