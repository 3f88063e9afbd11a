"""From a withdrawal to the end of the value: tombstone, acknowledgements, erasure."""

from __future__ import annotations

from reclaim.client import sync
from reclaim.conformance.values import new_pdq
from tests.system.exchange.peers import Raw, our_client, stock_client
from tests.system.site_process import Bank
from tests.unit.client.memory_store import MemoryStore


def test_a_value_is_erased_when_every_platform_has_acknowledged(fresh_bank: Bank) -> None:
    bank = fresh_bank
    kept, gone = [new_pdq()], [new_pdq(), new_pdq()]
    _, case = bank.make_cases(kept, gone)
    first, second = bank.add_platform("First"), bank.add_platform("Second")
    stores = {name: MemoryStore() for name in ("first", "second")}
    clients = {"first": our_client(bank, first), "second": our_client(bank, second)}
    for name in stores:
        sync(clients[name], stores[name])
        assert stores[name].values == {*kept, *gone}

    bank.withdraw(case)
    assert sync(clients["first"], stores["first"]).acknowledged == 2
    # One platform may still hold it, so the tombstone stays for it.
    told = Raw(bank, second).records()
    assert [told[value]["hashStatus"] for value in gone] == ["Withdrawn", "Withdrawn"]
    assert bank.holds(gone[0])

    assert sync(clients["second"], stores["second"]).acknowledged == 2
    for values in (stores["first"].values, stores["second"].values, set(Raw(bank, first).records())):
        assert values == {*kept}
    assert not any(bank.holds(value) for value in gone)
    assert bank.holds(kept[0])
    # What is gone from the feed moves nobody's checkpoint and brings nobody's copy back.
    for name in stores:
        assert sync(clients[name], stores[name]).acknowledged == 0
        assert stores[name].values == {*kept}


def test_a_platform_that_never_held_the_signal_acknowledges_too(fresh_bank: Bank) -> None:
    bank = fresh_bank
    value = new_pdq()
    [case] = bank.make_cases([value])
    bank.withdraw(case)
    late = our_client(bank, bank.add_platform("Late"))
    store = MemoryStore()
    report = sync(late, store)
    assert (report.tombstones, report.acknowledged) == (1, 1)
    assert value not in store.values
    assert not bank.holds(value)


def test_a_signal_that_comes_back_after_its_erasure_is_new(fresh_bank: Bank) -> None:
    bank = fresh_bank
    value = new_pdq()
    client, store = our_client(bank, bank.add_platform("One")), MemoryStore()
    [case] = bank.make_cases([value])
    bank.withdraw(case)
    sync(client, store)
    assert not bank.holds(value)
    bank.make_cases([value])
    sync(client, store)
    assert value in store.values


def test_an_old_acknowledgement_does_not_count_for_a_later_withdrawal(fresh_bank: Bank) -> None:
    bank = fresh_bank
    value = new_pdq()
    quick, slow = bank.add_platform("Quick"), bank.add_platform("Slow")
    quick_client, quick_store = our_client(bank, quick), MemoryStore()
    [first] = bank.make_cases([value])
    bank.withdraw(first)
    sync(quick_client, quick_store)
    [second] = bank.make_cases([value])
    sync(quick_client, quick_store)
    assert value in quick_store.values
    bank.withdraw(second)
    sync(our_client(bank, slow), MemoryStore())
    # Slow has acknowledged; Quick only the earlier withdrawal, and it holds the signal again.
    assert bank.holds(value)
    sync(quick_client, quick_store)
    assert value not in quick_store.values
    assert not bank.holds(value)


def test_a_stock_client_that_never_acknowledges_keeps_the_tombstone_in_the_feed(fresh_bank: Bank) -> None:
    bank = fresh_bank
    value = new_pdq()
    stock = stock_client(bank, bank.add_platform("Stock"))
    ours = our_client(bank, bank.add_platform("Ours"))
    [case] = bank.make_cases([value])
    list(stock.fetch_hashes_iter())
    bank.withdraw(case)
    list(stock.fetch_hashes_iter())
    store = MemoryStore()
    assert sync(ours, store).acknowledged == 1
    statuses = {record.hashValue: record.hashStatus.value for record in stock.fetch_hashes().hashRecords}
    assert statuses[value] == "Withdrawn"
    # Acknowledged once is enough: the tombstone that stays in the feed is not told of again.
    assert sync(ours, store).acknowledged == 0


def test_acknowledging_a_signal_that_is_still_reported_ends_nothing(fresh_bank: Bank) -> None:
    bank = fresh_bank
    value = new_pdq()
    bank.make_cases([value])
    raw = Raw(bank, bank.add_platform("Hasty"))
    body = {"count": 1, "hashFeedbacks": [{"tags": [], "feedbackValue": "Deleted", "hashValue": value}]}
    assert raw.call("POST", "/SubmitFeedback", key="feedback_key", body=body).status == 200
    assert raw.records()[value]["hashStatus"] == "Active"
