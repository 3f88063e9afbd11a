"""Uploads and what they match."""

from __future__ import annotations

import uuid

from django.db import models

from reclaim.protocol.stopncii_v1 import SignalType


class UploadKey(models.Model):
    """The key by which the platform's own systems call the HTTP API. Only its MAC is kept."""

    mac = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)


class Upload(models.Model):
    """A picture or video that somebody uploaded to the platform. Of one that matched nothing, only this row is kept."""

    class Kind(models.TextChoices):
        """What it is."""

        PICTURE = "picture"
        VIDEO = "video"

    class Status(models.TextChoices):
        """What the platform is to do with it."""

        CLEAR = "clear"
        """Publish: nothing matched, or a person let it through, or what it matched was withdrawn."""
        HELD = "held"
        """Wait: a person has to look."""
        BLOCKED = "blocked"
        """Remove."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=7, choices=Kind.choices, default=Kind.PICTURE)
    status = models.CharField(max_length=8, choices=Status.choices)
    sha256 = models.CharField(max_length=64, blank=True)
    """Of the file as it came, so that the platform can tell which of its files was judged; empty if clear at once."""
    quality = models.PositiveSmallIntegerField()
    """PDQ quality, 0 to 100; of a video that of its best frame."""
    poor = models.BooleanField()
    """Too little detail for its matches, or their absence, to say much; of a video, no frame has enough."""
    received_at = models.DateTimeField(auto_now_add=True)


class Match(models.Model):
    """A signal that an upload came near to."""

    class Status(models.TextChoices):
        """Where it stands."""

        OPEN = "open"
        BLOCKED = "blocked"
        NOT_BLOCKED = "not-blocked"
        WITHDRAWN = "withdrawn"
        """The signal was withdrawn before anybody decided: there is nothing left to decide."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="matches")
    signal = models.ForeignKey(
        "platform_subscription.KnownSignal", on_delete=models.SET_NULL, null=True, related_name="matches"
    )
    """``None`` once the signal is withdrawn: no copy of its value stays."""
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.OPEN)
    distance = models.PositiveSmallIntegerField(null=True)
    """Bits of 256; of a video's frames None."""
    query_percent = models.FloatField(null=True)
    """How much of the upload is in the known video; None for anything but a video's frames."""
    video_percent = models.FloatField(null=True)
    """How much of the known video is in the upload."""
    turn = models.CharField(max_length=12)
    """The turn of the upload that came nearest; ``original`` is the upload as it lies."""
    quality = models.PositiveSmallIntegerField()
    """PDQ quality, 0 to 100, of the upload at that turn; of a video that of its best frame."""
    found_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upload", "signal"], name="platform_one_match_a_signal")]
        indexes = [models.Index(fields=["status", "found_at"])]

    @property
    def is_same_file(self) -> bool:
        """Whether the upload is the very file that was reported; no longer known once the signal is withdrawn."""
        return self.signal is not None and self.signal.type == SignalType.VIDEO_MD5


class Decision(models.Model):
    """What a person decided about a match. It is made once."""

    class Verdict(models.TextChoices):
        """What was decided."""

        BLOCKED = "blocked"
        NOT_BLOCKED = "not-blocked"

    class Reason(models.TextChoices):
        """Why something was not blocked. The person who reported it reads a sentence for each."""

        NOT_THE_SAME = "not-the-same", "It is not what was reported"
        NOT_INTIMATE = "not-intimate", "It is what was reported, and nothing intimate"
        ALLOWED_HERE = "allowed-here", "It is what was reported, and allowed here"
        CANNOT_TELL = "cannot-tell", "I cannot tell"
        OTHER = "other", "Another reason"

    match = models.OneToOneField(Match, on_delete=models.CASCADE, related_name="decision")
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    reviewer = models.CharField(max_length=80)
    reason = models.CharField(max_length=12, choices=Reason.choices, blank=True)
    """Why it was not blocked; the bank is told."""
    note = models.CharField(max_length=500, blank=True)
    decided_at = models.DateTimeField(auto_now_add=True)
