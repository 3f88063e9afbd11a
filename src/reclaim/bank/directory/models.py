"""The support directory in the database: what the data files and the bank's operators say."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from reclaim.bank.directory.rows import FRESH, KIND_NAMES, Confidence, For, Hours, Kind, Service

FACTS = (
    "country",
    "kind",
    "audience",
    "name",
    "phone",
    "text",
    "word",
    "address",
    "hours",
    "open",
    "languages",
    "free",
    "sources",
    "read_on",
    "confidence",
)
"""What a row says, in the order in which it is shown and exported."""


class Entry(models.Model):
    """One row of the directory: the facts of ``rows.Service``, whether it is shown, and whose words they are."""

    class State(models.TextChoices):
        """Whether anybody but staff sees it."""

        SHOWN = "shown"
        HIDDEN = "hidden"

    key = models.CharField(max_length=20, unique=True)
    """The slug of the way out; for a country's number the country and the kind, such as ``gb-emergency``."""
    country = models.CharField(max_length=2, blank=True)
    kind = models.CharField(max_length=20, choices=[(kind.value, name) for kind, name in KIND_NAMES.items()])
    audience = models.CharField(max_length=10, choices=[(each.value, each.value) for each in For])
    name = models.CharField(max_length=120, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    text = models.CharField(max_length=20, blank=True)
    word = models.CharField(max_length=40, blank=True)
    address = models.CharField(max_length=500, blank=True)
    hours = models.CharField(max_length=10, blank=True, choices=[(each.value, each.value) for each in Hours])
    open = models.CharField(max_length=20, blank=True)
    languages = models.JSONField(default=list)
    free = models.BooleanField(default=False)
    sources = models.JSONField(default=list)
    read_on = models.DateField()
    """When somebody last read the sources, or checked the row against another."""
    confidence = models.CharField(max_length=1, choices=[(each.value, each.value) for each in Confidence])
    state = models.CharField(max_length=6, choices=State.choices, default=State.SHOWN)
    edited = models.BooleanField(default=False)
    """An operator's words, which the data files no longer change."""
    changed_by = models.CharField(max_length=40, default="system")
    """Who wrote the facts last; as the audit trail names them."""
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["country", "kind"])]

    @property
    def service(self) -> Service:
        """What the row says."""
        return Service(
            country=self.country,
            kind=Kind(self.kind),
            audience=For(self.audience),
            sources=tuple(self.sources),
            read_on=self.read_on,
            confidence=Confidence(self.confidence),
            slug="" if self.key.endswith(self.kind) else self.key,
            name=self.name,
            phone=self.phone,
            text=self.text,
            word=self.word,
            address=self.address,
            hours=Hours(self.hours) if self.hours else None,
            open=self.open,
            languages=tuple(self.languages),
            free=self.free,
        )

    @property
    def is_seen(self) -> bool:
        """Whether practitioners and, if its kind is for them, people see it."""
        return self.state == self.State.SHOWN and self.confidence != Confidence.MEMORY

    @property
    def is_stale(self) -> bool:
        """Whether nobody has checked it for a year."""
        return timezone.now().date() - self.read_on > FRESH


class Change(models.Model):
    """One thing that somebody did to a row. Only ever added."""

    class What(models.TextChoices):
        """What was done."""

        ADDED = "added"
        EDITED = "edited"
        CHECKED = "checked"
        HIDDEN = "hidden"
        SHOWN = "shown"
        UPDATED = "updated"
        """By the data files of a new version."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField(auto_now_add=True)
    by = models.CharField(max_length=40)
    what = models.CharField(max_length=8, choices=What.choices)
    why = models.CharField(max_length=300)
    facts: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    """Of each fact that changed: what it was and what it is, as texts."""


class Standing(models.Model):
    """Where the directory stands: one row, by which a process notices that something has changed."""

    version = models.BigIntegerField(default=0)
    files = models.CharField(max_length=64, blank=True)
    """The digest of the data files that were last taken in."""
