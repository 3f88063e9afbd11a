"""The process that pushes, in this one: its application without a server, and platforms that listen to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from reclaim.bank.push.app import create_app
from reclaim.bank.push.streams import Streams


@dataclass
class Listener:
    """One request, as the server hands it to the application."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    heard: str = ""
    ended: bool = False
    reads: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared, whoever listens takes nothing of what is sent."""
    _gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: dict[str, Any]) -> None:
        """What the application sends."""
        await self.reads.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        else:
            self.heard += message.get("body", b"").decode()

    async def receive(self) -> dict[str, Any]:
        """What the application is told: nothing, until the listener hangs up."""
        await self._gone.wait()
        return {"type": "http.disconnect"}

    def hangs_up(self) -> None:
        """The connection ends."""
        self._gone.set()

    def changes(self) -> int:
        """How often it was told that something changed."""
        return self.heard.count("event: changed\n")

    async def until(self, true: Any, seconds: float = 10.0) -> None:
        """Wait until it is so."""
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.005)


class Push:
    """The application, started."""

    def __init__(self) -> None:
        self.streams = Streams()
        self.app = create_app(self.streams)
        self._tasks: list[asyncio.Task[None]] = []

    async def listen(self, key: str | None, method: str = "GET", path: str = "/v2/events") -> Listener:
        """A request with this key, up to the first word of its answer."""
        listener = Listener()
        listener.reads.set()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"testserver"), *([(b"authorization", f"Bearer {key}".encode())] if key else [])],
            "client": ("127.0.0.1", 40000),
            "server": ("testserver", 80),
        }

        async def serve() -> None:
            await self.app(scope, listener.receive, listener.send)  # type: ignore[arg-type]
            listener.ended = True

        self._tasks.append(asyncio.create_task(serve()))
        await listener.until(lambda: listener.ended or listener.changes())
        return listener

    async def end(self) -> None:
        """Every stream ends, as at a restart."""
        self.streams.close()
        await asyncio.gather(*self._tasks)


@contextlib.asynccontextmanager
async def pushing() -> AsyncIterator[Push]:
    """The application from its start to its end."""
    push = Push()
    to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    said: asyncio.Queue[Any] = asyncio.Queue()
    life = asyncio.create_task(push.app({"type": "lifespan", "asgi": {"version": "3.0"}}, to_app.get, said.put))  # type: ignore[arg-type]
    await to_app.put({"type": "lifespan.startup"})
    assert (await said.get())["type"] == "lifespan.startup.complete"
    try:
        yield push
    finally:
        await push.end()
        await to_app.put({"type": "lifespan.shutdown"})
        await life
