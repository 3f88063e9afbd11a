"""Which database holds what: wrapped keys live apart from everything else."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

KEYS = "keys"
"""The database of wrapped keys."""


def _is_wrapped_key(app: str, model: str | None) -> bool:
    return (app, model) == ("vault", "wrappedkey")


class KeysApart:
    """Django's database router."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        """Where a model is read."""
        return KEYS if _is_wrapped_key(model._meta.app_label, model._meta.model_name) else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool | None:
        """Whether a table is made there."""
        return _is_wrapped_key(app_label, model_name) == (db == KEYS)
