"""Matrix: Synapse's module or the matrix-content-scanner asks about a file before anybody is shown it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from reclaim.adapters.config import MOST_BYTES, MatrixConfig
from reclaim.adapters.errors import NotNow
from reclaim.adapters.log import log
from reclaim.adapters.queue import KEPT_SECONDS, Queue
from reclaim.adapters.review_site import Answer, ReviewSite
from reclaim.adapters.standing import Standing
from reclaim.adapters.web import insist_on_secret
from reclaim.matching.service.bodies import read_body
from reclaim.matching.service.problems import Problem

ANSWER_SECONDS = 100.0
_WAITING = 8
"""Files in memory at the same time, besides those at the review site."""


class MediaCheck:
    """Has files looked up, and remembers those that matched, so that a reviewer's word counts when one comes again."""

    def __init__(self, queue: Queue, site: ReviewSite, secret: str, *, refuse_unreadable: bool) -> None:
        self._queue = queue
        self._site = site
        self._secret = secret.encode()
        self._refuse_unreadable = refuse_unreadable

    def check(self, data: bytes) -> Standing:
        """How a file stands. Raises ``NotNow``."""
        # Not the plain hash: whoever reads the file of this queue shall not learn which files they were.
        key = hmac.new(self._secret, hashlib.sha256(data).digest(), hashlib.sha256).hexdigest()
        item = self._queue.get(key)
        answer: Answer | None = None
        if item is not None and item.upload is not None:
            answer = self._site.ask(item.upload)
        if answer is None:
            answer = self._site.hand_in(data)
        if answer.matched:
            self._queue.remember(key, answer.standing, answer.upload)
        self._queue.forget(time.time() - KEPT_SECONDS)
        return answer.standing

    def lets_through(self, standing: Standing) -> bool:
        """Whether people may be shown such a file."""
        if standing is Standing.UNREADABLE:
            return not self._refuse_unreadable
        return standing in (Standing.CLEAR, Standing.OTHER)


def routes(config: MatrixConfig, queue: Queue, site: ReviewSite) -> list[Route]:
    """``POST /matrix/check``. Raises ``ConfigError``."""
    section = config.matrix
    secret = config.secret(section.secret_file)
    desk = MediaCheck(queue, site, secret, refuse_unreadable=section.unreadable == "refuse")
    places = asyncio.Semaphore(config.at_once + _WAITING)
    working = asyncio.Semaphore(config.at_once)

    async def check(request: Request) -> Response:
        insist_on_secret(request, secret)
        async with places:
            data = await read_body(request, MOST_BYTES)
            async with working:
                try:
                    standing = await asyncio.to_thread(desk.check, data)
                except NotNow as error:
                    log.warning("a file could not be looked up: %s", error)
                    raise Problem(503, "The review site cannot be asked now.", retry_after=10) from None
        lets_through = desk.lets_through(standing)
        if not lets_through:
            log.info("a file was refused: it stands as %s", standing.value)
        return JSONResponse({"standing": standing.value, "let_through": lets_through})

    return [Route("/matrix/check", check, methods=["POST"])]


def ask(config: MatrixConfig, data: bytes) -> tuple[Standing, bool]:
    """Ask the adapter that runs with this configuration: how a file stands, and whether it may be shown.

    Raises ``ConfigError`` and ``NotNow``.
    """
    section, listen = config.matrix, config.listen
    if len(data) > MOST_BYTES:
        return Standing.UNREADABLE, section.unreadable == "allow"
    headers = {"Authorization": f"Bearer {config.secret(section.secret_file)}"}
    url = f"http://{listen.host}:{listen.port}/matrix/check"
    pool = PoolManager(timeout=Timeout(connect=5, read=ANSWER_SECONDS), retries=False)
    try:
        response = pool.request("POST", url, body=data, headers=headers, redirect=False)
        said = json.loads(response.data) if response.status == 200 else {}
        return Standing(said["standing"]), bool(said["let_through"])
    except (HTTPError, OSError, ValueError, KeyError):
        raise NotNow("The adapter cannot be asked now. Is «reclaim platform adapter run» running?") from None
