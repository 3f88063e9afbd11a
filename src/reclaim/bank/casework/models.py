"""Case files: what an organisation keeps of its work for one person."""

from __future__ import annotations

import uuid

from django.db import models


class CaseFile(models.Model):
    """An organisation's work for one person. It may exist without any signal, and a person's case without it."""

    class Channel(models.TextChoices):
        """How it began."""

        PHONE = "phone"
        CHAT = "chat"
        FORM = "form"
        CODE = "code"
        """With a one-time code of the person's case page."""
        REFERRAL = "referral"

    class Status(models.TextChoices):
        """Where it stands."""

        OPEN = "open"
        WAITING = "waiting"
        CLOSED = "closed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    designation = models.CharField(max_length=40, db_index=True)
    """What staff call it: ``cases.designations``."""
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="case_files")
    team = models.ForeignKey("organisations.Team", on_delete=models.SET_NULL, null=True)
    owner = models.ForeignKey("organisations.Practitioner", on_delete=models.SET_NULL, null=True)
    """Who works on it; nobody while it waits for somebody to take it."""
    case = models.ForeignKey("cases.Case", on_delete=models.SET_NULL, null=True, related_name="case_files")
    """The person's own case, while they let the organisation see it."""
    channel = models.CharField(max_length=8, choices=Channel.choices)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.OPEN)
    country = models.CharField(max_length=2, blank=True)
    """Where the person lives: ISO 3166-1, or empty if nobody said."""
    language = models.CharField(max_length=12, default="en")
    opened_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)

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
            models.Index(fields=["organisation", "status", "-touched_at"], name="case_files_of_organisation"),
            models.Index(fields=["owner", "status", "-touched_at"], name="case_files_of_owner"),
        ]
