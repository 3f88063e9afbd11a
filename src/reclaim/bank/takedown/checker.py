"""One look at one address: is what was reported still there?

It goes by the status, the media type, and what a page's title and headings say; it never reads a picture or a video. A
site that shows this bank something else than everybody else cannot be told by that, so people look, too.
"""

from __future__ import annotations

import datetime
import email.utils
import html
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from reclaim.bank.takedown.charsets import decode
from reclaim.bank.takedown.models import Page
from reclaim.bank.takedown.reach import Answer, ForbiddenError, NoAnswerError, Reach

PAGES = frozenset({"text/html", "application/xhtml+xml"})
LONGEST_WAIT = 24 * 3600
"""Seconds: whoever asks to be left alone for longer is asked again after that."""
_MEDIA = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|heic|bmp|mp4|m4v|webm|mov|avi|mkv|mp3|zip|rar)$", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"/(?:[\w-]*[-_])?(?:removed|deleted|not-?found|404|unavailable)(?:[-_][\w-]*)?\.\w{3,4}$")
_DOOR = re.compile(r"/(?:log-?in|sign-?in|signup|accounts?/login|auth|register|age-?(?:gate|check|verification))\b")
_TAG = re.compile(r"<[^<>]{0,500}>")
_LONGEST_TEXT = 300
_MOST_HEADINGS = 4


@dataclass(frozen=True)
class Look:
    """What one look found."""

    outcome: Page.Outcome
    status: int | None = None
    """HTTP's, if there was an answer."""
    wait: int = 0
    """Seconds for which the site asked to be left alone."""
    address: str = ""
    """That answered."""


def look(url: str, reach: Reach) -> Look:
    """Look at an address. Takes at most ``reach.SECONDS``, and the time that resolving names takes."""
    try:
        return _judge(_answer(url, reach), url)
    except ForbiddenError:
        return Look(Page.Outcome.FORBIDDEN)
    except NoAnswerError:
        return Look(Page.Outcome.FAILED)


def _answer(url: str, reach: Reach) -> Answer:
    if _MEDIA.search(urlsplit(url).path):
        # A picture by its name: its headers alone are asked for, so that not even its first bytes come.
        answer = reach.ask(url, method="HEAD", headers={"Accept": "*/*"})
        if answer.status < 400 or answer.status == 429:
            return answer
        # Some sites say «not found» to whoever asks for headers alone.
        return reach.ask(url, headers={"Accept": "*/*", "Range": "bytes=0-0"}, reads=PAGES.__contains__)
    return reach.ask(
        url, headers={"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1"}, reads=PAGES.__contains__
    )


def _judge(answer: Answer, asked: str) -> Look:
    wait = _wait(answer.headers.get("retry-after", ""))
    return Look(_outcome(answer, asked), answer.status, wait, answer.address)


def _outcome(answer: Answer, asked: str) -> Page.Outcome:
    if answer.status in (404, 410, 451):
        return Page.Outcome.GONE
    if answer.status in (401, 402, 407):
        return Page.Outcome.WALLED
    if answer.status in (403, 429):
        return Page.Outcome.REFUSED
    # 416: there is something, and less of it than was asked for.
    if not 200 <= answer.status < 300 and answer.status != 416:
        return Page.Outcome.FAILED
    path = urlsplit(answer.url).path
    moved = path != urlsplit(asked).path
    if moved and _PLACEHOLDER.search(path):
        return Page.Outcome.GONE
    if moved and (_DOOR.search(path) or path.count("/") < 2 <= urlsplit(asked).path.count("/")):
        # To a sign-in, or to the front page: what was there may be gone, or not for us.
        return Page.Outcome.WALLED
    if answer.media_type not in PAGES:
        return Page.Outcome.UP
    said = list(_said(answer))
    gone, walled = _marks()
    if any(gone.search(text) for text in said):
        return Page.Outcome.GONE
    return Page.Outcome.WALLED if any(walled.search(text) for text in said) else Page.Outcome.UP


@cache
def _marks() -> tuple[re.Pattern[str], re.Pattern[str]]:
    with (Path(__file__).parent / "data" / "marks.toml").open("rb") as file:
        marks = tomllib.load(file)
    gone, walled = ("|".join(map(re.escape, marks[name])) for name in ("gone", "walled"))
    return re.compile(rf"(?<!\w)(?:{gone})(?!\w)"), re.compile(rf"(?<!\w)(?:{walled})(?!\w)")


def _said(answer: Answer) -> Iterator[str]:
    """The title and the first headings, in lower case. By searches that go through the body once: it is anybody's."""
    charset = re.search(r"charset=[\"']?([\w-]{1,20})", answer.headers.get("content-type", "").lower())
    text = decode(answer.body, charset[1] if charset else "utf-8")
    small = text.lower() if len(text.lower()) == len(text) else text
    for tag, most in (("title", 1), ("h1", _MOST_HEADINGS), ("h2", _MOST_HEADINGS)):
        at = 0
        for _ in range(most):
            at = small.find(f"<{tag}", at)
            begins = small.find(">", at) + 1
            if at < 0 or not begins:
                break
            ends = small.find(f"</{tag}", begins)
            piece = text[begins : ends if 0 <= ends - begins < _LONGEST_TEXT * 4 else begins + _LONGEST_TEXT]
            yield " ".join(html.unescape(_TAG.sub(" ", piece)).lower().replace("’", "'").split())
            at = begins


def _wait(said: str) -> int:
    """Seconds of a ``Retry-After``: a number, or a date."""
    if re.fullmatch(r"\d{1,9}", said):
        return min(int(said), LONGEST_WAIT)
    try:
        at = email.utils.parsedate_to_datetime(said)
    except ValueError:
        return 0
    if at.tzinfo is None:
        return 0
    seconds = (at - datetime.datetime.now(datetime.UTC)).total_seconds()
    return max(0, min(int(seconds), LONGEST_WAIT))
