"""Case numbers, PINs, receipts."""

from __future__ import annotations

import datetime
import secrets

import pytest
from django.test import override_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from reclaim.bank.cases import numbers
from reclaim.bank.cases.models import Case
from reclaim.bank.cases.queries import access_case
from reclaim.bank.cases.services import NewSignal, ReceiptUsedError, create_case, forget_answers
from reclaim.bank.ledger.models import LedgerRecord, Source
from tests.personas import a_case, pdq_value


def a_number() -> str:
    return numbers.from_receipt(secrets.token_hex(32)).number


@given(st.integers(0, 17), st.sampled_from(numbers.ALPHABET))
def test_one_mistyped_character_is_noticed(place: int, character: str) -> None:
    number = a_number()
    typed = number[:place] + character + number[place + 1 :]
    if typed == number:
        assert numbers.parse_number(typed) == number
    else:
        with pytest.raises(numbers.MistypedError):
            numbers.parse_number(typed)


def test_a_number_may_be_typed_as_a_person_types() -> None:
    number = a_number()
    typed = f" {numbers.shown(number).lower().replace('0', 'o').replace('1', 'l')} "
    assert numbers.parse_number(typed) == number


def test_numbers_have_eighty_bits_or_more_and_no_odd_symbols() -> None:
    made = {a_number() for _ in range(500)}
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
    assert access_case(a_number(), made.pin, b"here") is None


def signals_of(*seeds: int) -> list[NewSignal]:
    return [NewSignal(number, "pdq", pdq_value(seed)) for number, seed in enumerate(seeds, start=1)]


@pytest.mark.django_db
def test_an_answer_that_was_lost_is_given_again_and_the_first_stays_good() -> None:
    """However late the lost request arrives, the number that a person has written down keeps its case."""
    answers = [create_case(signals_of(1, 2), receipt="r" * 64) for _ in range(3)]
    assert len({(answer.number, answer.pin, answer.case) for answer in answers}) == 1
    assert Case.objects.count() == 1
    assert Source.objects.count() == 2
    assert access_case(answers[0].number, answers[0].pin, b"here") == answers[0].case


@pytest.mark.django_db
def test_a_receipt_used_again_for_other_pictures_is_refused_and_changes_nothing() -> None:
    first = create_case(signals_of(1), receipt="r" * 64)
    with pytest.raises(ReceiptUsedError):
        create_case(signals_of(2), receipt="r" * 64)
    assert LedgerRecord.objects.count() == 1
    assert access_case(first.number, first.pin, b"here") == first.case


@pytest.mark.django_db
@pytest.mark.parametrize("forgotten", [False, True])
def test_after_fifteen_minutes_a_receipt_tells_nobody_number_and_pin(forgotten: bool) -> None:
    create_case(signals_of(1), receipt="r" * 64)
    Case.objects.update(answer_until=timezone.now() - datetime.timedelta(seconds=1))
    if forgotten:
        assert forget_answers() == 1
        assert Case.objects.get().answer_mac is None
    with pytest.raises(ReceiptUsedError):
        create_case(signals_of(1), receipt="r" * 64)
    assert Case.objects.count() == 1


@pytest.mark.django_db
def test_another_bank_gives_another_number_for_the_same_receipt() -> None:
    here = numbers.from_receipt("r" * 64)
    with override_settings(MASTER_SECRET=b"another bank's secret, 32 bytes."):
        assert numbers.from_receipt("r" * 64).number != here.number


@pytest.mark.django_db
def test_the_same_picture_chosen_twice_is_one_signal_under_its_first_number() -> None:
    made = create_case(signals_of(5, 5))
    assert [signal.number for signal in made.case.signals.all()] == [1]
    assert LedgerRecord.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("count", [0, 501])
def test_a_case_takes_one_to_five_hundred_signals(count: int) -> None:
    with pytest.raises(ValueError, match="signal"):
        create_case(signals_of(*range(count)))
    assert Case.objects.count() == 0
