"""Promise 6: an unknown case and a wrong PIN get the same answer, and take the same work."""

from __future__ import annotations

import re
from typing import Any

import argon2
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.personas import a_case

pytestmark = pytest.mark.django_db

UNKNOWN = "31GXDV-WES47Y-MT0CB8"


def attempt(client: Client, number: str, pin: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, int, list[str]]:
    """Status, page, how often Argon2 ran, and the SQL statements less their values."""
    ran = []
    verify = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, *args: Any, **kwargs: Any) -> Any:
        ran.append(1)
        return verify(self, *args, **kwargs)

    with monkeypatch.context() as patch, CaptureQueriesContext(connection) as queries:
        patch.setattr(argon2.PasswordHasher, "verify", counted)
        answer = client.post("/case/", {"number": number, "pin": pin}, headers={"Accept": "text/html"})
    statements = [re.sub(r"'[^']*'|\d+(\.\d+)?|x'[^']*'", "?", query["sql"]) for query in queries]
    return answer.status_code, answer.content.decode(), len(ran), [" ".join(sql.split()[:3]) for sql in statements]


def test_an_unknown_case_and_a_wrong_pin_cannot_be_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    made = a_case(1)
    wrong_pin = f"{(int(made.pin) + 1) % 10**8:08}"
    # The first try of a day makes the day's salt, whoever's it is.
    attempt(Client(REMOTE_ADDR="203.0.113.5"), UNKNOWN, wrong_pin, monkeypatch)
    known = attempt(Client(), made.number, wrong_pin, monkeypatch)
    unknown = attempt(Client(REMOTE_ADDR="198.51.100.7"), UNKNOWN, wrong_pin, monkeypatch)
    assert known[0] == unknown[0] == 422
    assert known[1] == unknown[1]
    assert known[2] == unknown[2] == 1
    assert known[3] == unknown[3]


def test_the_right_pin_opens_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    made = a_case(1)
    status, _, ran, _ = attempt(Client(), made.number, made.pin, monkeypatch)
    assert status == 302
    assert ran == 1
