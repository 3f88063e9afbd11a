"""Placements, and how often platforms ask about them."""

from __future__ import annotations

from django.db import models


class Placement(models.Model):
    """Where the descriptors of one source lie in its picture, sealed. It is deleted when the source ends.

    Each source has its own, though two persons may have the same picture: hers ends with her withdrawal, and nobody
    else's is put in its place.
    """

    source = models.OneToOneField("ledger.Source", on_delete=models.CASCADE, primary_key=True, related_name="placement")
    sealed = models.BinaryField(max_length=1024)
    """See ``placements.sealing``."""


class CheckDay(models.Model):
    """How many placements a platform had checked on one day (UTC): counts, and nothing of which."""

    platform = models.ForeignKey("platforms.Platform", on_delete=models.CASCADE, related_name="placement_days")
    day = models.DateField()
    checks = models.PositiveIntegerField(default=0)
    """All that were asked for, refused ones too."""
    matches = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    """Those that were one too many."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "day"], name="one_check_count_a_platform_and_day")]


class CheckedSignal(models.Model):
    """How often a platform asked about one value on one day, so that nobody finds a placement by asking."""

    asked = models.BinaryField(max_length=32)
    """MAC of platform and value, known to the bank or not."""
    day = models.DateField(db_index=True)
    checks = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["asked", "day"], name="one_check_count_a_value_and_day")]
