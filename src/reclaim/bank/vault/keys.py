"""Sealing, by libsodium: XChaCha20-Poly1305 for texts, sealed boxes for keys, argon2id for passwords. No framework.

What is sealed begins with a version byte, so that another way of sealing can stand beside this one. Every format is in
docs/helpline-security.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_ABYTES,
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    sodium_pad,
    sodium_unpad,
)
from nacl.exceptions import CryptoError
from nacl.exceptions import ValueError as SodiumValueError
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.pwhash import argon2id
from nacl.utils import random

VERSION = b"\x01"
KEY_BYTES = 32
NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
SALT_BYTES = argon2id.SALTBYTES
PASSES = 3
MEMORY = 64 * 1024 * 1024
"""What a guess at a password costs: argon2id's passes, and bytes of memory."""
LEAST_CLASS = 64
"""Bytes. A text is padded to this, twice this and so on, so that its length tells little."""
LARGEST_STEP = 64 * 1024
LONGEST_TEXT = 1024 * 1024
"""Bytes of UTF-8."""
_CHECK_BYTES = 3

Stretch = Callable[[bytes], bytes]
"""What is done to a stretched password before it is a key: a MAC under a secret that no database holds."""


class DamagedError(Exception):
    """What was sealed is not what was written, or is not here: it was changed, moved or made under another key."""


@dataclass(frozen=True)
class Reader:
    """Somebody to whom keys are wrapped: ``practitioner:<pk>``, ``person:<uuid of the case>`` or ``recovery``."""

    name: str
    public_key: bytes
    """X25519, 32 bytes."""


@dataclass(frozen=True)
class Unlocked:
    """A reader whose private key is at hand."""

    name: str
    private_key: bytes = field(repr=False)

    @property
    def reader(self) -> Reader:
        """The same without the private key."""
        return Reader(self.name, bytes(PrivateKey(self.private_key).public_key))


@dataclass(frozen=True)
class CaseKey:
    """The one data key of a case file."""

    case_file: UUID
    key: bytes = field(repr=False)

    def seal(self, label: str, text: str) -> bytes:
        """An envelope of ``text`` that opens only under this key, for this case file and ``label``.

        ``label`` says which column of which row it is for, such as ``note:17``: an envelope that is moved elsewhere
        is found damaged. Raises ``ValueError`` for more than ``LONGEST_TEXT`` bytes.
        """
        plain = text.encode()
        if len(plain) > LONGEST_TEXT:
            raise ValueError(f"A text has at most {LONGEST_TEXT // 1024} KiB.")
        return seal(self.key, self._bound(label), sodium_pad(plain, _size_class(len(plain))))

    def open(self, label: str, sealed: bytes) -> str:
        """The text of an envelope. Raises ``DamagedError``."""
        padded = unseal(self.key, self._bound(label), bytes(sealed))
        try:
            return sodium_unpad(padded, len(padded)).decode()
        except (CryptoError, ValueError) as error:
            raise DamagedError("This text was not sealed here.") from error

    def _bound(self, label: str) -> bytes:
        return b"reclaim.case-file\0" + self.case_file.bytes + label.encode()


def _size_class(length: int) -> int:
    size = LEAST_CLASS
    # Padding has at least a byte.
    while size <= length and size < LARGEST_STEP:
        size *= 2
    return size if length < size else (length // LARGEST_STEP + 1) * LARGEST_STEP


def seal(key: bytes, bound: bytes, plain: bytes) -> bytes:
    """``version | nonce | ciphertext | tag``: ``plain`` under ``key``, readable only with the same ``bound``."""
    nonce = random(NONCE_BYTES)
    return VERSION + nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(plain, VERSION + bound, nonce, key)


def unseal(key: bytes, bound: bytes, sealed: bytes) -> bytes:
    """What ``seal`` was given. Raises ``DamagedError``."""
    nonce, rest = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    if sealed[:1] != VERSION or len(rest) < crypto_aead_xchacha20poly1305_ietf_ABYTES:
        raise DamagedError("This is no envelope that can be opened here.")
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(rest, VERSION + bound, nonce, key)
    except CryptoError as error:
        raise DamagedError("This was changed since it was sealed, or was sealed for another place.") from error


def is_envelope(sealed: bytes) -> bool:
    """Whether these bytes have the form of a sealed text; whether they open, only the key tells."""
    padded = len(sealed) - 1 - NONCE_BYTES - crypto_aead_xchacha20poly1305_ietf_ABYTES
    return sealed[:1] == VERSION and padded > 0 and padded == _size_class(padded - 1)


def new_case_key(case_file: UUID) -> CaseKey:
    """A key for a case file, drawn at random."""
    return CaseKey(case_file, random(KEY_BYTES))


def wrap(key: CaseKey, reader: Reader) -> bytes:
    """``version | sealed box of (case file, key)``: only ``reader`` can open it."""
    return VERSION + SealedBox(PublicKey(reader.public_key)).encrypt(key.case_file.bytes + key.key)


def unwrap(case_file: UUID, wrapped: bytes, unlocked: Unlocked) -> CaseKey:
    """The key of ``case_file``. Raises ``DamagedError``, also for another case file's."""
    try:
        plain = SealedBox(PrivateKey(unlocked.private_key)).decrypt(wrapped[1:])
    except (CryptoError, SodiumValueError, ValueError) as error:
        raise DamagedError("This key was not wrapped for you.") from error
    if wrapped[:1] != VERSION or len(plain) != 16 + KEY_BYTES or plain[:16] != case_file.bytes:
        raise DamagedError("This is not the key of this case file.")
    return CaseKey(case_file, plain[16:])


def new_unlocked(name: str) -> Unlocked:
    """A new key pair."""
    return Unlocked(name, bytes(PrivateKey.generate()))


def lock(unlocked: Unlocked, password: str, stretch: Stretch) -> bytes:
    """``version | passes | MiB | salt | envelope``: the private key under a password."""
    salt, cost = random(SALT_BYTES), bytes([PASSES, MEMORY // 2**20])
    key = stretch(_kdf(password, salt, PASSES, MEMORY))
    return VERSION + cost + salt + seal(key, _of_reader(unlocked.name), unlocked.private_key)


def unlock(name: str, locked: bytes, password: str, stretch: Stretch) -> Unlocked:
    """What ``lock`` was given. Raises ``DamagedError``, also for another password.

    A cost above ours is refused: whoever writes to the database must not choose how much memory a sign-in takes.
    """
    head = 3 + SALT_BYTES
    if len(locked) < head or locked[:1] != VERSION or not (0 < locked[1] <= PASSES and 0 < locked[2] * 2**20 <= MEMORY):
        raise DamagedError("This is no private key that can be opened here.")
    key = stretch(_kdf(password, locked[3:head], locked[1], locked[2] * 2**20))
    return Unlocked(name, unseal(key, _of_reader(name), locked[head:]))


def _kdf(password: str, salt: bytes, passes: int, memory: int) -> bytes:
    return argon2id.kdf(KEY_BYTES, password.encode(), salt, opslimit=passes, memlimit=memory)


def _of_reader(name: str) -> bytes:
    return b"reclaim.reader\0" + name.encode()


def from_seed(name: str, seed: bytes) -> Unlocked:
    """The key pair that ``seed`` always gives to the reader ``name``. The seed must be beyond guessing."""
    key = hashlib.blake2b(seed, digest_size=64, person=b"reclaim.seed").digest()
    return Unlocked(name, hashlib.blake2b(_of_reader(name), key=key, digest_size=KEY_BYTES).digest())


def spelled(private_key: bytes) -> str:
    """A private key to write on paper: fourteen groups of four letters and digits, which hold a check."""
    text = base64.b32encode(private_key + _check(private_key)).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def read_spelled(typed: str) -> bytes:
    """The private key that somebody typed. Raises ``ValueError``, with a sentence."""
    bare = re.sub(r"[^A-Z0-9]", "", typed.upper()).translate(str.maketrans("018", "OIB"))
    try:
        raw = base64.b32decode(bare)
    except binascii.Error:
        raw = b""
    if len(raw) != KEY_BYTES + _CHECK_BYTES or raw[KEY_BYTES:] != _check(raw[:KEY_BYTES]):
        raise ValueError(
            "This is no recovery key: it has fourteen groups of four letters and digits. Check each group."
        )
    return raw[:KEY_BYTES]


def _check(private_key: bytes) -> bytes:
    return hashlib.blake2b(private_key, digest_size=_CHECK_BYTES, person=b"reclaim.check").digest()
