"""Reviewers: people who may look at held pictures and decide."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Reviewer(models.Model):
    """A person's account, with the name that stands under their decisions."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reviewer")
    must_choose_password = models.BooleanField(default=True)
    """Still has the one-time password that an operator has seen."""
