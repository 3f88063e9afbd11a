"""A scripted bank, and a client of it with every key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reclaim.client import BankClient, Keys
from tests.unit.client.scripted_bank import ScriptedBank, serve

KEYS = Keys("fetch-key-canary", "subscription-key-canary", "feedback-key-canary", "submit-key-canary")


@pytest.fixture
def bank() -> Iterator[ScriptedBank]:
    with serve() as bank:
        yield bank


@pytest.fixture
def client(bank: ScriptedBank) -> Iterator[BankClient]:
    client = BankClient(bank.url, KEYS)
    yield client
    client.close()
