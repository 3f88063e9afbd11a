"""The feed of version 2: what is in it, in which order, and what a cursor stands for."""

from __future__ import annotations

import pytest

from reclaim.bank.cases.services import withdraw
from tests.personas import a_case, pdq_value
from tests.v2 import Native

pytestmark = pytest.mark.django_db


def test_a_cases_signals_come_with_what_a_platform_needs_to_know() -> None:
    a_case(1)
    [record] = Native.vetted().sync()
    assert record.model_dump(exclude={"changed_at"}, exclude_unset=True) == {
        "type": "pdq",
        "value": pdq_value(1),
        "status": "active",
        "quality": None,
        "labels": [],
        "provenance": ["person"],
        "trust": 50,
        "action": "block",
        "decisions": {"blocked": 0, "not_blocked": 0},
    }


def test_a_cursor_goes_on_where_the_last_page_ended_and_brings_only_what_changed() -> None:
    platform = Native.vetted()
    a_case(1, 2)
    assert {value for _, value in platform.copy} | {record.value for record in platform.sync(limit=1)} == {
        pdq_value(1),
        pdq_value(2),
    }
    assert platform.sync() == []
    case = a_case(3).case
    assert [record.value for record in platform.sync()] == [pdq_value(3)]
    withdraw(case)
    [record] = platform.sync()
    assert (record.value, record.status) == (pdq_value(3), "withdrawn")
    assert record.acknowledge_by is not None
