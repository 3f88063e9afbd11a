"""What Reclaim banks tell each other: signed statements, each a bank's latest word on one thing.

Statements are a replicated set. Each has an origin, a name that the origin chose and a version; the highest version
wins, and of two with one version the withdrawal. The origin's signature is over the statement alone, so any bank can
pass it on and none can change it. docs/federation.md tells the rules.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import uuid
from typing import Annotated, Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from reclaim.signals.frames import MAX_FRAMES

PATH = "/v2/federation/statements"
"""Below the bank's address."""
SCHEME = "Reclaim-Bank"
"""Of the ``Authorization`` header."""
CLOCKS_APART = 300
"""Seconds that two banks' clocks may differ."""
LARGEST_PAGE = 1000
KEY_BYTES = 32
SIGNATURE_BYTES = 64
_STATEMENT = b"reclaim federation statement 1\n"
_REQUEST = b"reclaim federation request 1\n"

Name = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
Version = Annotated[int, Field(ge=1, lt=2**62)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Statement(_Message):
    origin: Name
    name: Name
    version: Version

    def signed_bytes(self) -> bytes:
        """What the origin signs: this statement in one writing that every bank arrives at."""
        fields = self.model_dump(mode="json")
        return _STATEMENT + json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()

    def signed_by(self, key: Ed25519PrivateKey) -> bytes:
        """The signature, 64 bytes."""
        return key.sign(self.signed_bytes())


class Assertion(_Statement):
    """«This signal is in my bank», or «no longer». The latter names no signal: whoever had it knows it by its name."""

    kind: Literal["assertion"] = "assertion"
    active: bool
    type: Literal["pdq", "md5", "vpdq"] | None = None
    value: Annotated[str, Field(max_length=64)] | None = None
    frames: list[Annotated[str, Field(max_length=100)]] = Field(default=[], max_length=MAX_FRAMES)
    quality: int | None = Field(None, ge=0, le=100)
    made_with_ai: bool = False
    person: bool = False
    """Whether a person reported it, and not a platform alone."""

    @model_validator(mode="after")
    def _whole(self) -> Assertion:
        said = self.type is not None and self.value is not None
        says_more = bool(self.frames or self.made_with_ai or self.person or self.quality is not None)
        if said != self.active or (says_more and not self.active) or (bool(self.frames) != (self.type == "vpdq")):
            raise ValueError("An active assertion has a signal, one that is over has none, and a vpdq has frames.")
        return self


class Word(_Statement):
    """What one platform of the origin decided about a signal that some bank asserts."""

    kind: Literal["word"] = "word"
    about_origin: Name
    about: Name
    platform: Name
    """A name for the platform: always the same one, and nobody but its bank knows whose."""
    decision: Literal["none", "pending", "blocked", "not-blocked"]
    reason: Annotated[str, Field(max_length=16, pattern=r"^[a-z-]*$")] = ""


Statement = Annotated[Assertion | Word, Field(discriminator="kind")]


class Signed(_Message):
    """A statement with its origin's signature (base64)."""

    statement: Statement
    signature: Annotated[str, Field(max_length=88)]

    def signature_bytes(self) -> bytes | None:
        """The signature; ``None`` where it is none."""
        try:
            raw = base64.b64decode(self.signature, validate=True)
        except binascii.Error:
            return None
        return raw if len(raw) == SIGNATURE_BYTES else None

    def is_from(self, public_key: bytes) -> bool:
        """Whether the owner of this key has signed the statement."""
        raw = self.signature_bytes()
        return raw is not None and _is_signed(public_key, raw, self.statement.signed_bytes())


class Page(BaseModel):
    """Statements in the order in which this bank learned them. ``cursor`` goes with them into the store."""

    statements: list[Any]
    """Each a ``Signed``; read one by one, so that one that cannot be read costs no other."""
    cursor: Annotated[str, Field(max_length=100)]
    has_more: bool


_SIGNED: TypeAdapter[Signed] = TypeAdapter(Signed)


def read_signed(raw: Any) -> Signed | None:
    """A statement from a page; ``None`` for what is none."""
    try:
        return _SIGNED.validate_python(raw)
    except (ValidationError, RecursionError):
        return None


def write_signed(statement: Assertion | Word, signature: bytes) -> dict[str, Any]:
    """A statement as a page has it."""
    return {"statement": statement.model_dump(mode="json"), "signature": base64.b64encode(signature).decode()}


def bank_id_of(public_key: bytes) -> uuid.UUID:
    """A bank's number follows from its key: nobody can claim a number with another key."""
    return uuid.UUID(bytes=hashlib.sha256(b"reclaim bank\n" + public_key).digest()[:16], version=4)


def write_key(public_key: bytes) -> str:
    """A bank's public key as operators pass it on (44 characters)."""
    return base64.b64encode(public_key).decode()


def read_key(text: str) -> bytes:
    """The key again (32 bytes). Raises ``ValueError`` with a sentence."""
    try:
        raw = base64.b64decode(text.strip(), validate=True)
        Ed25519PublicKey.from_public_bytes(raw)
    except (binascii.Error, ValueError) as error:
        raise ValueError("A bank's key is 44 characters, as «reclaim bank peer identity» prints it there.") from error
    return raw


def authorization(key: Ed25519PrivateKey, audience: uuid.UUID, target: str, now: int) -> str:
    """The header with which a bank shows who it is, for one address (path and query) of one other bank."""
    bank = bank_id_of(key.public_key().public_bytes_raw())
    signature = key.sign(_request(audience, target, now))
    return f"{SCHEME} {bank}:{now}:{base64.b64encode(signature).decode()}"


def claimed_bank(header: str) -> uuid.UUID | None:
    """The bank that a header says it is from, not yet checked; ``None`` if it names none."""
    scheme, _, rest = header.partition(" ")
    try:
        return uuid.UUID(rest.split(":")[0]) if scheme == SCHEME and len(header) < 300 else None
    except ValueError:
        return None


def is_authorized(header: str, public_key: bytes, audience: uuid.UUID, target: str, now: float) -> bool:
    """Whether the owner of this key has signed this request, for this bank, within ``CLOCKS_APART`` seconds."""
    parts = header.partition(" ")[2].split(":")
    if len(parts) != 3 or not (parts[1].isascii() and parts[1].isdigit() and len(parts[1]) <= 12):
        return False
    try:
        signature = base64.b64decode(parts[2], validate=True)
    except binascii.Error:
        return False
    signed_at = int(parts[1])
    return abs(now - signed_at) <= CLOCKS_APART and _is_signed(
        public_key, signature, _request(audience, target, signed_at)
    )


def _request(audience: uuid.UUID, target: str, now: int) -> bytes:
    return _REQUEST + f"{audience}\n{now}\n{target}".encode()


def _is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
