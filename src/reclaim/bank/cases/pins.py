"""How a PIN is kept: Argon2id over a MAC of it, under a pepper that is not in the database.

Parameters: RFC 9106's second recommendation (64 MiB, 3 passes, 4 lanes), the default of argon2-cffi.
"""

from __future__ import annotations

import threading
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from nacl.pwhash import argon2id

from reclaim.bank.vault import keys
from reclaim.sitekit.secrets import mac

_hasher = PasswordHasher()
# Each takes 64 MiB: a server's many threads must not take that all at once.
_at_once = threading.BoundedSemaphore(4)


def _peppered(number: str, pin: str) -> bytes:
    return mac("pin-pepper", f"{number}:{pin}".encode())


def hash_pin(number: str, pin: str) -> str:
    """The Argon2id hash to store."""
    with _at_once:
        return _hasher.hash(_peppered(number, pin))


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher.hash(mac("pin-pepper", b"nobody"))


def pin_is_right(stored: str | None, number: str, pin: str) -> bool:
    """Whether the PIN fits. With no stored hash (no such case) it takes as long, and says no."""
    # Asked for in either case: it is made once a process, and that first time must not tell the two apart.
    nobodys = _nobodys_hash()
    try:
        with _at_once:
            return _hasher.verify(stored or nobodys, _peppered(number, pin)) and stored is not None
    except VerificationError:
        return False


def seed_of(number: str, pin: str) -> bytes:
    """The 32 bytes from which the person's own key pair is made. Nobody guesses them: the bank keeps neither half of
    the number's 85 bits, and each guess at a PIN costs argon2id besides."""
    with _at_once:
        return argon2id.kdf(
            keys.KEY_BYTES,
            f"{number}:{pin}".encode(),
            mac("person-key-salt", number.encode())[: keys.SALT_BYTES],
            opslimit=keys.PASSES,
            memlimit=keys.MEMORY,
        )
