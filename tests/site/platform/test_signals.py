"""What the bank sends is what the platform holds and matches."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from django.db import OperationalError, connection

from reclaim.client import Change, Checkpoint, Owed, SignalName, SyncOvertaken
from reclaim.client.records import change_of
from reclaim.platform.inbox.store import DatabaseStore
from reclaim.platform.subscription.models import KnownSignal, RemovedSignal
from reclaim.platform.subscription.queries import SharedIndex
from reclaim.platform.subscription.services import start_over
from reclaim.protocol.stopncii_v1 import FeedbackValue, HashStatus, SignalType
from tests.personas import pdq_value
from tests.site.platform.world import bank_sends, record

pytestmark = pytest.mark.django_db

MD5 = "0123456789abcdef" * 2


def held() -> set[str]:
    return set(KnownSignal.objects.values_list("value", flat=True))


def found(index: SharedIndex, seed: int) -> list[int]:
    code = np.frombuffer(bytes.fromhex(pdq_value(seed)), np.uint8).reshape(1, 32)
    return index.query_many(code, 31).distances.tolist()


def test_signals_are_held_and_found() -> None:
    bank_sends(record(pdq_value(1)), record(pdq_value(2)), record(MD5))
    assert held() == {pdq_value(1), pdq_value(2), MD5}
    index = SharedIndex()
    assert found(index, 1) == [0]
    assert found(index, 3) == []


def test_a_withdrawn_signal_is_deleted_and_owed_an_acknowledgement() -> None:
    bank_sends(record(pdq_value(1)), record(pdq_value(2)))
    index = SharedIndex()
    assert found(index, 1) == [0]
    bank_sends(record(pdq_value(1), HashStatus.WITHDRAWN))
    assert held() == {pdq_value(2)}
    assert found(index, 1) == []
    assert found(index, 2) == [0]
    assert DatabaseStore().pending_acknowledgements() == [SignalName(SignalType.IMAGE_PDQ, pdq_value(1))]


@pytest.mark.parametrize("status", [HashStatus.WITHDRAWN, HashStatus.DELETED])
def test_a_tombstone_of_a_signal_that_was_never_held_is_acknowledged_too(status: HashStatus) -> None:
    bank_sends(record(pdq_value(1), status))
    assert held() == set()
    assert len(DatabaseStore().pending_acknowledgements()) == 1


def test_a_signal_that_is_active_again_is_held_found_and_not_acknowledged() -> None:
    bank_sends(record(pdq_value(1)))
    index = SharedIndex()
    assert found(index, 1) == [0]
    bank_sends(record(pdq_value(1), HashStatus.WITHDRAWN))
    bank_sends(record(pdq_value(1)))
    assert found(index, 1) == [0]
    assert DatabaseStore().pending_acknowledgements() == []


def test_of_two_records_of_a_signal_on_one_page_the_last_counts() -> None:
    bank_sends(record(pdq_value(1), HashStatus.WITHDRAWN), record(pdq_value(1)))
    assert held() == {pdq_value(1)}
    bank_sends(record(pdq_value(1)), record(pdq_value(1), HashStatus.WITHDRAWN))
    assert held() == set()


def test_a_record_again_replaces_what_others_said_and_doubles_nothing() -> None:
    bank_sends(record(pdq_value(1), Other=FeedbackValue.PENDING_REVIEW))
    bank_sends(record(pdq_value(1), Other=FeedbackValue.BLOCKED))
    assert KnownSignal.objects.get().feedback == [{"source": "Other", "value": "Blocked"}]


def test_an_acknowledged_tombstone_leaves_nothing_of_its_value() -> None:
    bank_sends(record(pdq_value(1)))
    bank_sends(record(pdq_value(1), HashStatus.WITHDRAWN))
    store = DatabaseStore()
    store.acknowledged(store.pending_acknowledgements())
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            assert not any(pdq_value(1) in str(row) for row in cursor.fetchall()), table


def test_the_checkpoint_comes_back_as_it_was_stored() -> None:
    store = DatabaseStore()
    assert store.load_checkpoint() is None
    checkpoint = Checkpoint(next_timestamp=1_700_000_000, whole_since=5, generation=3, seen=("a", "b"))
    store.apply([], checkpoint, None)
    assert store.load_checkpoint() == checkpoint


def test_a_sweep_deletes_what_the_whole_feed_no_longer_names() -> None:
    bank_sends(*(record(pdq_value(seed)) for seed in range(1, 8)))
    index = SharedIndex()
    assert found(index, 1) == [0]
    bank_sends(record(pdq_value(2)), generation=2)
    store = DatabaseStore()
    assert store.sweep(Checkpoint(generation=2), store.load_checkpoint()) == 6
    assert held() == {pdq_value(2)}
    assert found(index, 1) == []
    assert found(index, 2) == [0]


def test_a_page_fetched_before_another_sync_s_withdrawal_is_not_stored_after_it() -> None:
    store = DatabaseStore()
    bank_sends(record(pdq_value(2)))
    seen = store.load_checkpoint()
    late = Checkpoint(next_timestamp=1_700_000_001, generation=1, writes=2)
    bank_sends(record(pdq_value(1), HashStatus.WITHDRAWN))
    store.acknowledged(store.pending_acknowledgements())
    stands = store.load_checkpoint()
    with pytest.raises(SyncOvertaken):
        store.apply([change_of(record(pdq_value(1)))], late, seen)
    with pytest.raises(SyncOvertaken):
        store.apply([change_of(record(pdq_value(1)))], late, None)
    with pytest.raises(SyncOvertaken):
        store.sweep(Checkpoint(generation=2), seen)
    assert held() == {pdq_value(2)}
    assert store.load_checkpoint() == stands


def test_another_address_overtakes_a_sync_of_the_first() -> None:
    store = DatabaseStore()
    bank_sends(record(pdq_value(1)))
    seen = store.load_checkpoint()
    start_over()
    with pytest.raises(SyncOvertaken):
        store.apply([change_of(record(pdq_value(2)))], Checkpoint(next_timestamp=1_700_000_001, generation=1), seen)
    assert held() == {pdq_value(1)}


def test_a_bank_at_another_address_is_followed_from_its_beginning_and_swept() -> None:
    bank_sends(record(pdq_value(1)), generation=4)
    start_over()
    checkpoint = DatabaseStore().load_checkpoint()
    assert checkpoint is not None
    assert (checkpoint.next_timestamp, checkpoint.generation, checkpoint.sweeping) == (10, 5, True)
    assert held() == {pdq_value(1)}


def test_an_index_built_late_and_one_that_followed_find_the_same() -> None:
    follower = SharedIndex()
    for seed in range(30):
        bank_sends(record(pdq_value(seed)))
        if seed % 3 == 0:
            bank_sends(record(pdq_value(seed), HashStatus.WITHDRAWN))
        if seed % 4 == 0:
            found(follower, seed)
    late = SharedIndex()
    assert [found(follower, seed) for seed in range(30)] == [found(late, seed) for seed in range(30)]
    assert [seed for seed in range(30) if found(late, seed)] == [seed for seed in range(30) if seed % 3]


def test_a_passing_database_error_leaves_an_index_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    bank_sends(record(pdq_value(1)))
    index = SharedIndex()
    assert found(index, 1) == [0]
    bank_sends(record(pdq_value(2)))

    def broken(**_: object) -> None:
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(RemovedSignal.objects, "filter", broken)
        with pytest.raises(OperationalError):
            found(index, 2)
    assert found(index, 2) == [0]


@pytest.mark.django_db(transaction=True)
def test_many_threads_look_up_while_signals_come_and_go() -> None:
    bank_sends(*(record(pdq_value(seed)) for seed in range(1, 200)))
    index = SharedIndex()
    stop, wrong = threading.Event(), []

    def look() -> None:
        try:
            while not stop.is_set():
                if found(index, 1) != [0]:
                    wrong.append("a signal that was there all the time was not found")
        except BaseException as error:
            wrong.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for seed in range(2, 40):
        bank_sends(record(pdq_value(seed), HashStatus.WITHDRAWN))
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert [seed for seed in range(1, 50) if not found(index, seed)] == list(range(2, 40))


def test_what_a_bank_says_of_a_signal_is_kept_and_replaced() -> None:
    store, name = DatabaseStore(), SignalName(SignalType.IMAGE_PDQ, pdq_value(1))
    first = Change(*name, labels=["made-with-ai"], quality=80, provenance=["person"], trust=70, blocked=2)
    store.apply([first], Checkpoint(generation=1), None)
    row = KnownSignal.objects.get()
    assert (row.labels, row.quality, row.provenance, row.trust) == (["made-with-ai"], 80, ["person"], 70)
    assert (row.blocked, row.not_blocked, row.review_only) == (2, 0, False)
    second = Change(*name, quality=80, trust=20, blocked=2, not_blocked=5, review_only=True)
    store.apply([second], Checkpoint(generation=2, writes=1), store.load_checkpoint())
    again = KnownSignal.objects.get()
    assert (again.pk, again.labels, again.trust, again.review_only, again.generation) == (row.pk, [], 20, True, 2)


def test_what_the_bank_waits_for_is_owed_unless_there_is_a_copy_and_what_is_due_first_comes_first() -> None:
    bank_sends(record(pdq_value(1)))
    store = DatabaseStore()
    names = [SignalName(SignalType.IMAGE_PDQ, pdq_value(seed)) for seed in range(1, 5)]
    store.owe([Owed(names[0], 100), Owed(names[1]), Owed(names[2], 300), Owed(names[3], 200)])
    assert store.pending_acknowledgements() == [names[3], names[2], names[1]]


def test_a_withdrawal_that_is_owed_to_nobody_leaves_no_note() -> None:
    bank_sends(record(pdq_value(1)))
    store = DatabaseStore()
    gone = Change(SignalType.IMAGE_PDQ, pdq_value(1), withdrawn=True)
    store.apply([gone], Checkpoint(generation=1, writes=5), store.load_checkpoint())
    assert (held(), store.pending_acknowledgements()) == (set(), [])
