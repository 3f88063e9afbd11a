"""Fetching pages and files from a server that may mean harm: bounded in size and time, and never led elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

TIMEOUT = Timeout(connect=10, read=20)
MOST_SECONDS = 60.0
"""A single answer may take so long, however steadily it trickles."""
_PIECE = 64 * 1024
# As browsers ask, so that what they get is what is looked at.
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "gzip", "Accept-Language": "en"}


class NoAnswerError(Exception):
    """The server did not answer, or not to its end; the message says so in a sentence."""


@dataclass(frozen=True)
class Answer:
    """What came: ``body`` is cut off after the limit that was asked for, and then ``whole`` is false."""

    status: int
    content_type: str
    policy: str
    body: bytes
    whole: bool


class Visitor:
    """Asks one origin, such as ``https://bank.example``. Safe to share between threads."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._pool = PoolManager(cert_reqs="CERT_REQUIRED", timeout=TIMEOUT, maxsize=8)

    def get(self, path: str, limit: int) -> Answer:
        """What is at ``path``, up to ``limit`` bytes, decompressed. Raises ``NoAnswerError``."""
        until = time.monotonic() + MOST_SECONDS
        try:
            response = self._pool.request(
                "GET",
                self._origin + path,
                headers=_HEADERS,
                redirect=False,
                retries=Retry(total=1, redirect=0),
                preload_content=False,
            )
            try:
                body = b""
                while len(body) <= limit and (piece := response.read(min(_PIECE, limit + 1 - len(body)))):
                    body += piece
                    if time.monotonic() > until:
                        raise NoAnswerError(f"{path} did not come within {MOST_SECONDS:.0f} seconds.")
                if len(body) <= limit:
                    response.release_conn()
            finally:
                response.close()
        except HTTPError as error:
            raise NoAnswerError(f"{path} did not come: {type(error).__name__}.") from error
        return Answer(
            response.status,
            response.headers.get("Content-Type", ""),
            response.headers.get("Content-Security-Policy", ""),
            body[:limit],
            len(body) <= limit,
        )


def checked_origin(address: str) -> str:
    """The origin of an address such as ``https://bank.example/``. Raises ``ValueError``."""
    parts = urlsplit(address if "://" in address else f"https://{address}")
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("A bank's address looks like https://bank.example.")
    return f"{parts.scheme}://{parts.netloc}"
