"""Placements under the bank's own key: a copy of the database alone shows none, and none opens in another's place."""

from __future__ import annotations

import secrets
import uuid
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from reclaim.sitekit.secrets import derive

_NONCE_BYTES = 12
_NUMBERS = 4

Places = npt.NDArray[np.int16]


class NotOursError(Exception):
    """This was sealed under another site's secret, or for another source."""


@lru_cache
def _cipher(master: bytes) -> AESGCM:
    return AESGCM(derive(master, "placement"))


def _bound_to(source: uuid.UUID, value: str) -> bytes:
    return source.bytes + bytes.fromhex(value)


def seal(places: Places, source: uuid.UUID, value: str) -> bytes:
    """A placement (n x 4), bound to its source and to the descriptors that ``value`` names."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    plain = np.ascontiguousarray(places, "<i2").tobytes()
    return nonce + _cipher(settings.MASTER_SECRET).encrypt(nonce, plain, _bound_to(source, value))


def unseal(sealed: bytes, source: uuid.UUID, value: str) -> Places:
    """The placement again. Raises ``NotOursError``."""
    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        plain = _cipher(settings.MASTER_SECRET).decrypt(nonce, rest, _bound_to(source, value))
    except InvalidTag as error:
        raise NotOursError("A placement does not open. Restore secret.key from your backup.") from error
    return np.frombuffer(plain, "<i2").astype(np.int16).reshape(-1, _NUMBERS)
