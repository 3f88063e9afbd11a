"""New sites begin with a copy of a new database: to make one by its migrations takes seconds, and tests make hundreds.

The copy is of one that the site's own code made, once for all lanes of tools/run_tests.py, or once for a session that
runs by itself; tests of the commands in tests/terminal make theirs.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import os
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


@functools.cache
def _kept() -> Path:
    """Where new sites are kept, to be copied."""
    shared = os.environ.get("RECLAIM_TESTS_NEW_SITES")
    if shared:
        return Path(shared)
    own = Path(tempfile.mkdtemp(prefix="reclaim-new-sites-"))
    atexit.register(shutil.rmtree, own)
    return own


@functools.cache
def _new_site(settings: str, server: str) -> Path:
    """The folder of a new site, made by the first process that wants one; with a server, its database is named so."""
    data = _kept() / f"{settings.split('.')[1]}_{'postgresql' if server else 'sqlite'}"
    with (_kept() / f"{data.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (data / "made").exists():
            database_url = urlsplit(server)._replace(path=f"/{data.name}").geturl() if server else ""
            if server:
                with psycopg.connect(server, autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE {data.name}")
            subprocess.run(
                [sys.executable, "-c", _OPEN, settings, data, database_url], check=True, env=plain_environment()
            )
            (data / "made").touch()
    return data


def _copy_files(settings: str, data: Path) -> None:
    for file in sorted(_new_site(settings, "").glob("*.sqlite3")):
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


def _copy_database(settings: str, database_url: str) -> None:
    parts = urlsplit(database_url)
    name, server = parts.path.lstrip("/"), parts._replace(path="/postgres").geturl()
    copied = _new_site(settings, server).name
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name}")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {copied}")
    if settings == BANK:
        with psycopg.connect(database_url) as connection:
            connection.execute(_new_identity())
