"""Who this bank is to other banks: an Ed25519 key that follows from the site's secret, and a number from that key."""

from __future__ import annotations

import uuid
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from reclaim.protocol.federation import bank_id_of
from reclaim.sitekit.secrets import derive


@lru_cache
def _key(master: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(derive(master, "bank-key"))


def own_key() -> Ed25519PrivateKey:
    """The key that signs this bank's statements. Whoever restores the secret file has it again."""
    return _key(settings.MASTER_SECRET)


def own_public_key() -> bytes:
    """What other banks' operators type in: 32 bytes."""
    return own_key().public_key().public_bytes_raw()


def own_bank_id() -> uuid.UUID:
    """This bank's number."""
    return bank_id_of(own_public_key())
