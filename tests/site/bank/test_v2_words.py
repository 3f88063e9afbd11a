"""What platforms say over version 2: finds, feedback, acknowledgements and their clock."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.utils import timezone

from reclaim.bank.cases.models import Case
from reclaim.bank.cases.services import withdraw
from reclaim.bank.feedback.models import Feedback
from reclaim.bank.feedback.queries import KeptFor, PlatformReport, overdue, report
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.platforms.models import Platform
from reclaim.signals import frames_text, vpdq_value
from reclaim.signals.frames import name_of_frames
from tests.personas import a_case, clip_frames, pdq_value
from tests.site.bank.test_report import sources_of, told
from tests.v2 import Native

pytestmark = pytest.mark.django_db


def refusals(answer: dict[str, Any]) -> list[int]:
    return [refusal["index"] for refusal in answer["refused"]]


def report_of(case: Case, name: str) -> PlatformReport:
    return next(line for line in report(sources_of(case)) if line.name == name)


def test_feedback_says_how_near_how_many_what_was_done_and_who_decided() -> None:
    platform, other = Native.vetted("One"), Native.vetted("Other")
    case = a_case(1).case
    other.sync()
    word = {"distance": 12, "count": 3, "action": "account-restricted"}
    assert platform.says("pdq", pdq_value(1), "blocked", **word) == {"taken": 1, "refused": []}
    row = Feedback.objects.get()
    assert (row.value, row.distance, row.count, row.action, row.decided_by) == (
        "Blocked",
        12,
        3,
        "account-restricted",
        "person",
    )
    assert [record.decisions.blocked for record in other.sync()] == [1]
    assert [(said.source, said.feedbackValue) for said in other.acting.fetch().hashRecords[0].CSPFeedbacks] == [
        ("One", "Blocked")
    ]
    assert report_of(case, "One").removed == 1
    platform.says("pdq", pdq_value(1), "not-blocked", reason="not-intimate")
    assert report_of(case, "One").kept == {KeptFor.NOT_INTIMATE: 1}
    [record] = other.sync()
    assert (record.decisions.blocked, record.decisions.not_blocked) == (0, 1)


def test_a_word_that_changes_nothing_that_others_read_moves_nothing_in_their_feeds() -> None:
    platform, other = Native.vetted("One"), Native.vetted("Other")
    a_case(1)
    platform.says("pdq", pdq_value(1), "blocked", count=1)
    other.sync()
    platform.says("pdq", pdq_value(1), "blocked", count=2)
    assert other.sync() == []
    assert Feedback.objects.get().count == 2


def test_entries_that_do_not_fit_are_named_and_the_rest_is_taken() -> None:
    platform = Native.vetted()
    a_case(1)
    word = {"type": "pdq", "value": pdq_value(1), "decision": "blocked", "decided_by": "machine"}
    bad = [
        {**word, "value": pdq_value(9)},
        {**word, "value": "g" * 64},
        {**word, "type": "md5"},
        {**word, "reason": "other"},
    ]
    answer = platform.post("feedback", {"feedback": [*bad, word]}).json()
    assert (answer["taken"], refusals(answer)) == (1, [0, 1, 2, 3])
    assert all(refusal["reason"].endswith(".") for refusal in answer["refused"])


def test_a_withdrawal_is_owed_until_it_is_acknowledged_and_its_clock_is_told() -> None:
    platform = Native.vetted()
    case = a_case(1, 2).case
    platform.sync()
    withdraw(case)
    platform.sync()
    owed = platform.get("acknowledgements", "feedback").json()
    assert {entry["value"] for entry in owed["owed"]} == {pdq_value(1), pdq_value(2)}
    assert owed["owed"][0]["acknowledge_by"] > owed["owed"][0]["withdrawn_at"]
    platform.acknowledges()
    assert platform.get("acknowledgements", "feedback").json() == {"owed": [], "has_more": False}
    assert set(LedgerRecord.objects.values_list("value", "status")) == {(None, "erased")}


def test_acknowledging_again_what_is_erased_does_no_harm_and_what_is_in_place_is_refused() -> None:
    platform = Native.vetted()
    withdraw(a_case(1).case)
    a_case(2)
    named = [{"type": "pdq", "value": pdq_value(seed)} for seed in (1, 2, 1)]
    for _ in range(2):
        answer = platform.post("acknowledgements", {"acknowledgements": named}).json()
        assert (answer["taken"], refusals(answer)) == (2, [1])
    assert LedgerRecord.objects.get(value=pdq_value(2)).status == "active"


def test_acknowledging_takes_back_no_find_of_ones_own() -> None:
    platform = Native.vetted()
    platform.post("signals", {"signals": [{"type": "pdq", "value": pdq_value(1)}]}, "submit")
    named = [{"type": "pdq", "value": pdq_value(1)}]
    assert refusals(platform.post("acknowledgements", {"acknowledgements": named}).json()) == [0]
    assert LedgerRecord.objects.get().status == "active"


def test_an_acknowledgement_is_overdue_after_its_time_counted_from_the_platforms_own_vetting() -> None:
    platform = Native.vetted()
    withdraw(a_case(1).case)
    now = platform.acting.platform
    long_ago = timezone.now() - datetime.timedelta(days=2)
    assert not overdue(now).exists()
    LedgerRecord.objects.update(withdrawn_at=long_ago)
    assert not overdue(now).exists(), "it joined today"
    Platform.objects.update(vetted_at=long_ago)
    now.refresh_from_db()
    assert overdue(now).count() == 1
    platform.sync()
    platform.acknowledges()
    assert not overdue(now).exists()


def test_finds_are_screened_as_everybodys_and_keep_their_quality() -> None:
    platform = Native.vetted()
    frames = frames_text(clip_frames(1, 3))
    good = {"type": "vpdq", "value": name_of_frames(frames), "frames": frames}
    sent = [
        {"type": "pdq", "value": "0" * 64},
        {"type": "pdq", "value": pdq_value(1), "quality": 49},
        {**good, "value": pdq_value(2)},
        {**good, "frames": [*frames, frames[0]]},
        {"type": "vpdq", "value": name_of_frames([]), "frames": []},
        {"type": "md5", "value": "xyz"},
        good,
        {"type": "md5", "value": "AB" * 16},
    ]
    answer = platform.post("signals", {"signals": sent}, "submit").json()
    assert (answer["taken"], refusals(answer)) == (2, [0, 1, 2, 3, 4, 5])
    platform.sync()
    assert set(platform.copy) == {("vpdq", vpdq_value(clip_frames(1, 3))), ("md5", "ab" * 16)}


def test_a_platform_takes_its_own_find_back_and_nobody_elses() -> None:
    one, other = Native.vetted("One"), Native.vetted("Other")
    named = [{"type": "pdq", "value": pdq_value(seed)} for seed in (1, 2, 3)]
    a_case(2)
    one.post("signals", {"signals": named[:2]}, "submit")
    other.sync()
    assert refusals(other.post("withdrawals", {"withdrawals": named}, "submit").json()) == [0, 1, 2]
    answer = one.post("withdrawals", {"withdrawals": named}, "submit").json()
    assert (answer["taken"], refusals(answer)) == (1, [1, 2]), "a find of what a case holds adds nothing"
    assert [(record.value, record.status) for record in other.sync()] == [(pdq_value(1), "withdrawn")]


def test_what_a_person_withdrew_no_platform_brings_back() -> None:
    platform = Native.vetted()
    withdraw(a_case(1).case)
    answer = platform.post("signals", {"signals": [{"type": "pdq", "value": pdq_value(1)}]}, "submit").json()
    assert (answer["taken"], refusals(answer)) == (0, [0])


def test_a_withdrawal_is_confirmed_to_the_person_two_syncs_after_it_was_acknowledged() -> None:
    platform = Native.vetted()
    case = a_case(1, 2).case
    platform.sync(limit=1)
    assert told(case).not_given == 2, "a fetch counts once its last cursor comes back"
    platform.sync()
    assert told(case).silent == 2
    withdraw(case)
    platform.sync(limit=1)
    platform.acknowledges()
    assert told(case).withdrawal_open == 2
    platform.sync(limit=1)
    platform.sync(limit=1)
    assert told(case).withdrawal_taken == 2
