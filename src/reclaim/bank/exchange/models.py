"""Snapshots: the whole feed of one platform in files, for its first sync."""

from __future__ import annotations

import uuid

from django.db import models


class Snapshot(models.Model):
    """A snapshot that a platform asked for. Its parts are files of the data folder; its manifest is signed when asked
    for."""

    class State(models.TextChoices):
        """Where it stands."""

        WANTED = "wanted"
        MAKING = "making"
        READY = "ready"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    platform = models.ForeignKey("platforms.Platform", on_delete=models.CASCADE, related_name="snapshots")
    state = models.CharField(max_length=6, choices=State.choices, default=State.WANTED)
    asked_at = models.DateTimeField(auto_now_add=True)
    beat_at = models.DateTimeField(null=True)
    """When whoever makes it was last seen at work: one that died is followed by another."""
    tries = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(null=True)
    """When its reading began: whatever changed since is in the feed after its cursor."""
    ledger = models.UUIDField(null=True)
    """Identity of the ledger that it was read from."""
    position = models.BigIntegerField(default=0)
    """Where the ledger stood when its reading began."""
    second = models.BigIntegerField(default=0)
    """The same as epoch seconds of the ledger's clock."""
    rows = models.PositiveBigIntegerField(default=0)
    parts = models.JSONField(default=list)
    """``[{"name", "bytes", "sha256", "rows"}]``"""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["platform"], condition=~models.Q(state="ready"), name="one_snapshot_in_the_making_a_platform"
            ),
        ]
