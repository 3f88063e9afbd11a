"""Three banks in a ring, each a process with a database of its own; each reads only from the one before it."""

from __future__ import annotations

from tests.personas import pdq_value
from tests.system.federation.banks import Ring


def test_signals_and_decisions_go_all_the_way_round_and_then_come_to_rest(ring: Ring) -> None:
    a, b, c = ring.banks
    here, there = pdq_value(1), pdq_value(2)
    a.case([here])
    c.case([here, there])
    ring.turns(2)
    # Each bank keeps its own persons; what came from others bears their name.
    assert ring.all_say(here) == [["active", "C", "person"], ["active", "A", "C"], ["active", "A", "person"]]
    assert ring.all_say(there) == [["active", "C"], ["active", "C"], ["active", "person"]]

    a.feedback("Example", here, "Blocked")
    b.feedback("Example", here, "NotBlocked")
    c.feedback("Other", here, "Blocked")
    ring.turns(3)
    assert [bank.decisions(here) for bank in ring.banks] == [
        {"blocked": 1, "not-blocked": 1},
        {"blocked": 2},
        {"blocked": 1, "not-blocked": 1},
    ]

    before = [bank.moments() for bank in ring.banks]
    ring.turns(2)
    assert [bank.moments() for bank in ring.banks] == before
    assert all(state[2:] == [0, 0, ""] for bank in ring.banks for state in bank.states())


def test_a_signal_that_two_banks_withdraw_at_once_ends_everywhere_and_stays_so(ring: Ring) -> None:
    a, b, _ = ring.banks
    value = pdq_value(3)
    cases = {bank: bank.case([value]) for bank in (a, b)}
    ring.turns(2)
    assert ring.all_say(value) == [["active", "B", "person"], ["active", "A", "person"], ["active", "A", "B"]]
    for bank, case in cases.items():
        bank.ask("withdraw", case)
    for bank in cases:
        assert bank.answer() == 1
    ring.turns(3)
    assert ring.all_say(value) == [["withdrawn"]] * 3


def test_a_withdrawal_reaches_a_bank_that_was_away_even_when_its_value_is_erased_by_then(ring: Ring) -> None:
    a, b, c = ring.banks
    value, other = pdq_value(4), pdq_value(5)
    case = a.case([value])
    ring.turns(2)
    assert ring.all_say(value) == [["active", "person"], ["active", "A"], ["active", "A"]]
    c.kill()
    a.withdraw(case)
    b.case([other])
    ring.turns(2, but=c)
    assert [bank.signals()[value] for bank in (a, b)] == [["withdrawn"]] * 2
    assert a.erase() + b.erase() >= 2

    c.begin()
    c.wait()
    assert c.signals()[value] == ["active", "A"]
    ring.turns(2)
    assert c.signals()[value] == ["withdrawn"]
    assert [bank.signals().get(value) for bank in (a, b)] == [None, None]
    assert ring.all_say(other) == [["active", "B"], ["active", "person"], ["active", "B"]]
    # It had its own of A's statement all the while, and gives it to A and B again: they know better.
    ring.turns(2)
    assert [bank.signals().get(value) for bank in (a, b)] == [None, None]
