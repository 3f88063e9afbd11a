"""The feed of version 2: what is in it, in which order, and what a cursor stands for."""

from __future__ import annotations

import datetime
import uuid

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reclaim.bank.cases.models import CaseSignal
from reclaim.bank.cases.services import NewItem, NewSignal, create_case, withdraw
from reclaim.bank.exchange import cursors
from reclaim.bank.ledger import queries
from reclaim.bank.ledger.models import LedgerClock, LedgerRecord, Source
from reclaim.bank.ledger.queries import standing
from reclaim.bank.ledger.services import begin_another_ledger
from reclaim.bank.platforms.models import Platform
from reclaim.signals import frames_text, vpdq_value
from tests.personas import a_case, clip_frames, pdq_value
from tests.threads import in_thread
from tests.v2 import Native

pytestmark = pytest.mark.django_db


def a_video(seed: int, count: int, number: int = 1) -> NewItem:
    frames = clip_frames(seed, count)
    moving = NewSignal("vpdq", vpdq_value(frames), tuple(frames_text(frames)))
    return NewItem(number, "video", (NewSignal("md5", f"{seed:032x}"), moving), "yes")


def test_a_cases_signals_come_with_what_a_platform_needs_to_know() -> None:
    a_case(1)
    [record] = Native.vetted().sync()
    assert record.model_dump(exclude={"changed_at"}, exclude_unset=True) == {
        "type": "pdq",
        "value": pdq_value(1),
        "status": "active",
        "quality": None,
        "labels": [],
        "provenance": ["person"],
        "trust": 50,
        "action": "block",
        "decisions": {"blocked": 0, "not_blocked": 0},
    }


def test_a_cursor_goes_on_where_the_last_page_ended_and_brings_only_what_changed() -> None:
    platform = Native.vetted()
    a_case(*range(10))
    assert sorted(record.value for record in platform.sync(limit=3)) == sorted(pdq_value(seed) for seed in range(10))
    assert platform.sync() == []
    case = a_case(11).case
    assert [record.value for record in platform.sync()] == [pdq_value(11)]
    before = timezone.now()
    withdraw(case)
    [record] = platform.sync()
    assert (record.value, record.status) == (pdq_value(11), "withdrawn")
    assert record.acknowledge_by is not None
    late = (record.acknowledge_by - before).total_seconds() - settings.ACKNOWLEDGE_WITHIN
    assert -1 <= late <= 10


def test_frames_exact_hashes_labels_quality_and_where_a_signal_comes_from_are_told() -> None:
    finder, reader = Native.vetted("Finder"), Native.vetted("Reader")
    create_case([a_video(1, 3)])
    found = {"type": "pdq", "value": pdq_value(5).upper(), "quality": 87, "labels": ["made-with-ai"]}
    assert finder.post("signals", {"signals": [found]}, "submit").json() == {"taken": 1, "refused": []}
    reader.sync()
    name = vpdq_value(clip_frames(1, 3))
    assert reader.copy["vpdq", name].frames == frames_text(clip_frames(1, 3))
    assert reader.copy["md5", f"{1:032x}"].labels == ["made-with-ai"]
    theirs = reader.copy["pdq", pdq_value(5)]
    assert (theirs.quality, theirs.labels, theirs.provenance) == (87, ["made-with-ai"], ["platform"])
    a_case(5)
    reader.sync()
    assert reader.copy["pdq", pdq_value(5)].provenance == ["person", "platform"]
    a_case(5)
    reader.sync()
    assert reader.copy["pdq", pdq_value(5)].provenance == ["person", "platform"], "never how many"
    assert b"Finder" not in reader.get("signals").content, "never which"


def test_a_filter_chooses_what_is_given_and_never_what_must_be_deleted() -> None:
    platform = Native.vetted()
    video = create_case([a_video(1, 3)]).case
    a_case(1)
    platform.sync(types="pdq")
    assert set(platform.copy) == {("pdq", pdq_value(1))}
    withdraw(video)
    assert {record.status for record in platform.sync(types="pdq")} == {"withdrawn"}
    assert set(platform.gone) == {("md5", f"{1:032x}"), ("vpdq", vpdq_value(clip_frames(1, 3)))}


def test_who_asks_for_more_than_before_is_sent_to_a_snapshot_since_the_cursor_has_gone_past_it() -> None:
    platform = Native.vetted()
    a_case(1)
    platform.sync(types="md5", least_trust=60)
    for wider in ({"types": "md5,pdq", "least_trust": 60}, {"types": "md5", "least_trust": 59}, {}):
        answer = platform.get("signals", after=platform.cursor, **wider)
        assert (answer.status_code, answer.json()["type"]) == (410, "urn:reclaim:cursor-gone")
    assert platform.get("signals", after=platform.cursor, types="md5", least_trust=70).status_code == 200


def test_a_signal_that_loses_trust_is_told_as_withdrawn_and_nobody_need_acknowledge_it() -> None:
    platform = Native.vetted()
    a_case(1, 2)
    platform.sync(least_trust=40)
    assert len(platform.copy) == 2
    after = standing().position + 1
    LedgerRecord.objects.filter(value=pdq_value(1)).update(trust=39, review_only=True, position=after)
    LedgerClock.objects.update(position=after)
    [record] = platform.sync(least_trust=40)
    assert (record.status, record.because, record.acknowledge_by) == ("withdrawn", "trust", None)
    assert platform.get("acknowledgements", "feedback").json() == {"owed": [], "has_more": False}
    other = Native.vetted("Other")
    other.sync()
    assert other.copy["pdq", pdq_value(1)].action == "review"


def test_a_page_takes_as_many_statements_for_many_signals_as_for_few() -> None:
    def statements(platform: Native) -> int:
        with CaptureQueriesContext(connection) as seen:
            platform.page(limit=500)
        return len(seen)

    a_case(1)
    few = statements(Native.vetted("One"))
    create_case([NewItem.picture(number, pdq_value(number)) for number in range(2, 402)])
    Source.objects.update(made_with_ai=True)
    one = Native.vetted("Two")
    for seed in range(1, 5):
        one.says("pdq", pdq_value(seed), "blocked")
    assert statements(Native.vetted("Three")) == few


def test_a_page_ends_before_its_frames_are_too_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE_BYTES", 3000)
    platform = Native.vetted()
    create_case([a_video(seed, 20, seed) for seed in range(1, 6)])
    pages = 0
    while True:
        page = platform.page(**({"after": platform.cursor} if platform.cursor else {}))
        assert sum(bool(record.frames) for record in page.records) <= 1
        platform.copy |= {(record.type, record.value): record for record in page.records}
        platform.cursor, pages = page.cursor, pages + 1
        if not page.has_more:
            break
    assert len(platform.copy) == 10
    assert pages >= 5


def test_what_is_written_down_of_a_page_shows_no_order_and_no_second() -> None:
    platform = Native.vetted()
    for seed in (5, 3, 9, 1):
        a_case(seed)
    records = platform.sync()
    assert [record.value for record in records] == sorted(record.value for record in records)
    assert {(record.changed_at.minute, record.changed_at.second) for record in records} == {(0, 0)}


def a_canary(platform: Native, seed: int) -> None:
    now = standing()
    LedgerRecord.objects.create(
        type="pdq",
        value=pdq_value(seed),
        position=now.position + 1,
        modified_at=now.second,
        only_for=platform.acting.platform,
    )
    LedgerClock.objects.update(position=now.position + 1)


def test_a_platform_is_given_its_own_canaries_and_nobody_elses() -> None:
    one, other = Native.vetted("One"), Native.vetted("Other")
    a_case(1)
    a_canary(one, 7)
    one.sync()
    other.sync()
    assert set(one.copy) == {("pdq", pdq_value(1)), ("pdq", pdq_value(7))}
    assert set(other.copy) == {("pdq", pdq_value(1))}
    assert set(one.acting.fetch_all()) == {pdq_value(1), pdq_value(7)}
    assert set(other.acting.fetch_all()) == {pdq_value(1)}
    assert other.says("pdq", pdq_value(7), "blocked")["taken"] == 0


# What the bank knows from a cursor


def platform_of(native: Native) -> Platform:
    native.acting.platform.refresh_from_db()
    return native.acting.platform


def test_a_page_counts_as_stored_once_its_cursor_comes_back() -> None:
    platform = Native.vetted()
    a_case(1)
    page = platform.page()
    assert platform_of(platform).covered_position == 0
    platform.page(after=page.cursor)
    assert platform_of(platform).covered_position == LedgerRecord.objects.get().position


def test_who_takes_a_part_only_is_told_of_every_withdrawal_and_is_said_to_have_been_given_nothing() -> None:
    platform = Native.vetted()
    a_case(1)
    platform.sync(types="pdq")
    platform.sync(types="pdq")
    now = platform_of(platform)
    assert (now.covered_position, now.told_position) == (0, standing().position)


def test_a_cursor_as_old_as_withdrawn_signals_stay_leads_to_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    platform = Native.vetted()
    a_case(1)
    platform.sync()
    Platform.objects.update(vetted_at=timezone.now() - datetime.timedelta(days=90))
    monkeypatch.setattr(cursors.time, "time", lambda: timezone.now().timestamp() - 29 * 86400)
    platform.sync()
    monkeypatch.undo()
    assert platform.get("signals", after=platform.cursor).status_code == 200
    monkeypatch.setattr(cursors.time, "time", lambda: timezone.now().timestamp() - 30 * 86400)
    platform.sync()
    monkeypatch.undo()
    assert platform.get("signals", after=platform.cursor).status_code == 410


def test_a_fetch_that_never_comes_to_its_end_does_not_outlive_what_it_was_to_be_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    platform = Native.vetted()
    Platform.objects.update(vetted_at=timezone.now() - datetime.timedelta(days=90))
    a_case(*range(3))
    monkeypatch.setattr(cursors.time, "time", lambda: timezone.now().timestamp() - 31 * 86400)
    first = platform.page(limit=1)
    # A page was fetched yesterday; what had been withdrawn by then, further on, is not in the feed any more.
    monkeypatch.setattr(cursors.time, "time", lambda: timezone.now().timestamp() - 86400)
    monkeypatch.setattr("reclaim.bank.exchange.v2._oldest", lambda platform: 0)
    second = platform.page(after=first.cursor, limit=1)
    monkeypatch.undo()
    assert platform.get("signals", after=second.cursor).status_code == 410


def test_a_cursor_from_before_a_platform_was_vetted_again_leads_to_a_snapshot() -> None:
    platform = Native.vetted()
    platform.sync()
    Platform.objects.update(vetted_at=timezone.now() + datetime.timedelta(seconds=2))
    assert platform.get("signals", after=platform.cursor).status_code == 410


def test_after_a_restore_nobody_goes_on_from_the_lost_time() -> None:
    platform = Native.vetted()
    a_case(1)
    platform.sync()
    begin_another_ledger(standing().ledger, "operator")
    answer = platform.get("signals", after=platform.cursor)
    assert (answer.status_code, answer.json()["type"]) == (410, "urn:reclaim:cursor-gone")
    assert "snapshot" in answer.json()["detail"]


def restored_to(position: int) -> None:
    """As if the database were as it was when the ledger stood there; the bank was told nothing."""
    CaseSignal.objects.filter(source__record__position__gt=position).delete()
    LedgerRecord.objects.filter(position__gt=position).delete()
    LedgerClock.objects.update(position=position)


def test_a_restore_that_nobody_told_of_is_noticed_by_a_cursor_from_the_lost_time_and_then_for_everybody() -> None:
    ahead, behind = Native.vetted("Ahead"), Native.vetted("Behind")
    a_case(1)
    behind.sync()
    then = standing().position
    a_case(2)
    ahead.sync()
    restored_to(then)
    before = standing().ledger
    assert behind.get("signals", after=behind.cursor).status_code == 200
    assert standing().ledger == before
    assert ahead.get("signals", after=ahead.cursor).status_code == 410
    assert standing().ledger != before
    assert behind.get("signals", after=behind.cursor).status_code == 410


def test_it_is_noticed_too_when_the_lost_positions_were_handed_out_again() -> None:
    platform = Native.vetted()
    a_case(1)
    then = standing().position
    a_case(2)
    platform.sync()
    restored_to(then)
    LedgerClock.objects.update(second=timezone.now().timestamp() + 5)
    a_case(3)
    LedgerRecord.objects.filter(value=pdq_value(3)).update(position=then + 1)
    assert platform.get("signals", after=platform.cursor).status_code == 410


# Many at once


@pytest.mark.usefixtures("ledger_clock")
@pytest.mark.django_db(transaction=True)
def test_a_reader_that_goes_on_by_cursor_misses_nothing_that_concurrent_writers_commit() -> None:
    platform = Native.vetted()
    writers, cases_each = 4, 8

    def write(first: int) -> None:
        for number in range(cases_each):
            case = a_case(first + number, first + number + 500).case
            if number % 4 == 3:
                withdraw(case, [1])

    threads = [in_thread(lambda first=writer * 1000: write(first)) for writer in range(writers)]
    while any(thread.is_alive() for thread in threads):
        platform.sync(limit=7)
    platform.sync(limit=7)
    expected = {record.value for record in LedgerRecord.objects.filter(status="active")}
    assert {value for _, value in platform.copy} == expected
    assert len(expected) == writers * (cases_each * 2 - cases_each // 4)
    assert len(set(platform.gone)) == writers * cases_each // 4


def test_bank_and_ledger_have_names_of_their_own() -> None:
    about = Native.vetted().get("").json()
    assert uuid.UUID(about["bank_id"]) != standing().ledger
    assert about["acknowledge_within_seconds"] == settings.ACKNOWLEDGE_WITHIN
