"""The bank's recurring work."""

from __future__ import annotations

import pytest

from reclaim.bank import work

pytestmark = [
    pytest.mark.usefixtures("ledger_clock"),
    pytest.mark.django_db(transaction=True, databases=["default", "keys"]),
]


def test_work_that_went_well_says_so() -> None:
    assert work.tick() is True
