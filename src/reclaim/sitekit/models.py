"""Facts both sites keep: what staff and systems did, and tries counted against limits."""

from __future__ import annotations

from django.db import models


class AuditEvent(models.Model):
    """One thing that was done or, by staff, read. Rows are only ever added; what is erased is named no more."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor = models.CharField(max_length=100)
    """``person``, ``operator``, ``system``, ``platform:<id>`` or ``member:<id>``."""
    action = models.CharField(max_length=60)
    target = models.CharField(max_length=100)
    """``<kind>:<id>``; a case by its internal id, never its number; ``<kind>:erased`` once that is gone."""

    class Meta:
        indexes = [models.Index(fields=["target"])]


class Attempt(models.Model):
    """One try of something limited, under keys that tell nobody whose it was."""

    at = models.FloatField(db_index=True)
    """Epoch seconds."""
    rule = models.CharField(max_length=40)
    key = models.BinaryField(max_length=32)
    """MAC of what is limited (a network, a case number) under the day's salt."""
    refused = models.BooleanField(default=False)
    """Refused tries do not count: hammering must not prolong anybody's wait."""

    class Meta:
        indexes = [models.Index(fields=["rule", "key", "at"])]


class DailySalt(models.Model):
    """The salt of one day; destroyed after the next, so that old keys can be tied to no network."""

    day = models.DateField(primary_key=True)
    salt = models.BinaryField(max_length=32)
