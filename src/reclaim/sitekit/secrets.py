"""The site's master secret and the keys derived from it.

One random secret lives in a file outside the database, so that a copy of the database alone opens nothing. Each
use derives a key of its own (HMAC-SHA256 of a purpose label): a key that leaks through one use is no key elsewhere.
"""

from __future__ import annotations

import contextlib
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
    if not path.exists():
        _make_secret(path)
    secret = path.read_bytes()
    if len(secret) != SECRET_BYTES:
        raise ValueError(
            f"{SECRET_FILE} in the data folder is damaged. Restore it from your backup: without it no case number, "
            "PIN or platform key can be checked."
        )
    return secret


def _make_secret(path: Path) -> None:
    """Put a whole secret in place, or leave the one that another process has put there meanwhile."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def derive(master: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose."""
    return hmac.digest(master, f"reclaim:{purpose}".encode(), hashlib.sha256)


@lru_cache
def _key(master: bytes, purpose: str) -> bytes:
    return derive(master, purpose)


def mac(purpose: str, message: bytes) -> bytes:
    """The 32-byte MAC of a message under this site's key for ``purpose``."""
    return hmac.digest(_key(settings.MASTER_SECRET, purpose), message, hashlib.sha256)
