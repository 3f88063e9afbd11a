"""New sites begin with a copy of a new database: to make one by its migrations takes seconds, and tests make hundreds.

The copy is of one that the site's own code made, once a session; tests of the commands in tests/terminal make theirs.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.system.environment import plain_environment

BANK, PLATFORM = "reclaim.bank.settings", "reclaim.platform.settings"
_OPEN = """
import sys
from pathlib import Path
from reclaim.sitekit.setup import open_site
open_site(sys.argv[1], Path(sys.argv[2]), sys.argv[3] or None)
"""


def make_site(settings: str, data: Path, database_url: str) -> None:
    """See that there is a site in this data folder and this database; one that is there stays as it is."""
    data.mkdir(parents=True, exist_ok=True)
    if not (data / "site.sqlite3").exists() and not database_url:
        _copy_files(settings, data)
    elif database_url and not _is_made(database_url):
        _copy_database(settings, database_url)


def _new_identity() -> str:
    """A bank's ledger has a number of its own from the start."""
    return f"UPDATE ledger_ledgerclock SET identity = '{uuid.uuid4().hex}'"


def _new_site(settings: str, database_url: str) -> Path:
    data = Path(tempfile.mkdtemp(prefix="reclaim-new-site-"))
    atexit.register(shutil.rmtree, data)
    subprocess.run([sys.executable, "-c", _OPEN, settings, data, database_url], check=True, env=plain_environment())
    return data


@functools.cache
def _files(settings: str) -> list[Path]:
    return sorted(_new_site(settings, "").glob("*.sqlite3"))


def _copy_files(settings: str, data: Path) -> None:
    for file in _files(settings):
        with (
            contextlib.closing(sqlite3.connect(file)) as there,
            contextlib.closing(sqlite3.connect(data / file.name)) as here,
        ):
            there.backup(here)
            if settings == BANK and file.name == "site.sqlite3":
                here.execute(_new_identity())
                here.commit()


def _is_made(database_url: str) -> bool:
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT to_regclass('django_migrations')").fetchone()
        return row is not None and row[0] is not None


@functools.cache
def _database(settings: str, server: str) -> str:
    """The name of the database that is copied."""
    name = f"new_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    _new_site(settings, urlsplit(server)._replace(path=f"/{name}").geturl())
    return name


def _copy_database(settings: str, database_url: str) -> None:
    parts = urlsplit(database_url)
    name, server = parts.path.lstrip("/"), parts._replace(path="/postgres").geturl()
    copied = _database(settings, server)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name}")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {copied}")
    if settings == BANK:
        with psycopg.connect(database_url) as connection:
            connection.execute(_new_identity())
