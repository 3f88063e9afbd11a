"""The application that each worker runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from reclaim.matching.service.config import Config
from reclaim.matching.service.guard import Guard
from reclaim.matching.service.parts import Parts
from reclaim.matching.service.problems import Problem
from reclaim.matching.service.routes import Routes


async def _as_problem(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    response = Problem(status).response()
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


async def _problem(request: Request, error: Exception) -> Response:
    return error.response() if isinstance(error, Problem) else Problem(500).response()


def create_app(config: Config) -> ASGIApp:
    """The application of one worker. Raises ``KeyFileError``, ``OSError``."""
    parts = Parts(config)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await parts.start()
        yield
        await parts.stop()

    app = Starlette(
        routes=Routes(parts).table(),
        lifespan=lifespan,
        exception_handlers={HTTPException: _as_problem, Problem: _problem, Exception: _problem},
    )
    app.router.redirect_slashes = False
    return Guard(app, parts.keys, parts.metrics)
