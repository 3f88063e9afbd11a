"""Case numbers, PINs, receipts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reclaim.bank.cases import numbers
from reclaim.bank.cases.models import Case
from reclaim.bank.cases.queries import access_case
from reclaim.bank.cases.services import NewSignal, create_case
from reclaim.bank.ledger.models import LedgerRecord, Source
from tests.personas import a_case, pdq_value


@given(st.integers(0, 17), st.sampled_from(numbers.ALPHABET))
def test_one_mistyped_character_is_noticed(place: int, character: str) -> None:
    number = numbers.new_number()
    typed = number[:place] + character + number[place + 1 :]
    if typed == number:
        assert numbers.parse_number(typed) == number
    else:
        with pytest.raises(numbers.MistypedError):
            numbers.parse_number(typed)


def test_a_number_may_be_typed_as_a_person_types() -> None:
    number = numbers.new_number()
    typed = f" {numbers.shown(number).lower().replace('0', 'o').replace('1', 'l')} "
    assert numbers.parse_number(typed) == number


def test_numbers_have_eighty_bits_or_more_and_no_odd_symbols() -> None:
    made = {numbers.new_number() for _ in range(500)}
    assert len(made) == 500
    assert all(len(number) == 18 and set(number) <= set(numbers.ALPHABET) for number in made)
    assert 32 ** (len(made.pop()) - 1) >= 2**80


@pytest.mark.parametrize("typed", ["1234 5678", "1234-5678", "١٢٣٤٥٦٧٨"])
def test_a_pin_may_be_typed_with_gaps_and_other_digits(typed: str) -> None:
    assert numbers.parse_pin(typed) == "12345678"


@pytest.mark.parametrize("typed", ["", "1234567", "123456789", "12345abc", "²²²²²²²²"])
def test_what_is_no_pin_is_told_so(typed: str) -> None:
    with pytest.raises(numbers.MistypedError):
        numbers.parse_pin(typed)


@pytest.mark.django_db
def test_the_database_holds_neither_number_nor_pin() -> None:
    made = a_case(1)
    row = Case.objects.get()
    stored = f"{bytes(row.number_mac)!r} {row.pin_hash}"
    assert made.number not in stored
    assert made.pin not in stored
    assert row.pin_hash.startswith("$argon2id$")


@pytest.mark.django_db
def test_number_and_pin_open_the_case_and_nothing_else_does() -> None:
    made, other = a_case(1), a_case(2)
    assert access_case(made.number, made.pin, b"here") == made.case
    assert access_case(made.number, other.pin, b"here") is None
    assert access_case(numbers.new_number(), made.pin, b"here") is None


@pytest.mark.django_db
def test_an_answer_that_was_lost_is_given_again_for_the_same_case() -> None:
    signals = [NewSignal("pdq", pdq_value(1)), NewSignal("pdq", pdq_value(2))]
    lost = create_case(signals, receipt="r" * 32)
    again = create_case(signals, receipt="r" * 32)
    assert again.case == lost.case
    assert Case.objects.count() == 1
    assert Source.objects.count() == 2
    assert access_case(again.number, again.pin, b"here") == lost.case
    assert access_case(lost.number, lost.pin, b"here") is None


@pytest.mark.django_db
def test_a_receipt_used_again_for_other_pictures_makes_a_case_of_its_own() -> None:
    first = create_case([NewSignal("pdq", pdq_value(1))], receipt="r" * 32)
    second = create_case([NewSignal("pdq", pdq_value(2))], receipt="r" * 32)
    assert first.case != second.case
    assert access_case(first.number, first.pin, b"here") == first.case


@pytest.mark.django_db
def test_the_same_picture_chosen_twice_is_one_signal() -> None:
    made = create_case([NewSignal("pdq", pdq_value(1))] * 2)
    assert made.case.signals.count() == 1
    assert LedgerRecord.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("count", [0, 501])
def test_a_case_takes_one_to_five_hundred_signals(count: int) -> None:
    with pytest.raises(ValueError, match="signal"):
        create_case([NewSignal("pdq", pdq_value(seed)) for seed in range(count)])
    assert Case.objects.count() == 0
