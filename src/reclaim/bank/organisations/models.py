"""Organisations and their keys."""

from __future__ import annotations

from django.db import models


class Organisation(models.Model):
    """An NGO that helps people with their cases. Only a MAC of its key is kept."""

    name = models.CharField(max_length=80, unique=True)
    country = models.CharField(max_length=2)
    """ISO 3166-1, two capital letters."""
    languages = models.JSONField(default=list)
    """In which it helps: codes such as «en», most usual first."""
    contact = models.CharField(max_length=300, blank=True)
    """How a person reaches it, in its own words: a telephone number, an address, opening hours."""
    key_mac = models.BinaryField(max_length=32, unique=True)
    keyed_at = models.DateTimeField()
    """When it got its key. A session that began with an earlier key is over."""
    revoked_at = models.DateTimeField(null=True)
