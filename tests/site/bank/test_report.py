"""What a person is told about each platform."""

from __future__ import annotations

import pytest

from reclaim.bank.cases.models import Case
from reclaim.bank.cases.services import withdraw
from reclaim.bank.feedback.queries import Picture, PlatformReport, report
from tests.personas import ActingPlatform, a_case

pytestmark = pytest.mark.django_db


def told(case: Case) -> PlatformReport:
    [line] = report(
        [
            Picture(signal.source.record, signal.added_at, signal.withdrawn_at)
            for signal in case.signals.select_related("source__record")
        ]
    )
    return line


def test_a_platform_has_a_signal_once_it_has_fetched_it() -> None:
    platform = ActingPlatform.vetted()
    case = a_case(1, 2).case
    assert told(case).has == 0
    platform.fetch(pageSize=1)
    assert told(case).has == 1
    platform.fetch_all(size=1)
    assert told(case).has == 2


def test_a_platform_that_skips_ahead_is_not_said_to_have_what_it_skipped() -> None:
    platform = ActingPlatform.vetted()
    case = a_case(1).case
    platform.fetch(startTimestamp=2**40)
    platform.fetch(startTimestamp=10**9)
    assert told(case).has == 0


@pytest.mark.parametrize(
    ("said", "field"), [("PendingReview", "reviewing"), ("Blocked", "removed"), ("NotBlocked", "kept")]
)
def test_a_platforms_decision_reaches_the_person(said: str, field: str) -> None:
    platform = ActingPlatform.vetted()
    case = a_case(1, 2).case
    platform.says(1, said)
    assert getattr(told(case), field) == 1


def test_a_withdrawal_is_open_until_the_platform_acknowledges_it() -> None:
    platform = ActingPlatform.vetted()
    case = a_case(1, 2).case
    platform.fetch_all()
    withdraw(case, [1])
    line = told(case)
    assert (line.has, line.withdrawal_open, line.withdrawal_taken) == (1, 1, 0)
    for seed in (1, 2):
        platform.says(seed, "Deleted")
    line = told(case)
    assert (line.has, line.withdrawal_open, line.withdrawal_taken) == (1, 0, 1)


def test_one_platforms_feedback_does_not_make_another_seem_to_lack_the_signal() -> None:
    one, two = ActingPlatform.vetted("One"), ActingPlatform.vetted("Two")
    case = a_case(1).case
    for platform in (one, two):
        platform.fetch_all()
    one.says(1, "Blocked")
    pictures = [Picture(signal.source.record, signal.added_at, None) for signal in case.signals.all()]
    assert [(line.name, line.has, line.removed) for line in report(pictures)] == [("One", 1, 1), ("Two", 1, 0)]
