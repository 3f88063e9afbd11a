"""Matching as a service: what a small platform learns, and how much of it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reclaim.bank.cases.services import withdraw
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.lookup.index import signal_index
from reclaim.bank.lookup.models import Lookup, LookupAlarm, LookupDay
from reclaim.bank.lookup.services import (
    ALARM_AT,
    STOP_AT,
    StoppedError,
    allow,
    close_alarm,
    forget_lookups,
    look_up_file,
    look_up_picture,
)
from reclaim.bank.platforms.models import Platform
from reclaim.sitekit.limits import SlowDownError
from tests.personas import ActingPlatform, a_case, pdq_value

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    """Each test has a ledger of its own."""
    signal_index.forget()
    yield
    signal_index.forget()


@pytest.fixture
def platform() -> Platform:
    return ActingPlatform.vetted("Small").platform


def changed(value: str, *bits: int) -> str:
    return f"{int(value, 16) ^ sum(1 << bit for bit in bits):064x}"


def test_a_near_copy_matches_until_the_person_withdraws(platform: Platform) -> None:
    made = a_case(1)
    assert look_up_picture(platform, [changed(pdq_value(1), *range(31))])
    assert not look_up_picture(platform, [changed(pdq_value(1), *range(32))])
    assert not look_up_picture(platform, [pdq_value(2)])
    withdraw(made.case)
    assert not look_up_picture(platform, [pdq_value(1)])
    a_case(1)
    assert look_up_picture(platform, [pdq_value(1)])


def test_any_turn_of_an_upload_may_match(platform: Platform) -> None:
    a_case(1)
    assert look_up_picture(platform, [pdq_value(5), pdq_value(1), pdq_value(6)])


def test_a_signal_for_review_only_and_another_platforms_canary_match_nothing(platform: Platform) -> None:
    a_case(1, 2)
    LedgerRecord.objects.filter(value=pdq_value(1)).update(review_only=True)
    other = Platform.objects.create(name="Another")
    LedgerRecord.objects.filter(value=pdq_value(2)).update(only_for=other)
    assert not look_up_picture(platform, [pdq_value(1)])
    assert not look_up_picture(platform, [pdq_value(2)])
    assert not look_up_file(platform, "0" * 32)


def test_a_lookup_costs_the_same_whatever_is_found(platform: Platform) -> None:
    a_case(1)
    look_up_picture(platform, [pdq_value(9)])
    counts = set()
    for value in (pdq_value(1), changed(pdq_value(1), *range(40)), pdq_value(8)):
        with CaptureQueriesContext(connection) as asked:
            look_up_picture(platform, [value])
        counts.add(len(asked))
    assert len(counts) == 1


def test_nothing_is_kept_that_tells_of_an_upload_that_is_near_nothing(platform: Platform) -> None:
    a_case(1)
    for _ in range(2):
        look_up_picture(platform, [pdq_value(9)])
    assert len(set(Lookup.objects.values_list("asked", flat=True))) == 2
    assert len(set(Lookup.objects.values_list("near", flat=True))) == 2


def test_a_platform_has_so_many_lookups_a_day_and_no_more(platform: Platform) -> None:
    allow(platform, 2, "operator")
    look_up_file(platform, "0" * 32)
    look_up_picture(platform, [pdq_value(9)])
    with pytest.raises(SlowDownError):
        look_up_picture(platform, [pdq_value(9)])


def test_versions_of_one_picture_raise_the_alarm_and_many_of_them_stop_lookups(platform: Platform) -> None:
    a_case(1)
    for bit in range(ALARM_AT - 3):
        look_up_picture(platform, [changed(pdq_value(1), bit)])
    assert not LookupAlarm.objects.exists()
    for bit in range(3):
        look_up_picture(platform, [changed(pdq_value(1), *range(bit, bit + 40))])
    assert LookupAlarm.objects.get().stopped is False
    for bit in range(STOP_AT - ALARM_AT):
        look_up_picture(platform, [changed(pdq_value(1), 100 + bit)])
    with pytest.raises(StoppedError):
        look_up_picture(platform, [pdq_value(9)])
    assert close_alarm(platform, "operator")
    assert look_up_picture(platform, [pdq_value(1)])


def test_versions_that_are_sent_as_turns_of_one_another_count_each(platform: Platform) -> None:
    a_case(1)
    for start in range(0, ALARM_AT, 6):
        values = [changed(pdq_value(1), *range(bit, bit + 40)) for bit in range(start, start + 6)]
        assert not look_up_picture(platform, [*values, pdq_value(9)])
    assert LookupAlarm.objects.get().versions == ALARM_AT


def test_a_picture_that_goes_round_raises_no_alarm(platform: Platform) -> None:
    a_case(1)
    for bit in range(ALARM_AT + 2):
        look_up_picture(platform, [changed(pdq_value(1), bit)])
    for _ in range(ALARM_AT):
        look_up_picture(platform, [changed(pdq_value(1), *range(40))])
    assert not LookupAlarm.objects.exists()


def test_lookups_are_forgotten(platform: Platform) -> None:
    look_up_picture(platform, [pdq_value(9)])
    long_ago = timezone.now() - datetime.timedelta(days=100)
    Lookup.objects.update(at=long_ago)
    LookupDay.objects.update(day=long_ago.date())
    assert forget_lookups() == 1
    assert not LookupDay.objects.exists()
