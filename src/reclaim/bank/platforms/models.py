"""Platforms, their keys, and how often something goes wrong with their requests."""

from __future__ import annotations

from django.db import models


class Platform(models.Model):
    """A vetted platform: it may fetch signals, and says what it did."""

    name = models.CharField(max_length=80, unique=True)
    vetted_at = models.DateTimeField(auto_now_add=True)
    granted = models.JSONField(default=list)
    """Scopes that two people, or somebody with the command line, agreed to: its keys open nothing else."""
    revoked_at = models.DateTimeField(null=True)
    last_fetch_at = models.DateTimeField(null=True)
    covered_position = models.BigIntegerField(default=0)
    """The platform was given every ledger record up to this position, without a gap."""
    covered_until = models.BigIntegerField(default=0)
    """The same as a feed timestamp, epoch seconds."""
    told_position = models.BigIntegerField(default=0)
    """The platform was given every tombstone up to this position; of other records perhaps only those that it asks
    for."""
    told_at_last_start = models.BigIntegerField(default=0)
    """``told_position`` when the platform last began to fetch."""
    confirmed_position = models.BigIntegerField(default=0)
    """The platform was given every tombstone up to this position, and had acknowledged them all when it had come back
    twice."""
    takes_videos = models.BooleanField(default=False)
    """The platform has been given frames of videos, so it may hold some. Nobody else owes a word on them."""


class ExtraCopy(models.Model):
    """That a platform has been given signals of one extra type, so that it may hold some, and how far.

    An extra type is fetched by itself, with a cursor of its own, so it has positions of its own; see ``Platform``.
    """

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="extra_copies")
    type = models.CharField(max_length=11)
    since = models.DateTimeField(auto_now_add=True)
    """It owes no word on what was withdrawn before."""
    covered_position = models.BigIntegerField(default=0)
    told_position = models.BigIntegerField(default=0)
    told_at_last_start = models.BigIntegerField(default=0)
    confirmed_position = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "type"], name="one_extra_copy_a_platform_and_type")]


class PlatformKey(models.Model):
    """One key of a platform. Only its MAC is kept."""

    class Scope(models.TextChoices):
        """What a key opens."""

        SUBSCRIPTION = "subscription"
        """Nothing by itself: v1 wants it beside the key of each endpoint."""
        FETCH = "fetch"
        SUBMIT = "submit"
        FEEDBACK = "feedback"
        LOOKUP = "lookup"
        DESCRIPTORS = "descriptors"
        """With «fetch»: descriptors; by itself: whether they lie in an upload as in their picture."""
        SOURCES = "sources"
        """With «fetch»: source photographs."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="keys")
    scopes = models.JSONField(default=list)
    """A list of ``Scope``, at least one."""
    label = models.CharField(max_length=80, blank=True)
    """What it is for, in an operator's words."""
    addresses = models.JSONField(default=list)
    """Networks that it may come from, such as ``192.0.2.0/24``; an empty list: from anywhere."""
    mac = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_on = models.DateField(null=True)
    """The day, and no more: an operator sees which keys are still in use."""


class ErrorHour(models.Model):
    """How many requests of a platform were refused or failed within one hour (UTC): counts, and nothing of what."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="error_hours")
    hour = models.DateTimeField()
    """When it began."""
    refused = models.PositiveIntegerField(default=0)
    """Answers from 400 to 499."""
    failed = models.PositiveIntegerField(default=0)
    """Answers from 500 on."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "hour"], name="one_error_count_a_platform_and_hour")]
