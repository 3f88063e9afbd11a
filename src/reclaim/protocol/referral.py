"""What banks carry for organisations that refer people to one another: lists of organisations, and sealed messages.

A bank signs what it carries and cannot read it: the content is sealed to the receiving organisation's own key (age,
X25519). docs/cooperation.md tells the rules.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Literal, Self, TypeVar

import pyrage
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

LIST_PATH = "/v2/federation/organisations"
MESSAGE_PATH = "/v2/federation/referrals"
"""Below a bank's address."""
LIFE = 14 * 24 * 3600
"""Seconds for which a message may be delivered. A receiver remembers its name for as long, so it counts once."""
CLOCKS_APART = 300
MOST_ORGANISATIONS = 500
LONGEST_TEXT = 8_000
"""Characters of one field."""
LARGEST_SEALED = 400_000
"""Characters (base64)."""
_PAD = 4096
"""Sealed content is as long as a multiple of this (bytes), so that its length does not tell what is in it."""
_MESSAGE = b"reclaim referral message 1\n"
_LIST = b"reclaim organisation list 1\n"

Name = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
Recipient = Annotated[str, Field(pattern=r"^age1[02-9ac-hj-np-z]{58}$")]
"""A public key of age, X25519: 62 characters."""
Words = Annotated[str, Field(max_length=LONGEST_TEXT, pattern=r"^[^\x00]*$")]
"""Of a person, or of a practitioner about one. No NUL, which no database keeps."""
Model = TypeVar("Model", bound=BaseModel)


class CannotOpenError(Exception):
    """Sealed content could not be opened, or is not what was agreed; the message says what to do."""


class Part(StrEnum):
    """What may be told of a person, each agreed to by itself."""

    CONTACT = "contact"
    COUNTRY = "country"
    LANGUAGE = "language"
    HAPPENED = "happened"
    LINKS = "links"
    SAFETY = "safety"
    DONE = "done"
    WANTS = "wants"


class Kind(StrEnum):
    """What a message does."""

    REFERRAL = "referral"
    WITHDRAWAL = "withdrawal"
    """The person no longer agrees: erase it, and say so."""
    ACCEPTED = "accepted"
    DECLINED = "declined"
    RETURNED = "returned"
    ERASED = "erased"


WITH_CONTENT = (Kind.REFERRAL, Kind.DECLINED, Kind.RETURNED)
FROM_SENDER = (Kind.REFERRAL, Kind.WITHDRAWAL)
"""Sent by the organisation that referred; the others by the one that received."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listed(_Message):
    """One organisation of a bank that takes part in referrals."""

    number: Name
    name: Annotated[str, Field(min_length=1, max_length=80)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    languages: list[Annotated[str, Field(max_length=40)]] = Field(max_length=40)
    hours: Annotated[str, Field(max_length=200)] = ""
    remit: Annotated[str, Field(max_length=300)] = ""
    recipient: Recipient
    """What is sealed to it."""

    @model_validator(mode="after")
    def _plain(self) -> Self:
        if not all(text.isprintable() for text in (self.name, self.hours, self.remit, *self.languages)):
            raise ValueError("Words of an organisation are printable characters.")
        return self


class OrganisationList(_Message):
    """A bank's organisations. A later ``made_at`` (epoch seconds) replaces an earlier one."""

    origin: Name
    made_at: Annotated[int, Field(ge=0, lt=2**40)]
    organisations: list[Listed] = Field(max_length=MOST_ORGANISATIONS)


class Envelope(_Message):
    """What one bank hands to another: who to whom, what it does, and the sealed content."""

    name: Name
    """Of the message; random. Delivered twice, it counts once."""
    referral: Name
    kind: Kind
    origin: Name
    audience: Name
    """The two banks."""
    from_organisation: Name
    to_organisation: Name
    made_at: Annotated[int, Field(ge=0, lt=2**40)]
    """Epoch seconds."""
    sealed: Annotated[str, Field(max_length=LARGEST_SEALED)] = ""
    """Base64 of an age file."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.sealed) != (self.kind in WITH_CONTENT):
            raise ValueError("Referrals, refusals and returns have sealed content, other messages none.")
        return self


class Agreed(_Message):
    """What the person agreed to, as the organisation that asked recorded it."""

    parts: list[Part] = Field(min_length=1, max_length=len(Part))
    how: Literal["phone", "code"]
    """Said on the phone or in a chat; or with a one-time code of the person's case page."""
    at: Annotated[int, Field(ge=0, lt=2**40)]
    words: Words


class Content(_Message):
    """A referral, as the receiving organisation reads it: no part that was not agreed to."""

    referral: Name
    agreed: Agreed
    told: dict[Part, Annotated[Words, Field(min_length=1)]]
    reply_to: Recipient
    """What answers are sealed to."""

    @model_validator(mode="after")
    def _no_more_than_agreed(self) -> Self:
        if not set(self.told) <= set(self.agreed.parts):
            raise ValueError("There is more in it than the person agreed to.")
        return self


class Reply(_Message):
    """Why it was declined, or the summary with which it is returned."""

    referral: Name
    text: Annotated[Words, Field(min_length=1)]


class Signed(_Message):
    """An envelope or a list, with the bank's signature (base64)."""

    signature: Annotated[str, Field(max_length=88)]
    envelope: Envelope | None = None
    list: OrganisationList | None = None


def _written(model: BaseModel) -> bytes:
    return json.dumps(model.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _signed_bytes(model: Envelope | OrganisationList) -> bytes:
    return (_MESSAGE if isinstance(model, Envelope) else _LIST) + _written(model)


def sign(model: Envelope | OrganisationList, key: Ed25519PrivateKey) -> bytes:
    """What goes over the wire: JSON with the signature."""
    signature = base64.b64encode(key.sign(_signed_bytes(model))).decode()
    if isinstance(model, Envelope):
        return Signed(signature=signature, envelope=model).model_dump_json(exclude_none=True).encode()
    return Signed(signature=signature, list=model).model_dump_json(exclude_none=True).encode()


def _verified(raw: bytes, public_key: bytes) -> Signed | None:
    try:
        signed = Signed.model_validate_json(raw)
        said = signed.envelope or signed.list
        if said is None or (signed.envelope and signed.list):
            return None
        signature = base64.b64decode(signed.signature, validate=True)
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, _signed_bytes(said))
    except (ValidationError, ValueError, binascii.Error, InvalidSignature, RecursionError):
        return None
    return signed


def read_envelope(raw: bytes, public_key: bytes) -> Envelope | None:
    """An envelope that the owner of this key has signed; ``None`` for anything else."""
    signed = _verified(raw, public_key)
    return signed.envelope if signed else None


def read_list(raw: bytes, public_key: bytes) -> OrganisationList | None:
    """A list that the owner of this key has signed; ``None`` for anything else."""
    signed = _verified(raw, public_key)
    return signed.list if signed else None


def new_identity() -> tuple[str, str]:
    """A new key pair of age: what opens (secret), and what is sealed to (public)."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def read_recipient(text: str) -> str:
    """A public key of age as somebody typed it. Raises ``ValueError`` with a sentence."""
    try:
        return str(pyrage.x25519.Recipient.from_str(text.strip()))
    except (pyrage.RecipientError, ValueError) as error:
        raise ValueError(
            "This is no public key of age: 62 characters that begin with «age1». Its owner makes one with «age-keygen»."
        ) from error


def seal_bytes(recipients: Iterable[str], content: bytes) -> bytes:
    """An age file that any of the recipients opens."""
    return bytes(pyrage.encrypt(content, [pyrage.x25519.Recipient.from_str(each) for each in recipients]))


def open_bytes(identity: str, sealed: bytes) -> bytes:
    """The content of an age file. Raises ``CannotOpenError``."""
    try:
        return bytes(pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(identity.strip())]))
    except (pyrage.DecryptError, pyrage.IdentityError, ValueError) as error:
        raise CannotOpenError("This key does not open it, or it was damaged on the way. Ask for it again.") from error


def seal_to(recipient: str, content: Content | Reply) -> str:
    """Sealed to one organisation (base64)."""
    written = _written(content)
    padded = written + b" " * (-len(written) % _PAD)
    return base64.b64encode(seal_bytes([recipient], padded)).decode()


def open_sealed(identity: str, sealed: str, model: type[Model]) -> Model:
    """What was sealed. Raises ``CannotOpenError``."""
    try:
        raw = base64.b64decode(sealed, validate=True)
    except binascii.Error as error:
        raise CannotOpenError("This is damaged. Ask the other organisation to send it again.") from error
    try:
        return model.model_validate_json(open_bytes(identity, raw))
    except ValidationError as error:
        raise CannotOpenError(
            "This breaks the rules of referrals: a part may be in it that the person did not agree to. It is not "
            "shown. Decline it, and tell the other organisation."
        ) from error
