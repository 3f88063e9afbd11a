"""What the bank keeps of lookups: how many, and whether somebody feels his way around a signal."""

from __future__ import annotations

from django.db import models


class Allowance(models.Model):
    """How many lookups a day an operator allows a platform, where it is not the usual number."""

    platform = models.OneToOneField("platforms.Platform", on_delete=models.CASCADE, related_name="lookup_allowance")
    a_day = models.PositiveIntegerField()


class LookupDay(models.Model):
    """How many lookups a platform has made on one day (UTC)."""

    platform = models.ForeignKey("platforms.Platform", on_delete=models.CASCADE, related_name="lookup_days")
    day = models.DateField()
    lookups = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "day"], name="one_count_a_platform_and_day")]


class Lookup(models.Model):
    """A value that was looked up, as far as the alarm needs it.

    Of an upload that is near no signal nothing is kept that tells of it.
    """

    platform = models.ForeignKey("platforms.Platform", on_delete=models.CASCADE)
    at = models.DateTimeField(auto_now_add=True, db_index=True)
    near = models.BinaryField(max_length=32)
    """MAC of the nearest signal, if it is near; random otherwise."""
    asked = models.BinaryField(max_length=32)
    """MAC of what was asked, if it is near a signal; random otherwise."""
    missed = models.BooleanField()
    """Near a signal, and no match."""

    class Meta:
        indexes = [models.Index(fields=["platform", "near", "at"])]


class LookupAlarm(models.Model):
    """A platform asked for many versions of one picture, some not found: as who looks for an edit that escapes."""

    platform = models.ForeignKey("platforms.Platform", on_delete=models.CASCADE, related_name="lookup_alarms")
    raised_at = models.DateTimeField(auto_now_add=True)
    versions = models.PositiveIntegerField()
    """How many it had asked for when the alarm was last raised."""
    stopped = models.BooleanField(default=False)
    """Lookups of the platform are refused until somebody at the bank has looked."""
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["platform"], condition=models.Q(closed_at=None), name="one_open_alarm_a_platform"
            )
        ]
