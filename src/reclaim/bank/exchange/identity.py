"""What names the bank to others, and its signature. Both follow from the master secret: a restored bank keeps them."""

from __future__ import annotations

import uuid
from base64 import b64encode
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from reclaim.bank.peers.identity import own_bank_id
from reclaim.protocol.native_v2 import SNAPSHOT_TYPE, Envelope, Signature, key_id, pae
from reclaim.sitekit.secrets import derive


def bank_id() -> uuid.UUID:
    """The bank's number among banks."""
    return own_bank_id()


@lru_cache
def _key(master: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(derive(master, "snapshot-signature"))


def public_key() -> bytes:
    """What a platform checks signatures with: an Ed25519 key of 32 bytes."""
    return _key(settings.MASTER_SECRET).public_key().public_bytes_raw()


def signed(payload: bytes, payload_type: str = SNAPSHOT_TYPE) -> Envelope:
    """A manifest in its envelope: a snapshot's, if nothing else is said."""
    signature = _key(settings.MASTER_SECRET).sign(pae(payload_type, payload))
    return Envelope(
        payloadType=payload_type,
        payload=b64encode(payload).decode(),
        signatures=[Signature(keyid=key_id(public_key()), sig=b64encode(signature).decode())],
    )
