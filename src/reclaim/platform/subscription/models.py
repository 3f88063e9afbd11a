"""The signals this platform holds, as of its last sync."""

from __future__ import annotations

import uuid

from django.db import models

from reclaim.client import ExtraType
from reclaim.protocol.native_v2 import OF_A_SOURCE


class Subscription(models.Model):
    """The one row that says how far the feed has been followed. Every change of the signals locks it first."""

    checkpoint = models.TextField(blank=True)
    """The client's own resume point, as it writes it; empty before the first page."""
    synced_at = models.DateTimeField(null=True)
    """When a sync last reached the end of the feed."""
    extra_checkpoint = models.TextField(blank=True)
    """The same of the fetch of the extra types, which is one of its own; empty where none is followed."""
    extra_types = models.JSONField(default=list)
    """The extra types that this fetch is of, in the exchange's own words."""
    version = models.BigIntegerField(default=0)
    """Goes up with each change of the signals, so that a process sees that its index is behind."""
    store = models.UUIDField(default=uuid.uuid4)
    """Names this set of signals: a version number says nothing about another database."""


class KnownSignal(models.Model):
    """A signal that is active in the bank. A tombstone deletes the row, and with it all that points to it."""

    type = models.CharField(max_length=12)
    """``ImagePDQ``, ``VideoMD5`` or ``VideoVPDQ``, or of the extra types ``source`` or ``descriptors``. The second
    stands for pictures too, where a person reported the very file."""
    value = models.CharField(max_length=64)
    frames = models.JSONField(null=True)
    """Of a ``VideoVPDQ``, as ``reclaim.signals.frames`` writes them."""
    descriptors = models.BinaryField(null=True)
    """Of ``Descriptors``: n times 32 bytes, ascending."""
    labels = models.JSONField(default=list)
    """What persons said of it, such as ``made-with-ai``."""
    feedback = models.JSONField(default=list)
    """What platforms said of it, where the bank tells who: ``[{"source", "value"}]``."""
    blocked = models.PositiveIntegerField(default=0)
    """How many platforms said that they blocked it."""
    not_blocked = models.PositiveIntegerField(default=0)
    quality = models.PositiveSmallIntegerField(null=True)
    """PDQ quality, 0 to 100, where the bank says so."""
    provenance = models.JSONField(default=list)
    """Who brought it to the bank: ``person``, ``platform``, ``bank:<name>``. Empty where the bank does not say."""
    trust = models.PositiveSmallIntegerField(null=True)
    """0 to 100, where the bank says so."""
    review_only = models.BooleanField(default=False)
    """The bank says: a person has to look, nothing is to be done because of a match alone."""
    generation = models.BigIntegerField()
    """Which fetch of the whole feed last named it; see ``reclaim.client.SignalStore``."""
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["type", "value"], name="platform_one_row_a_signal")]
        indexes = [models.Index("id", name="platform_review_only", condition=models.Q(review_only=True))]

    @property
    def is_of_a_source(self) -> bool:
        """Whether it is of a clothed original, from which somebody may have made a fake."""
        return self.type == ExtraType.SOURCE or OF_A_SOURCE in self.labels


class RemovedSignal(models.Model):
    """The number, and no more, of a signal that is gone: an index that was built earlier still has to drop it."""

    signal = models.BigIntegerField(primary_key=True)
    version = models.BigIntegerField(db_index=True)


class PendingAcknowledgement(models.Model):
    """A tombstone that was honoured here, and that the bank has not been told of yet."""

    type = models.CharField(max_length=12)
    value = models.CharField(max_length=64)
    acknowledge_by = models.DateTimeField(null=True)
    """Until when the bank wants the word, where it says so."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["type", "value"], name="platform_one_ack_a_signal")]
