"""Open a site from a command: set its environment, load Django, bring its database up to date."""

from __future__ import annotations

import os
from pathlib import Path


def open_site(settings_module: str, data: Path, database_url: str | None = None, *, migrate: bool = True) -> None:
    """Load the site that lives in ``data``. One process opens one site.

    Raises ``OSError`` if the folder cannot be used, ``ValueError`` for a damaged secret.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = settings_module
    os.environ["RECLAIM_DATA"] = str(data)
    if database_url is not None:
        os.environ["RECLAIM_DATABASE_URL"] = database_url
    data.mkdir(mode=0o700, parents=True, exist_ok=True)

    import django
    from django.core.management import call_command

    django.setup()
    if migrate:
        call_command("migrate", interactive=False, verbosity=0)
