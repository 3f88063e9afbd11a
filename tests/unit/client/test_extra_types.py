"""The client of a platform that also follows descriptors and source photographs, and has placements checked."""

from __future__ import annotations

from typing import Any

import pytest

from reclaim.client import (
    BankMisbehaved,
    BankUnreachable,
    ExtraType,
    NativeClient,
    NativeKeys,
    SignalName,
    kind_of,
    sync,
)
from reclaim.protocol.stopncii_v1 import SignalType
from tests.described import name, pairs_of, text_of
from tests.personas import pdq_value
from tests.unit.client.memory_store import MemoryStore
from tests.unit.client.native_bank import PINNED, NativeFeed
from tests.unit.client.scripted_bank import Answer, ScriptedBank

KEYS = NativeKeys("fetch-key", feedback="feedback-key", descriptors="descriptors-key")


def clients(bank: ScriptedBank) -> tuple[NativeClient, NativeClient]:
    """One for what all platforms get, and one for the extra types."""
    base = f"{bank.url.removesuffix('/v1')}/v2"
    return NativeClient(base, KEYS, pinned=PINNED), NativeClient(
        base, KEYS, pinned=PINNED, types=("descriptors", "source")
    )


def put(feed: NativeFeed, seed: int, **more: Any) -> None:
    feed.put(name(seed), **{"type": "descriptors", "descriptors": text_of(seed), **more})


def test_extra_types_are_followed_into_a_store_of_their_own_and_acknowledged(bank: ScriptedBank) -> None:
    feed = NativeFeed(bank)
    _, extra = clients(bank)
    store = MemoryStore()
    put(feed, 1)
    feed.put(pdq_value(2), type="source", quality=80)
    sync(extra, store)
    [(change, _)] = [each for each in store.signals.values() if each[0].type is ExtraType.DESCRIPTORS]
    assert (change.value, len(change.descriptors or b""), change.review_only) == (name(1), 64 * 32, True)
    assert SignalName(ExtraType.SOURCE, pdq_value(2)) in store.signals
    asked = feed.asked("signals")[0]
    assert (asked.query["types"], asked.headers["authorization"]) == ("descriptors,source", "Bearer descriptors-key")
    feed.put(name(1), status="withdrawn", type="descriptors", acknowledge_by="2026-11-27T08:00:00Z")
    sync(extra, store)
    assert (store.values, feed.told) == ({pdq_value(2)}, [name(1)])
    assert not feed.asked("snapshot")
    # A cursor that is gone leads to all of it again, page by page.
    feed.ledger = "second"
    feed.drop(pdq_value(2))
    put(feed, 3)
    sync(extra, store)
    assert store.values == {name(3)}


def test_what_a_bank_mixes_in_or_misnames_is_left_out(bank: ScriptedBank) -> None:
    feed = NativeFeed(bank)
    ordinary, extra = clients(bank)
    put(feed, 1)
    put(feed, 2, descriptors=text_of(5))
    put(feed, 3, descriptors="zz")
    put(feed, 4, action="block")
    feed.put(pdq_value(6))
    both = ordinary.fetch_page(), extra.fetch_page()
    assert [[each.value for each in page.changes] for page in both] == [[pdq_value(6)], [name(1), name(4)]]
    assert [page.skipped for page in both] == [4, 3]
    assert all(each.review_only for each in both[1].changes)
    feed.owed = [pdq_value(9)]
    assert ([each.name.value for each in ordinary.owed()], extra.owed()) == ([pdq_value(9)], [])
    with pytest.raises(ValueError, match="of their own"):
        NativeClient("https://bank.example/v2", KEYS, types=("pdq", "source"))
    assert (kind_of("source"), kind_of("ImagePDQ")) == (ExtraType.SOURCE, SignalType.IMAGE_PDQ)


def test_a_placement_is_checked_with_the_nearest_pairs_and_what_is_used_up_is_said(bank: ScriptedBank) -> None:
    relation = {"turn": "original", "kept": 0.5, "altered": None, "more": 1}
    bank.answers = [{"match": True, "relation": relation}, Answer({}, 429, {"Retry-After": "100000"})]
    _, extra = clients(bank)
    answer = extra.check_placement(name(1), (512, 384), [*pairs_of(1, 64), [0, 1, 1, 1, 1, 0]])
    assert (answer.match, answer.relation and answer.relation.kept) == (True, 0.5)
    [request] = bank.requests
    assert (request.path, len(request.body["pairs"])) == ("/v2/placements/check", 64)
    assert request.headers["authorization"] == "Bearer descriptors-key"
    with pytest.raises(BankUnreachable):
        extra.check_placement(name(1), (512, 384), pairs_of(1))
    with pytest.raises(ValueError, match="frame"):
        extra.check_placement(name(1), (300, 384), pairs_of(1))


def test_of_an_answer_to_a_check_no_more_is_read_than_one_has(bank: ScriptedBank) -> None:
    bank.answers = [Answer(b'{"match":' + b" " * 2**20 + b"true}")]
    _, extra = clients(bank)
    with pytest.raises(BankMisbehaved, match="larger than 1 MB"):
        extra.check_placement(name(1), (512, 384), pairs_of(1))
