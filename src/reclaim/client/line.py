"""Calls to one other server that a bank reads: what it answers, or an error whose sentence says what to do."""

from __future__ import annotations

import time
import uuid
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reclaim.client.connection import NOT_NOW, ONCE, Connection, checked_base_url
from reclaim.client.errors import BankRefused, BankUnreachable
from reclaim.protocol.federation import authorization


class Line:
    """One server. Each call is tried once: a bank comes again by itself within the minute, and waits for nobody.

    Every call raises a ``BankError`` and nothing else; no sentence quotes an address, a key or what was read.
    """

    def __init__(self, base_url: str) -> None:
        """Raises ``ValueError`` for an address that would send what opens the server in the clear."""
        self._base_url = checked_base_url(base_url)
        self._connection = Connection()

    def close(self) -> None:
        """Close idle connections."""
        self._connection.close()

    def call(self, method: str, target: str, headers: dict[str, str], body: bytes | None = None) -> bytes:
        """The body of the answer to one request; ``target`` is the path and query below the base address."""
        answer = self._connection.call(method, self._base_url + target, headers, retries=ONCE, body=body)
        if not 200 <= answer.status < 300:
            _refuse(answer.status)
        return answer.body


class SignedLine:
    """Another Reclaim bank, which knows this one by its signature on each request. Calls fail as a ``Line``'s do."""

    def __init__(self, base_url: str, key: Ed25519PrivateKey, bank_id: uuid.UUID) -> None:
        """``key`` and ``bank_id`` are this bank's own. Raises ``ValueError`` for an unsafe address."""
        self._line = Line(base_url)
        self._key = key
        self._bank_id = bank_id

    def close(self) -> None:
        """Close idle connections."""
        self._line.close()

    def call(self, method: str, target: str, body: bytes | None = None) -> bytes:
        """The body of the answer to one request; ``body`` is JSON."""
        shown = authorization(self._key, self._bank_id, target, int(time.time()))
        headers = {"Authorization": shown, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return self._line.call(method, target, headers, body)


def _refuse(status: int) -> NoReturn:
    if status in NOT_NOW:
        raise BankUnreachable(f"It cannot answer now (HTTP {status}); it is tried again.")
    if 300 <= status < 400:
        raise BankRefused(status, "Its address leads elsewhere, and is not followed. Ask for its present address.")
    if status == 401:
        raise BankRefused(status, "It does not know this bank: ask its operator to let it in, or for new keys.")
    if status == 403:
        raise BankRefused(status, "It does not let this bank do that. Ask its operator.")
    if status == 404:
        raise BankRefused(status, "There is nothing of the kind at this address. Check it with its operator.")
    raise BankRefused(status, f"It refused (HTTP {status}). Is one of the two out of date?")
