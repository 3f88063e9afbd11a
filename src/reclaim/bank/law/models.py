"""Rows of law, and every version that they had."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from reclaim.sitekit.accounts.models import Member


class LawRow(models.Model):
    """One law. What it says is in its latest version; the earlier ones stay."""

    key = models.CharField(max_length=60, unique=True)
    """Small letters, digits and hyphens, such as «us-take-it-down». It never changes."""
    place = models.CharField(max_length=6, db_index=True)
    """ISO 3166 of a country or a part of one, or «EU»; as in the latest version."""
    latest = models.OneToOneField("LawVersion", on_delete=models.PROTECT, related_name="+")


class LawVersion(models.Model):
    """What a row said from one change to the next. Only its review is ever written to it afterwards."""

    key = models.CharField(max_length=60)
    """The row's."""
    number = models.PositiveIntegerField()
    """1, 2, 3 … within the row."""
    facts = models.JSONField()
    """As ``laws.facts_of`` gives them."""
    written_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    """Who wrote it; nobody if it came with Reclaim."""
    written_at = models.DateTimeField()
    why = models.CharField(max_length=300)
    reviewed_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    review = models.CharField(max_length=300, blank=True)
    """Who checked it against what, in the reviewer's words."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "number"], name="law_version_number"),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True, reviewed_at__isnull=True, review="")
                | (Q(reviewed_by__isnull=False, reviewed_at__isnull=False) & ~Q(review="")),
                name="law_review_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True)
                | Q(written_by__isnull=True)
                | ~Q(reviewed_by=models.F("written_by")),
                name="law_reviewed_by_another",
            ),
        ]
