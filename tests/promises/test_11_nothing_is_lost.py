"""Promise 11: what was told is there, whenever the bank or a reader dies."""

from __future__ import annotations

import contextlib
import itertools
import threading

import pytest

from reclaim.client import BankClient, BankError, sync
from reclaim.conformance.values import new_pdq
from reclaim.protocol.stopncii_v1 import FeedbackValue, SignalType, SubmittedFeedback, SubmittedHash
from tests.system.exchange.peers import Raw, our_client
from tests.system.site_process import Bank, said_in
from tests.unit.client.memory_store import MemoryStore


def submission(values: list[str]) -> list[SubmittedHash]:
    blocked = [SubmittedFeedback(feedbackValue=FeedbackValue.BLOCKED)]
    return [SubmittedHash(signalType=SignalType.IMAGE_PDQ, hashValue=value, CSPFeedbacks=blocked) for value in values]


class Writer(threading.Thread):
    """Submits again and again until the bank is gone; remembers what the bank said it took."""

    def __init__(self, client: BankClient, enough: threading.Event) -> None:
        super().__init__()
        self.client, self.enough = client, enough
        self.told: list[str] = []
        self.submissions = 0

    def run(self) -> None:
        with contextlib.suppress(BankError):
            for _ in range(10_000):
                values = [new_pdq() for _ in range(10)]
                assert self.client.submit_hashes(submission(values)).count == len(values)
                self.told += values
                self.submissions += 1
                if self.submissions >= 5:
                    self.enough.set()


class Reader(threading.Thread):
    """Keeps a copy in step until it is told to stop, whatever happens to the bank."""

    def __init__(self, client: BankClient, store: MemoryStore) -> None:
        super().__init__()
        self.client, self.store = client, store
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.is_set():
            with contextlib.suppress(BankError):
                sync(self.client, self.store, page_size=7)


def test_what_a_bank_told_before_it_was_killed_is_there_afterwards(fresh_bank: Bank) -> None:
    bank = fresh_bank
    keys = bank.add_platform("Writer")
    enough = threading.Event()
    writers = [Writer(our_client(bank, keys), enough) for _ in range(4)]
    store = MemoryStore()
    reader = Reader(our_client(bank, bank.add_platform("Reader")), store)
    for thread in (*writers, reader):
        thread.start()
    assert enough.wait(60)
    bank.kill()
    for writer in writers:
        writer.join()
    reader.stopped.set()
    reader.join()
    bank.start()
    told = {value for writer in writers for value in writer.told}
    in_feed = set(Raw(bank, keys).records())
    assert len(told) >= 50
    assert told <= in_feed
    # The reader goes on from where it was, and misses nothing that any writer wrote.
    assert sync(reader.client, store).skipped == 0
    assert store.values == in_feed


def test_a_reader_in_step_with_many_writers_misses_nothing(fresh_bank: Bank) -> None:
    """Rule 7, over the wire: no record becomes visible behind a reader that has passed its place."""
    bank = fresh_bank
    keys = bank.add_platform("Writer")
    stores = [MemoryStore(), MemoryStore()]
    readers = [Reader(our_client(bank, keys), store) for store in stores]
    written: list[str] = []

    def write() -> None:
        client = our_client(bank, keys)
        for size in (1, 5, 20, 1, 5, 20):
            values = [new_pdq() for _ in range(size)]
            client.submit_hashes(submission(values))
            written.extend(values)

    writers = [threading.Thread(target=write) for _ in range(6)]
    for thread in (*readers, *writers):
        thread.start()
    for writer in writers:
        writer.join()
    for reader in readers:
        reader.stopped.set()
        reader.join()
        sync(reader.client, reader.store)
    assert len(written) == 6 * 52
    assert all(store.values == set(written) for store in stores)


_MAKE_CASES_FOR_EVER = """
from reclaim.bank.cases.numbers import shown
from reclaim.bank.cases.services import NewItem, create_case
import random
while True:
    values = [f"{sum(1 << bit for bit in random.sample(range(256), 128)):064x}" for _ in range(20)]
    made = create_case([NewItem.picture(number, value) for number, value in enumerate(values, start=1)])
    say({"case_number": shown(made.number), "pin": made.pin, "values": values})
"""


_REAL_SIGNALS = """
from reclaim.bank.ledger.models import LedgerRecord
say(LedgerRecord.objects.filter(only_for=None).count())
"""


@pytest.mark.parametrize("cases", [1, 7])
def test_a_case_whose_number_was_shown_survives_a_kill(fresh_bank: Bank, cases: int) -> None:
    bank = fresh_bank
    keys = bank.add_platform("Example")
    process = bank.script(_MAKE_CASES_FOR_EVER)
    assert process.stdout is not None
    lines = list(itertools.islice(process.stdout, cases))
    process.kill()
    bank.kill()
    rest, _ = process.communicate()
    told = list(said_in([*lines, *rest.splitlines()]))
    bank.start()
    records = Raw(bank, keys).records()
    assert len(told) >= cases
    assert {value for case in told for value in case["values"]} <= set(records)
    # A case is there whole or not at all; what the bank put in by itself is nobody's.
    [real] = bank.run(_REAL_SIGNALS)
    assert real % 20 == 0
    bank.withdraw(told[-1])
    withdrawn = {value for value, record in Raw(bank, keys).records().items() if record["hashStatus"] == "Withdrawn"}
    assert withdrawn == set(told[-1]["values"])


def test_a_withdrawal_that_was_confirmed_survives_a_kill(fresh_bank: Bank) -> None:
    bank = fresh_bank
    keys = bank.add_platform("Example")
    [case] = bank.make_cases([new_pdq() for _ in range(3)])
    bank.withdraw(case)
    bank.kill()
    bank.start()
    records = Raw(bank, keys).records()
    assert {records[value]["hashStatus"] for value in case["values"]} == {"Withdrawn"}
