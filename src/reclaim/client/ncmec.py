"""A member's client of an NCMEC hash sharing v2 server: small, strict, and without a database."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote, urlencode

from reclaim.client.errors import BankMisbehaved
from reclaim.client.line import Line
from reclaim.protocol.ncmec_v2 import (
    CONTENT_TYPE,
    EntriesPage,
    Fingerprint,
    Member,
    feedback_message,
    read_entries,
    read_member,
    read_reasons,
    write_time,
)

Message = TypeVar("Message")

SLACK = 5
"""Seconds before now that are not asked for yet: the server may still be writing them."""


class NcmecClient:
    """One server, as one member sees it. Every call raises a ``BankError`` and nothing else."""

    def __init__(self, base_url: str, user: str, password: str) -> None:
        """``base_url`` is what stands before ``/v2/``. Raises ``ValueError`` for an unsafe one."""
        self._line = Line(base_url)
        secret = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {secret}", "Accept": "application/xml"}

    def close(self) -> None:
        """Close idle connections."""
        self._line.close()

    def status(self) -> Member:
        """Who the server says this member is."""
        return _read(read_member, self._line.call("GET", "/v2/status", self._headers))

    def entries(self, start: int, end: int, following: str = "") -> EntriesPage:
        """A page of what changed from one second to another: the first, or the one that a page named."""
        query = urlencode({"from": write_time(start), "to": write_time(end)})
        return _read(read_entries, self._line.call("GET", following or f"/v2/entries?{query}", self._headers))

    def reasons(self, fingerprint: Fingerprint) -> dict[str, str]:
        """The reasons for which a fingerprint can be called wrong: name by GUID."""
        return _read(read_reasons, self._line.call("GET", f"/v2/feedback/{fingerprint}/reasons", self._headers))

    def vote(self, member: int, entry: str, fingerprint: Fingerprint, reason_guid: str | None) -> None:
        """Say that a fingerprint is right, or wrong for a reason."""
        target = f"/v2/entries/{member}/{quote(entry, safe='')}/{fingerprint}/feedback"
        headers = {**self._headers, "Content-Type": CONTENT_TYPE}
        self._line.call("PUT", target, headers, feedback_message(reason_guid))


def _read(reader: Callable[[bytes], Message], body: bytes) -> Message:
    try:
        return reader(body)
    except ValueError:
        pass
    raise BankMisbehaved("Its answer is not as NCMEC hash sharing v2 has it, and was not used. Check the address.")
