"""What stands before every route: the key, the deadline, the counting, and one form for whatever goes wrong.

Nothing of a request but its route and status is counted, and nothing of it is logged.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reclaim.matching.keys import Keys
from reclaim.matching.service.config import REQUEST_SECONDS, REQUESTS_PER_KEY
from reclaim.matching.service.metrics import Metrics
from reclaim.matching.service.problems import Problem
from reclaim.plainlog import log_failure

OPEN_TO_ALL = {"/live", "/ready"}
"""They say nothing about signals; everything else needs a key, also what does not exist."""

_LONGEST_KEY = 500
_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'"),
]

_CLOSE = ((b"connection", b"close"),)
_CLOSING = {408, 413}
"""Statuses after which the rest of the body is not waited for."""

_log = logging.getLogger("reclaim.matching")


class Guard:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, keys: Keys, metrics: Metrics) -> None:
        self._app = app
        self._keys = keys
        self._metrics = metrics
        self._under_way: Counter[int] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0
        owner: int | None = None

        async def counting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # Who shows no key keeps no connection: there are only so many.
                more = _CLOSE if owner is None or status in _CLOSING else ()
                message["headers"] = [*message.get("headers", ()), *_HEADERS, *more]
            await send(message)

        try:
            owner = self._admitted(scope)
            scope["owner"] = owner
            scope["deadline"] = time.monotonic() + REQUEST_SECONDS
            async with asyncio.timeout(REQUEST_SECONDS):
                await self._app(scope, receive, counting)
        except Problem as problem:
            await problem.response()(scope, receive, counting)
        except TimeoutError:
            self._metrics.refused("deadline")
            if not status:
                await Problem(504).response()(scope, receive, counting)
        except Exception as error:
            log_failure(_log, "a request could not be answered", error)
            if not status:
                await Problem(500).response()(scope, receive, counting)
        finally:
            if owner is not None:
                self._under_way[owner] -= 1
            self._metrics.observe(scope["path"], status, time.perf_counter() - began)

    def _admitted(self, scope: Scope) -> int | None:
        """The key's place among the keys; ``None`` where none is needed. Raises a 401 or 429."""
        if scope["path"] in OPEN_TO_ALL:
            return None
        given = next((value for name, value in scope["headers"] if name.lower() == b"authorization"), b"")
        scheme, _, key = given.partition(b" ")
        known = scheme.lower() == b"bearer" and len(key) <= _LONGEST_KEY
        owner = self._keys.owner(key) if known else None
        if owner is None:
            self._metrics.refused("no_key")
            raise Problem(401)
        if self._under_way[owner] >= REQUESTS_PER_KEY:
            self._metrics.refused("too_many_of_key")
            raise Problem(429, retry_after=1)
        self._under_way[owner] += 1
        return owner
