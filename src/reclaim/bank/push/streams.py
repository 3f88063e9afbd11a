"""The streams of events: who is let in, for how long, and what each is told.

A platform that listens is told that something changed, in the words ``event: changed``. It then asks the exchange, as
it always does; nothing about any signal is here. Each stream keeps one flag, so a platform that reads slowly costs
nothing, and is told once of however many changes came meanwhile.
"""

from __future__ import annotations

import asyncio
import io
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError, connection
from django.http import HttpResponse
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from reclaim.bank.platforms.queries import access_platform
from reclaim.sitekit.access import Access, refused
from reclaim.sitekit.events import log_event
from reclaim.sitekit.problems import problem

MOST_OF_A_PLATFORM = 4
MOST_STREAMS = 1000
MOST_ASKING = 64
"""Requests whose keys are looked up, or wait for it, at a time."""
HEARTBEAT_SECONDS = 15.0
RETRY_SECONDS = 2
"""Who lost a stream is asked to come back after so long, and a random part of it more."""
CHECK_SECONDS = 2.0
"""So often each stream's key is looked up again: one that was revoked is cut off by then."""
UNCHECKED_SECONDS = 20.0
"""Streams whose keys could not be looked up for so long end."""
LIFE_SECONDS = 3600.0
"""A stream ends after about so long; its platform comes back. So one that nobody reads does not stay for ever."""
WRITE_SECONDS = 20.0
"""Whoever does not take what is sent to him for so long is let go."""

CHANGED = b'event: changed\ndata: {"changed": true}\n\n'
_HEARTBEAT = b": still here\n\n"


class _Refused(Exception):
    """A request that is refused, with the answer."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__()
        self.answer = answer


class _Stream:
    """One platform that listens, once."""

    def __init__(self, request: ASGIRequest, platform: int, now: float) -> None:
        self.request = request
        self.platform = platform
        self.ends_at = now + LIFE_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311 so that not all come back at once
        self.ended = False
        self.wake = asyncio.Event()

    def end(self) -> None:
        """Let it go, soon."""
        self.ended = True
        self.wake.set()


class _Answer(StreamingResponse):
    """A stream as an answer: whoever reads too slowly is let go, and its place is given back however it ends."""

    def __init__(self, body: AsyncIterator[bytes], at_end: Callable[[], None]) -> None:
        super().__init__(body, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._at_end = at_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def in_time(message: Message) -> None:
            async with asyncio.timeout(WRITE_SECONDS):
                await send(message)

        try:
            await super().__call__(scope, receive, in_time)
        except TimeoutError:
            pass
        finally:
            self._at_end()


def as_answer(refusal: HttpResponse) -> Response:
    """A refusal of the site's, for this server."""
    headers = {name: value for name, value in refusal.items() if name.lower() != "content-length"}
    return Response(refusal.content, refusal.status_code, headers)


class Streams:
    """All streams of this process. Used from its event loop."""

    def __init__(self) -> None:
        self._streams: set[_Stream] = set()
        self._of_platform: Counter[int] = Counter()
        self._asking = 0
        self._closing = False
        # One thread: keys are looked up one after the other, over one connection.
        self._lookups = ThreadPoolExecutor(1, "key-lookup")

    def __len__(self) -> int:
        return len(self._streams)

    async def events(self, request: Request) -> Response:
        """The stream of whoever shows a fetch key."""
        try:
            stream = await self._admit(request)
        except _Refused as error:
            return as_answer(error.answer)
        return _Answer(self._body(stream), lambda: self._leave(stream))

    def announce(self) -> None:
        """The ledger has changed: tell everyone."""
        for stream in self._streams:
            stream.wake.set()

    def close(self) -> None:
        """Let everyone go, and nobody in."""
        self._closing = True
        for stream in self._streams:
            stream.end()

    async def stop(self) -> None:
        """Give back the thread and its connection; for when nobody listens any more."""
        await asyncio.get_running_loop().run_in_executor(self._lookups, lambda: connection.close())
        self._lookups.shutdown()

    async def check_keys(self) -> None:
        """Look up every stream's key again, time and again, and let go of those whose key no longer opens it."""
        loop = asyncio.get_running_loop()
        checked_at = loop.time()
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            streams = list(self._streams)
            try:
                outcomes = await loop.run_in_executor(self._lookups, _still_open, [each.request for each in streams])
                checked_at = loop.time()
            except DatabaseError:
                # Nobody can say that they are still good, so in the end they are not.
                outcomes = [loop.time() - checked_at < UNCHECKED_SECONDS] * len(streams)
            for stream, still_open in zip(streams, outcomes, strict=True):
                if not still_open and not stream.ended:
                    log_event("a stream of events was cut off: its key no longer opens it")
                    stream.end()

    async def _admit(self, request: Request) -> _Stream:
        """A stream of the platform whose key is shown. Raises ``_Refused``."""
        if self._closing or self._asking >= MOST_ASKING or len(self._streams) >= MOST_STREAMS:
            raise _Refused(_busy("As many platforms listen as can, or the bank is about to restart."))
        shown = ASGIRequest(dict(request.scope), io.BytesIO())
        loop = asyncio.get_running_loop()
        self._asking += 1
        try:
            refusal = await loop.run_in_executor(self._lookups, _looked_up, shown)
        except DatabaseError:
            raise _Refused(_busy("The bank cannot look up keys now.")) from None
        finally:
            self._asking -= 1
        if refusal is not None:
            raise _Refused(refusal)
        platform = access_platform(shown).pk
        if self._closing or len(self._streams) >= MOST_STREAMS:
            raise _Refused(_busy("As many platforms listen as can, or the bank is about to restart."))
        if self._of_platform[platform] >= MOST_OF_A_PLATFORM:
            detail = f"A platform has at most {MOST_OF_A_PLATFORM} streams at a time. End one, or wait a minute."
            raise _Refused(_later(429, "Too many streams", detail))
        stream = _Stream(shown, platform, loop.time())
        self._streams.add(stream)
        self._of_platform[platform] += 1
        return stream

    def _leave(self, stream: _Stream) -> None:
        if stream in self._streams:
            self._streams.remove(stream)
            self._of_platform[stream.platform] -= 1
            self._of_platform += Counter()  # forgets whom it counts no more

    async def _body(self, stream: _Stream) -> AsyncIterator[bytes]:
        """What a platform reads. The first word comes at once: what changed while it was away, it asks for now."""
        loop = asyncio.get_running_loop()
        retry = round(1000 * RETRY_SECONDS * random.uniform(1, 2))  # noqa: S311 so that not all come back at once
        yield b"retry: %d\n\n" % retry + CHANGED
        while not stream.ended and loop.time() < stream.ends_at:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await stream.wake.wait()
            except TimeoutError:
                yield _HEARTBEAT
                continue
            stream.wake.clear()
            if not stream.ended:
                yield CHANGED


def _looked_up(request: ASGIRequest) -> HttpResponse | None:
    """In a thread: the refusal of this key, or ``None``. Raises ``DatabaseError``."""
    try:
        return refused(Access.FETCH_KEY, request)
    except DatabaseError:
        connection.close()
        raise


def _still_open(requests: list[ASGIRequest]) -> list[bool]:
    """In a thread: of each request, whether its key still opens the stream. Raises ``DatabaseError``."""
    return [_looked_up(request) is None for request in requests]


def _later(status: int, title: str, detail: str) -> HttpResponse:
    answer = problem(status, title, detail)
    answer["Retry-After"] = "30"
    return answer


def _busy(detail: str) -> HttpResponse:
    return _later(503, "Not now", f"{detail} Come back in half a minute; ask the exchange itself meanwhile.")
