"""The HTTP side of an adapter: a small application behind one guard, served by granian."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import multiprocessing
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reclaim.adapters.log import LOGGING, log
from reclaim.matching.service.problems import Problem
from reclaim.plainlog import log_failure

_HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
_DETAILS = {404: "Check the address against the adapter's page in docs/platforms/.", 405: "Send it with POST."}
_UNKNOWN_CALLER = "Check the secret on both sides: the adapter's file and the setting of the software that calls."


def unknown_caller() -> Problem:
    """The refusal of whoever shows no good secret."""
    log.warning("a call without a good secret was refused")
    return Problem(401, _UNKNOWN_CALLER)


def insist_on_secret(request: Request, secret: str) -> None:
    """Raise a 401 unless the caller shows the secret, as ``Bearer`` or as the password of ``Basic``."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode("latin-1").partition(":")[2]
        except (binascii.Error, ValueError):
            given = ""
    elif scheme.lower() != "bearer":
        given = ""
    if not hmac.compare_digest(given.encode("latin-1", "replace"), secret.encode()):
        raise unknown_caller()


class _Guard:
    """An ASGI application around another: a deadline, and one form for whatever goes wrong."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def adding(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                closing = [(b"connection", b"close")] if message["status"] >= 400 else []
                message["headers"] = [*message.get("headers", ()), *_HEADERS, *closing]
            await send(message)

        try:
            async with asyncio.timeout(self._seconds):
                await self._app(scope, receive, adding)
        except TimeoutError:
            if not started:
                await Problem(503, "This took too long. Send it again later.").response()(scope, receive, adding)
        except Exception as error:
            log_failure(log, "a call could not be answered", error)
            if not started:
                await Problem(500, "Nothing was done. Send it again later.").response()(scope, receive, adding)


async def _as_problem(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return Problem(status, _DETAILS.get(status, "This was not taken.")).response()


async def _problem(request: Request, error: Exception) -> Response:
    return error.response() if isinstance(error, Problem) else Problem(500).response()


async def _live(request: Request) -> Response:
    return Response("live\n", media_type="text/plain")


def make_app(
    routes: Sequence[BaseRoute], start: Callable[[], None], stop: Callable[[], None], seconds: float
) -> ASGIApp:
    """The application: the adapter's routes and ``GET /live``; each call is answered within ``seconds``."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        start()
        yield
        await asyncio.to_thread(stop)

    app = Starlette(
        routes=[*routes, Route("/live", _live)],
        lifespan=lifespan,
        exception_handlers={HTTPException: _as_problem, Problem: _problem},
    )
    app.router.redirect_slashes = False
    return _Guard(app, seconds)


def serve(create: Callable[[Path, bool], ASGIApp], path: Path, dry_run: bool, host: str, port: int) -> None:
    """Serve what ``create(path, dry_run)`` makes until SIGTERM or SIGINT. ``create`` is a function of a module."""
    multiprocessing.set_start_method("spawn", force=True)
    server = Granian(
        "reclaim.adapters.web:make_app",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=1,
        http=HTTPModes.http1,
        websockets=False,
        backlog=256,
        backpressure=64,
        http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=64 * 1024),
        log_level=LogLevels.warning,
        log_dictconfig=LOGGING,
        log_access=False,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=25,
    )
    server.on_startup(lambda: log.info("the adapter is starting port=%d", port))
    server.on_shutdown(lambda: log.info("the adapter has stopped"))
    server.serve(target_loader=partial(create, path, dry_run), wrap_loader=False)
