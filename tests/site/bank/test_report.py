"""What a person is told about each platform."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from reclaim.bank.cases.models import Case
from reclaim.bank.cases.services import NewItem, NewSignal, create_case, withdraw
from reclaim.bank.feedback.queries import KeptFor, PlatformReport, report
from reclaim.bank.feedback.services import erase_tombstones
from reclaim.bank.ledger.models import LedgerRecord, Source
from reclaim.bank.platforms.models import Platform
from reclaim.bank.platforms.services import note_delivery
from reclaim.signals import frames_text, vpdq_value
from tests.personas import ActingPlatform, a_case, clip_frames, pdq_value

pytestmark = pytest.mark.django_db


def told(case: Case) -> PlatformReport:
    [line] = report(sources_of(case))
    return line


def sources_of(case: Case) -> list[list[Source]]:
    return [[signal.source for signal in item.signals.select_related("source__record")] for item in case.items.all()]


def test_a_platform_has_a_signal_once_it_has_fetched_it() -> None:
    platform = ActingPlatform.vetted()
    case = a_case(1, 2).case
    assert told(case).given == 0
    platform.fetch(pageSize=1)
    assert told(case).given == 1
    platform.fetch_all(size=1)
    assert told(case).given == 2


def test_a_platform_that_skips_ahead_is_not_said_to_have_what_it_skipped() -> None:
    platform = ActingPlatform.vetted()
    case = a_case(1).case
    platform.fetch(startTimestamp=2**40)
    platform.fetch(startTimestamp=10**9)
    assert told(case).given == 0


@pytest.mark.parametrize(
    ("said", "field"), [("PendingReview", "reviewing"), ("Blocked", "removed"), ("NotBlocked", "kept")]
)
def test_a_platforms_decision_reaches_the_person(said: str, field: str) -> None:
    platform = ActingPlatform.vetted()
    case = a_case(1, 2).case
    platform.says(1, said)
    line = told(case)
    assert {"reviewing": line.reviewing, "removed": line.removed, "kept": line.kept.total()} == {
        name: int(name == field) for name in ("reviewing", "removed", "kept")
    }


def test_a_withdrawal_is_open_until_the_platform_acknowledges_it() -> None:
    platform = ActingPlatform.vetted()
    case = a_case(1, 2).case
    platform.fetch_all()
    withdraw(case, [1])
    line = told(case)
    assert (line.given, line.withdrawal_open, line.withdrawal_taken) == (1, 1, 0)
    platform.syncs()
    assert told(case).withdrawal_open == 1
    platform.syncs()
    platform.syncs()
    line = told(case)
    assert (line.given, line.withdrawal_open, line.withdrawal_taken) == (1, 0, 1)


def test_a_platform_that_never_acknowledges_never_counts_as_having_taken_a_withdrawal() -> None:
    platform = ActingPlatform.vetted()
    case = a_case(1).case
    withdraw(case)
    for _ in range(5):
        platform.fetch_all()
    assert told(case).withdrawal_open == 1
    Platform.objects.update(vetted_at=timezone.now() - datetime.timedelta(days=32))
    LedgerRecord.objects.update(withdrawn_at=timezone.now() - datetime.timedelta(days=31))
    assert erase_tombstones() == 1
    # It acknowledges another one later: that does not make up for the one it never confirmed.
    withdraw(a_case(2).case)
    for _ in range(5):
        platform.syncs()
    assert told(case).withdrawal_open == 1


def test_two_fetches_at_once_cannot_take_back_what_a_platform_was_given() -> None:
    platform = ActingPlatform.vetted()
    case = a_case(1, 2, 3).case
    slow = Platform.objects.get()
    platform.fetch_all()
    note_delivery(slow, from_position=0, from_second=10, to_position=1, to_second=11)
    assert told(case).given == 3


def test_one_platforms_feedback_does_not_make_another_seem_to_lack_the_signal() -> None:
    one, two = ActingPlatform.vetted("One"), ActingPlatform.vetted("Two")
    case = a_case(1).case
    for platform in (one, two):
        platform.fetch_all()
    one.says(1, "Blocked")
    assert [(line.name, line.given, line.removed) for line in report(sources_of(case))] == [
        ("One", 1, 1),
        ("Two", 1, 0),
    ]


def test_an_item_of_two_signals_counts_once_and_was_removed_if_either_was() -> None:
    platform = ActingPlatform.vetted()
    signals = (NewSignal("pdq", pdq_value(1)), NewSignal("pdq", pdq_value(2)))
    case = create_case([NewItem(1, "picture", signals), NewItem.picture(2, pdq_value(3))]).case
    platform.fetch_all()
    assert (told(case).given, told(case).silent) == (2, 2)
    platform.says(1, "NotBlocked")
    platform.says(2, "Blocked")
    line = told(case)
    assert (line.given, line.silent, line.removed, line.kept.total()) == (2, 1, 1, 0)
    withdraw(case, [1])
    assert (told(case).withdrawal_open, told(case).given) == (1, 1)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        (["reason:not-intimate"], KeptFor.NOT_INTIMATE),
        (["seen", "reason:allowed-here", "reason:other"], KeptFor.ALLOWED_HERE),
        (["reason:unsaid"], KeptFor.UNSAID),
        (["reason:because"], KeptFor.UNSAID),
        ([], KeptFor.UNSAID),
    ],
)
def test_a_platform_says_why_it_left_something_up(tags: list[str], reason: KeptFor) -> None:
    platform = ActingPlatform.vetted()
    case = a_case(1).case
    word = {"hashValue": pdq_value(1), "feedbackValue": "NotBlocked", "tags": tags}
    assert platform.post("SubmitFeedback", {"count": 1, "hashFeedbacks": [word]}).status_code == 200
    assert told(case).kept == {reason: 1}


def test_a_platform_that_takes_no_frames_confirms_the_withdrawal_of_a_video_all_the_same() -> None:
    plain, whole = ActingPlatform.vetted("Plain"), ActingPlatform.vetted("Whole")
    frames = clip_frames(1, 3)
    exact, moving = NewSignal("md5", "a" * 32), NewSignal("vpdq", vpdq_value(frames), tuple(frames_text(frames)))
    case = create_case([NewItem(1, "video", (exact, moving))]).case
    withdraw(case)
    plain.fetch()
    whole.fetch(include="vpdq")
    for platform, values in ((plain, ["a" * 32]), (whole, ["a" * 32, moving.value])):
        words = [{"hashValue": value, "feedbackValue": "Deleted", "tags": []} for value in values]
        assert platform.post("SubmitFeedback", {"count": len(words), "hashFeedbacks": words}).json()["refused"] == []
    for _ in range(3):
        plain.fetch()
        whole.fetch(include="vpdq")
    assert set(LedgerRecord.objects.values_list("status", flat=True)) == {"erased"}
    lines = report(sources_of(case))
    assert [(line.name, line.withdrawal_taken, line.withdrawal_open) for line in lines] == [
        ("Plain", 1, 0),
        ("Whole", 1, 0),
    ]
