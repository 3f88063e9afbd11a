"""Organisations, their teams and their practitioners."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Organisation(models.Model):
    """An NGO that helps people with their cases."""

    name = models.CharField(max_length=80, unique=True)
    country = models.CharField(max_length=2)
    """ISO 3166-1, two capital letters."""
    languages = models.JSONField(default=list)
    """In which it helps: codes such as «en», most usual first."""
    contact = models.CharField(max_length=300, blank=True)
    """How a person reaches it, in its own words: a telephone number, an address."""
    hours = models.CharField(max_length=200, blank=True)
    """When somebody answers, in its own words."""
    remit = models.CharField(max_length=300, blank=True)
    """Whom it helps with what, in its own words."""
    reason = models.CharField(max_length=300, blank=True)
    """Why an operator let it in: what was looked at."""
    revoked_at = models.DateTimeField(null=True)


class Team(models.Model):
    """Practitioners of one organisation who share their case files."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="teams")
    name = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="one_team_a_name")]


class Practitioner(models.Model):
    """A member who works for an organisation."""

    class Scope(models.TextChoices):
        """Which case files of their organisation they see, besides those that were referred to them."""

        OWN = "own"
        TEAM = "team"
        ORGANISATION = "organisation"

    member = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="practitioner")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="practitioners")
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, related_name="practitioners")
    scope = models.CharField(max_length=12, choices=Scope.choices, default=Scope.OWN)
    languages = models.JSONField(default=list)
    """In which they help: codes such as «en»."""

    factor_at: float = 0
    """When the second factor was last shown in this request's session, epoch seconds."""

    @property
    def actor(self) -> str:
        """The practitioner as the audit trail names them."""
        return self.member.actor

    @property
    def name(self) -> str:
        """As colleagues know them."""
        return self.member.name


class Alarm(models.Model):
    """A practitioner read or took out more than one person's work asks for; open until somebody else has looked."""

    class Kind(models.TextChoices):
        """What there was too much of."""

        READS = "reads"
        EXPORTS = "exports"

    practitioner = models.ForeignKey(Practitioner, on_delete=models.CASCADE, related_name="alarms")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    raised_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=100, blank=True)
    """As the audit trail names them."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practitioner", "kind"], condition=models.Q(closed_at=None), name="one_open_alarm_a_kind"
            )
        ]
