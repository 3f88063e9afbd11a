"""The ledger: what is in the feed, in which order, and what a withdrawal does to it."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from reclaim.bank.cases.services import withdraw
from reclaim.bank.feedback.services import TOMBSTONE_RETENTION, erase_tombstones
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.ledger.services import MOST_IN_ONE_SECOND
from reclaim.bank.platforms.services import revoke_platform
from tests.personas import ActingPlatform, a_case, pdq_value

pytestmark = pytest.mark.django_db


def test_a_cases_signals_are_active_in_the_feed() -> None:
    a_case(1, 2)
    assert ActingPlatform.vetted().fetch_all() == {pdq_value(1): "Active", pdq_value(2): "Active"}


def test_a_withdrawn_signal_is_a_tombstone_at_the_end_of_the_feed() -> None:
    case = a_case(1).case
    a_case(2)
    withdraw(case)
    records = ActingPlatform.vetted().fetch().hashRecords
    assert [(record.hashValue, record.hashStatus) for record in records] == [
        (pdq_value(2), "Active"),
        (pdq_value(1), "Withdrawn"),
    ]


def test_a_signal_of_two_cases_stays_until_both_have_withdrawn_it() -> None:
    platform = ActingPlatform.vetted()
    first, second = a_case(1).case, a_case(1).case
    withdraw(first)
    assert platform.fetch_all() == {pdq_value(1): "Active"}
    withdraw(second)
    assert platform.fetch_all() == {pdq_value(1): "Withdrawn"}


def test_withdrawing_again_changes_nothing() -> None:
    case = a_case(1, 2).case
    assert withdraw(case, [1]) == 1
    assert withdraw(case, [1]) == 0
    assert withdraw(case) == 1


def test_a_signal_submitted_again_after_its_withdrawal_is_active() -> None:
    platform = ActingPlatform.vetted()
    withdraw(a_case(1).case)
    a_case(1)
    assert platform.fetch_all() == {pdq_value(1): "Active"}


def test_the_value_is_erased_once_every_platform_has_acknowledged() -> None:
    one, two = ActingPlatform.vetted("One"), ActingPlatform.vetted("Two")
    withdraw(a_case(1).case)
    one.says(1, "Deleted")
    assert two.fetch_all() == {pdq_value(1): "Withdrawn"}
    two.says(1, "Withdrawn")
    assert two.fetch_all() == {}
    assert list(LedgerRecord.objects.values_list("value", "status")) == [(None, "erased")]


def test_an_acknowledgement_of_an_earlier_withdrawal_does_not_count_for_a_later_one() -> None:
    one, two = ActingPlatform.vetted("One"), ActingPlatform.vetted("Two")
    withdraw(a_case(1).case)
    one.says(1, "Deleted")
    withdraw(a_case(1).case)
    two.says(1, "Deleted")
    assert one.fetch_all() == {pdq_value(1): "Withdrawn"}


def test_saying_deleted_of_an_active_signal_acknowledges_nothing() -> None:
    platform = ActingPlatform.vetted()
    case = a_case(1).case
    platform.says(1, "Deleted")
    withdraw(case)
    assert platform.fetch_all() == {pdq_value(1): "Withdrawn"}


def test_the_value_is_erased_when_its_retention_ends_though_a_platform_is_silent() -> None:
    platform = ActingPlatform.vetted()
    withdraw(a_case(1).case)
    assert erase_tombstones() == 0
    LedgerRecord.objects.update(withdrawn_at=timezone.now() - TOMBSTONE_RETENTION - datetime.timedelta(minutes=1))
    assert erase_tombstones() == 1
    assert platform.fetch_all() == {}


def test_a_platform_takes_its_own_find_back() -> None:
    platform, other = ActingPlatform.vetted("One"), ActingPlatform.vetted("Two")
    body = {"count": 1, "hashRecords": [{"signalType": "ImagePDQ", "hashValue": pdq_value(1), "CSPFeedbacks": []}]}
    assert platform.post("SubmitHashes", body).json() == {"count": 1, "refused": []}
    assert platform.post("SubmitHashes", body).json() == {"count": 1, "refused": []}
    assert other.fetch_all() == {pdq_value(1): "Active"}
    other.says(1, "Withdrawn")
    assert other.fetch_all() == {pdq_value(1): "Active"}
    platform.says(1, "Withdrawn")
    assert other.fetch_all() == {pdq_value(1): "Withdrawn"}


def test_a_persons_withdrawal_outranks_a_platforms_find_of_the_same_picture() -> None:
    finder, other = ActingPlatform.vetted("Finder"), ActingPlatform.vetted("Other")
    body = {"count": 1, "hashRecords": [{"signalType": "ImagePDQ", "hashValue": pdq_value(1), "CSPFeedbacks": []}]}
    finder.post("SubmitHashes", body)
    first, second = a_case(1).case, a_case(1).case
    finder.post("SubmitHashes", body)
    withdraw(first)
    assert other.fetch_all() == {pdq_value(1): "Active"}
    withdraw(second)
    assert other.fetch_all() == {pdq_value(1): "Withdrawn"}


def test_a_platform_that_echoes_the_feed_cannot_keep_or_bring_back_what_a_person_withdraws() -> None:
    echo, other = ActingPlatform.vetted("Echo"), ActingPlatform.vetted("Other")
    body = {"count": 1, "hashRecords": [{"signalType": "ImagePDQ", "hashValue": pdq_value(1), "CSPFeedbacks": []}]}
    case = a_case(1).case
    assert echo.post("SubmitHashes", body).json()["count"] == 1
    withdraw(case)
    assert other.fetch_all() == {pdq_value(1): "Withdrawn"}
    answer = echo.post("SubmitHashes", body).json()
    assert (answer["count"], [refusal["index"] for refusal in answer["refused"]]) == (0, [0])
    assert other.fetch_all() == {pdq_value(1): "Withdrawn"}


def test_a_tombstone_that_waited_only_for_a_platform_without_access_is_erased() -> None:
    one, _ = ActingPlatform.vetted("One"), ActingPlatform.vetted("Two")
    withdraw(a_case(1).case)
    one.says(1, "Deleted")
    assert erase_tombstones() == 0
    revoke_platform("Two")
    assert erase_tombstones() == 1
    assert one.fetch_all() == {}


def test_no_second_holds_more_records_than_a_client_fetches_in_one_go() -> None:
    for start in range(0, 1500, 500):
        a_case(*range(start, start + 500))
    seconds = list(LedgerRecord.objects.order_by("position").values_list("modified_at", flat=True))
    assert seconds == sorted(seconds)
    assert max(seconds.count(second) for second in set(seconds)) <= MOST_IN_ONE_SECOND
    assert len(ActingPlatform.vetted().fetch_all(size=170)) == 1500


def test_the_feed_does_not_show_the_order_in_which_a_person_chose() -> None:
    a_case(5, 3, 9, 1)
    values = [record.hashValue for record in ActingPlatform.vetted().fetch().hashRecords]
    assert values == sorted(values)
