"""Peers: other banks, and servers that speak as banks do."""

from __future__ import annotations

from django.db import models


class Peer(models.Model):
    """Another bank whose signals this one takes in."""

    name = models.CharField(max_length=80, unique=True)
    added_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
