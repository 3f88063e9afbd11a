"""Attacks on the stream of events, and through it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from django.db import connection

from reclaim.bank.ledger.models import LedgerClock
from reclaim.bank.platforms.services import revoke_platform
from reclaim.bank.push import streams
from tests.personas import ActingPlatform, a_case
from tests.push import pushing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def ledger_clock(transactional_db: None) -> None:
    """The clock's one row: tests with real transactions empty the tables, that row with them."""
    LedgerClock.objects.get_or_create(pk=1)


def test_without_a_key_of_the_right_kind_there_is_no_stream() -> None:
    keys = ActingPlatform.vetted().keys

    async def attack() -> None:
        async with pushing() as push:
            for key in (None, "", "reclaim_fetch_no-such-key", keys.fetch_key[:-1], keys.subscription_key):
                answer = await push.listen(key)
                assert answer.status in (401, 403)
                assert answer.headers["content-type"] == "application/problem+json"
            assert (await push.listen(keys.feedback_key)).status == 403
            assert (await push.listen(keys.fetch_key, "POST")).status == 405
            assert (await push.listen(keys.fetch_key, path="/v2/signals")).status == 404
            assert len(push.streams) == 0

    asyncio.run(attack())


def test_a_revoked_key_is_cut_off_while_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "CHECK_SECONDS", 0.05)
    keys, others = ActingPlatform.vetted("Revoked").keys, ActingPlatform.vetted("Other").keys

    async def attack() -> None:
        async with pushing() as push:
            cut, other = await push.listen(keys.platform_key), await push.listen(others.platform_key)
            assert await asyncio.to_thread(_with_own_connection, lambda: revoke_platform("Revoked"))
            await cut.until(lambda: cut.ended)
            assert not other.ended
            assert (await push.listen(keys.platform_key)).status == 401

    asyncio.run(attack())


def test_a_stream_says_nothing_but_that_something_changed_and_says_it_at_once() -> None:
    keys = ActingPlatform.vetted().keys

    async def listen() -> None:
        async with pushing() as push:
            ears = [await push.listen(keys.platform_key) for _ in range(2)]
            # The watch's own first look may come after the stream's first word.
            await asyncio.sleep(0.15)
            before = [each.changes() for each in ears]
            await asyncio.to_thread(_with_own_connection, lambda: a_case(1, 2, 3))
            committed = time.monotonic()
            for each, told in zip(ears, before, strict=True):
                await each.until(lambda each=each, told=told: each.changes() > told)
            assert time.monotonic() - committed < 1
            for each in ears:
                words = {line for line in each.heard.splitlines() if line and not line.startswith("retry: ")}
                assert words == {"event: changed", 'data: {"changed": true}'}
                assert each.headers["content-type"].startswith("text/event-stream")
                assert each.headers["cache-control"] == "no-store"

    asyncio.run(listen())


def test_a_platform_cannot_take_every_place_nor_keep_one_it_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "WRITE_SECONDS", 0.05)
    keys, others = ActingPlatform.vetted("Greedy").keys, ActingPlatform.vetted("Other").keys

    async def attack() -> None:
        async with pushing() as push:
            held = [await push.listen(keys.platform_key) for _ in range(streams.MOST_OF_A_PLATFORM)]
            refused = await push.listen(keys.fetch_key)
            assert (refused.status, refused.headers["retry-after"]) == (429, "30")
            assert (await push.listen(others.platform_key)).status == 200
            held[0].hangs_up()
            await held[0].until(lambda: held[0].ended)
            held[1].reads.clear()
            push.streams.announce()
            await held[1].until(lambda: held[1].ended)
            assert (await push.listen(keys.platform_key)).status == 200
            monkeypatch.setattr(streams, "MOST_STREAMS", len(push.streams))
            assert (await push.listen(others.platform_key)).status == 503

    asyncio.run(attack())


def _with_own_connection(work: Callable[[], object]) -> object:
    """In a thread: do it, and give the thread's connection back."""
    try:
        return work()
    finally:
        connection.close()
