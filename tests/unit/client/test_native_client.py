"""Version 2 against banks that are slow, wrong or hostile: nothing lost, nothing brought back, nothing believed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reclaim.client import (
    BankMisbehaved,
    BankRefused,
    BankUnreachable,
    Change,
    Checkpoint,
    NativeClient,
    NativeKeys,
    SignalName,
    SyncOvertaken,
    Word,
    ask_about,
    sync,
)
from reclaim.client.connection import USUAL
from reclaim.client.events import Event, read_events
from reclaim.protocol.stopncii_v1 import SignalType
from tests.unit.client.memory_store import MemoryStore
from tests.unit.client.native_bank import ABOUT, PINNED, NativeFeed, Part, native_record, parquet
from tests.unit.client.scripted_bank import Answer, Request, ScriptedBank, md5, pdq

NOW = 1_780_000_000.0
KEYS = NativeKeys("fetch-key-canary", "feedback-key-canary", "submit-key-canary")


@pytest.fixture
def feed(bank: ScriptedBank) -> NativeFeed:
    return NativeFeed(bank)


@pytest.fixture
def native(bank: ScriptedBank, tmp_path: Path) -> Iterator[NativeClient]:
    client = NativeClient(base(bank), KEYS, pinned=PINNED, scratch=tmp_path / "parts")
    yield client
    client.close()


@pytest.fixture
def large(feed: NativeFeed) -> list[str]:
    """The bank has more than fits one page, and a snapshot of it in two parts."""
    values = [pdq() for _ in range(6)]
    feed.put(*values)
    feed.page_limit = 4
    feed.take_snapshot("one", rows_a_part=3)
    return values


def base(bank: ScriptedBank) -> str:
    return f"{bank.url.removesuffix('/v1')}/v2"


def synced(client: NativeClient, store: MemoryStore, **how: Any) -> Any:
    return sync(client, store, clock=lambda: NOW, **how)


def test_a_small_bank_is_one_page_and_what_changes_then_follows(feed: NativeFeed, native: NativeClient) -> None:
    kept, gone, film = pdq(), pdq(), md5()
    feed.put(kept, gone, film, quality=80, labels=["made-with-ai"], provenance=["person", "bank:Other"])
    store = MemoryStore()
    assert synced(native, store).active == 3
    assert feed.asked("snapshot") == []
    change = store.signals[SignalName(SignalType.IMAGE_PDQ, kept)][0]
    assert (change.quality, change.trust, change.labels) == (80, 60, ["made-with-ai"])
    assert (change.provenance, change.review_only) == (["person", "bank:Other"], False)
    feed.put(gone, status="withdrawn")
    report = synced(native, store)
    assert (report.records, report.tombstones, report.acknowledged) == (1, 1, 1)
    assert (store.values, feed.told) == ({kept, film}, [gone])


def test_a_signal_whose_trust_fell_goes_without_a_word_to_the_bank(feed: NativeFeed, native: NativeClient) -> None:
    value = pdq()
    feed.put(value)
    store = MemoryStore()
    synced(native, store)
    feed.put(value, status="withdrawn", because="trust", acknowledge_by=None)
    assert synced(native, store).acknowledged == 0
    assert (store.values, feed.told) == (set(), [])


def test_a_large_bank_comes_as_a_snapshot_and_what_was_withdrawn_since_is_gone(
    feed: NativeFeed, native: NativeClient, large: list[str], tmp_path: Path
) -> None:
    feed.put(large[0], status="withdrawn")
    store = MemoryStore()
    shown: list[tuple[int, int]] = []
    synced(native, store, on_page=lambda report: shown.append((report.stored_of_snapshot, report.in_snapshot)))
    assert store.values == set(large[1:])
    assert feed.told == [large[0]]
    assert shown[:2] == [(3, 6), (6, 6)]
    assert list((tmp_path / "parts").glob("*.part")) == []


def test_a_download_that_breaks_off_goes_on_where_it_ended(
    feed: NativeFeed, native: NativeClient, large: list[str]
) -> None:
    def broken_off(request: Request, answer: Answer) -> Answer:
        if request.path.endswith("/1.parquet"):
            half = answer.body[: len(answer.body) // 2]
            return Answer(half, headers={"Content-Length": str(len(answer.body)), "Connection": "close"})
        return answer

    feed.spoil = broken_off
    store = MemoryStore()
    with pytest.raises(BankUnreachable):
        synced(native, store)
    assert store.values == set(large[:3])
    feed.spoil = lambda request, answer: answer
    feed.bank.requests.clear()
    synced(native, store)
    assert store.values == set(large)
    ranges = [request.headers.get("range") for request in feed.asked("snapshot/")]
    half = len(feed.parts["one"][1].content) // 2
    assert ranges == [f"bytes={half}-"]


def test_a_server_that_knows_no_ranges_sends_it_all_again(
    feed: NativeFeed, native: NativeClient, large: list[str], tmp_path: Path
) -> None:
    told = feed.manifest()["parts"][0]
    (tmp_path / "parts").mkdir()
    content = feed.parts["one"][0].content

    def whole(request: Request, answer: Answer) -> Answer:
        if request.path.endswith("/0.parquet"):
            return Answer(content)
        if request.path.endswith("/snapshot"):
            (tmp_path / "parts" / f"{told['sha256']}.part").write_bytes(content[:100])
        return answer

    feed.spoil = whole
    part = native.snapshot().parts[0]
    assert [len(changes) for _, changes, _ in native.part(part)] == [3]
    assert feed.asked("snapshot/")[0].headers["range"] == "bytes=100-"


class KilledStore(MemoryStore):
    """Dies after so many calls of ``apply``."""

    left = 1

    def apply(self, changes: Sequence[Change], checkpoint: Checkpoint, previous: Checkpoint | None) -> None:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        super().apply(changes, checkpoint, previous)


def test_after_a_kill_nothing_is_fetched_twice(feed: NativeFeed, native: NativeClient, large: list[str]) -> None:
    store = KilledStore()
    with pytest.raises(KeyboardInterrupt):
        synced(native, store)
    store.left = 100
    feed.bank.requests.clear()
    synced(native, store)
    assert store.values == set(large)
    assert feed.asked("snapshot/") == []


def test_what_half_a_snapshot_brought_and_the_next_one_lacks_is_swept(
    feed: NativeFeed, native: NativeClient, large: list[str]
) -> None:
    store = KilledStore()
    with pytest.raises(KeyboardInterrupt):
        synced(native, store)
    assert large[0] in store.values
    feed.drop(large[0])
    feed.owed = [large[0]]
    del feed.parts["one"]
    feed.take_snapshot("two")
    store.left = 100
    report = synced(native, store)
    assert (store.values, report.swept) == (set(large[1:]), 1)
    assert feed.told == [large[0]]


def test_a_cursor_that_is_gone_leads_to_all_of_it_and_drops_what_the_bank_no_longer_has(
    feed: NativeFeed, native: NativeClient
) -> None:
    kept, forgotten, mine = pdq(), pdq(), pdq()
    feed.put(kept, forgotten)
    store = MemoryStore()
    synced(native, store)
    feed.ledger = "restored"
    feed.drop(forgotten)
    feed.put(mine)
    # The bank may owe a word of a signal that is in place here again: its tombstone comes by the feed.
    feed.owed = [forgotten, mine]
    report = synced(native, store)
    assert (store.values, report.swept) == ({kept, mine}, 1)
    assert feed.told == [forgotten]


def test_a_bank_that_calls_its_own_cursors_gone_is_left(feed: NativeFeed, native: NativeClient) -> None:
    feed.put(pdq())
    feed.spoil = lambda request, answer: Answer({}, 410) if "after" in request.query else answer
    with pytest.raises(BankMisbehaved, match="gone"):
        synced(native, MemoryStore())


def test_another_bank_in_the_place_of_the_one_that_was_joined_empties_no_copy(
    feed: NativeFeed, native: NativeClient
) -> None:
    store = MemoryStore()
    feed.put(kept := pdq())
    synced(native, store)
    feed.ledger = "another"
    feed.drop(kept)
    feed.spoil = lambda request, answer: Answer({**ABOUT, "bank_id": "another"}) if request.path == "/v2/" else answer
    with pytest.raises(BankMisbehaved, match="Another bank"):
        synced(native, store)
    assert store.values == {kept}


def test_two_syncs_at_once_do_not_fetch_the_same_snapshot(
    feed: NativeFeed, native: NativeClient, large: list[str]
) -> None:
    with native.alone(), pytest.raises(SyncOvertaken):
        synced(native, MemoryStore())
    assert feed.asked("snapshot/") == []


def test_a_snapshot_in_the_making_is_waited_for(feed: NativeFeed, native: NativeClient, large: list[str]) -> None:
    making = iter([Answer({"state": "making"}, 202, {"Retry-After": "7"}), Answer({}, 202, {"Retry-After": "x"})])
    feed.spoil = lambda request, answer: next(making, answer) if request.path == "/v2/snapshot" else answer
    waits: list[float] = []
    assert native.snapshot(waits.append).rows == 6
    assert waits == [7, 5]


def spoilt_manifest(feed: NativeFeed, **changed: Any) -> None:
    right = feed.manifest
    feed.manifest = lambda: {**right(), **changed}  # type: ignore[method-assign]


def test_a_snapshot_that_another_signed_is_refused(feed: NativeFeed, native: NativeClient, large: list[str]) -> None:
    feed.key = Ed25519PrivateKey.generate()
    store = MemoryStore()
    with pytest.raises(BankMisbehaved, match="not signed"):
        synced(native, store)
    assert store.values == set()


@pytest.mark.parametrize(
    "changed",
    [
        {"bank_id": "another"},
        {"rows": 5},
        {"rows": -1},
        {"cursor": ""},
        {"parts": [{"name": "0", "bytes": 2**50, "sha256": "0" * 64, "rows": 6, "href": "/v2/snapshot/one/0.parquet"}]},
        {"parts": [{"name": "0", "bytes": 9, "sha256": "../../../x", "rows": 6, "href": "/v2/snapshot/one/0.parquet"}]},
        {"parts": "none"},
    ],
)
def test_a_manifest_that_does_not_add_up_is_refused(
    feed: NativeFeed, native: NativeClient, large: list[str], changed: dict[str, Any]
) -> None:
    spoilt_manifest(feed, **changed)
    with pytest.raises(BankMisbehaved):
        native.snapshot()


def test_a_snapshot_that_lies_about_its_digest_is_refused(
    feed: NativeFeed, native: NativeClient, large: list[str], tmp_path: Path
) -> None:
    told = feed.manifest()
    spoilt_manifest(feed, parts=told["parts"])
    feed.parts["one"][0] = Part(parquet(large[3:]), 3)
    store = MemoryStore()
    with pytest.raises(BankMisbehaved, match="not what its manifest says"):
        synced(native, store)
    assert store.values == set()
    assert list((tmp_path / "parts").glob("*.part")) == []


def test_a_key_is_not_sent_to_another_host_than_the_bank_s(
    feed: NativeFeed, native: NativeClient, large: list[str]
) -> None:
    told = feed.manifest()["parts"]
    for href in ("https://elsewhere.example/x", "//elsewhere.example/x", "http://x@127.0.0.1/"):
        spoilt_manifest(feed, parts=[{**part, "href": href} for part in told])
        with pytest.raises(BankMisbehaved, match="another host"):
            list(native.part(native.snapshot().parts[0]))
        with pytest.raises(BankMisbehaved, match="another host"):
            list(native.events(href))
    assert feed.asked("snapshot/") == []


def bomb() -> bytes:
    """A small file whose rows would take 40 GB."""
    one = pa.array([bytes(4 * 2**20)], pa.binary())
    values = pa.DictionaryArray.from_arrays(pa.array([0] * 10_000, pa.int32()), one)
    rows = len(values)
    columns = {"type": ["pdq"] * rows, "value": values, "labels": [[]] * rows, "action": ["block"] * rows}
    table = pa.table(
        {
            **columns,
            "frames": pa.nulls(rows, pa.list_(pa.string())),
            "quality": pa.nulls(rows, pa.uint8()),
            "provenance": [[]] * rows,
            "trust": pa.array([1] * rows, pa.uint8()),
        }
    )
    out = pa.BufferOutputStream()
    pa.parquet.write_table(table, out, compression="zstd")
    content: bytes = out.getvalue().to_pybytes()
    return content


@pytest.mark.parametrize(
    ("content", "rows"),
    [(b"PAR1 no such thing PAR1", 3), (parquet([pdq()]), 3), (bomb(), 10_000)],
    ids=["rubbish", "fewer rows", "bomb"],
)
def test_a_part_that_is_none_or_wants_more_memory_than_any_may_is_refused(
    feed: NativeFeed, native: NativeClient, large: list[str], content: bytes, rows: int
) -> None:
    assert len(content) < 100_000
    feed.parts["one"] = [Part(content, rows)]
    store = MemoryStore()
    with pytest.raises(BankMisbehaved, match="cannot be read"):
        synced(native, store)
    assert store.values == set()


def test_rows_that_cannot_be_read_are_counted_and_left_out(
    feed: NativeFeed, native: NativeClient, large: list[str]
) -> None:
    good = pdq()
    values = [good, "00" * 32, pdq(), pdq(), pdq()]
    columns = {
        "type": ["pdq", "pdq", "md5", "pdq", "vpdq"],
        "action": ["block", "block", "block", "remove", "block"],
        "trust": [200, 60, 60, 60, 60],
        "quality": [255, 1, 1, 1, 1],
    }
    feed.parts["one"] = [Part(parquet(values, **columns), 5)]
    store = MemoryStore()
    report = synced(native, store)
    assert (store.values & set(values), report.skipped) == ({good}, 4)
    change = store.signals[SignalName(SignalType.IMAGE_PDQ, good)][0]
    assert (change.trust, change.quality) == (100, None)


@pytest.mark.parametrize(
    "record",
    [
        "a text",
        None,
        {},
        native_record("00" * 32),
        native_record(pdq(), "gone"),
        native_record(pdq(), action="remove"),
        native_record(pdq(), type="pdq2"),
        native_record(pdq()[:-1]),
        native_record(pdq(), type="vpdq", frames=["0,100,x,0"]),
        native_record(pdq(), changed_at="yesterday"),
    ],
)
def test_a_malformed_record_is_counted_and_costs_no_other(feed: NativeFeed, native: NativeClient, record: Any) -> None:
    kept = pdq()
    feed.changes = [(1, record), (2, native_record(kept))]
    store = MemoryStore()
    report = synced(native, store)
    assert (store.values, report.skipped) == ({kept}, 1)


def test_what_a_platform_can_do_without_costs_no_record_and_untold_trust_asks_for_a_person(
    feed: NativeFeed, native: NativeClient
) -> None:
    value = pdq()
    feed.put(value, labels=None, provenance=7, quality="high", trust=None, decisions=[], more="of the future")
    store = MemoryStore()
    synced(native, store)
    (change, _) = store.signals[SignalName(SignalType.IMAGE_PDQ, value)]
    assert (change.labels, change.provenance, change.quality, change.trust) == ([], [], None, 0)
    assert change.review_only


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>sign in</html>",
        b"[" * 100_000,
        {"records": None, "cursor": "a", "has_more": False},
        {"records": [], "cursor": "", "has_more": False},
        {"records": [], "cursor": "a" * 500, "has_more": False},
        {"records": [], "cursor": "a", "has_more": "no"},
        {"records": [1] * 2001, "cursor": "a", "has_more": False},
    ],
)
def test_a_page_that_breaks_the_contract_is_not_used(bank: ScriptedBank, native: NativeClient, body: Any) -> None:
    bank.answers = [Answer(body)]
    with pytest.raises(BankMisbehaved):
        native.fetch_page()


def test_a_bank_cannot_feed_a_platform_endless_pages(
    bank: ScriptedBank, native: NativeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = {
        "the same page again": lambda request: {"records": [], "cursor": "a", "has_more": True},
        "empty pages": lambda request: {"records": [], "cursor": f"{len(bank.requests)}", "has_more": True},
        "page after page": lambda request: {
            "records": [native_record(pdq())],
            "cursor": f"{len(bank.requests)}",
            "has_more": True,
        },
    }
    monkeypatch.setattr("reclaim.client.native_client.MOST_PAGES", 30)
    monkeypatch.setattr("reclaim.client.native_client.MOST_EMPTY_PAGES", 10)
    for answer in endless.values():
        bank.answers = [answer]
        with pytest.raises(BankMisbehaved, match=r"does not end|has not ended"):
            list(native.pages("start"))


def test_the_last_cursor_is_shown_to_the_bank_which_knows_by_that_that_it_is_stored(
    feed: NativeFeed, native: NativeClient
) -> None:
    feed.put(pdq())
    synced(native, MemoryStore())
    assert [request.query.get("after") for request in feed.asked("signals")] == [None, "first.1"]


def test_only_what_is_trusted_enough_is_taken_from_feed_and_snapshot(
    bank: ScriptedBank, feed: NativeFeed, large: list[str], tmp_path: Path
) -> None:
    feed.parts["one"] = [Part(parquet(large, trust=[10, 60, 60, 60, 60, 49]), 6)]
    store = MemoryStore()
    synced(NativeClient(base(bank), KEYS, pinned=PINNED, scratch=tmp_path, least_trust=50), store)
    assert store.values == set(large[1:5])
    assert {request.query["least_trust"] for request in feed.asked("signals")} == {"50"}


def test_words_are_said_with_distance_count_and_measure(bank: ScriptedBank, native: NativeClient) -> None:
    bank.answers = [{"taken": 1, "refused": []}]
    name = SignalName(SignalType.IMAGE_PDQ, pdq())
    native.say([Word(name, "not-blocked", "not-the-same", 12, 3, "none"), Word(name, "pending", by_machine=True)])
    (first, second) = bank.requests[0].body["feedback"]
    assert (first["reason"], first["distance"], first["count"], first["action"]) == ("not-the-same", 12, 3, "none")
    assert (first["decided_by"], second["decided_by"], second["decision"]) == ("person", "machine", "pending")
    assert bank.requests[0].headers["authorization"] == "Bearer feedback-key-canary"


def test_a_missing_key_is_named_before_anything_is_sent(bank: ScriptedBank) -> None:
    client = NativeClient(base(bank), NativeKeys("fetch"))
    assert not client.can_give_feedback
    with pytest.raises(BankRefused, match="feedback"):
        client.say([])
    assert bank.requests == []


@pytest.mark.parametrize(("status", "advice"), [(307, "base address"), (401, "new one"), (403, "what it is for")])
def test_a_refusal_is_final_and_says_what_to_do(
    bank: ScriptedBank, native: NativeClient, status: int, advice: str
) -> None:
    bank.answers = [Answer({}, status, {"Location": "https://elsewhere.example/"})]
    with pytest.raises(BankRefused, match=advice) as refused:
        native.fetch_page()
    assert "canary" not in str(refused.value)
    assert len(bank.requests) == 1


def test_an_answer_that_trickles_in_is_not_awaited(
    bank: ScriptedBank, native: NativeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vars(USUAL), "seconds", -1.0)
    bank.answers = [{"records": [], "cursor": "a", "has_more": False}]
    with pytest.raises(BankUnreachable, match="slowly"):
        native.fetch_page()


def test_what_is_no_bank_of_version_2_is_said_so(bank: ScriptedBank) -> None:
    bank.answers = [Answer({}, 404)]
    with pytest.raises(BankRefused, match="/v2"):
        ask_about(base(bank))
    bank.answers = [{"bank": "x"}]
    with pytest.raises(BankMisbehaved):
        ask_about(base(bank))


# Events


def test_events_come_one_by_one_and_other_words_are_left_alone(bank: ScriptedBank, native: NativeClient) -> None:
    said = (
        b": hello\n\nretry: 2500\n\nevent: changed\r\ndata: {}\r\n\r\nid: 7\n\nevent: other\ndata: x\n\ndata: y\n\nrest"
    )
    bank.answers = [Answer(said, headers={"Content-Type": "text/event-stream; charset=utf-8"})]
    assert list(native.events("/v2/events")) == [
        Event(""),
        Event("", 2.5),
        Event("changed"),
        Event("other"),
        Event("message"),
    ]


def test_what_is_no_stream_is_not_listened_to(bank: ScriptedBank, native: NativeClient) -> None:
    bank.answers = [Answer(b"event: changed\n\n", headers={"Content-Type": "text/html"})]
    with pytest.raises(BankMisbehaved, match="stream"):
        list(native.events("/v2/events"))
    bank.answers = [Answer({}, 503)]
    with pytest.raises(BankUnreachable):
        list(native.events("/v2/events"))


def test_a_line_or_an_event_without_end_is_not_gathered() -> None:
    for endless in (iter(lambda: b"x" * 1000, None), iter(lambda: b"data: x\n", None)):
        with pytest.raises(BankMisbehaved, match="without end"):
            list(read_events(endless))
    assert list(read_events([b"retry: 99999999999\n\n", b"retry: soon\n\n"])) == [Event("", 60.0)]


def test_heartbeats_without_end_cost_nothing() -> None:
    began = time.monotonic()
    assert list(read_events([b": still here\n\n"] * 10_000)) == []
    assert time.monotonic() - began < 5
