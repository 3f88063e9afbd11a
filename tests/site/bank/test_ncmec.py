"""NCMEC hash sharing v2, driven by the threatexchange package's own client, unchanged, over a socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from django.db import connection
from django.db.models import F
from django.test import Client
from threatexchange.exchanges.clients.ncmec.hash_api import FeedbackType, FingerprintType, NCMECHashAPI
from threatexchange.exchanges.impl.ncmec_api import (
    NCMECCheckpoint,
    NCMECCollabConfig,
    NCMECCredentials,
    NCMECSignalExchangeAPI,
)
from threatexchange.signal_type.md5 import VideoMD5Signal
from threatexchange.signal_type.pdq.signal import PdqSignal

from reclaim.bank.cases.models import Case
from reclaim.bank.cases.services import NewItem, NewSignal, create_case, withdraw
from reclaim.bank.exchange import entries
from reclaim.bank.feedback.models import Feedback
from reclaim.bank.feedback.services import Find, take_finds
from reclaim.bank.ledger.models import LedgerClock, LedgerRecord
from reclaim.bank.ledger.queries import tombstones
from reclaim.bank.ledger.services import close_second, erase, locked_ledger
from reclaim.protocol.ncmec_v2 import write_time
from tests.personas import ActingPlatform, a_case, pdq_value

pytestmark = pytest.mark.usefixtures("ledger_clock")
MD5 = "0123456789abcdef0123456789abcdef"


def an_hour_passes() -> None:
    """What changed so far is an hour old: the client asks for nothing of the last five seconds."""
    LedgerRecord.objects.update(modified_at=F("modified_at") - 3600)
    LedgerClock.objects.update(second=F("second") - 3600)


@dataclass
class StockSubscriber:
    """The package's exchange, and the copy that its command keeps by the exchange's own rules."""

    platform: ActingPlatform
    base: str
    checkpoint: NCMECCheckpoint | None = None
    copy: dict[str, Any] = field(default_factory=dict)

    def api(self, key: str | None = None) -> NCMECHashAPI:
        """The client class below it, with the platform's key of several scopes, or another."""
        where: Any = SimpleNamespace(value=self.base)
        return NCMECHashAPI(self.platform.platform.name, key or self.platform.keys.platform_key, where)

    def fetches(self, most_pages: int = 10**9) -> int:
        """Fetch and merge, page by page; how many pages had come when it ended, or was ended."""
        where: Any = SimpleNamespace(value=self.base)
        exchange = NCMECSignalExchangeAPI.for_collab(
            NCMECCollabConfig(name="NCII", environment=where),
            NCMECCredentials(self.platform.platform.name, self.platform.keys.platform_key),
        )
        pages = 0
        for delta in exchange.fetch_iter([PdqSignal, VideoMD5Signal], self.checkpoint):
            for key, update in delta.updates.items():
                merged = exchange.fetch_value_merge(self.copy.get(key), update)
                if merged is None:
                    self.copy.pop(key, None)
                else:
                    self.copy[key] = merged
            self.checkpoint = delta.checkpoint
            pages += bool(delta.updates)
            if pages == most_pages:
                break
        return pages

    def signals(self) -> dict[str, set[str]]:
        """What it would match against, by the package's own conversion."""
        where: Any = SimpleNamespace(value=self.base)
        found = NCMECSignalExchangeAPI.naive_convert_to_signal_type(
            [PdqSignal, VideoMD5Signal], NCMECCollabConfig(name="NCII", environment=where), self.copy
        )
        return {kind.get_name(): set(values) for kind, values in found.items()}


@pytest.fixture
def subscriber(live_server: Any) -> Iterator[StockSubscriber]:
    """A vetted platform that runs the stock client."""
    return StockSubscriber(ActingPlatform.vetted(), f"{live_server.url}/ncmec")


def test_the_stock_client_fetches_and_deletes_what_is_withdrawn(subscriber: StockSubscriber) -> None:
    case = a_case(1, 2)
    create_case([NewItem(1, "video", (NewSignal("md5", MD5),))])
    an_hour_passes()
    subscriber.fetches()
    assert subscriber.signals() == {"pdq": {pdq_value(1), pdq_value(2)}, "video_md5": {MD5}}

    withdraw(Case.objects.get(pk=case.case.pk), [1])
    LedgerRecord.objects.filter(status="withdrawn").update(modified_at=F("modified_at") - 60)
    subscriber.checkpoint = NCMECCheckpoint(subscriber.checkpoint.get_entries_max_ts - 120)
    subscriber.fetches()
    assert subscriber.signals() == {"pdq": {pdq_value(2)}, "video_md5": {MD5}}


def test_a_withdrawal_is_still_named_once_its_value_is_erased(subscriber: StockSubscriber) -> None:
    case = a_case(1)
    an_hour_passes()
    subscriber.fetches()
    withdraw(case.case)
    with locked_ledger():
        erase(tombstones())
    assert not LedgerRecord.objects.filter(value=pdq_value(1)).exists()
    LedgerRecord.objects.update(modified_at=F("modified_at") - 60)
    subscriber.checkpoint = NCMECCheckpoint(subscriber.checkpoint.get_entries_max_ts - 120)
    subscriber.fetches()
    assert subscriber.copy == {}


def test_a_fetch_that_is_cut_off_between_pages_resumes_and_has_everything(
    subscriber: StockSubscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "PAGE_SIZE", 20)
    take_finds(ActingPlatform.vetted("Finder").platform, [Find("pdq", pdq_value(seed)) for seed in range(50)])
    an_hour_passes()
    assert subscriber.fetches(most_pages=1) == 1
    assert len(subscriber.copy) == 20
    assert subscriber.fetches() > 1
    assert subscriber.signals() == {"pdq": {pdq_value(seed) for seed in range(50)}}
    subscriber.platform.platform.refresh_from_db()
    assert subscriber.platform.platform.covered_position == LedgerClock.objects.get().position


def test_what_is_committed_late_or_by_a_slow_clock_is_in_no_second_that_was_fetched(
    subscriber: StockSubscriber,
) -> None:
    a_case(1)
    end = int(time.time()) + 1
    [page] = subscriber.api().get_entries_iter(start_timestamp=0, end_timestamp=end)
    assert len(page.updates) == 1

    a_case(2)
    assert subscriber.api().get_entries(start_timestamp=0, end_timestamp=end).updates == page.updates
    [late] = subscriber.api().get_entries(start_timestamp=end, end_timestamp=end + 1).updates
    assert late.fingerprints == {"pdq": pdq_value(2)}


def test_a_reader_waits_for_the_writer_that_is_at_work() -> None:
    second = int(time.time()) + 5
    closed = threading.Event()

    def close() -> None:
        close_second(second)
        closed.set()
        connection.close()

    with locked_ledger() as ledger:
        ledger.add_source("pdq", pdq_value(1))
        reader = threading.Thread(target=close)
        reader.start()
        assert not closed.wait(0.2)
    reader.join()
    assert LedgerRecord.objects.get().modified_at <= second < LedgerClock.objects.get().second


def test_the_stock_client_learns_who_it_is_and_who_takes_part(subscriber: StockSubscriber) -> None:
    me = subscriber.api().status()
    assert me.esp_name == "Example"
    assert [(member.esp_id, member.esp_name) for member in subscriber.api().members()] == [
        (entries.BANK.id, entries.BANK.name),
        (me.esp_id, "Example"),
    ]


def test_the_stock_clients_feedback_comes_in_and_others_see_it(subscriber: StockSubscriber) -> None:
    a_case(1, 2)
    an_hour_passes()
    subscriber.fetches()
    ids = {entry.fingerprints["pdq"]: entry.id for entry in subscriber.copy.values()}
    voting = subscriber.api()
    voting.submit_upvote(entries.BANK.id, ids[pdq_value(1)], FingerprintType.pdq)
    reasons = {name: guid for guid, name in voting.feedback_reasons(FingerprintType.pdq).items()}
    assert set(reasons) == {"not-the-same", "not-intimate", "allowed-here", "cannot-tell", "other"}
    voting.submit_feedback(
        entries.BANK.id, ids[pdq_value(2)], FingerprintType.pdq, FeedbackType.downvote, reasons["not-the-same"]
    )
    said = {row.record.value: (row.value, row.tags) for row in Feedback.objects.select_related("record")}
    assert said == {pdq_value(1): ("Blocked", []), pdq_value(2): ("NotBlocked", ["reason:not-the-same"])}

    other = StockSubscriber(ActingPlatform.vetted("Other"), subscriber.base)
    an_hour_passes()
    other.fetches()
    votes = {entry.fingerprints["pdq"]: entry.feedback["PDQ"] for entry in other.copy.values()}
    assert [(vote.feedback_type, vote.member.esp_name) for vote in votes[pdq_value(1)]] == [
        (FeedbackType.upvote, "Example")
    ]
    assert [(vote.feedback_type, vote.reason) for vote in votes[pdq_value(2)]] == [
        (FeedbackType.downvote, "not-the-same")
    ]
    # Nothing ties one platform's names of entries to another's.
    assert not {entry.id for entry in other.copy.values()} & set(ids.values())


def test_a_platform_opens_nothing_with_another_ones_name_or_the_wrong_key(subscriber: StockSubscriber) -> None:
    keys = subscriber.platform.keys
    ActingPlatform.vetted("Other")
    for name, key, expected in (
        ("Example", keys.fetch_key, 200),
        (str(subscriber.platform.platform.pk), keys.fetch_key, 200),
        ("Other", keys.fetch_key, 401),
        ("Example", keys.fetch_key[:-1], 401),
        ("Example", keys.feedback_key, 403),
    ):
        answer = requests.get(f"{subscriber.base}/v2/status", auth=(name, key), timeout=10)
        assert answer.status_code == expected
        assert (answer.headers.get("WWW-Authenticate") is not None) == (expected == 401)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"from": "yesterday", "to": "2026-01-01T00:00:00Z"},
        {"from": "2026-01-01T00:00:00Z", "to": "9999-01-01T00:00:00Z"},
    ],
)
def test_a_query_that_would_skip_something_is_refused(query: dict[str, str]) -> None:
    answer = Client().get("/ncmec/v2/entries", query, headers=basic(ActingPlatform.vetted(), "fetch_key"))
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def basic(platform: ActingPlatform, key: str) -> dict[str, str]:
    return {"Authorization": requests.auth._basic_auth_str(platform.platform.name, getattr(platform.keys, key))}


def test_a_client_whose_clock_is_ahead_is_told_so_and_moves_nobodys_seconds() -> None:
    platform = ActingPlatform.vetted()
    a_case(1)
    before, now = LedgerClock.objects.get().second, int(time.time())
    for ahead, expected in ((10, 400), (1, 200)):
        query = {"from": write_time(0), "to": write_time(now + ahead)}
        answer = Client().get("/ncmec/v2/entries", query, headers=basic(platform, "fetch_key"))
        assert answer.status_code == expected
        if expected == 400:
            assert "set your clock" in answer.json()["detail"]
            assert LedgerClock.objects.get().second == before


BOMB = b"""<!DOCTYPE b [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;">]><feedbackSubmission>&b;</feedbackSubmission>"""
OUTSIDE = b"""<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]><feedbackSubmission>&a;</feedbackSubmission>"""


@pytest.mark.parametrize(
    "body",
    [BOMB, OUTSIDE, b"", b"<a>" * 40, b"<feedbackSubmission/>", b"\xff\xfe<", b"x" * 5000],
    ids=["bomb", "outside", "empty", "deep", "no word", "broken", "long"],
)
def test_xml_that_nobody_needs_to_send_is_refused(body: bytes) -> None:
    platform = ActingPlatform.vetted()
    a_case(1)
    name = entries._Names(platform.platform).write(LedgerRecord.objects.get().pk)
    answer = Client().put(
        f"/ncmec/v2/entries/1/{name}/PDQ/feedback",
        body,
        content_type="application/xml",
        headers=basic(platform, "feedback_key"),
    )
    assert answer.status_code == 400
    assert not Feedback.objects.exists()
