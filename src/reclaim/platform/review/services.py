"""Writes on reviewers."""

from __future__ import annotations

import secrets

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction

from reclaim.platform.review.models import Reviewer
from reclaim.platform.review.queries import actor_of
from reclaim.sitekit import audit

LONGEST_NAME = 80


class NameTakenError(Exception):
    """A reviewer of this name is there already."""


def add_reviewer(name: str) -> str:
    """Make an account; returns its one-time password, which must be replaced at the first sign-in.

    Raises ``NameTakenError``; ``ValueError`` for a name that is empty, too long or not plain text.
    """
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise ValueError(f"A reviewer's name has 1 to {LONGEST_NAME} printable characters.")
    password = secrets.token_urlsafe(12)
    try:
        with transaction.atomic():
            user = get_user_model().objects.create_user(username=name, password=password)
            reviewer = Reviewer.objects.create(user=user)
            audit.record("operator", "reviewer.add", f"reviewer:{reviewer.pk}")
    except IntegrityError as error:
        raise NameTakenError(f"A reviewer named «{name}» is there already. Choose another name.") from error
    return password


def choose_password(reviewer: Reviewer, password: str) -> User:
    """Give a reviewer their own password. Raises Django's ``ValidationError`` for one that is too weak."""
    user: User = reviewer.user
    validate_password(password, user)
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        reviewer.must_choose_password = False
        reviewer.save(update_fields=["must_choose_password"])
        audit.record(actor_of(reviewer), "password.choose", actor_of(reviewer))
    return user
