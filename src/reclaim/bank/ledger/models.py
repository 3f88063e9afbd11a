"""The ledger: one record a signal, ordered by when it last changed."""

from __future__ import annotations

import uuid

from django.db import models


class LedgerClock(models.Model):
    """The one row that every writer of the ledger locks first. It hands out positions and seconds.

    Locks are released after a commit is visible, so positions become visible in their order: a reader that has
    seen position n has seen, or can still see at n + 1 and later, every other.
    """

    position = models.BigIntegerField(default=0)
    second = models.BigIntegerField(default=0)
    in_second = models.IntegerField(default=0)
    """How many records carry ``second`` already."""
    identity = models.UUIDField(default=uuid.uuid4)
    """Which ledger this is. A ledger that was restored from a backup is another one: its positions are handed out
    again, for other changes."""
    synthetic = models.BooleanField(default=False)
    """Every signal in it is made up: a staging bank, of which anybody gets the keys. It takes nobody's case."""


class LedgerRecord(models.Model):
    """A signal and where it stands. Each change moves it to the end of the feed."""

    class Type(models.TextChoices):
        """What kind of signal."""

        PDQ = "pdq"
        MD5 = "md5"
        VPDQ = "vpdq"
        """The frames of a video. Their texts are in ``frames``; ``value`` is the SHA-256 that names them."""
        DESCRIPTORS = "descriptors"
        """Of a picture or a still of a video. Their bytes are in ``descriptors``; ``value`` is the SHA-256 of these."""
        SOURCE = "source"
        """The PDQ of a source photograph: the clothed original of a deepfake."""

    class Status(models.TextChoices):
        """Where it stands."""

        ACTIVE = "active"
        WITHDRAWN = "withdrawn"
        """A tombstone: in the feed until every platform has acknowledged it or its retention ends."""
        ERASED = "erased"
        """The value is gone; only the person's case still knows that there was a signal."""

    type = models.CharField(max_length=11, choices=Type.choices)
    value = models.CharField(max_length=64, null=True)  # noqa: DJ001 NULL is "erased", and NULLs never collide
    frames = models.JSONField(null=True)
    """The kept frames of a video, as ``reclaim.signals.frames`` writes them: a list of texts. Only of a vPDQ."""
    descriptors = models.BinaryField(null=True)
    """The bytes of a picture's descriptors while they are active: a tombstone needs no more than their name."""
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    position = models.BigIntegerField(unique=True)
    modified_at = models.BigIntegerField()
    """Epoch seconds, never less than that of an earlier position."""
    withdrawn_at = models.DateTimeField(null=True)
    only_for = models.ForeignKey("platforms.Platform", on_delete=models.CASCADE, null=True, related_name="canaries")
    """A canary: a value that nobody reported, in this platform's feed alone; ``None`` for every real signal."""
    trust = models.PositiveSmallIntegerField(default=50)
    """From 0 to 100, as ``bank.trust`` reckons it."""
    review_only = models.BooleanField(default=False)
    """Platforms' decisions speak against the signal: a match goes to a person, nothing is removed by itself."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["type", "value"], name="one_record_a_signal"),
            models.CheckConstraint(
                condition=models.Q(status="erased", value=None) | (~models.Q(status="erased") & ~models.Q(value=None)),
                name="erased_means_no_value",
            ),
            models.CheckConstraint(
                condition=(models.Q(type="vpdq", frames__isnull=False) & ~models.Q(status="erased"))
                | (models.Q(frames__isnull=True) & (~models.Q(type="vpdq") | models.Q(status="erased"))),
                name="a_kept_vpdq_has_frames",
            ),
            models.CheckConstraint(
                condition=models.Q(type="descriptors", status="active", descriptors__isnull=False)
                | (models.Q(descriptors__isnull=True) & (~models.Q(type="descriptors") | ~models.Q(status="active"))),
                name="active_descriptors_have_bytes",
            ),
        ]
        indexes = [
            models.Index(fields=["modified_at", "position"]),
            # They are few among many, and are asked for at each fetch.
            models.Index(fields=["position"], name="tombstones", condition=models.Q(status="withdrawn")),
            models.Index(
                fields=["position"], name="extra_types", condition=models.Q(type__in=["descriptors", "source"])
            ),
        ]

    @property
    def extra(self) -> bool:
        """Whether it is of a type that nobody is given who does not ask for it."""
        return self.type in EXTRA_TYPES

    @property
    def for_review(self) -> bool:
        """Whether a match goes to a person: always where it is of an extra type."""
        return self.review_only or self.extra


EXTRA_TYPES = (LedgerRecord.Type.DESCRIPTORS.value, LedgerRecord.Type.SOURCE.value)
"""What is in a fetch of its own and in no other: not in v1's feed, NCMEC's, a snapshot, or another bank."""
ORDINARY_TYPES = tuple(kind.value for kind in LedgerRecord.Type if kind.value not in EXTRA_TYPES)
WITH_BODY = (LedgerRecord.Type.VPDQ.value, LedgerRecord.Type.DESCRIPTORS.value)
"""What is more than its value, while it is active."""
BODIES = ("frames", "descriptors")
"""The fields that are read only where they are given out."""
BODIES_OF_RECORD = tuple(f"record__{name}" for name in BODIES)
"""The same, seen from what points to a record."""


class Source(models.Model):
    """One reason why a signal is in the bank: a signal of a person's case, a platform's own find, or a peer's word.

    A signal is active while one of its sources is. A held source has no record: what it would put into the bank waits
    in a ``HeldSignal``, so it can be in no feed and touches no signal of anybody else.
    """

    class State(models.TextChoices):
        """Where it stands."""

        ACTIVE = "active"
        HELD = "held"
        """A person at the bank looks at it before it goes into any feed."""
        ENDED = "ended"
        """Withdrawn, or never let in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    record = models.ForeignKey(LedgerRecord, on_delete=models.CASCADE, related_name="sources", null=True)
    platform = models.ForeignKey("platforms.Platform", on_delete=models.CASCADE, null=True)
    """The platform that found it; ``None`` for a person's case and a peer."""
    peer = models.ForeignKey("peers.Peer", on_delete=models.CASCADE, null=True)
    """The other bank that it came from; ``None`` for a person's case and a platform."""
    quality = models.PositiveSmallIntegerField(null=True)
    """PDQ quality, 0 to 100, as whoever made the signal measured it; ``None`` where that is not known."""
    of_source = models.BooleanField(default=False)
    """Of descriptors: whoever brought them says that their picture is a source photograph."""
    made_with_ai = models.BooleanField(default=False)
    """A platform or a peer says that it was made or changed with AI. What a person says is kept with her item."""
    state = models.CharField(max_length=6, choices=State.choices, default=State.ACTIVE)
    added_position = models.BigIntegerField(default=0)
    """The record's position when this source was added. Whoever was given that position has the signal."""
    withdrawn_position = models.BigIntegerField(null=True)
    """The record's position when this source ended."""
    made_tombstone = models.BooleanField(default=False)
    """Whether its end made the record a tombstone, because it was the last."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["record", "platform"], name="one_source_a_platform"),
            models.CheckConstraint(
                condition=models.Q(platform=None) | models.Q(peer=None), name="a_platform_or_a_peer"
            ),
            models.CheckConstraint(
                condition=models.Q(state="ended")
                | (models.Q(state="held") & models.Q(record=None))
                | (models.Q(state="active") & ~models.Q(record=None)),
                name="held_means_no_record",
            ),
        ]

    @property
    def of_a_person(self) -> bool:
        """Whether a person of this bank is behind it."""
        return self.platform_id is None and self.peer_id is None

    @property
    def active(self) -> bool:
        """Whether it keeps its signal in the bank."""
        return self.state == self.State.ACTIVE


class HeldSignal(models.Model):
    """A signal that waits for a person at the bank. It ends with its source, or becomes a record with it."""

    source = models.OneToOneField(Source, on_delete=models.CASCADE, related_name="held")
    type = models.CharField(max_length=11, choices=LedgerRecord.Type.choices)
    value = models.CharField(max_length=64)
    frames = models.JSONField(null=True)
    descriptors = models.BinaryField(null=True)
