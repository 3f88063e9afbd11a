"""Case numbers, PINs, receipts."""

from __future__ import annotations

import datetime
import os
import secrets
import subprocess
import sys
from dataclasses import replace

import pytest
from django.test import override_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from reclaim.bank.cases import numbers
from reclaim.bank.cases.models import Answer, Case, CaseItem
from reclaim.bank.cases.queries import access_case, made_with_ai
from reclaim.bank.cases.services import (
    CASE_RETENTION,
    Named,
    NewItem,
    NewSignal,
    Receipt,
    ReceiptUsedError,
    add_to_case,
    added_with,
    create_case,
    erase_ended_cases,
    forget_answers,
    refuse_item,
    release_item,
    withdraw,
)
from reclaim.bank.feedback.services import TOMBSTONE_RETENTION, erase_tombstones
from reclaim.bank.ledger.models import HeldSignal, LedgerRecord, Source
from reclaim.signals import frames_text, vpdq_value
from reclaim.sitekit.models import AuditEvent
from reclaim.sitekit.readable import ALPHABET
from tests.personas import ActingPlatform, a_case, clip_frames, pdq_value


def a_number() -> str:
    return numbers.from_receipt(secrets.token_hex(32)).number


@given(st.integers(0, 17), st.sampled_from(ALPHABET))
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
    assert all(len(number) == 18 and set(number) <= set(ALPHABET) for number in made)
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


def test_pins_are_hashed_as_rfc_9106_recommends() -> None:
    # What the module made, not what the suite puts in its place: read in a process of its own.
    code = "from reclaim.bank.cases.pins import _hasher as h; print(h.memory_cost, h.time_cost, h.type.name)"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    memory, passes, kind = said.stdout.split()
    assert (int(memory) >= 64 * 1024, int(passes) >= 3, kind) == (True, True, "ID")


@pytest.mark.django_db
def test_number_and_pin_open_the_case_and_nothing_else_does() -> None:
    made, other = a_case(1), a_case(2)
    assert access_case(made.number, made.pin, b"here") == made.case
    assert access_case(made.number, other.pin, b"here") is None
    assert access_case(a_number(), made.pin, b"here") is None


def pictures(*seeds: int) -> list[NewItem]:
    return [NewItem.picture(number, pdq_value(seed)) for number, seed in enumerate(seeds, start=1)]


def a_video(number: int, seed: int, **changes: tuple[str, ...]) -> NewItem:
    frames = clip_frames(seed, 3)
    signals = (NewSignal("md5", f"{seed:032x}"), NewSignal("vpdq", vpdq_value(frames), tuple(frames_text(frames))))
    return NewItem(number, "video", signals, **changes)  # type: ignore[arg-type]


def a_receipt(content: bytes = b"what was sent") -> Receipt:
    return Receipt("c" * 64, content)


@pytest.mark.django_db
def test_an_answer_that_was_lost_is_given_again_and_the_first_stays_good() -> None:
    """However late the lost request arrives, the number that a person has written down keeps its case."""
    answers = [create_case(pictures(1, 2), receipt=a_receipt()) for _ in range(3)]
    assert len({(answer.number, answer.pin, answer.case, str(answer.told)) for answer in answers}) == 1
    assert Case.objects.count() == 1
    assert Source.objects.count() == 2
    assert access_case(answers[0].number, answers[0].pin, b"here") == answers[0].case


@pytest.mark.django_db
def test_a_receipt_used_again_for_other_pictures_is_refused_and_changes_nothing() -> None:
    first = create_case(pictures(1), receipt=a_receipt())
    with pytest.raises(ReceiptUsedError):
        create_case(pictures(2), receipt=a_receipt(b"something else"))
    assert LedgerRecord.objects.count() == 1
    assert access_case(first.number, first.pin, b"here") == first.case


@pytest.mark.django_db
@pytest.mark.parametrize("forgotten", [False, True])
def test_after_fifteen_minutes_a_receipt_tells_nobody_number_and_pin(forgotten: bool) -> None:
    create_case(pictures(1), receipt=a_receipt())
    Answer.objects.update(until=timezone.now() - datetime.timedelta(seconds=1))
    if forgotten:
        assert forget_answers() == 1
        assert Answer.objects.count() == 0
    with pytest.raises(ReceiptUsedError):
        create_case(pictures(1), receipt=a_receipt())
    assert Case.objects.count() == 1


@pytest.mark.django_db
def test_another_bank_gives_another_number_for_the_same_receipt() -> None:
    here = numbers.from_receipt("r" * 64)
    with override_settings(MASTER_SECRET=b"another bank's secret, 32 bytes."):
        assert numbers.from_receipt("r" * 64).number != here.number


@pytest.mark.django_db
def test_the_same_picture_chosen_twice_is_one_item_under_its_first_number() -> None:
    made = create_case(pictures(5, 5))
    assert [item.number for item in made.case.items.all()] == [1]
    assert made.told.items == 1
    assert LedgerRecord.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("count", [0, 501])
def test_a_case_takes_one_to_five_hundred_items_at_a_time(count: int) -> None:
    with pytest.raises(ValueError, match="picture"):
        create_case(pictures(*range(count)))
    assert Case.objects.count() == 0


@pytest.mark.django_db
def test_a_video_is_one_item_with_two_signals_and_its_frames_go_when_it_is_erased() -> None:
    case = create_case([a_video(1, 7)]).case
    record = LedgerRecord.objects.get(type="vpdq")
    assert record.frames == frames_text(clip_frames(7, 3))
    assert LedgerRecord.objects.filter(status="active").count() == 2
    assert withdraw(case) == 1
    LedgerRecord.objects.update(withdrawn_at=timezone.now() - TOMBSTONE_RETENTION - datetime.timedelta(minutes=1))
    assert erase_tombstones() == 2
    assert list(LedgerRecord.objects.values_list("value", "frames")) == [(None, None)] * 2


@pytest.mark.django_db
def test_what_is_added_later_goes_on_with_the_numbers_and_is_taken_once() -> None:
    made = create_case(pictures(1, 2), refused=[Named(3, "poor")])
    first = add_to_case(made.case, pictures(2, 8), receipt=a_receipt())
    assert (first.first, first.items) == (4, 1)
    assert [item.number for item in made.case.items.all()] == [1, 2, 5]
    # The answer was lost: it is given again, and nothing is taken twice.
    assert add_to_case(made.case, pictures(2, 8), receipt=a_receipt()) == first
    assert added_with(a_receipt(), made.case) == first
    assert made.case.items.count() == 3
    with pytest.raises(ReceiptUsedError):
        add_to_case(made.case, pictures(9), receipt=a_receipt(b"something else"))


@pytest.mark.django_db
def test_what_was_withdrawn_may_be_added_again() -> None:
    case = a_case(1).case
    withdraw(case)
    assert add_to_case(case, pictures(1)).items == 1
    assert list(case.items.values_list("number", "state")) == [(1, "withdrawn"), (2, "in place")]


@pytest.mark.django_db
def test_a_signal_lives_as_long_as_one_item_that_has_it() -> None:
    """Two copies of one video have the same frames; she takes one of the two out."""
    platform = ActingPlatform.vetted()
    film = a_video(1, 1)
    copy = NewItem(2, "video", (NewSignal("md5", f"{2:032x}"), film.signals[1]))
    case = create_case([film, copy, replace(film, number=3)]).case
    assert [item.number for item in case.items.all()] == [1, 2]
    statuses = dict.fromkeys([*(signal.value for signal in film.signals), copy.signals[0].value], "active")
    for number, ended in ((1, film.signals[0]), (2, copy.signals[0])):
        withdraw(case, [number])
        statuses[ended.value] = "withdrawn"
        if number == 2:
            statuses[film.signals[1].value] = "withdrawn"
        assert dict(LedgerRecord.objects.values_list("value", "status")) == statuses
    # This platform asks for no frames of videos.
    assert platform.fetch_all() == dict.fromkeys((film.signals[0].value, copy.signals[0].value), "Withdrawn")


@pytest.mark.django_db
def test_each_item_has_its_own_signal_whichever_of_them_the_bank_knew() -> None:
    a_case(*range(0, 300, 3))
    case = a_case(*range(300)).case
    values = {item.number: item.signals.get().source.record.value for item in case.items.all()}
    assert values == {seed + 1: pdq_value(seed) for seed in range(300)}
    positions = list(LedgerRecord.objects.order_by("value").values_list("position", flat=True))
    assert positions == sorted(positions)
    assert positions == list(
        Source.objects.filter(casesignal__item__case=case)
        .order_by("record__value")
        .values_list("added_position", flat=True)
    )


@pytest.mark.django_db
def test_what_a_person_says_when_she_adds_a_picture_again_reaches_the_platforms() -> None:
    case = a_case(1, 2).case
    before = {record.value: record.position for record in LedgerRecord.objects.all()}

    def add_again(said: str) -> None:
        again = NewItem(1, "picture", (NewSignal("pdq", pdq_value(1)),), made_with_ai=said)
        assert add_to_case(case, [again]).items == 0

    add_again("unsaid")
    assert {record.value: record.position for record in LedgerRecord.objects.all()} == before
    add_again("yes")
    labelled, other = LedgerRecord.objects.order_by("-position")
    assert (labelled.value, labelled.position > before[pdq_value(1)]) == (pdq_value(1), True)
    assert made_with_ai([labelled.pk, other.pk]) == {labelled.pk}
    add_again("unsaid")
    assert made_with_ai([labelled.pk, other.pk]) == {labelled.pk}
    add_again("no")
    assert made_with_ai([labelled.pk, other.pk]) == set()


@pytest.mark.django_db
def test_a_case_that_is_full_says_which_items_it_could_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reclaim.bank.cases.services.MOST_IN_A_CASE", 3)
    case = a_case(1, 2).case
    told = add_to_case(case, pictures(3, 4, 5))
    assert (told.items, told.refused) == (1, [Named(2, "full"), Named(3, "full")])


@pytest.mark.django_db
def test_a_held_item_is_in_no_feed_and_touches_no_signal_of_anybody_else() -> None:
    platform = ActingPlatform.vetted()
    a_case(1)
    before = list(LedgerRecord.objects.values())
    made = create_case([NewItem(1, "picture", (NewSignal("pdq", pdq_value(2)),), held_for=("circling",))])
    same = create_case([NewItem(1, "picture", (NewSignal("pdq", pdq_value(1)),), held_for=("circling",))])
    assert made.told.held == same.told.held == [Named(1, "circling")]
    assert list(LedgerRecord.objects.values()) == before
    assert platform.fetch_all() == {pdq_value(1): "Active"}


@pytest.mark.django_db
def test_a_released_item_enters_the_feed_and_a_refused_one_is_forgotten() -> None:
    platform = ActingPlatform.vetted()
    items = [a_video(1, 1, held_for=("many-cases",)), a_video(2, 2, held_for=("many-cases",))]
    case = create_case(items).case
    first, second = case.items.all()
    assert platform.fetch_all() == {}
    assert release_item(first, "organisation:1")
    assert refuse_item(second, CaseItem.Refusal.UNCLEAR, "organisation:1")
    assert LedgerRecord.objects.filter(status="active").count() == 2
    assert HeldSignal.objects.count() == 0
    assert list(case.items.values_list("state", "refused_for", "held_for")) == [
        ("in place", "", []),
        ("refused", "unclear", []),
    ]
    assert not release_item(second, "organisation:1")
    assert not refuse_item(first, CaseItem.Refusal.UNCLEAR, "organisation:1")


@pytest.mark.django_db
def test_a_held_item_that_is_withdrawn_simply_ends() -> None:
    case = create_case([a_video(1, 1, held_for=("many-cases",))]).case
    assert withdraw(case) == 1
    assert (LedgerRecord.objects.count(), HeldSignal.objects.count()) == (0, 0)
    assert not release_item(case.items.get(), "organisation:1")


@pytest.mark.django_db
def test_only_a_person_whose_signal_is_in_place_labels_it_as_made_with_ai() -> None:
    plain = create_case(pictures(1))
    said = create_case([NewItem(1, "picture", (NewSignal("pdq", pdq_value(1)),), made_with_ai="yes")])
    create_case([NewItem(1, "picture", (NewSignal("pdq", pdq_value(2)),), made_with_ai="no")])
    record = LedgerRecord.objects.get(value=pdq_value(1))
    every = list(LedgerRecord.objects.values_list("pk", flat=True))
    assert made_with_ai(every) == {record.pk}
    withdraw(plain.case)
    assert made_with_ai(every) == {record.pk}
    withdraw(said.case)
    assert made_with_ai(every) == set()


@pytest.mark.django_db
def test_a_case_is_erased_ninety_days_after_its_last_item_was_withdrawn() -> None:
    shared, own = a_case(1).case, a_case(1, 2).case
    withdraw(own, [1])
    days_ago = timezone.now().date() - CASE_RETENTION
    CaseItem.objects.filter(state="withdrawn").update(withdrawn_on=days_ago)
    assert erase_ended_cases() == 0
    withdraw(own)
    assert erase_ended_cases() == 0
    LedgerRecord.objects.update(withdrawn_at=timezone.now() - TOMBSTONE_RETENTION - datetime.timedelta(days=1))
    erase_tombstones()
    CaseItem.objects.filter(state="withdrawn").update(withdrawn_on=days_ago)
    trail = AuditEvent.objects.count()
    assert erase_ended_cases() == 1
    assert list(Case.objects.all()) == [shared]
    # That something was done stays, with its second; whose case it was is forgotten with the case.
    assert AuditEvent.objects.count() == trail + 1
    assert set(AuditEvent.objects.filter(action__startswith="case.").values_list("action", "target")) == {
        ("case.create", f"case:{shared.pk}"),
        ("case.create", "case:erased"),
        ("case.withdraw", "case:erased"),
        ("case.erase", "cases:1"),
    }
    # Only what the other case still holds is left of it.
    assert list(LedgerRecord.objects.values_list("value", flat=True)) == [pdq_value(1)]
    assert Source.objects.count() == 1
