"""Open a site from a command: set its environment, load Django, bring its database up to date."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class SiteNotOpenedError(Exception):
    """The site cannot be used as it is; the message says why and what to do."""


def open_site(settings_module: str, data: Path, database_url: str | None = None, *, migrate: bool = True) -> None:
    """Load the site that lives in ``data``, making what is not there yet. One process opens one site.

    Raises ``SiteNotOpenedError``.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = settings_module
    os.environ["RECLAIM_DATA"] = str(data)
    if database_url is not None:
        os.environ["RECLAIM_DATABASE_URL"] = database_url

    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.db import DatabaseError, connections

    try:
        django.setup()
        # A real question: SQLite opens any file, and only reading shows that it is no database.
        for alias in connections:
            connections[alias].introspection.table_names()
        if migrate:
            # One at a time: of two commands that open a new site at once, the second finds it made.
            with (data / "opening.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                _bring_up_to_date()
    except (OSError, ValueError, ImproperlyConfigured) as error:
        raise SiteNotOpenedError(f"This data folder cannot be used: {error}") from error
    except DatabaseError as error:
        # Not the error's own words: a database's messages can hold its address and its user's name.
        raise SiteNotOpenedError(
            "The database does not answer as it should. Check that it runs, --database-url, and that the data "
            f"folder's disk is well and not full ({type(error).__name__})."
        ) from error


def _bring_up_to_date() -> None:
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    for alias in connections:
        executor = MigrationExecutor(connections[alias])
        # The command puts together what all migrations come to even if there is nothing to do, for every command of
        # a site.
        apart = [settings.APPS_APART[alias]] if alias in settings.APPS_APART else []
        if executor.migration_plan(executor.loader.graph.leaf_nodes(*apart)):
            call_command("migrate", *apart, database=alias, interactive=False, verbosity=0)
