"""Addresses and texts of takedown, and legal demands, sealed by the bank's own key: a copy of the database alone shows
neither.

It is the bank's key and not the case file's, since pages are looked at again while no practitioner is signed in.
"""

from __future__ import annotations

import base64
import enum
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from reclaim.sitekit.secrets import derive


class Use(enum.Enum):
    """What is sealed, each under a key of its own."""

    URL = "takedown-url"
    TEXT = "takedown-text"
    DEMAND = "legal-demand"


class NotOursError(Exception):
    """This was sealed under another site's secret."""


@lru_cache
def _cipher(master: bytes, use: Use) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derive(master, use.value)))


def seal(use: Use, text: str) -> str:
    """A text, sealed."""
    return _cipher(settings.MASTER_SECRET, use).encrypt(text.encode()).decode()


def unseal(use: Use, sealed: str) -> str:
    """The text again. Raises ``NotOursError``."""
    try:
        return _cipher(settings.MASTER_SECRET, use).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise NotOursError("This was sealed under another secret.key. Restore that file from your backup.") from error
