"""Placements under the bank's own key: a copy of the database alone shows none, and none opens in another's place."""

from __future__ import annotations

import secrets
import uuid
from functools import lru_cache

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from reclaim.signals.descriptors import Placement
from reclaim.sitekit.secrets import derive

_NONCE_BYTES = 12
_NUMBERS = 4
_FRAME_BYTES = 4


class NotOursError(Exception):
    """This was sealed under another site's secret, or for another source."""


@lru_cache
def _cipher(master: bytes) -> AESGCM:
    return AESGCM(derive(master, "placement"))


def _bound_to(source: uuid.UUID, value: str) -> bytes:
    return source.bytes + bytes.fromhex(value)


def seal(placement: Placement, source: uuid.UUID, value: str) -> bytes:
    """A placement, bound to its source and to the descriptors that ``value`` names."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    plain = b"".join(np.asarray(numbers, "<i2").tobytes() for numbers in placement)
    return nonce + _cipher(settings.MASTER_SECRET).encrypt(nonce, plain, _bound_to(source, value))


def unseal(sealed: bytes, source: uuid.UUID, value: str) -> Placement:
    """The placement again. Raises ``NotOursError``."""
    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        plain = _cipher(settings.MASTER_SECRET).decrypt(nonce, rest, _bound_to(source, value))
    except InvalidTag as error:
        raise NotOursError("A placement does not open. Restore secret.key from your backup.") from error
    width, height = np.frombuffer(plain[:_FRAME_BYTES], "<i2").tolist()
    places = np.frombuffer(plain[_FRAME_BYTES:], "<i2").astype(np.int16)
    return Placement((width, height), places.reshape(-1, _NUMBERS))
