"""What tests of the bank share."""

from __future__ import annotations

import pytest

from reclaim.bank.ledger.models import LedgerClock


@pytest.fixture
def ledger_clock(transactional_db: None) -> None:
    """The clock's one row: tests with real transactions empty the tables, that row with them."""
    LedgerClock.objects.get_or_create(pk=1)
