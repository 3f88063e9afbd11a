"""The contract's rules, one by one. Every page that these tests read is checked against both of its tables."""

from __future__ import annotations

import collections
from collections.abc import Callable

import pytest

from reclaim.conformance.values import new_pdq
from tests.system.exchange.peers import Raw, stock_client
from tests.system.site_process import Bank

Names = Callable[[], str]
BANKS_OWN_LIMIT = 400


@pytest.fixture
def raw(bank: Bank, new_name: Names) -> Raw:
    return Raw(bank, bank.add_platform(new_name()))


def test_rule_1_more_records_come_with_a_token_and_the_last_page_has_none(bank: Bank, raw: Raw) -> None:
    bank.make_cases([new_pdq() for _ in range(5)])
    pages = raw.pages(size=2)
    assert [page["hasMoreRecords"] for page in pages] == [True] * (len(pages) - 1) + [False]
    values = [record["hashValue"] for page in pages for record in page["hashRecords"]]
    assert len(values) == len(set(values)) >= 5
    assert set(values) == set(raw.records())


def test_rule_2_a_fetch_cut_off_after_any_page_resumes_by_timestamp_alone(bank: Bank, raw: Raw) -> None:
    # Three cases of several signals each, so that pages end inside seconds that go on.
    bank.make_cases(*[[new_pdq() for _ in range(4)] for _ in range(3)])
    everything = raw.records()
    pages = raw.pages(size=3)
    for cut in range(1, len(pages)):
        seen = {record["hashValue"] for page in pages[:cut] for record in page["hashRecords"]}
        rest = raw.records(start=pages[cut - 1]["nextSetTimestamp"])
        assert seen | set(rest) == set(everything)


def test_rule_2_the_start_is_inclusive(bank: Bank, raw: Raw) -> None:
    bank.make_cases([new_pdq()])
    last = raw.pages()[-1]["hashRecords"][-1]
    at = last["lastModtimestamp"]
    assert last["hashValue"] in raw.records(start=at)
    assert last["hashValue"] not in raw.records(start=at + 1)


def test_rule_2_the_real_client_cut_off_in_the_middle_loses_nothing(bank: Bank, raw: Raw) -> None:
    bank.make_cases([new_pdq() for _ in range(7)])
    client = stock_client(bank, raw.keys)
    first = client.fetch_hashes(page_size=3)
    second = client.fetch_hashes(page_size=3, next_page=first.nextPageToken or "")
    resumed = client.fetch_hashes_iter(start_timestamp=second.nextSetTimestamp)
    seen = {record.hashValue for page in (first, second, *resumed) for record in page.hashRecords}
    assert seen == set(raw.records())


def test_rule_3_timestamps_never_go_backwards(bank: Bank, raw: Raw) -> None:
    bank.make_cases([new_pdq() for _ in range(5)])
    reached = [page["nextSetTimestamp"] for page in raw.pages(size=1)]
    assert reached == sorted(reached)


@pytest.mark.parametrize("start", [0, 10, 4_000_000_000])
def test_rule_3_an_empty_set_echoes_the_start(fresh_bank: Bank, start: int) -> None:
    raw = Raw(fresh_bank, fresh_bank.add_platform("Early"))
    page = raw.page(startTimestamp=start)
    assert page == {
        "count": 0,
        "nextPageToken": None,
        "nextSetTimestamp": start,
        "hasMoreRecords": False,
        "hashRecords": [],
    }


def test_rule_3_a_page_whose_records_have_moved_on_does_not_go_backwards(bank: Bank, raw: Raw) -> None:
    values = [new_pdq(), new_pdq()]
    bank.make_cases(values)
    start = raw.records()[values[0]]["lastModtimestamp"]
    page = raw.page(startTimestamp=start, pageSize=1)
    while page["hasMoreRecords"]:
        token, reached = page["nextPageToken"], page["nextSetTimestamp"]
        page = raw.page(startTimestamp=start, pageSize=1, nextPageToken=token)
    # Everything after the last token moves to the end of the feed, behind it.
    bank.make_cases([page["hashRecords"][0]["hashValue"]])
    moved = raw.page(startTimestamp=start, pageSize=1, nextPageToken=token)
    assert moved["nextSetTimestamp"] >= reached


def test_rule_5_no_second_holds_more_than_a_fetch_can_take(bank: Bank, raw: Raw) -> None:
    values = [new_pdq() for _ in range(1000)]
    bank.make_cases(values[:500], values[500:])
    records = raw.records()
    assert set(values) <= set(records)
    in_second = collections.Counter(record["lastModtimestamp"] for record in records.values())
    assert max(in_second.values()) <= BANKS_OWN_LIMIT
    # A client that is stopped after every single page, and resumes by timestamp alone, gets to the end.
    seen: set[str] = set()
    start, more = 10, True
    while more:
        page = raw.page(startTimestamp=start, pageSize=800)
        seen |= {record["hashValue"] for record in page["hashRecords"]}
        assert page["nextSetTimestamp"] > start or not page["hasMoreRecords"]
        start, more = page["nextSetTimestamp"], page["hasMoreRecords"]
    assert seen == set(records)


def test_rule_6_a_record_is_a_snapshot_that_replaces_the_earlier_one(bank: Bank, raw: Raw) -> None:
    value = new_pdq()
    [first] = bank.make_cases([value])
    before = raw.records()[value]
    [second] = bank.make_cases([value])
    both = raw.records()[value]
    assert both["lastModtimestamp"] >= before["lastModtimestamp"]
    assert set(before["caseNumbers"]) < set(both["caseNumbers"])
    bank.withdraw(first)
    one_left = raw.records()[value]
    assert one_left["hashStatus"] == "Active"
    assert sorted(one_left["caseNumbers"].values()) == ["Active", "Withdrawn"]
    bank.withdraw(second)
    gone = raw.records()[value]
    assert gone["hashStatus"] == "Withdrawn"
    assert set(gone["caseNumbers"].values()) == {"Withdrawn"}
    assert [record["hashValue"] for page in raw.pages() for record in page["hashRecords"]].count(value) == 1


_WITHDRAWN_DAYS_AGO = """
import datetime
from django.utils import timezone
from reclaim.bank.ledger.models import LedgerRecord
value, days = arguments
withdrawn_at = timezone.now() - datetime.timedelta(days=days)
assert LedgerRecord.objects.filter(value=value).update(withdrawn_at=withdrawn_at) == 1
"""


def test_rule_6_a_tombstone_stays_in_the_feed_for_30_days_if_a_platform_says_nothing(bank: Bank, raw: Raw) -> None:
    value = new_pdq()
    [case] = bank.make_cases([value])
    bank.withdraw(case)
    bank.run(_WITHDRAWN_DAYS_AGO, value, 29)
    bank.command("tick")
    assert raw.records()[value]["hashStatus"] == "Withdrawn"
    bank.run(_WITHDRAWN_DAYS_AGO, value, 31)
    bank.command("tick")
    assert value not in raw.records()
    assert not bank.holds(value)


@pytest.mark.parametrize("path", ["/FetchHashes", "//FetchHashes"])
def test_a_slash_too_many_is_tolerated(bank: Bank, raw: Raw, path: str) -> None:
    assert raw.call("GET", path, key="fetch_key").status == 200


def test_a_page_is_never_larger_than_asked_for_nor_than_the_bank_allows(bank: Bank, raw: Raw) -> None:
    bank.make_cases([new_pdq() for _ in range(3)])
    assert raw.page(pageSize=2)["count"] == 2
    assert raw.page(pageSize=1_000_000)["count"] <= 2000


def test_unknown_parts_of_a_query_are_ignored(raw: Raw) -> None:
    raw.page(startTimestamp=10, somethingNew=1)
