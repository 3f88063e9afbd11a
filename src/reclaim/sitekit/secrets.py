"""The site's master secret and the keys derived from it.

One random secret lives in a file outside the database, so that a copy of the database alone opens nothing. Each
use derives a key of its own (HMAC-SHA256 of a purpose label): a key that leaks through one use is no key elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path

from django.conf import settings

SECRET_FILE = "secret.key"  # noqa: S105 a file name, not a secret
SECRET_BYTES = 32


def load_or_create_secret(data: Path) -> bytes:
    """Read the master secret of the data folder, or make it on first use (mode 0600, 32 bytes).

    Raises ``ValueError`` if the file is there but is not a secret: guessing on would lock every person out.
    """
    path = data / SECRET_FILE
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        # O_EXCL: of two processes that start at once, one makes the secret and the other reads it.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
    secret = path.read_bytes()
    if len(secret) != SECRET_BYTES:
        raise ValueError(
            f"{SECRET_FILE} in the data folder is damaged. Restore it from your backup: without it no case number, "
            "PIN or platform key can be checked."
        )
    return secret


def derive(master: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose."""
    return hmac.digest(master, f"reclaim:{purpose}".encode(), hashlib.sha256)


@lru_cache
def _key(master: bytes, purpose: str) -> bytes:
    return derive(master, purpose)


def mac(purpose: str, message: bytes) -> bytes:
    """The 32-byte MAC of a message under this site's key for ``purpose``."""
    return hmac.digest(_key(settings.MASTER_SECRET, purpose), message, hashlib.sha256)
