"""HTTP Basic, as clients of NCMEC's wire send a platform's name and key."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import NamedTuple

from django.http import HttpRequest

from reclaim.bank.platforms.models import Platform

_SCHEME = "Basic "
_LONGEST = 1000


class NameAndKey(NamedTuple):
    """What came with a request: the user name, and the key in the place of a password."""

    name: str
    key: str

    def names(self, platform: Platform) -> bool:
        """Whether the user name is the platform's name, or its number where a client cannot send the name."""
        said = self.name.encode()
        by_name = hmac.compare_digest(said, platform.name.encode())
        return hmac.compare_digest(said, str(platform.pk).encode()) or by_name


def name_and_key(request: HttpRequest) -> NameAndKey | None:
    """What the request's ``Authorization`` holds; ``None`` where it is of another kind, or cannot be read."""
    header = request.headers.get("Authorization", "")
    if not header.startswith(_SCHEME) or len(header) > _LONGEST:
        return None
    try:
        pair = base64.b64decode(header.removeprefix(_SCHEME), validate=True)
    except binascii.Error:
        return None
    try:
        text = pair.decode()
    except UnicodeDecodeError:
        # What the common client library sends.
        text = pair.decode("latin-1")
    name, colon, key = text.partition(":")
    return NameAndKey(name, key) if colon else None


def sends_basic(request: HttpRequest) -> bool:
    """Whether the request shows itself this way."""
    return request.headers.get("Authorization", "").startswith(_SCHEME)
