"""The application of the process that pushes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reclaim.bank.push.address import PATH
from reclaim.bank.push.streams import Streams, as_answer
from reclaim.bank.push.watch import Watch
from reclaim.matching.service.sockets import let_go_of_slow_readers
from reclaim.sitekit.events import log_failure
from reclaim.sitekit.headers import headers_of_every_answer
from reclaim.sitekit.problems import problem

_TICK_SECONDS = 0.25


class _Headers:
    """Puts the site's headers on every answer, and answers what goes wrong without a word of what came."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        every = {**headers_of_every_answer(), "Cache-Control": "no-store"}
        self._headers = [(name.lower().encode(), value.encode()) for name, value in every.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                own = {name for name, _ in self._headers}
                kept = [each for each in message.get("headers", ()) if each[0].lower() not in own]
                message["headers"] = [*kept, *self._headers]
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        except Exception as error:
            log_failure("a request for events could not be answered", error)
            if not begun:
                answer = as_answer(problem(500, "Something went wrong here", "Try again in a minute."))
                await answer(scope, receive, with_headers)


async def _nothing_here(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    titles = {404: "There is nothing at this address", 405: "Not by this method"}
    return as_answer(problem(status, titles.get(status, "Not so"), f"Here is nothing but GET {PATH}."))


def create_app(streams: Streams) -> ASGIApp:
    """The application around these streams."""

    async def limit() -> None:
        # There is no socket yet when the application starts.
        while not let_go_of_slow_readers() and hasattr(socket, "TCP_USER_TIMEOUT"):
            await asyncio.sleep(_TICK_SECONDS)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()

        def changed() -> None:
            loop.call_soon_threadsafe(streams.announce)

        watch = Watch(changed)
        watch.start()
        tasks = [asyncio.create_task(limit()), asyncio.create_task(streams.check_keys())]
        yield
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await asyncio.to_thread(watch.stop)
        await streams.stop()

    app = Starlette(
        routes=[Route(PATH, streams.events, methods=["GET"])],
        lifespan=lifespan,
        exception_handlers={HTTPException: _nothing_here},
    )
    app.router.redirect_slashes = False
    return _Headers(app)
