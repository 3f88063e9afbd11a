"""Serve the streams with granian, in this process."""

from __future__ import annotations

import asyncio
import os
import signal

from django.conf import settings
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from reclaim.bank.push.app import create_app
from reclaim.bank.push.streams import MOST_STREAMS, Streams
from reclaim.sitekit.events import log_event

HEADER_SECONDS = 10
DRAIN_SECONDS = 3.0
"""After SIGTERM the streams have so long to end."""
_LOOK_SECONDS = 0.1


def serve(host: str, port: int) -> None:
    """Serve until SIGTERM, SIGINT or the parent's end; then every stream ends in order."""
    asyncio.run(_serve(host, port))


async def _serve(host: str, port: int) -> None:
    streams = Streams()
    server = Server(
        create_app(streams),
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        # A few more than there are streams: whoever is refused wants an answer.
        backpressure=MOST_STREAMS + 64,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=16 * 1024),
        log_level=LogLevels.error,
        log_dictconfig=settings.LOGGING,
        log_access=False,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    parent = os.getppid()
    serving = asyncio.create_task(server.serve())
    log_event("the bank tells of changes", port=port)
    while not (stop.is_set() or serving.done() or os.getppid() != parent):
        await asyncio.sleep(_LOOK_SECONDS)
    streams.close()
    ends_at = loop.time() + DRAIN_SECONDS
    while len(streams) and loop.time() < ends_at and not serving.done():
        await asyncio.sleep(_LOOK_SECONDS)
    if not serving.done():
        server.stop()  # type: ignore[no-untyped-call]
    await serving
    log_event("the bank has stopped telling of changes")
