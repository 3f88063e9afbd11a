"""What banks carry for organisations, over the wire. Signatures of what is read are the reader's matter."""

from __future__ import annotations

import uuid

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reclaim.client.line import SignedLine
from reclaim.protocol.referral import LIST_PATH, MESSAGE_PATH


class ReferralClient:
    """One other bank, as this one sees it. Every call raises a ``BankError`` and nothing else."""

    def __init__(self, base_url: str, key: Ed25519PrivateKey, bank_id: uuid.UUID) -> None:
        """Raises ``ValueError`` for an unsafe address."""
        self._line = SignedLine(base_url, key, bank_id)

    def close(self) -> None:
        """Close idle connections."""
        self._line.close()

    def organisations(self) -> bytes:
        """Its signed list of organisations."""
        return self._line.call("GET", LIST_PATH)

    def send(self, message: bytes) -> None:
        """Hand over one signed message. Handed over twice, it counts once."""
        self._line.call("POST", MESSAGE_PATH, message)
