"""The law app of the bank."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _bring_up_to_date(**kwargs: Any) -> None:
    """Take the rows that come with Reclaim into the database, whenever its tables were made or changed."""
    from django.db import connections

    from reclaim.bank.law.models import LawVersion
    from reclaim.bank.law.services import sync_shipped

    using = kwargs["using"]
    # Somebody may have migrated another app alone.
    if using == "default" and LawVersion._meta.db_table in connections[using].introspection.table_names():
        sync_shipped()


class LawConfig(AppConfig):
    """The law, as data."""

    name = "reclaim.bank.law"

    def ready(self) -> None:
        """Listen for tables that are made."""
        post_migrate.connect(_bring_up_to_date, sender=self, dispatch_uid="law")
