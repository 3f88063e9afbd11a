"""Bare HTTP to a bank with one platform's keys: nothing between a check and what the bank sends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3

from reclaim.client.connection import LARGEST_ANSWER, checked_base_url
from reclaim.conformance.outcome import FailedError, NotApplicableError, expect
from reclaim.protocol.stopncii_v1 import FUNCTION_KEY_HEADER, SUBSCRIPTION_KEY_HEADER

V1, V2 = "v1", "v2"
_TRIES = 5
_KEY_NAMES = {
    V1: ("fetch_key", "subscription_key", "feedback_key", "submit_key"),
    V2: ("platform_key",),
}


class UnreadableKeysError(Exception):
    """The keys' file is not what the bank wrote."""


@dataclass(frozen=True)
class Said:
    """An answer. ``body`` is its JSON, or ``None`` if it is none."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def is_problem(self) -> bool:
        """Whether it is a refusal that a program can read."""
        return 400 <= self.status < 500 and isinstance(self.body, dict)


@dataclass(frozen=True)
class Record:
    """A record of the feed, on either wire."""

    value: str
    gone: bool
    raw: dict[str, Any]


@dataclass(frozen=True)
class Feed:
    """What one reading of the feed brought, and where to resume."""

    records: list[Record]
    resume: str

    @property
    def standing(self) -> dict[str, bool]:
        """Value → whether it is gone, by the last record of each."""
        return {record.value: record.gone for record in self.records}


@dataclass
class BankUnderTest:
    """A bank at an address, spoken to on one wire."""

    base: str
    keys: dict[str, str] = field(repr=False)
    wire: str
    may_write: bool
    unmannered: list[str] = field(default_factory=list)
    """Answers of 429 or 503 that did not say when to come back."""

    @classmethod
    def open(cls, url: str, keys_file: Path, wire: str, *, write: bool) -> BankUnderTest:
        """Read the keys. Raises ``UnreadableKeysError``, and ``ValueError`` for an address that will not do."""
        base = checked_base_url(url)
        for version in (V1, V2):
            base = base.removesuffix(f"/{version}")
        try:
            keys = json.loads(keys_file.read_text())
        except (OSError, ValueError) as error:
            raise UnreadableKeysError("The keys cannot be read: name the JSON file that the bank gave.") from error
        missing = [name for name in _KEY_NAMES[wire] if not isinstance(keys.get(name), str)]
        if missing:
            raise UnreadableKeysError(f"For {wire} the keys' file needs {' and '.join(missing)}.")
        return cls(base, keys, wire, write)

    def needs(self, wire: str) -> None:
        """Leave a check that is about another wire."""
        if self.wire != wire:
            raise NotApplicableError(f"This is about {wire}.")

    def writes(self) -> None:
        """Leave a check that sends signals, unless that is allowed."""
        if not self.may_write:
            raise NotApplicableError("This sends made-up signals; allow it with --write, on a staging bank only.")

    def call(
        self,
        method: str,
        path: str,
        *,
        scope: str = "fetch",
        body: Any = None,
        keys: dict[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Said:
        """One request. ``keys`` replaces the headers that carry keys."""
        headers = self._headers(scope) if keys is None else keys
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            headers = {**headers, "Content-Type": "application/json"}
        address = f"{self.base}/{self.wire}{path}{'?' if query else ''}{urlencode(query or {})}"
        try:
            answer = urllib3.request(
                method,
                address,
                body=content,
                headers=headers,
                retries=False,
                redirect=False,
                timeout=urllib3.Timeout(30),
                preload_content=False,
            )
            content = answer.read(LARGEST_ANSWER, decode_content=True)
        except urllib3.exceptions.HTTPError as error:
            raise FailedError(
                f"{method} {path} brought no answer ({type(error).__name__}).", "Serve at this address, over HTTPS."
            ) from error
        if answer.status in (429, 503) and "Retry-After" not in answer.headers:
            self.unmannered.append(f"{method} {path}: {answer.status}")
        try:
            said = json.loads(content)
        except ValueError:
            said = None
        return Said(answer.status, dict(answer.headers), said)

    def download(self, href: str, start: int = 0) -> bytes:
        """A part of a v2 snapshot, from one byte on."""
        address = urljoin(f"{self.base}/{self.wire}/", href)
        if urlsplit(address).netloc != urlsplit(self.base).netloc:
            raise FailedError("A part lies on another host, where the key must not go.", "Serve it from the bank.")
        headers = {**self._headers("fetch"), **({"Range": f"bytes={start}-"} if start else {})}
        answer = urllib3.request("GET", address, headers=headers, retries=False, redirect=False, timeout=300)
        expect(
            answer.status == (206 if start else 200), f"A part was answered with {answer.status}.", "Answer 200 or 206."
        )
        return bytes(answer.data)

    def _headers(self, scope: str) -> dict[str, str]:
        if self.wire == V2:
            return {"Authorization": f"Bearer {self.keys['platform_key']}"}
        return {
            FUNCTION_KEY_HEADER: self.keys[f"{scope}_key"],
            SUBSCRIPTION_KEY_HEADER: self.keys["subscription_key"],
        }

    def page(self, after: str, token: str | None = None, size: int = 500) -> Said:
        """One page of the feed from ``after`` (empty: from its beginning)."""
        if self.wire == V2:
            place = {"after": token or after} if token or after else {}
            return self.call("GET", "/signals", query={"limit": str(size), **place})
        more = {"nextPageToken": token} if token else {}
        query = {"startTimestamp": after or "10", "pageSize": str(size), **more}
        return self.call("GET", "/FetchHashes", query=query)

    def read(self, after: str = "", size: int = 500, most_pages: int = 1000) -> Feed:
        """The feed from ``after`` to its end, or so many pages of it."""
        records: list[Record] = []
        token, resume = None, after
        for _ in range(most_pages):
            said = self.page(after, token, size)
            expect(
                said.status == 200, f"A page of the feed was answered with {said.status}.", "Answer 200 with a page."
            )
            page, more, token, resume = self._parts(said.body)
            records += page
            if not more:
                break
            expect(bool(token), "There is more, but nothing names the next page.", "Send a token with every «more».")
        return Feed(records, resume)

    def _parts(self, body: Any) -> tuple[list[Record], bool, str | None, str]:
        try:
            if self.wire == V2:
                raw, more, token, resume = body["records"], body["has_more"], body["cursor"], body["cursor"]
                records = [Record(each["value"], each["status"] == "withdrawn", each) for each in raw]
            else:
                raw, more, token = body["hashRecords"], body["hasMoreRecords"], body["nextPageToken"]
                resume = str(body["nextSetTimestamp"])
                records = [
                    Record(each["hashValue"], each["hashStatus"] in ("Withdrawn", "Deleted"), each) for each in raw
                ]
        except (TypeError, KeyError) as error:
            raise FailedError(f"A page of the feed lacks {error}.", "Send every field of the contract.") from error
        return records, bool(more), token, resume

    def submit(self, *values: str) -> Said:
        """Put made-up signals into the bank, as the platform's own finds."""
        if self.wire == V2:
            found = [{"type": "pdq", "value": value, "quality": 100} for value in values]
            return self.call("POST", "/signals", scope="submit", body={"signals": found})
        sent = [
            {
                "lastModtimestamp": 0,
                "signalType": "StopNCIISignalType.ImagePDQ",
                "hashValue": value,
                "CSPFeedbacks": [{"tags": [], "feedbackValue": "Blocked"}],
            }
            for value in values
        ]
        return self.call("POST", "/SubmitHashes", scope="submit", body={"count": len(sent), "hashRecords": sent})

    def take_back(self, *values: str) -> Said:
        """Withdraw the platform's own finds."""
        if self.wire == V2:
            gone = [{"type": "pdq", "value": value} for value in values]
            return self.call("POST", "/withdrawals", scope="submit", body={"withdrawals": gone})
        said = [{"hashValue": value, "feedbackValue": "Withdrawn", "tags": []} for value in values]
        return self.call("POST", "/SubmitFeedback", scope="feedback", body={"count": len(said), "hashFeedbacks": said})
