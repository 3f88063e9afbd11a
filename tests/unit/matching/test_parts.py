"""What the routes of one worker share."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reclaim.matching.keys import Keys, make_key
from reclaim.matching.service import parts as parts_module
from reclaim.matching.service.config import Config
from reclaim.matching.service.desk import Desk
from reclaim.matching.service.parts import Parts
from reclaim.matching.service.problems import Problem
from reclaim.matching.service.sockets import let_go_of_slow_readers


def test_recurring_work_that_fails_is_told_and_goes_on_and_leaves_no_key_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key = make_key(tmp_path / "keys.json", "a").encode()
    parts = Parts(Config(folder=tmp_path, keys=tmp_path / "keys.json", shared=tmp_path))
    load, failed, well = Keys._load, asyncio.Event(), asyncio.Event()

    def at_first_fails(keys: Keys) -> None:
        if not failed.is_set():
            failed.set()
            raise RecursionError
        load(keys)
        well.set()

    monkeypatch.setattr(parts_module, "_TICK_SECONDS", 0.001)
    monkeypatch.setattr(Keys, "_load", at_first_fails)

    async def live() -> None:
        ticking = asyncio.create_task(parts._tick())
        assert parts.keys.owner(key) == 0
        await failed.wait()
        assert parts.keys.owner(key) is None
        await well.wait()
        assert parts.keys.owner(key) == 0
        ticking.cancel()

    # In a thread of its own: the browser tests leave this one with a loop that runs.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(asyncio.wait_for(live(), 30))).result()
    parts.metrics.close()
    assert "recurring work failed: RecursionError at " in caplog.text


@pytest.mark.parametrize(("owners", "most"), [(1, 8), (2, 4)])
def test_beside_others_a_key_has_half_of_the_places(owners: int, most: int) -> None:
    desk = Desk("test", threads=1, places=8, full="Full.", owners=lambda: owners)
    taken = [desk.place(0) for _ in range(most)]
    with pytest.raises(Problem) as refused:
        desk.place(0)
    assert refused.value.status == (503 if owners == 1 else 429)
    if owners == 2:
        desk.place(1)
    with taken.pop():
        pass
    desk.place(0)
    desk.close()


def test_where_there_is_one_place_any_key_may_take_it() -> None:
    desk = Desk("test", threads=1, places=1, full="Full.", owners=lambda: 5)
    with desk.place(3):
        pass
    desk.place(4)
    desk.close()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has the limit")
def test_connections_inherit_the_limit_for_slow_readers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert let_go_of_slow_readers() >= 1
        with socket.create_connection(server.getsockname()), server.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
