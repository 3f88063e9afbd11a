"""Mastodon: its webhooks say what was posted, its administration API takes the measures.

Mastodon has no API that removes or covers one post of somebody else, so measures are taken against the account, and
a report leads a moderator to the post. docs/platforms/mastodon.md says so.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from reclaim.adapters.config import MastodonConfig, MastodonSection
from reclaim.adapters.errors import NotNow
from reclaim.adapters.fetching import Fetcher
from reclaim.adapters.log import log
from reclaim.adapters.queue import Item, Queue
from reclaim.adapters.standing import Standing
from reclaim.adapters.web import unknown_caller
from reclaim.matching.service.bodies import read_body
from reclaim.matching.service.problems import Problem

LARGEST_EVENT = 2**20
_LARGEST_ANSWER = 8 * 2**20
_LOOKED_AT = {"image", "gifv", "video"}
_LONGEST_ID = 40
_MOST_MEDIA = 100
_NO_PICTURE = "/missing.png"

# Measure: (the field of the account that shows it, how it is ended). All but «suspend» leave reports to moderators.
_OF_ACCOUNTS = {
    "sensitive": ("sensitized", "unsensitive"),
    "silence": ("silenced", "unsilence"),
    "suspend": ("suspended", "unsuspend"),
}
_REPORT = "report"


@dataclass(frozen=True)
class Found:
    """One file that an event names."""

    key: str
    account: str
    about: dict[str, Any]


def is_signed(secret: str, body: bytes, header: str) -> bool:
    """Whether ``X-Hub-Signature`` is that of this body."""
    wanted = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted.encode(), header.encode("latin-1", "replace"))


def files_of_event(content: Any, *, profile_pictures: bool) -> Iterator[Found]:
    """The files in the body of a webhook. Raises ``ValueError`` for what is no such body."""
    try:
        event, about = content["event"], content["object"]
        if event in ("status.created", "status.updated"):
            yield from _files_of_post(about)
        elif event in ("account.created", "account.approved", "account.updated") and profile_pictures:
            yield from _files_of_account(about["account"])
    except (KeyError, TypeError, AttributeError):
        raise ValueError("This is no event of a Mastodon webhook.") from None


def _files_of_post(post: Any) -> Iterator[Found]:
    number, account = _number(post["id"]), _number(post["account"]["id"])
    media = post["media_attachments"]
    if not isinstance(media, list) or len(media) > _MOST_MEDIA:
        raise ValueError("This is no event of a Mastodon webhook.")
    for each in media:
        if each["type"] in _LOOKED_AT:
            # Null while Mastodon is still working on it, which a post does not show; then there is nothing to see.
            url = each["url"] or each.get("preview_url")
            if url:
                yield Found(f"media:{_number(each['id'])}", account, {"url": _text(url), "post": number})


def _files_of_account(account: Any) -> Iterator[Found]:
    number = _number(account["id"])
    for name in ("avatar", "header"):
        url = _text(account[name])
        if url and not url.endswith(_NO_PICTURE):
            digest = hashlib.sha256(url.encode()).hexdigest()[:32]
            yield Found(f"{name}:{number}:{digest}", number, {"url": url, "post": None})


def _number(value: object) -> str:
    text = str(value)
    if not text.isascii() or not text.isalnum() or len(text) > _LONGEST_ID:
        raise ValueError("This is no event of a Mastodon webhook.")
    return text


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > 4000:
        raise ValueError("This is no event of a Mastodon webhook.")
    return value


def _mark(item: Item) -> str:
    """What a report's comment ends with, by which it is found again."""
    return f"Reclaim {hashlib.sha256(item.key.encode()).hexdigest()[:16]}"


class MastodonApi:
    """The administration API, with one token. Every call raises ``NotNow`` and nothing else."""

    def __init__(self, address: str, token: str) -> None:
        self._address = address
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._pool = PoolManager(timeout=Timeout(connect=10, read=30), retries=False)

    def call(self, method: str, path: str, fields: Iterable[tuple[str, str]] = ()) -> Any:
        """The answer; ``None`` where there is no such thing. ``fields`` go into the address or the body."""
        encoded = urlencode(list(fields))
        url = f"{self._address}/api/v1/{path}"
        body = None
        headers = dict(self._headers)
        if method == "GET":
            url += f"?{encoded}" if encoded else ""
        else:
            body = encoded.encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            response = self._pool.request(
                method, url, body=body, headers=headers, redirect=False, preload_content=False
            )
            try:
                content = response.read(_LARGEST_ANSWER, decode_content=False)
            finally:
                response.release_conn()
        except (HTTPError, OSError):
            raise NotNow("Mastodon cannot be reached") from None
        if response.status in (404, 410):
            return None
        if response.status in (401, 403):
            raise NotNow("Mastodon does not let this token do that: check its scopes and the role of its account")
        if not 200 <= response.status < 300:
            raise NotNow(f"Mastodon cannot answer now (HTTP {response.status})")
        try:
            return json.loads(content)
        except ValueError:
            raise NotNow("Mastodon's answer cannot be read") from None

    def check(self) -> None:
        """Raise ``NotNow`` unless the token opens what the adapter needs to read."""
        for path in ("admin/accounts", "admin/reports"):
            if self.call("GET", path, [("limit", "1")]) is None:
                raise NotNow("there is no Mastodon at this address")


class Mastodon:
    """The place where measures are taken."""

    def __init__(self, queue: Queue, api: MastodonApi, fetcher: Fetcher, section: MastodonSection) -> None:
        self._queue = queue
        self._api = api
        self._fetcher = fetcher
        self._wanted: dict[Standing, list[str]] = {
            Standing.HELD: list(section.held),
            Standing.BLOCKED: list(section.blocked),
            Standing.UNREADABLE: list(section.unreadable),
        }

    def read(self, item: Item) -> bytes:
        """The file, from one of the media hosts."""
        return self._fetcher.fetch(item.about["url"])

    def would_act(self, item: Item, standing: Standing) -> str | None:
        """In the words of the configuration."""
        return ", ".join(self._wanted.get(standing, [])) or None

    def act(self, item: Item, standing: Standing) -> None:
        """Take the measures that this account's files call for, and end those of ours that none calls for any more."""
        self._act_on_account(item.target)
        target = f"file:{item.key}"
        wants = _REPORT in self._wanted.get(standing, [])
        has = _REPORT in self._queue.measures(target)
        if wants:
            self._report(target, item, standing)
        elif has:
            self._resolve(target, item)

    def _act_on_account(self, account: str) -> None:
        of_files = {each.standing for each in self._queue.of_target(account) if each.standing}
        wanted = {measure for standing in of_files for measure in self._wanted.get(standing, [])} - {_REPORT}
        taken = self._queue.measures(account)
        if not wanted - taken.keys() and not taken.keys() - wanted and all(taken.values()):
            return
        shown = self._api.call("GET", f"admin/accounts/{account}")
        if shown is None:
            # The account is deleted; so is what it posted.
            for measure in taken:
                self._queue.end_measure(account, measure)
            return
        for measure in sorted(wanted):
            field, _ = _OF_ACCOUNTS[measure]
            if taken.get(measure) == "taken":
                continue
            if shown[field] and measure not in taken:
                # A moderator was here before us: it is not ours to end.
                continue
            self._queue.take_measure(account, measure, "")
            if not shown[field]:
                self._take(account, measure)
            self._queue.take_measure(account, measure, "taken")
            log.info("an account: %s", measure)
        for measure in sorted(taken.keys() - wanted):
            _, undo = _OF_ACCOUNTS[measure]
            self._api.call("POST", f"admin/accounts/{account}/{undo}")
            self._queue.end_measure(account, measure)
            log.info("an account: %s", undo)

    def _take(self, account: str, measure: str) -> None:
        # Mastodon resolves every open report on an account at any measure: what people reported must not vanish.
        about = [("target_account_id", account), ("resolved", "false"), ("limit", "200")]
        before = [] if measure == "suspend" else self._api.call("GET", "admin/reports", about) or []
        fields = [("type", measure), ("send_email_notification", "false")]
        self._api.call("POST", f"admin/accounts/{account}/action", fields)
        for report in before:
            self._api.call("POST", f"admin/reports/{_number(report['id'])}/reopen")

    def _report(self, target: str, item: Item, standing: Standing) -> None:
        detail = self._queue.measures(target).get(_REPORT)
        if detail:
            return
        # Told twice, a moderator would look twice: after a crash it may have been sent already.
        mark = _mark(item)
        number = self._reported(item.target, mark) if detail is not None else None
        if number is None:
            self._queue.take_measure(target, _REPORT, "")
            said = {
                Standing.HELD: "A file matches a report of intimate image abuse. Decide on the review site.",
                Standing.BLOCKED: "A reviewer decided that a file is intimate image abuse. Remove the post.",
            }.get(standing, "A file could not be looked up. Please look at it here.")
            fields = [
                ("account_id", item.target),
                ("category", "other"),
                ("forward", "false"),
                ("comment", f"{said} {mark}"),
            ]
            if item.about["post"]:
                fields.append(("status_ids[]", item.about["post"]))
            made = self._api.call("POST", "reports", fields)
            if made is None:
                self._queue.end_measure(target, _REPORT)
                return
            number = _number(made["id"])
        self._queue.take_measure(target, _REPORT, number)
        log.info("a report was made")

    def _reported(self, account: str, mark: str) -> str | None:
        about = [("target_account_id", account), ("limit", "200")]
        found = [each for each in self._api.call("GET", "admin/reports", about) or [] if mark in each["comment"]]
        return _number(found[0]["id"]) if found else None

    def _resolve(self, target: str, item: Item) -> None:
        number = self._queue.measures(target)[_REPORT] or self._reported(item.target, _mark(item))
        if number:
            self._api.call("POST", f"admin/reports/{number}/resolve")
        self._queue.end_measure(target, _REPORT)
        log.info("a report was resolved")


def place(config: MastodonConfig, queue: Queue) -> Mastodon:
    """From a configuration. Raises ``ConfigError``."""
    section = config.mastodon
    fetcher = Fetcher(section.media_hosts, private=section.media_in_private_network)
    return Mastodon(queue, api(config), fetcher, section)


def api(config: MastodonConfig) -> MastodonApi:
    """From a configuration. Raises ``ConfigError``."""
    section = config.mastodon
    return MastodonApi(section.address, config.secret(section.token_file))


def routes(config: MastodonConfig, queue: Queue, wake: Callable[[], None]) -> list[Route]:
    """``POST /mastodon``, for Mastodon's webhook. Raises ``ConfigError``."""
    section = config.mastodon
    secret = config.secret(section.webhook_secret_file)
    profile_pictures = section.profile_pictures

    async def taken(request: Request) -> Response:
        body = await read_body(request, LARGEST_EVENT)
        if not is_signed(secret, body, request.headers.get("x-hub-signature", "")):
            raise unknown_caller()
        try:
            found = list(files_of_event(json.loads(body), profile_pictures=profile_pictures))
        except (ValueError, RecursionError):
            raise Problem(400, "This is no event of a Mastodon webhook. Leave its template empty.") from None
        news = [queue.add(each.key, each.account, each.about) for each in found]
        if any(news):
            log.info("files to look up: %d", sum(news))
            wake()
        return Response(status_code=204)

    return [Route("/mastodon", taken, methods=["POST"])]
