"""Keeping a copy: resumed after a kill at any moment, tombstones honoured, nothing kept that the bank has dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reclaim.client import (
    BankClient,
    BankMisbehaved,
    BankUnreachable,
    Change,
    Checkpoint,
    Keys,
    SignalName,
    SyncOvertaken,
    SyncReport,
    sync,
)
from reclaim.protocol.stopncii_v1 import MAX_SUBMISSION, SignalType
from tests.unit.client.conftest import KEYS
from tests.unit.client.memory_store import MemoryStore
from tests.unit.client.scripted_bank import Answer, Request, ScriptedBank, page, pdq, record, serve

DAY = 24 * 3600
NOW = 1_750_000_000


class Feed:
    """A well-behaved bank's feed, kept in a list: what a scripted bank answers from."""

    def __init__(self, bank: ScriptedBank) -> None:
        self.records: list[dict[str, Any]] = []
        self.told: list[str] = []
        self.refuse_feedback = False
        bank.answers = [self.answer]

    def put(self, value: str, at: int, status: str = "Active") -> None:
        self.records = [entry for entry in self.records if entry["hashValue"] != value]
        self.records.append(record(value, at, status))

    def drop(self, value: str) -> None:
        self.records = [entry for entry in self.records if entry["hashValue"] != value]

    def answer(self, request: Request) -> Any:
        if request.path.endswith("SubmitFeedback"):
            if self.refuse_feedback:
                return Answer({}, 401)
            assert {entry["feedbackValue"] for entry in request.body["hashFeedbacks"]} == {"Deleted"}
            self.told += [entry["hashValue"] for entry in request.body["hashFeedbacks"]]
            return {"count": len(request.body["hashFeedbacks"]), "refused": []}
        start, size = int(request.query["startTimestamp"]), int(request.query["pageSize"])
        first = int(request.query.get("nextPageToken", "0"))
        due = [entry for entry in self.records if entry["lastModtimestamp"] >= start]
        here = due[first : first + size]
        more = len(due) > first + size
        at = here[-1]["lastModtimestamp"] if here else start
        return page(here, at, str(first + size) if more else None)


@pytest.fixture
def feed(bank: ScriptedBank) -> Feed:
    return Feed(bank)


def test_the_copy_has_every_active_signal_and_no_withdrawn_one(feed: Feed, client: BankClient) -> None:
    kept, gone = pdq(), pdq()
    feed.put(kept, 100)
    feed.put(gone, 101, "Withdrawn")
    store = MemoryStore()
    report = sync(client, store, clock=lambda: NOW)
    assert store.values == {kept}
    assert (report.records, report.active, report.tombstones) == (2, 1, 1)
    assert feed.told == [gone]
    assert report.acknowledged == 1


@pytest.mark.parametrize("status", ["Withdrawn", "Deleted"])
def test_a_tombstone_deletes_the_copy_and_is_acknowledged_once(feed: Feed, client: BankClient, status: str) -> None:
    value = pdq()
    feed.put(value, 100)
    store = MemoryStore()
    sync(client, store, clock=lambda: NOW)
    feed.put(value, 200, status)
    sync(client, store, clock=lambda: NOW)
    assert store.values == set()
    # The feed names the last second again at every fetch.
    again = sync(client, store, clock=lambda: NOW)
    assert feed.told == [value]
    assert (again.records, again.acknowledged) == (0, 0)


def test_an_idle_sync_stores_nothing_again(feed: Feed, client: BankClient) -> None:
    feed.put(pdq(), 100)
    store = MemoryStore()
    sync(client, store, clock=lambda: NOW)
    sync(client, store, clock=lambda: NOW)
    assert len(store.applied) == 1


def test_a_change_within_the_last_second_is_seen(feed: Feed, client: BankClient) -> None:
    first, second = pdq(), pdq()
    feed.put(first, 100)
    store = MemoryStore()
    sync(client, store, clock=lambda: NOW)
    feed.put(second, 100)
    feed.put(first, 100, "Withdrawn")
    sync(client, store, clock=lambda: NOW)
    assert store.values == {second}


def test_a_signal_that_comes_back_is_not_acknowledged_as_deleted(feed: Feed, client: BankClient) -> None:
    value = pdq()
    feed.put(value, 100, "Withdrawn")
    store = MemoryStore()
    feed.refuse_feedback = True
    with pytest.raises(Exception, match="SubmitFeedback"):
        sync(client, store, clock=lambda: NOW)
    feed.refuse_feedback = False
    feed.put(value, 200)
    sync(client, store, clock=lambda: NOW)
    assert feed.told == []
    assert store.values == {value}


def test_what_could_not_be_acknowledged_is_acknowledged_at_the_next_sync(feed: Feed, client: BankClient) -> None:
    value = pdq()
    feed.put(value, 100, "Withdrawn")
    store = MemoryStore()
    feed.refuse_feedback = True
    with pytest.raises(Exception, match="SubmitFeedback"):
        sync(client, store, clock=lambda: NOW)
    feed.refuse_feedback = False
    assert sync(client, store, clock=lambda: NOW).acknowledged == 1
    assert feed.told == [value]


def test_many_acknowledgements_are_sent_in_submissions_of_the_allowed_size(feed: Feed, client: BankClient) -> None:
    gone = [pdq() for _ in range(MAX_SUBMISSION + 1)]
    for place, value in enumerate(gone):
        feed.put(value, 100 + place, "Withdrawn")
    report = sync(client, MemoryStore(), clock=lambda: NOW)
    assert report.acknowledged == len(gone)
    assert sorted(feed.told) == sorted(gone)


def test_without_a_feedback_key_no_withdrawn_value_stays_behind(bank: ScriptedBank, feed: Feed) -> None:
    feed.put(pdq(), 100, "Withdrawn")
    store = MemoryStore()
    report = sync(BankClient(bank.url, Keys("fetch", "subscription")), store, clock=lambda: NOW)
    assert (report.acknowledged, report.not_acknowledged) == (0, 1)
    assert store.pending_acknowledgements() == []


def test_broken_records_are_counted_in_the_report(bank: ScriptedBank, client: BankClient) -> None:
    bank.answers = [page([record("abc"), record(pdq())], 100)]
    report = sync(client, MemoryStore(), clock=lambda: NOW)
    assert (report.records, report.skipped) == (1, 1)


class Killed(Exception):
    """Stands for the end of the process."""


class MortalStore(MemoryStore):
    """Dies at a chosen call, before or after it has stored; what was stored stays."""

    def __init__(self) -> None:
        super().__init__()
        self.calls_left: int | None = None
        self.after = False

    def _live(self, store: Any) -> Any:
        if self.calls_left is None:
            return store()
        self.calls_left -= 1
        if self.calls_left >= 0:
            return store()
        self.calls_left = None
        if self.after:
            store()
        raise Killed

    def apply(self, changes: Sequence[Change], checkpoint: Checkpoint, previous: Checkpoint | None) -> None:
        self._live(lambda: super(MortalStore, self).apply(changes, checkpoint, previous))

    def sweep(self, checkpoint: Checkpoint, previous: Checkpoint | None) -> int:
        swept: int = self._live(lambda: super(MortalStore, self).sweep(checkpoint, previous))
        return swept

    def acknowledged(self, signals: Sequence[SignalName]) -> None:
        self._live(lambda: super(MortalStore, self).acknowledged(signals))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_however_often_it_is_killed_the_copy_ends_up_the_same(data: st.DataObject) -> None:
    values = [pdq() for _ in range(6)]
    with serve() as bank:
        feed = Feed(bank)
        client = BankClient(bank.url, KEYS)
        store = MortalStore()
        at, now = 100, NOW
        for _ in range(data.draw(st.integers(1, 5))):
            for _ in range(data.draw(st.integers(0, 4))):
                at += data.draw(st.integers(0, 1))
                feed.put(data.draw(st.sampled_from(values)), at, data.draw(st.sampled_from(["Active", "Withdrawn"])))
            now += data.draw(st.sampled_from([60, DAY, 31 * DAY]))
            store.calls_left = data.draw(st.none() | st.integers(0, 4))
            store.after = data.draw(st.booleans())
            try:
                sync(client, store, page_size=data.draw(st.integers(1, 3)), clock=lambda now=now: now)
            except Killed:
                continue
        store.calls_left = None
        sync(client, store, page_size=2, clock=lambda: now)
        client.close()
    active = {entry["hashValue"] for entry in feed.records if entry["hashStatus"] == "Active"}
    gone = {entry["hashValue"] for entry in feed.records if entry["hashStatus"] == "Withdrawn"}
    assert store.values == active
    assert gone <= set(feed.told)
    assert store.pending_acknowledgements() == []


def test_after_a_long_absence_what_the_feed_no_longer_names_is_deleted(feed: Feed, client: BankClient) -> None:
    kept, forgotten = pdq(), pdq()
    feed.put(forgotten, 100)
    feed.put(kept, 101)
    store = MemoryStore()
    sync(client, store, clock=lambda: NOW)
    # Withdrawn and erased while the platform was away: no tombstone is left to fetch.
    feed.drop(forgotten)
    report = sync(client, store, clock=lambda: NOW + 31 * DAY)
    assert store.values == {kept}
    assert report.swept == 1


def test_a_quiet_bank_is_not_fetched_from_its_beginning(feed: Feed, bank: ScriptedBank, client: BankClient) -> None:
    feed.put(pdq(), 100)
    store = MemoryStore()
    for day in range(0, 80, 20):
        sync(client, store, clock=lambda day=day: NOW + day * DAY)
    starts = [request.query["startTimestamp"] for request in bank.requests]
    assert starts == ["10", "100", "100", "100"]


def test_the_old_copy_stays_in_use_until_the_whole_feed_was_fetched(feed: Feed, client: BankClient) -> None:
    values = [pdq() for _ in range(4)]
    for place, value in enumerate(values):
        feed.put(value, 100 + place)
    store = MortalStore()
    sync(client, store, clock=lambda: NOW)
    feed.drop(values[0])
    store.calls_left = 1
    with pytest.raises(Killed):
        sync(client, store, page_size=1, clock=lambda: NOW + 31 * DAY)
    assert store.values == set(values)
    # The next sync goes on with the same fetch, and sweeps at its end.
    report = sync(client, store, page_size=1, clock=lambda: NOW + 32 * DAY)
    assert report.records == 2
    assert store.values == set(values[1:])


def test_a_fetch_from_the_beginning_that_was_left_lying_begins_again(feed: Feed, client: BankClient) -> None:
    values = [pdq() for _ in range(3)]
    for place, value in enumerate(values):
        feed.put(value, 100 + place)
    store = MortalStore()
    store.calls_left = 1
    with pytest.raises(Killed):
        sync(client, store, page_size=1, clock=lambda: NOW)
    assert store.values == {values[0]}
    # What the first half brought may have been withdrawn and erased since.
    feed.drop(values[0])
    sync(client, store, page_size=1, clock=lambda: NOW + 40 * DAY)
    assert store.values == set(values[1:])


def test_a_clock_that_was_far_ahead_does_not_hide_an_absence(feed: Feed, client: BankClient) -> None:
    value = pdq()
    feed.put(value, 100)
    feed.put(pdq(), 101)
    store = MemoryStore()
    sync(client, store, clock=lambda: NOW + 900 * DAY)
    feed.drop(value)
    sync(client, store, clock=lambda: NOW + 40 * DAY)
    assert value not in store.values


def test_starting_over_fetches_everything_and_changes_nothing(feed: Feed, client: BankClient) -> None:
    for place in range(3):
        feed.put(pdq(), 100 + place)
    store = MemoryStore()
    sync(client, store, clock=lambda: NOW)
    before = store.values
    report = sync(client, store, start_over=True, clock=lambda: NOW)
    assert (report.records, report.swept) == (3, 0)
    assert store.values == before


def test_a_feed_that_breaks_down_sweeps_nothing(bank: ScriptedBank, client: BankClient) -> None:
    first, second = pdq(), pdq()
    bank.answers = [page([record(first, 100), record(second, 101)], 101)]
    store = MemoryStore()
    sync(client, store, clock=lambda: NOW)
    bank.answers = [page([record(first, 100)], 100, "a"), page([], 50)]
    with pytest.raises(BankMisbehaved):
        sync(client, store, start_over=True, clock=lambda: NOW)
    assert store.values == {first, second}
    bank.answers = [Answer({}, 503)]
    with pytest.raises(BankUnreachable):
        sync(client, store, clock=lambda: NOW)
    assert store.values == {first, second}


def test_progress_is_told_after_each_page(feed: Feed, client: BankClient) -> None:
    for place in range(3):
        feed.put(pdq(), 100 + place)
    seen: list[int] = []
    sync(client, MemoryStore(), on_page=lambda report: seen.append(report.records), page_size=1, clock=lambda: NOW)
    assert seen == [1, 2, 3]


def test_a_checkpoint_survives_being_stored() -> None:
    checkpoint = Checkpoint(5, 6, 7, sweeping=True, seen=("a", "b"))
    assert Checkpoint.from_text(checkpoint.as_text()) == checkpoint


@pytest.mark.parametrize("text", ["", "{}", "[]", "7", '{"seen": null}', '{"seen": [], "unknown": 1}'])
def test_a_damaged_checkpoint_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"damaged|JSON|Expecting"):
        Checkpoint.from_text(text)


def test_a_checkpoint_holds_no_signal(feed: Feed, client: BankClient) -> None:
    value = pdq()
    feed.put(value, 100, "Withdrawn")
    store = MemoryStore()
    sync(client, store, clock=lambda: NOW)
    assert store.checkpoint_text is not None
    assert value not in store.checkpoint_text


def test_a_crowded_second_costs_repeated_work_and_loses_nothing(bank: ScriptedBank, client: BankClient) -> None:
    bank.answers = [page([record(pdq(), 100) for _ in range(2001)], 100)]
    store = MemoryStore()
    sync(client, store, clock=lambda: NOW)
    assert len(store.values) == 2001
    assert len(Checkpoint.from_text(store.checkpoint_text or "").seen) == 0
    assert sync(client, store, clock=lambda: NOW).records == 2001


def test_the_same_value_of_two_types_is_two_signals(bank: ScriptedBank, client: BankClient) -> None:
    value = pdq()
    bank.answers = [page([record(value), record(value, status="Withdrawn", signalType="Text")], 100), {"count": 1}]
    store = MemoryStore()
    sync(client, store, clock=lambda: NOW)
    assert set(store.signals) == {SignalName(SignalType.IMAGE_PDQ, value)}


def sync_in_the_middle(feed: Feed, bank: ScriptedBank, store: MemoryStore, between: Any, now: int = NOW) -> SyncReport:
    """A sync of the store, during whose first request ``between`` happens: its answer is from before that."""

    def late(request: Request) -> Any:
        answer = feed.answer(request)
        bank.answers = [feed.answer]
        between()
        return answer

    bank.answers = [late]
    return sync(BankClient(bank.url, KEYS), store, clock=lambda: now)


def test_a_slower_sync_cannot_bring_back_what_a_faster_one_deleted_and_the_bank_erased(
    feed: Feed, bank: ScriptedBank, client: BankClient
) -> None:
    value = pdq()
    store = MemoryStore()
    feed.put(pdq(), 50)
    sync(client, store, clock=lambda: NOW)
    before = store.values
    feed.put(value, 100)

    def withdrawn_everywhere() -> None:
        feed.put(value, 200, "Withdrawn")
        sync(client, store, clock=lambda: NOW)
        assert feed.told == [value]
        feed.drop(value)

    report = sync_in_the_middle(feed, bank, store, withdrawn_everywhere)
    assert store.values == before
    assert report.records == 0
    assert store.load_checkpoint().next_timestamp == 200  # type: ignore[union-attr]


def test_the_slower_of_two_first_syncs_brings_nothing_back(feed: Feed, bank: ScriptedBank, client: BankClient) -> None:
    value = pdq()
    store = MemoryStore()
    feed.put(value, 100)

    def withdrawn_everywhere() -> None:
        feed.put(value, 100, "Withdrawn")
        sync(client, store, clock=lambda: NOW)
        feed.drop(value)

    sync_in_the_middle(feed, bank, store, withdrawn_everywhere)
    assert store.values == set()


def test_a_slower_sync_of_the_whole_feed_sweeps_nothing_that_came_meanwhile(
    feed: Feed, bank: ScriptedBank, client: BankClient
) -> None:
    old, new = pdq(), pdq()
    store = MemoryStore()
    feed.put(old, 100)
    sync(client, store, clock=lambda: NOW)

    def another_whole_sync() -> None:
        feed.put(new, 200)
        sync(client, store, start_over=True, clock=lambda: NOW + 40 * DAY)

    sync_in_the_middle(feed, bank, store, another_whole_sync, now=NOW + 40 * DAY)
    assert store.values == {old, new}


def test_a_crowded_second_does_not_hide_that_another_sync_stored_something(
    feed: Feed, bank: ScriptedBank, client: BankClient
) -> None:
    crowd = [pdq() for _ in range(2001)]
    store = MemoryStore()
    for value in crowd:
        feed.put(value, 100)
    sync(client, store, page_size=5000, clock=lambda: NOW)

    def one_is_withdrawn() -> None:
        feed.put(crowd[0], 100, "Withdrawn")
        sync(client, store, page_size=5000, clock=lambda: NOW)
        feed.drop(crowd[0])

    # Two checkpoints in that second name the same place and remember nothing of its records.
    sync_in_the_middle(feed, bank, store, one_is_withdrawn)
    assert crowd[0] not in store.values


def test_a_slower_sync_acknowledges_nothing_that_is_held_again(
    feed: Feed, bank: ScriptedBank, client: BankClient
) -> None:
    value = pdq()
    store = MemoryStore()
    feed.put(value, 100, "Withdrawn")

    def reported_again() -> None:
        feed.put(value, 200)
        sync(client, store, clock=lambda: NOW)

    sync_in_the_middle(feed, bank, store, reported_again)
    assert store.values == {value}
    assert feed.told == []


def test_a_sync_that_is_overtaken_time_and_again_stops_and_says_so(
    feed: Feed, bank: ScriptedBank, client: BankClient
) -> None:
    store = MemoryStore()
    values: set[str] = set()

    def late(request: Request) -> Any:
        answer = feed.answer(request)
        bank.answers = [feed.answer]
        values.add(value := pdq())
        feed.put(value, 100 + len(values))
        sync(client, store, clock=lambda: NOW)
        bank.answers = [late]
        return answer

    bank.answers = [late]
    with pytest.raises(SyncOvertaken, match="Another sync"):
        sync(BankClient(bank.url, KEYS), store, clock=lambda: NOW)
    assert store.values == values
