"""What opens other servers, and what they are still owed, sealed: a copy of the database alone shows neither."""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from reclaim.sitekit.secrets import derive


class NotOursError(Exception):
    """This was sealed under another site's secret."""


@lru_cache
def _cipher(master: bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derive(master, "peers")))


def seal(content: Any) -> str:
    """A JSON value, sealed."""
    return _cipher(settings.MASTER_SECRET).encrypt(json.dumps(content).encode()).decode()


def unseal(sealed: str) -> Any:
    """The value again. Raises ``NotOursError``."""
    try:
        return json.loads(_cipher(settings.MASTER_SECRET).decrypt(sealed.encode()))
    except InvalidToken as error:
        raise NotOursError(
            "A peer's keys were sealed under another secret.key. Restore that file, or remove the peer and add it anew."
        ) from error
