"""What every test shares: the armed check that no log line carries a secret (promise 3)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest
from django.contrib.contenttypes.management import create_contenttypes
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.signals import post_migrate
from pytest_django import DjangoDbBlocker

FORBIDDEN_IN_LOGS = {
    "a PDQ signal": re.compile(r"\b[0-9a-fA-F]{64}\b"),
    "an MD5 signal": re.compile(r"\b[0-9a-fA-F]{32}\b"),
    "a case number": re.compile(r"\b[0-9A-HJKMNP-TV-Z]{6}-?[0-9A-HJKMNP-TV-Z]{6}-?[0-9A-HJKMNP-TV-Z]{6}\b"),
    "a platform key": re.compile(r"\breclaim_[a-z]+_[\w-]{20,}"),
    "an eight-digit PIN": re.compile(r"(?<![\d.])\d{8}(?![\d.])"),
    # Where a site is bound («on …») or was told that another is («//…»); the same address as a client's is one.
    "a network address": re.compile(r"\b(?!(?:(?<=\bon )|(?<=//))127\.0\.0\.1\b)\d{1,3}(?:\.\d{1,3}){3}\b"),
    "a version 6 network address": re.compile(r"\b[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){3,7}"),
}


def secrets_in(text: str) -> list[str]:
    """What a log must not say, found in ``text``."""
    return [what for what, pattern in FORBIDDEN_IN_LOGS.items() if pattern.search(text)]


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.leaks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.getMessage()} {record.exc_info or ''}"
        self.leaks += [
            f"{what}, by logger {record.name}, at {record.pathname}:{record.lineno}" for what in secrets_in(text)
        ]


def pytest_itemcollected(item: pytest.Item) -> None:
    """A test that may use the database may use the one of keys too."""
    marker = item.get_closest_marker("django_db")
    if marker is not None:
        both = pytest.mark.django_db(*marker.args, **{"databases": ["default", "keys"], **marker.kwargs})
        item.add_marker(both, append=False)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Django's own permissions and kinds of content, which nothing here asks for, are not made.

    Tests with real transactions empty the tables at their end and then make whatever a migration ends with.
    """
    post_migrate.disconnect(create_contenttypes)
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """What the migrations do besides making tables, which are made without them; and the note that they are done."""
    from reclaim.bank.ledger.models import LedgerClock

    with django_db_blocker.unblock():
        LedgerClock.objects.create(pk=1)
        made = MigrationRecorder(connection)
        made.ensure_schema()
        for app, name in MigrationLoader(None).disk_migrations:
            made.record_applied(app, name)
        call_command("migrate", "vault", database="keys", fake=True, verbosity=0)


@pytest.fixture(autouse=True)
def no_secret_in_any_log() -> Iterator[None]:
    """Promise 3, armed over the whole suite."""
    listener = _Listener()
    root = logging.getLogger()
    root.addHandler(listener)
    yield
    root.removeHandler(listener)
    assert not listener.leaks


@pytest.fixture(autouse=True)
def quick_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    """PINs hashed lightly in this process: a tenth of a second each would be minutes over the suite.

    The servers that tests start hash as always, and tests/site/bank/test_cases.py holds the real parameters.
    """
    from argon2 import PasswordHasher

    from reclaim.bank.cases import pins

    monkeypatch.setattr(pins, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    pins._nobodys_hash.cache_clear()


@pytest.fixture(autouse=True, scope="session")
def quick_locks() -> Iterator[None]:
    """Practitioners' private keys locked lightly in this process; tests/attacks/test_vault.py holds the real cost."""
    from reclaim.bank.vault import keys

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "PASSES", 1)
        patch.setattr(keys, "MEMORY", 2**20)
        yield
