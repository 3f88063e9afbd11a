"""Talking to a bank: StopNCII v1 over HTTPS, with limits on what is believed, awaited and read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from urllib3 import Retry

from reclaim.client.changes import SignalName, Word
from reclaim.client.connection import NOT_NOW, ONCE, READS, Connection, checked_base_url
from reclaim.client.errors import BankMisbehaved, BankRefused, BankUnreachable
from reclaim.client.records import Page, read_answer, read_page
from reclaim.protocol.stopncii_v1 import (
    DEFAULT_PAGE_SIZE,
    DEFAULT_START_TIMESTAMP,
    FUNCTION_KEY_HEADER,
    INCLUDE_VIDEOS,
    SUBSCRIPTION_KEY_HEADER,
    FeedbackValue,
    HashFeedback,
    SubmissionResponse,
    SubmitFeedbackRequest,
    SubmitHashesRequest,
    SubmittedHash,
)

MOST_EMPTY_PAGES = 100
_VALUES = {
    "pending": FeedbackValue.PENDING_REVIEW,
    "blocked": FeedbackValue.BLOCKED,
    "not-blocked": FeedbackValue.NOT_BLOCKED,
}


@dataclass(frozen=True, repr=False)
class Keys:
    """A platform's keys, as the bank gave them out. Only those of the endpoints in use are needed.

    Raises ``ValueError`` for a key that cannot travel in a header.
    """

    fetch_key: str
    subscription_key: str
    feedback_key: str | None = None
    submit_key: str | None = None

    def __post_init__(self) -> None:
        for name, key in vars(self).items():
            if key is not None and not (key.isascii() and key.isprintable() and key.strip() == key != ""):
                raise ValueError(f"The {name.replace('_', ' ')} is not a key: copy it again from the bank.")

    def __repr__(self) -> str:
        return f"Keys({', '.join(name for name, key in vars(self).items() if key)}: hidden)"


class BankClient:
    """One bank, as one platform sees it. Safe to share between threads.

    ``base_url`` is where the endpoints live, for example ``https://bank.example/v1``. Certificates are verified
    against the system's authorities; redirects are not followed, so that the keys go nowhere else.
    Every call raises ``BankUnreachable``, ``BankRefused`` or ``BankMisbehaved``, and nothing else.
    """

    def __init__(self, base_url: str, keys: Keys, *, videos: bool = True) -> None:
        """With ``videos`` the feed brings frames of videos too. Who begins to ask for them fetches it anew."""
        self._base_url = checked_base_url(base_url)
        self._keys = keys
        self._videos = videos
        self._connection = Connection()

    def close(self) -> None:
        """Close idle connections. The client opens new ones when it is used again."""
        self._connection.close()

    @property
    def can_give_feedback(self) -> bool:
        """Whether there is a feedback key, so that withdrawals can be acknowledged."""
        return self._keys.feedback_key is not None

    def fetch_page(
        self,
        start_timestamp: int = DEFAULT_START_TIMESTAMP,
        page_size: int = DEFAULT_PAGE_SIZE,
        token: str | None = None,
    ) -> Page:
        """One page of what changed at ``start_timestamp`` (epoch seconds) or later."""
        query = {"startTimestamp": str(start_timestamp), "pageSize": str(page_size)}
        if token:
            query["nextPageToken"] = token
        if self._videos:
            query["include"] = INCLUDE_VIDEOS
        return read_page(self._call("GET", "FetchHashes", self._keys.fetch_key, READS, fields=query))

    def pages(
        self, start_timestamp: int = DEFAULT_START_TIMESTAMP, page_size: int = DEFAULT_PAGE_SIZE
    ) -> Iterator[Page]:
        """Every page from ``start_timestamp`` to the end of the feed.

        A feed that would go backwards or never end is refused with ``BankMisbehaved``.
        """
        reached, token, empty = start_timestamp, None, 0
        tokens: set[str] = set()
        while True:
            page = self.fetch_page(start_timestamp, page_size, token)
            if page.next_timestamp < reached:
                raise BankMisbehaved(
                    "The bank's timestamps go backwards, so resuming would skip signals. What came before is stored; "
                    "tell the bank's operator."
                )
            reached, token = page.next_timestamp, page.next_page_token
            empty = 0 if page.records or page.skipped else empty + 1
            if (token is not None and token in tokens) or empty > MOST_EMPTY_PAGES:
                raise BankMisbehaved(
                    "The bank's feed does not end: it names the same page again, or sends nothing but empty ones. What "
                    "came before is stored; tell the bank's operator."
                )
            yield page
            if token is None:
                return
            tokens.add(token)

    def submit_feedback(self, feedback: Sequence[HashFeedback]) -> SubmissionResponse:
        """Say what was decided about signals of the feed; at most ``MAX_SUBMISSION`` at a time."""
        message = SubmitFeedbackRequest(count=len(feedback), hashFeedbacks=list(feedback))
        return self._submit("SubmitFeedback", self._keys.feedback_key, message.model_dump(mode="json"))

    def say(self, words: Sequence[Word]) -> None:
        """Say what this platform says of signals. What the bank has no signal for any more is done with."""
        self.submit_feedback(
            [
                HashFeedback(
                    hashValue=word.name.value,
                    feedbackValue=_VALUES[word.decision],
                    tags=[f"reason:{word.reason}"] if word.reason else [],
                )
                for word in words
            ]
        )

    def acknowledge(self, names: Sequence[SignalName]) -> None:
        """Say that these copies are deleted. A value that the bank has erased already does no harm."""
        self.submit_feedback(
            [HashFeedback(hashValue=name.value, feedbackValue=FeedbackValue.DELETED) for name in names]
        )

    def submit_hashes(self, hashes: Sequence[SubmittedHash]) -> SubmissionResponse:
        """Put signals that the platform found by itself into the bank; at most ``MAX_SUBMISSION`` at a time."""
        message = SubmitHashesRequest(count=len(hashes), hashRecords=list(hashes))
        return self._submit("SubmitHashes", self._keys.submit_key, message.model_dump(mode="json"))

    def _submit(self, endpoint: str, key: str | None, message: dict[str, Any]) -> SubmissionResponse:
        if key is None:
            raise BankRefused(401, f"There is no key for {endpoint}. Ask the bank for one and put it into your keys.")
        body = json.dumps(message).encode()
        headers = {"Content-Type": "application/json"}
        return read_answer(SubmissionResponse, self._call("POST", endpoint, key, ONCE, body=body, more_headers=headers))

    def _call(
        self,
        method: str,
        endpoint: str,
        key: str,
        retries: Retry,
        *,
        fields: dict[str, str] | None = None,
        body: bytes | None = None,
        more_headers: dict[str, str] | None = None,
    ) -> bytes:
        headers = {
            FUNCTION_KEY_HEADER: key,
            SUBSCRIPTION_KEY_HEADER: self._keys.subscription_key,
            "Accept": "application/json",
            **(more_headers or {}),
        }
        answer = self._connection.call(
            method, f"{self._base_url}/{endpoint}", headers, retries=retries, fields=fields, body=body
        )
        if answer.status != 200:
            _refuse(answer.status, endpoint)
        return answer.body


def _refuse(status: int, endpoint: str) -> NoReturn:
    if status in NOT_NOW:
        raise BankUnreachable(f"The bank cannot answer now (HTTP {status}). Try again later; what was stored stays.")
    if 300 <= status < 400:
        raise BankRefused(
            status,
            "The bank's address leads elsewhere, and keys are not sent on. Ask the bank for its present base address.",
        )
    if status == 401:
        raise BankRefused(
            status,
            f"The bank does not know the keys for {endpoint}: they are mistyped, expired or revoked. Ask for new ones.",
        )
    if status == 403:
        raise BankRefused(status, f"This key does not open {endpoint}. Put each key where the bank says it belongs.")
    if status == 404:
        raise BankRefused(status, f"There is no {endpoint} at this base address. It often ends in /v1; check it.")
    raise BankRefused(status, f"The bank refused {endpoint} (HTTP {status}). Is one of the two out of date?")
