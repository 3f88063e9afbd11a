"""A referral between two banks, each a process with a database of its own, over sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.federation.banks import BankOfTheRing, Ring


@pytest.fixture
def two(ring: Ring) -> Iterator[tuple[BankOfTheRing, BankOfTheRing]]:
    """Two banks that reach each other, for as long as the test takes."""
    a, b, _ = ring.banks
    a.address("B", f"http://127.0.0.1:{b.port}")
    yield a, b
    a.address("B", "")


def test_a_person_is_referred_to_another_bank_returned_and_forgotten_there(
    two: tuple[BankOfTheRing, BankOfTheRing],
) -> None:
    a, b = two
    a.organisation("Hilfe")
    b.organisation("Aide")
    assert [bank.carry() for bank in (b, a)] == [0, 0]
    assert a.known() == ["Aide"]
    assert b.known() == ["Hilfe"]

    returned = b.refer("what happened")
    assert b.carry() == 0
    assert b.referral(returned) == ["waiting", ""]
    assert a.received() == [["waiting", ["what happened"]]]
    a.does("accept")
    assert a.carry() == 0
    assert b.referral(returned) == ["accepted", ""]
    a.does("return", "It is gone.")
    assert a.carry() == 0
    assert b.referral(returned) == ["returned", "It is gone."]

    ended = b.refer("something else")
    b.carry()
    a.does("accept")
    files = a.case_files()
    a.carry()
    b.no_longer(ended)
    b.carry()
    assert a.received()[-1] == ["ended", []]
    a.does("erase")
    a.carry()
    assert b.referral(ended) == ["erased", ""]
    assert a.case_files() == files - 1
