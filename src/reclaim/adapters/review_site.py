"""The review site, as docs/platform.md describes its HTTP API: hand a file in, and ask later how it stands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from reclaim.adapters.config import MOST_BYTES
from reclaim.adapters.errors import NotNow, SiteNotNow
from reclaim.adapters.standing import Standing
from reclaim.signals.containers import is_picture
from reclaim.signals.video import HEAD, is_video

_TIMEOUT = Timeout(connect=10, read=120)
"""A video may take a minute to decode there."""
_LARGEST_ANSWER = 4 * 2**20
_THEIR_WORDS = {each.value for each in (Standing.CLEAR, Standing.HELD, Standing.BLOCKED)}


@dataclass(frozen=True)
class Answer:
    """How a file stands."""

    standing: Standing
    upload: str | None = None
    """The review site's number of it; None where it was not taken."""
    matched: bool = False
    """Whether anything matched, now or before, or may: then what was decided may still change."""
    under_review: bool = False
    """A reviewer has yet to look, also where it is public meanwhile."""


def is_media(data: bytes) -> bool:
    """Whether this begins as a picture or video does that Reclaim reads."""
    return is_picture(data) or is_video(data[:HEAD])


class ReviewSite:
    """One review site. Every call raises ``NotNow`` and nothing else."""

    def __init__(self, address: str, key: str) -> None:
        self._uploads = f"{address}/api/uploads"
        self._matches = f"{address}/api/matches"
        self._headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
        self._pool = PoolManager(maxsize=16, timeout=_TIMEOUT, retries=False)

    def hand_in(self, data: bytes) -> Answer:
        """Have a file looked up."""
        if not data or not is_media(data):
            return Answer(Standing.OTHER)
        if len(data) > MOST_BYTES:
            return Answer(Standing.UNREADABLE)
        status, content = self._call("POST", self._uploads, data)
        if status in (413, 422):
            return Answer(Standing.UNREADABLE)
        if status != 201:
            raise _refused(status)
        return _answer(content)

    def ask(self, upload: str) -> Answer | None:
        """How an upload stands by now; ``None`` if the site does not know it any more."""
        status, content = self._call("GET", f"{self._uploads}/{upload}")
        if status == 404:
            return None
        if status != 200:
            raise _refused(status)
        return _answer(content)

    def check(self) -> None:
        """Raise ``NotNow`` unless the site answers and knows the key."""
        status, _ = self._call("GET", self._matches)
        if status != 200:
            raise _refused(status)

    def _call(self, method: str, url: str, body: bytes | None = None) -> tuple[int, bytes]:
        away = False
        try:
            response = self._pool.request(
                method, url, body=body, headers=self._headers, redirect=False, preload_content=False
            )
            try:
                content = response.read(_LARGEST_ANSWER + 1, decode_content=False)
            finally:
                response.release_conn()
        except (NewConnectionError, ConnectTimeoutError):
            away = True
        except (HTTPError, OSError):
            pass
        else:
            if len(content) <= _LARGEST_ANSWER:
                return response.status, content
        # Raised out here: the library's own errors quote addresses.
        if away:
            raise SiteNotNow("the review site cannot be reached")
        raise NotNow("the review site did not answer")


def _answer(content: bytes) -> Answer:
    try:
        said: Any = json.loads(content)
        status, upload, matches, waits = said["status"], said["upload"], said["matches"], said["under_review"]
    except (ValueError, KeyError, TypeError):
        raise NotNow("the review site's answer cannot be read") from None
    if status not in _THEIR_WORDS or not isinstance(upload, str):
        raise NotNow("the review site's answer cannot be read")
    return Answer(Standing(status), upload, bool(matches) or waits is True, waits is True)


def _refused(status: int) -> NotNow:
    if status == 401:
        return SiteNotNow("the review site does not know the upload key")
    return NotNow(f"the review site cannot answer now (HTTP {status})")
