"""Who asks to become a platform, and how far a staging bank has come."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Application(models.Model):
    """A service that asks to become a platform. One member vets it, another consents; then it picks its keys up."""

    class State(models.TextChoices):
        """Where it stands."""

        ASKED = "asked"
        VETTED = "vetted"
        """One member of the staff proposes it, with a reason."""
        CONSENTED = "consented"
        """Another one consents: the keys wait to be picked up."""
        JOINED = "joined"
        """The keys were picked up, and the platform is there."""
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"
        """The applicant does not ask any more."""

    number = models.CharField(max_length=24, unique=True)
    """What the applicant sees it by; opens nothing."""
    pickup_mac = models.BinaryField(max_length=32)
    """MAC of the secret with which the applicant picks up the keys, or withdraws."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    asked_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now_add=True)
    """When it came into its present state."""
    name = models.CharField(max_length=80)
    web = models.CharField(max_length=200)
    contact = models.CharField(max_length=200)
    country = models.CharField(max_length=2)
    kind = models.CharField(max_length=20)
    people = models.CharField(max_length=20)
    media = models.JSONField(default=list)
    review = models.TextField()
    """How it reviews what matches, in its own words."""
    wanted = models.JSONField(default=list)
    """Scopes that it asks for."""
    addresses = models.JSONField(default=list)
    """Networks that its keys are to be good from; empty: from anywhere."""
    granted = models.JSONField(default=list)
    """Scopes that whoever vetted it proposes."""
    vetted_by = models.ForeignKey("accounts.Member", on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    """Why it was proposed, for staff alone."""
    consented_by = models.ForeignKey("accounts.Member", on_delete=models.PROTECT, null=True, related_name="+")
    declined_by = models.ForeignKey("accounts.Member", on_delete=models.PROTECT, null=True, related_name="+")
    declined_because = models.TextField(blank=True)
    """Which the applicant reads."""
    synthetic = models.BooleanField(default=False)
    """Made at a staging bank, which lets everybody in."""
    platform = models.ForeignKey(
        "platforms.Platform", on_delete=models.SET_NULL, null=True, related_name="applications"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(consented_by=None) | (~Q(vetted_by=None) & ~Q(consented_by=F("vetted_by"))),
                name="who_consents_is_not_who_vetted",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["consented", "joined"]) | ~Q(consented_by=None) | Q(synthetic=True),
                name="nobody_joins_without_consent",
            ),
            models.CheckConstraint(condition=~Q(state="vetted") | ~Q(vetted_by=None), name="somebody_has_vetted_it"),
        ]
        indexes = [models.Index(fields=["state", "changed_at"])]


class Invention(models.Model):
    """The one row of a staging bank that says how many signals it has made up."""

    made = models.PositiveIntegerField(default=0)
    moved_at = models.DateTimeField(null=True)
