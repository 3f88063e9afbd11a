"""Uploads, what they match, what people decided, and the rules by which they decide."""

from __future__ import annotations

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from reclaim.matching.policy import FARTHEST_REVIEW
from reclaim.matching.relation import Relation
from reclaim.protocol.stopncii_v1 import MADE_WITH_AI, SignalType
from reclaim.signals import MATCH_DISTANCE

CLOSE_DISTANCE = 10
"""Bits of 256 up to which a picture is most likely the reported one, saved anew or resized."""
CLOSE_PERCENT = 50.0
"""Of a video: so much of either lies in the other."""


class UploadKey(models.Model):
    """The key by which the platform's own systems call the HTTP API. Only its MAC is kept."""

    mac = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)


def _minutes(least: int, most: int, usual: int) -> models.PositiveSmallIntegerField[int, int]:
    return models.PositiveSmallIntegerField(
        default=usual, validators=[MinValueValidator(least), MaxValueValidator(most)]
    )


class Rules(models.Model):
    """The one row of rules that an admin sets. Without it, the defaults hold."""

    class Second(models.TextChoices):
        """When not blocking needs a second person."""

        NEVER = "never", "No"
        CLOSE = "close", "If the match is close"
        ALWAYS = "always", "Always"

    class Altered(models.TextChoices):
        """What becomes of an upload of which a known picture is kept in part while another part differs."""

        REVIEW = "review", "A person looks"
        LABEL = "label", "Our own systems are told, and nobody looks"

    two_to_block = models.BooleanField(default=False)
    two_to_let_through = models.CharField(max_length=6, choices=Second.choices, default=Second.NEVER)
    two_for_appeals = models.BooleanField(default=False)
    undo_minutes = _minutes(0, 120, 15)
    """How long somebody can take back what they decided."""
    answer_after_minutes = _minutes(0, 120, 0)
    """How long after a decision of the review the platform's own systems still read «held»."""
    appeal_days = _minutes(0, 90, 14)
    """How long an uploader can ask again, a lead can undo, and the copy of a blocked upload is kept for both."""
    break_after_minutes = _minutes(20, 120, 50)
    break_minutes = _minutes(5, 60, 10)
    hourly_minutes = _minutes(0, 60, 0)
    """Minutes an hour with pictures shown clearly; 0 for no cap."""
    hourly_cap_is_hard = models.BooleanField(default=False)
    """Beyond the cap nothing is shown clearly; else it is only said."""
    views = models.BooleanField(default=True)
    """Uploads are also looked up turned, trimmed and in parts."""
    review_distance = models.PositiveSmallIntegerField(
        default=MATCH_DISTANCE, validators=[MinValueValidator(MATCH_DISTANCE), MaxValueValidator(FARTHEST_REVIEW)]
    )
    """Bits of 256 up to which a person looks. What holds by itself ends at 31, whatever is chosen here."""
    partly_altered = models.CharField(max_length=6, choices=Altered.choices, default=Altered.REVIEW)
    sources = models.BooleanField(default=False)
    """The platform hosts adult content, so uploads that it says are adult are held against source photographs."""


class Upload(models.Model):
    """A picture or video that somebody uploaded to the platform. Of one that matched nothing, only this row is kept."""

    class Kind(models.TextChoices):
        """What it is."""

        PICTURE = "picture"
        VIDEO = "video"

    class Status(models.TextChoices):
        """What the platform is to do with it."""

        CLEAR = "clear"
        """Publish: nothing matched, or not nearly enough to keep it back, or a person let it through, or what it
        matched was withdrawn."""
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
    adult = models.BooleanField(null=True)
    """Whether the platform's own classifier or moderator says that it is adult content; None where nobody said."""
    width = models.PositiveSmallIntegerField(null=True)
    """Of what matches or may match: its shape, in pixels with the longer side 512; of a video that of its first
    still."""
    height = models.PositiveSmallIntegerField(null=True)
    moments = models.JSONField(default=list)
    """Of a video: the seconds of its review copies, in their order."""
    received_at = models.DateTimeField(auto_now_add=True)
    answer_from = models.DateTimeField(null=True)
    """Until then the platform's own systems read «held», so that a slip can be taken back before anything is done."""
    carried_out_at = models.DateTimeField(null=True)
    """When the platform's own systems said that they had done what was decided, for good."""
    copy_until = models.DateTimeField(null=True)
    """When the review copy goes; ``None`` while a match waits."""


class Match(models.Model):
    """A signal that an upload came near to."""

    class Status(models.TextChoices):
        """Where it stands."""

        OPEN = "open"
        """It waits: for anybody, or, where decisions stand already, for a second person."""
        BLOCKED = "blocked"
        NOT_BLOCKED = "not-blocked"
        WITHDRAWN = "withdrawn"
        """The signal was withdrawn before anybody decided: there is nothing left to decide."""
        LABELLED = "labelled"
        """Partly altered, where the rules want no person to look: the platform's own systems are told."""
        NOT_CONFIRMED = "not-confirmed"
        """Found by its parts while the bank could not be asked; it has said since that it is another picture."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="matches")
    signal = models.ForeignKey(
        "platform_subscription.KnownSignal", on_delete=models.SET_NULL, null=True, related_name="matches"
    )
    """``None`` once the signal is withdrawn: no copy of its value stays."""
    status = models.CharField(max_length=13, choices=Status.choices, default=Status.OPEN)
    holds = models.BooleanField(default=True)
    """While it waits, the upload is shown to nobody; otherwise a person looks while it is public."""
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
    relation = models.JSONField(null=True)
    """How the upload relates to the known picture, as ``reclaim.matching.relation.Relation`` has it; None where there
    is nothing to say."""
    unchecked = models.BooleanField(default=False)
    """Found by its parts, and the bank could not yet be asked whether they lie as in the reported picture."""
    of_a_source = models.BooleanField(default=False)
    """The reported picture is a clothed original: what matters is whether this is a fake made from it."""
    found_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    """When the decision became final; ``None`` while it waits."""
    together = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="followers")
    """The match of the same upload that was blocked, and this one with it; the decisions are that one's."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upload", "signal"], name="platform_one_match_a_signal"),
            # The rule that nothing else may act before a person, whatever code comes to write here.
            models.CheckConstraint(
                condition=Q(holds=False)
                | Q(turn="original", unchecked=False, of_a_source=False)
                & (Q(distance=None) | Q(distance__lte=MATCH_DISTANCE)),
                name="platform_only_the_same_holds",
            ),
        ]
        indexes = [models.Index(fields=["status", "found_at"])]

    @property
    def is_same_file(self) -> bool:
        """Whether the upload is the very file that was reported; no longer known once the signal is withdrawn."""
        return self.signal is not None and self.signal.type == SignalType.VIDEO_MD5

    @property
    def is_close(self) -> bool:
        """Whether it is most likely what was reported: the very file, few bits apart, or half of a video."""
        if self.query_percent is not None and self.video_percent is not None:
            return max(self.query_percent, self.video_percent) >= CLOSE_PERCENT
        return self.distance is not None and self.distance <= CLOSE_DISTANCE and not self.of_a_source

    @property
    def related(self) -> Relation | None:
        """How the upload relates to the known picture."""
        return None if self.relation is None else Relation.model_validate(self.relation)

    @property
    def made_with_ai(self) -> bool:
        """Whether the person said that the reported picture was made or changed with AI."""
        return self.signal is not None and MADE_WITH_AI in self.signal.labels


class Candidate(models.Model):
    """A known picture that an upload may show by its parts, of which the bank has yet to say whether it does.

    It becomes a match when the bank says so, or when the bank cannot be asked; and it is gone when the bank says no.
    """

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="candidates")
    signal = models.ForeignKey("platform_subscription.KnownSignal", on_delete=models.CASCADE, related_name="candidates")
    pairs = models.JSONField()
    """What the bank is asked: ``[[slot, x, y, level, angle, mirrored], …]``."""
    frame = models.JSONField()
    """Width and height that the pairs are counted in, in pixels; the longer one is 512."""
    part = models.JSONField(null=True)
    """The part of the upload that has this frame, as ``Relation.box``; None where it is all of it."""
    at = models.FloatField(null=True)
    """Of a video: the seconds at which it may show it, in this frame."""
    tries = models.PositiveSmallIntegerField(default=0)
    """How often the bank could not be asked, or would not answer."""
    next_try_at = models.DateTimeField(auto_now_add=True, db_index=True)
    found_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upload", "signal"], name="platform_one_candidate_a_signal")]


class Appeal(models.Model):
    """The uploader of a blocked upload asks again. Somebody else than those who blocked it decides."""

    class Status(models.TextChoices):
        """Where it stands."""

        OPEN = "open"
        UPHELD = "upheld"
        """It stays blocked."""
        OVERTURNED = "overturned"
        """It is let through; the bank is told."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="appeals")
    text = models.CharField(max_length=2000)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    answer = models.CharField(max_length=1000, blank=True)
    """What the uploader is told."""
    received_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upload"], condition=Q(status="open"), name="platform_one_open_appeal")
        ]


class Decision(models.Model):
    """What one person decided about a match, or about an appeal. It stands until it is undone; it is never changed."""

    class Verdict(models.TextChoices):
        """What was decided. Of an appeal: it stays blocked, or it does not."""

        BLOCKED = "blocked"
        NOT_BLOCKED = "not-blocked"

    class Reason(models.TextChoices):
        """Why something was not blocked. The person who reported it reads a sentence for each."""

        NOT_THE_SAME = "not-the-same", "It is not what was reported"
        NOT_INTIMATE = "not-intimate", "It is what was reported, and nothing intimate"
        ALLOWED_HERE = "allowed-here", "It is what was reported, and allowed here"
        CANNOT_TELL = "cannot-tell", "I cannot tell"
        OTHER = "other", "Another reason"

    match = models.ForeignKey(Match, on_delete=models.CASCADE, related_name="decisions")
    appeal = models.ForeignKey(Appeal, on_delete=models.CASCADE, null=True, related_name="decisions")
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    reviewer = models.CharField(max_length=80)
    actor = models.CharField(max_length=80)
    """Who it was, as ``AuditEvent.actor`` has it: names can be anything."""
    by_lead = models.BooleanField(default=False)
    """Who it was could give the second decision where two are asked for."""
    reason = models.CharField(max_length=12, choices=Reason.choices, blank=True)
    """Why it was not blocked; the bank is told."""
    note = models.CharField(max_length=500, blank=True)
    decided_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=80, blank=True)
    undone_why = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["match", "actor"],
                condition=Q(undone_at=None, appeal=None),
                name="platform_one_standing_decision",
            ),
            models.UniqueConstraint(
                fields=["appeal", "actor"], condition=Q(undone_at=None), name="platform_one_word_on_an_appeal"
            ),
        ]
