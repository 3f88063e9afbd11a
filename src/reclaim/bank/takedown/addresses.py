"""The names under which a request is answered: in the address that replies go to, and in its ``Message-ID``.

Each is the request's number with a MAC of it, so nobody answers a request that they have not received, and the database
alone does not tell how.
"""

from __future__ import annotations

import base64
import enum
import hmac
import re
import uuid

from reclaim.sitekit.secrets import mac

_MAC_BYTES = 10
_TOKEN = re.compile(r"[a-z2-7]{26}[a-z2-7]{16}")
_HIDDEN = re.compile(r"(?:\+|<)([a-z2-7]{42})@", re.IGNORECASE)


class Place(enum.Enum):
    """Where a token stands; one is none in the other place."""

    ADDRESS = "takedown-reply-address"
    MESSAGE = "takedown-message-id"


def _mac(place: Place, request: uuid.UUID) -> bytes:
    return mac(place.value, request.bytes)[:_MAC_BYTES]


def _text(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()


def token(place: Place, request: uuid.UUID) -> str:
    """42 letters and digits, the same in capitals."""
    return _text(request.bytes) + _text(_mac(place, request))


def request_of(place: Place, text: str) -> uuid.UUID | None:
    """Whose token this is; ``None`` for one that is nobody's."""
    text = text.lower()
    if not _TOKEN.fullmatch(text):
        return None
    raw = base64.b32decode(text[:26].upper() + "======")
    request = uuid.UUID(bytes=raw)
    return request if hmac.compare_digest(text.encode(), token(place, request).encode()) else None


def reply_address(mail_from: str, request: uuid.UUID) -> str:
    """Where replies go: ``takedown+<token>@ngo.example``."""
    name, _, domain = mail_from.partition("@")
    return f"{name}+{token(Place.ADDRESS, request)}@{domain}"


def message_id(mail_from: str, request: uuid.UUID) -> str:
    """``<token@ngo.example>``: the same for each try, so that a mail that went twice is one."""
    return f"<{token(Place.MESSAGE, request)}@{mail_from.partition('@')[2]}>"


def requests_in(place: Place, text: str) -> list[uuid.UUID]:
    """The requests whose tokens stand in a header, in their order; at most eight are looked at."""
    found = [request_of(place, each[1]) for _, each in zip(range(8), _HIDDEN.finditer(text), strict=False)]
    return [each for each in found if each is not None]
