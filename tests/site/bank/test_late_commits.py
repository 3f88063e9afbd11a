"""Rule 7 of the contract: a record is committed before a later timestamp is handed out."""

from __future__ import annotations

import threading
import time

import pytest

from reclaim.bank.ledger.models import Source
from reclaim.bank.ledger.queries import feed_page
from reclaim.bank.ledger.services import locked_ledger
from tests.described import Follower, a_described_case
from tests.personas import ActingPlatform, a_case, pdq_value
from tests.threads import in_thread

pytestmark = pytest.mark.usefixtures("ledger_clock")


def test_a_writer_that_commits_late_is_not_passed_by_a_faster_one() -> None:
    platform = ActingPlatform.vetted()
    has_written, may_commit = threading.Event(), threading.Event()

    def slow_writer() -> None:
        with locked_ledger() as ledger:
            ledger.add_source("pdq", pdq_value(1))
            has_written.set()
            assert may_commit.wait(10)

    slow = in_thread(slow_writer)
    assert has_written.wait(10)
    fast = in_thread(lambda: a_case(2) and None)
    time.sleep(0.5)
    # The fast one has had its time and must not be visible: its timestamp would let a reader pass the slow one.
    assert feed_page(platform.platform, 10, None, 100).records == []
    may_commit.set()
    slow.join()
    fast.join()
    assert set(platform.fetch_all()) == {pdq_value(1), pdq_value(2)}


def test_what_is_withdrawn_while_a_platform_first_asks_for_descriptors_is_not_given_to_it() -> None:
    case, follower = a_described_case(1).case, Follower.let_have()
    ends, may_commit, given = threading.Event(), threading.Event(), list[str]()

    def withdraws() -> None:
        with locked_ledger() as ledger:
            ledger.withdraw_sources(Source.objects.filter(casesignal__item__case=case).select_related("record"))
            ledger.settle()
            ends.set()
            assert may_commit.wait(10)

    def fetches() -> None:
        given.extend(each.status for each in follower.page(types="descriptors").records)

    writer = in_thread(withdraws)
    assert ends.wait(10)
    reader = in_thread(fetches)
    time.sleep(0.5)
    may_commit.set()
    writer.join()
    reader.join()
    # It owes no word on that one, so nobody would wait for it to delete a copy.
    assert given == ["withdrawn"]


def test_a_reader_that_resumes_by_timestamp_misses_nothing_that_concurrent_writers_commit() -> None:
    platform = ActingPlatform.vetted()
    writers, cases_each = 4, 12
    threads = [
        in_thread(lambda first=writer * 1000: [a_case(first + n, first + n + 500) for n in range(cases_each)] and None)
        for writer in range(writers)
    ]
    seen: set[str] = set()
    checkpoint = 10
    while True:
        writing = any(thread.is_alive() for thread in threads)
        token: dict[str, str] = {}
        page = platform.fetch(startTimestamp=checkpoint, pageSize=7)
        while True:
            seen |= {record.hashValue for record in page.hashRecords}
            assert page.nextSetTimestamp >= checkpoint
            if not page.hasMoreRecords:
                break
            token = {"nextPageToken": page.nextPageToken or ""}
            page = platform.fetch(startTimestamp=checkpoint, pageSize=7, **token)
        checkpoint = page.nextSetTimestamp
        if not writing:
            break
    expected = {
        pdq_value(writer * 1000 + n + add) for writer in range(writers) for n in range(cases_each) for add in (0, 500)
    }
    assert seen == expected
