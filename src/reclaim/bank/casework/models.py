"""Case files: what an organisation keeps of its work for one person.

What a person or a practitioner says in words of their own is sealed with the case file's key (``bank.vault``). What is
not sealed is a choice from a list, a date, or the name of a site: lists, filters and numbers need no more.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from reclaim.bank.organisations.models import Practitioner, Team


class Channel(models.TextChoices):
    """How a case file began."""

    PHONE = "phone", "Telephone"
    CHAT = "chat", "Chat"
    FORM = "form", "Web form"
    CODE = "code", "The person's code"
    """With a one-time code of the person's case page."""
    REFERRAL = "referral", "Referral"


class Status(models.TextChoices):
    """Where a case file stands."""

    OPEN = "open", "Open"
    WAITING = "waiting", "Waiting"
    """For somebody outside: the person, a site, an authority."""
    CLOSED = "closed", "Closed"


class Happened(models.TextChoices):
    """What happened; a case file may have several."""

    EX_PARTNER = "ex-partner", "A partner or former partner has them"
    SEXTORTION = "sextortion", "Somebody online demands money or more pictures"
    BROKEN_IN = "broken-in", "An account or a device was broken into"
    HIDDEN = "hidden", "Taken in secret or under pressure"
    PUBLISHED = "published", "A site or a group publishes them"
    OTHER = "other", "Something else"


class Stage(models.TextChoices):
    """How far it has gone."""

    THREATENED = "threatened", "Threatened"
    SHARED = "shared", "Shared"
    BOTH = "both", "Shared, and more is threatened"
    UNKNOWN = "unknown", "Not known"


class Said(models.TextChoices):
    """Yes, no, or nobody has said."""

    YES = "yes", "Yes"
    NO = "no", "No"
    UNKNOWN = "unknown", "Not known"


class AtRisk(models.TextChoices):
    """Who is at risk now; a case file may have several."""

    PERSON = "person", "The person"
    CHILD = "child", "A child"
    OTHER = "other", "Somebody else"


class Police(models.TextChoices):
    """Whether the police know."""

    TOLD = "told", "Yes, told already"
    WANTED = "wanted", "Not yet, the person wants to"
    UNWANTED = "unwanted", "No, the person does not want to"
    UNKNOWN = "unknown", "Not asked"


class Risk(models.TextChoices):
    """What the answers to the safety questions come to (``safety.risk_of``)."""

    NONE = "none", "Calm"
    WATCH = "watch", "Watch"
    URGENT = "urgent", "Urgent"


class Outcome(models.TextChoices):
    """How the work ended."""

    REMOVED = "removed", "Everything found is gone"
    PARTLY = "partly", "Some of it is gone"
    PREVENTED = "prevented", "It was not shared"
    ADVISED = "advised", "Advice was enough"
    REFERRED = "referred", "Somebody else helps now"
    STOPPED = "stopped", "The person did not want to go on"
    UNREACHED = "unreached", "The person could not be reached"
    MISTAKEN = "mistaken", "Opened by mistake"


class CaseFile(models.Model):
    """An organisation's work for one person. It may exist without any signal, and a person's case without it."""

    Channel = Channel
    Status = Status

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    designation = models.CharField(max_length=40, db_index=True)
    """What staff call it: ``cases.designations``."""
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="case_files")
    team = models.ForeignKey("organisations.Team", on_delete=models.SET_NULL, null=True)
    owner = models.ForeignKey("organisations.Practitioner", on_delete=models.SET_NULL, null=True)
    """Who works on it; nobody while it waits for somebody to take it."""
    case = models.ForeignKey("cases.Case", on_delete=models.SET_NULL, null=True, related_name="case_files")
    """The person's own case, while they let the organisation see it."""
    person = models.ForeignKey("cases.Case", on_delete=models.SET_NULL, null=True, related_name="+")
    """Whose it is, for their own rights: kept when the consent ends. Only the person's own pages go by it; a
    practitioner's page tells no more than whether it is the linked case."""
    channel = models.CharField(max_length=8, choices=Channel.choices)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.OPEN)
    country = models.CharField(max_length=2, blank=True)
    """Where the person lives: ISO 3166-1, or empty if nobody said."""
    language = models.CharField(max_length=12, default="en")
    opened_at = models.DateTimeField(default=timezone.now)
    touched_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)

    adult_confirmed_at = models.DateTimeField(null=True)
    """When somebody said that everybody in the pictures was and is 18 or over; ``None`` until it was asked."""
    happened = models.JSONField(default=list)
    """Words of ``Happened``."""
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.UNKNOWN)
    since = models.DateField(null=True)
    """Since when, roughly."""
    places = models.JSONField(default=list)
    """Names of sites. Addresses of pages are links (``bank.takedown``)."""
    made_with_ai = models.CharField(max_length=7, choices=Said.choices, default=Said.UNKNOWN)
    at_risk = models.JSONField(default=list)
    """Words of ``AtRisk``."""
    police = models.CharField(max_length=8, choices=Police.choices, default=Police.UNKNOWN)
    safety = models.JSONField(default=dict)
    """Of each safety question that was asked: the answer (``data/safety.toml``)."""
    risk = models.CharField(max_length=6, choices=Risk.choices, default=Risk.NONE)
    outcome = models.CharField(max_length=9, choices=Outcome.choices, blank=True)

    reach_sealed = models.BinaryField(null=True)
    """How the person may be reached, and when it is safe."""
    words_sealed = models.BinaryField(null=True)
    """A few words on what happened."""
    reason_sealed = models.BinaryField(null=True)
    """Why it was closed."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "case"], name="one_case_file_a_case_and_organisation"),
            models.CheckConstraint(
                condition=models.Q(status="closed", closed_at__isnull=False)
                | (~models.Q(status="closed") & models.Q(closed_at=None)),
                name="closed_at_a_time",
            ),
        ]
        indexes = [
            # In the order of the list; what is not closed is a small part of what there is.
            models.Index(fields=["organisation", "-touched_at", "-id"], name="case_files_in_order"),
            models.Index(
                fields=["organisation", "-touched_at", "-id"],
                condition=~models.Q(status="closed"),
                name="case_files_at_work",
            ),
            models.Index(
                fields=["owner", "-touched_at", "-id"], condition=~models.Q(status="closed"), name="case_files_of_owner"
            ),
            models.Index(
                fields=["team", "-touched_at", "-id"], condition=~models.Q(status="closed"), name="case_files_of_team"
            ),
            models.Index(fields=["closed_at"], condition=models.Q(status="closed"), name="case_files_to_erase"),
        ]

    @property
    def is_persons(self) -> bool:
        """Whether the linked case is known to be the person's: it came by their own code, or a practitioner asked."""
        return self.case_id is not None and self.person_id == self.case_id

    @property
    def is_closed(self) -> bool:
        """Whether nobody works on it any more."""
        return self.status == Status.CLOSED


class Note(models.Model):
    """What a practitioner, or the person, wrote down. Never changed: a correction is a new version, and the old one
    stays readable."""

    class Kind(models.TextChoices):
        """Who reads it."""

        WORK = "work"
        """Everybody who may see the case file."""
        SUPERVISION = "supervision"
        """The case file's owner, supervisors, and who wrote it."""
        PERSON = "person"
        """The person, too, at their case page."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    case_file = models.ForeignKey(CaseFile, on_delete=models.CASCADE, related_name="notes")
    kind = models.CharField(max_length=11, choices=Kind.choices, default=Kind.WORK)
    practitioner = models.ForeignKey("organisations.Practitioner", on_delete=models.SET_NULL, null=True)
    by_person = models.BooleanField(default=False)
    """The person wrote it, at their case page."""
    written_at = models.DateTimeField(default=timezone.now)
    replaces = models.OneToOneField("self", on_delete=models.CASCADE, null=True, related_name="replaced_by")
    sealed = models.BinaryField()

    class Meta:
        ordering = ["-written_at", "-id"]


class Task(models.Model):
    """Something to be done for a case file by a day."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    case_file = models.ForeignKey(CaseFile, on_delete=models.CASCADE, related_name="tasks")
    practitioner = models.ForeignKey("organisations.Practitioner", on_delete=models.SET_NULL, null=True)
    """Who does it; nobody in particular if it is for whoever has the case file."""
    due_on = models.DateField()
    made_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)
    sealed = models.BinaryField()
    """What is to be done."""

    class Meta:
        ordering = ["due_on", "made_at", "id"]
        indexes = [
            models.Index(fields=["practitioner", "due_on"], condition=models.Q(done_at=None), name="tasks_to_do"),
        ]


class Event(models.Model):
    """One thing that happened to a case file, for its timeline (``timeline``). Only ever added."""

    case_file = models.ForeignKey(CaseFile, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    practitioner = models.ForeignKey("organisations.Practitioner", on_delete=models.SET_NULL, null=True)
    by_person = models.BooleanField(default=False)
    """The person themselves did it, at their case page."""
    kind = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)
    """What the sentence of this kind names: short words and numbers, nothing that anybody said in their own words."""

    class Meta:
        indexes = [models.Index(fields=["case_file", "-id"], name="events_in_order")]


class Handover(models.Model):
    """A case file is offered to a colleague or a team, until somebody accepts it or it is declined or taken back."""

    class State(models.TextChoices):
        """Where it stands."""

        OFFERED = "offered"
        ACCEPTED = "accepted"
        DECLINED = "declined"
        TAKEN_BACK = "taken back"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    case_file = models.ForeignKey(CaseFile, on_delete=models.CASCADE, related_name="handovers")
    offered_by = models.ForeignKey(
        "organisations.Practitioner", on_delete=models.SET_NULL, null=True, related_name="handovers_offered"
    )
    practitioner = models.ForeignKey(
        "organisations.Practitioner", on_delete=models.CASCADE, null=True, related_name="handovers"
    )
    team = models.ForeignKey("organisations.Team", on_delete=models.CASCADE, null=True, related_name="handovers")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OFFERED)
    offered_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)
    sealed = models.BinaryField()
    """What whoever takes it over should know."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case_file"], condition=models.Q(state="offered"), name="one_handover_at_a_time"
            ),
            models.CheckConstraint(
                condition=models.Q(practitioner=None, team__isnull=False)
                | models.Q(practitioner__isnull=False, team=None),
                name="to_a_colleague_or_a_team",
            ),
            models.CheckConstraint(
                condition=models.Q(state="offered", answered_at=None)
                | (~models.Q(state="offered") & models.Q(answered_at__isnull=False)),
                name="answered_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["practitioner"], condition=models.Q(state="offered"), name="handovers_to_somebody"),
            models.Index(fields=["team"], condition=models.Q(state="offered"), name="handovers_to_a_team"),
        ]

    @property
    def to(self) -> Practitioner | Team | None:
        """Whom it is offered to."""
        return self.practitioner or self.team


class Invitation(models.Model):
    """A link that opens the person's own pages on the person's own device, for a week, for one case file."""

    case_file = models.OneToOneField(CaseFile, on_delete=models.CASCADE, related_name="invitation")
    practitioner = models.ForeignKey("organisations.Practitioner", on_delete=models.SET_NULL, null=True)
    token_mac = models.BinaryField(max_length=32, unique=True)
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)
    """When a case was made with it. Practitioners are not told: whether the person came is the person's to say."""

    token: str = ""
    """What the link ends in; only ``services.new_invitation`` can say it."""


class Working(models.Model):
    """Since when a practitioner works without a break. Nobody else can read it, and nothing of it is audited."""

    practitioner = models.OneToOneField("organisations.Practitioner", on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    """The end of the last break, or the start."""
    last_seen_at = models.DateTimeField()
    postponed_until = models.DateTimeField(null=True)
