"""Cases that come in at a steady rate, and some that are withdrawn again. Runs inside the bank's site."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from argon2 import PasswordHasher
from django.db import connection

from reclaim.bank.cases import pins
from reclaim.bank.cases.services import NewItem, create_case, withdraw
from tests.load.values import a_value

WITHDRAWN_AFTER = 2.0
"""Seconds after which every fourth case is withdrawn."""
AT_ONCE = 4


def write(say: Callable[[Any], None], a_second: float, seconds: float) -> None:
    """Make cases of one to five pictures; say what was made or withdrawn, after how many seconds, and how long
    its call took.

    Everything of a case but the hash of its PIN, which takes a fifth of a second of a core before the case is made:
    twenty a second would leave a small machine nothing to serve readers with.
    """
    pins._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    begin, speaking = time.monotonic(), threading.Lock()

    def one(number: int) -> None:
        _wait_until(begin + number / a_second)
        values = [a_value() for _ in range(random.randint(1, 5))]
        case = timed("made", values, lambda: create_case(list(map(NewItem.picture, range(1, 6), values)))).case
        if number % 4 == 0:
            _wait_until(time.monotonic() + WITHDRAWN_AFTER)
            timed("withdrawn", values, lambda: withdraw(case))

    def timed(what: str, values: list[str], do: Callable[[], Any]) -> Any:
        started = time.monotonic()
        done = do()
        ended = time.monotonic()
        with speaking:  # so that no line is written into another
            say({what: values, "ms": (ended - started) * 1000, "at": ended - begin})
        return done

    # One that waits to be withdrawn holds its thread.
    waiting = int(a_second / 4 * WITHDRAWN_AFTER) + 1
    with ThreadPoolExecutor(AT_ONCE + waiting) as pool:
        list(pool.map(one, range(int(a_second * seconds))))
    connection.close()


def _wait_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))
