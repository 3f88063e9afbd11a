"""An evidence pack: what is in it, and how anybody checks it. docs/cooperation.md describes it.

A pack is an uncompressed ZIP, sealed to an officer's key (age). In it are ``manifest.json``, the same manifest signed
by the bank (``manifest.dsse.json``), ``report.pdf``, and screenshots. Whoever opens it checks it without the bank.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reclaim.protocol.native_v2 import Envelope, Moment, key_id, pae

EVIDENCE_TYPE = "application/vnd.reclaim.evidence+json"
"""The ``payloadType`` of a manifest's envelope."""
CUSTODY_TYPE = "application/vnd.reclaim.custody+json"
"""The same of a chain of custody that is taken out by itself."""
MANIFEST, ENVELOPE, REPORT = "manifest.json", "manifest.dsse.json", "report.pdf"
MOST_PICTURES = 10
LARGEST_PICTURE = 5 * 1024 * 1024
LARGEST_PICTURES = 20 * 1024 * 1024
LARGEST_MANIFEST = 4 * 1024 * 1024
LARGEST_REPORT = 16 * 1024 * 1024
LARGEST_PACK = LARGEST_PICTURES + 2 * LARGEST_MANIFEST + LARGEST_REPORT
MOST_LINKS = 1000
_LARGEST_DIRECTORY = 4096
"""Bytes of a ZIP's list of files."""
_PICTURE = re.compile(r"screenshots/(0[1-9]|10)\.(png|jpg|webp)", re.ASCII)
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
    (b"\xff\xd8\xff", "jpg", "image/jpeg"),
)
_ZERO = "0" * 64

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class BadPackError(Exception):
    """This is no evidence pack, or it was changed; the message says what does not hold."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PackFile(_Part):
    """A file of the pack besides the manifest."""

    name: Annotated[str, Field(max_length=60)]
    media_type: Annotated[str, Field(max_length=60)]
    bytes: Annotated[int, Field(ge=0)]
    sha256: Digest


class PackLink(_Part):
    """A page where a picture was found."""

    url: Annotated[str, Field(max_length=4000)]
    host: Annotated[str, Field(max_length=300)] = ""
    state: Annotated[str, Field(max_length=40)] = ""
    found_on: Moment | None = None
    first_down_on: Moment | None = None
    """When it was first seen to be gone."""
    checked_at: Moment | None = None


class PackSignal(_Part):
    """A signal of the person's own case: it recognises the picture and cannot be turned back into it."""

    type: Literal["pdq", "md5", "vpdq"]
    value: Digest | Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    added_on: Annotated[str, Field(max_length=10)]


class Custody(_Part):
    """One step of the chain of custody; ``digest`` is over the step and the digest of the one before."""

    number: Annotated[int, Field(ge=1)]
    at: Moment
    kind: Annotated[str, Field(max_length=40)]
    by: Annotated[str, Field(max_length=200)]
    note: Annotated[str, Field(max_length=300)] = ""
    previous: Digest
    digest: Digest


class Manifest(_Part):
    """What a pack is. Times are UTC."""

    version: Literal[1] = 1
    pack: Annotated[str, Field(max_length=36)]
    made_at: Moment
    bank: Annotated[str, Field(max_length=200)]
    bank_id: Annotated[str, Field(max_length=36)]
    organisation: Annotated[str, Field(max_length=200)]
    made_by: Annotated[str, Field(max_length=200)]
    designation: Annotated[str, Field(max_length=60)]
    """What the organisation calls the case file; never a person's name."""
    for_officer: Annotated[str, Field(max_length=400)]
    sealed_to: Annotated[str, Field(max_length=80)]
    """The officer's public key of age."""
    allowed_how: Annotated[str, Field(max_length=20)]
    allowed_words: Annotated[str, Field(max_length=8000)]
    """What the person allowed."""
    statement: Annotated[str, Field(max_length=8000)] = ""
    """What the practitioner adds, as the person allowed."""
    links: list[PackLink] = Field(max_length=MOST_LINKS)
    signals: list[PackSignal] = Field(max_length=10_000)
    files: list[PackFile] = Field(max_length=MOST_PICTURES + 1)
    custody: list[Custody] = Field(max_length=10_000)


@dataclass(frozen=True)
class Verified:
    """A pack that holds. ``signed_by`` is the name of the bank's key."""

    manifest: Manifest
    signed_by: str
    digest: str
    """SHA-256 of the manifest."""


def canonical(content: Any) -> bytes:
    """JSON in one writing: keys in order, no spaces, UTF-8."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def write_manifest(manifest: Manifest) -> bytes:
    """The manifest as it is signed and packed."""
    return canonical(manifest.model_dump(mode="json"))


def custody_digest(number: int, at: str, kind: str, by: str, note: str, previous: str) -> str:
    """The digest of one step. ``at`` is written as the manifest writes it."""
    step = {"number": number, "at": at, "kind": kind, "by": by, "note": note, "previous": previous}
    return hashlib.sha256(canonical(step)).hexdigest()


def custody_holds(steps: list[Custody]) -> bool:
    """Whether no step was changed, left out or put in before the last one."""
    previous = _ZERO
    for number, step in enumerate(steps, start=1):
        written = step.model_dump(mode="json")
        digest = custody_digest(number, written["at"], step.kind, step.by, step.note, previous)
        if (step.number, step.previous, step.digest) != (number, previous, digest):
            return False
        previous = digest
    return True


def picture_kind(content: bytes) -> tuple[str, str] | None:
    """Extension and media type of a picture by its first bytes; ``None`` for what is no PNG, JPEG or WebP.

    Nothing of it is decoded.
    """
    for magic, extension, media_type in _MAGIC:
        if content.startswith(magic):
            return extension, media_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp", "image/webp"
    return None


def described(name: str, media_type: str, content: bytes) -> PackFile:
    """A file as the manifest lists it."""
    digest = hashlib.sha256(content).hexdigest()
    return PackFile(name=name, media_type=media_type, bytes=len(content), sha256=digest)


def write_pack(manifest: bytes, envelope: Envelope, files: Mapping[str, bytes]) -> bytes:
    """The ZIP: stored, never compressed, in an order and with times that say nothing."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {MANIFEST: manifest, ENVELOPE: envelope.model_dump_json().encode(), **files}.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def _limit_of(name: str) -> int | None:
    if name in (MANIFEST, ENVELOPE):
        return 2 * LARGEST_MANIFEST
    if name == REPORT:
        return LARGEST_REPORT
    return LARGEST_PICTURE if _PICTURE.fullmatch(name) else None


def _has_few_files(pack: bytes) -> bool:
    """Whether the directory at the end of a ZIP is as short as a pack's, before anything reads a million entries."""
    end, longer = pack[-22:], pack[-42:-38] == b"PK\x06\x07"
    return end[:4] == b"PK\x05\x06" and not longer and int.from_bytes(end[12:16], "little") <= _LARGEST_DIRECTORY


def _read(pack: bytes) -> dict[str, bytes]:
    """The files of a pack, in bounded memory. Nothing is written anywhere."""
    if len(pack) > LARGEST_PACK:
        raise BadPackError("This is larger than any evidence pack.")
    if not _has_few_files(pack):
        raise BadPackError("This is no evidence pack, or it was damaged. If it ends in .age, open it first.")
    try:
        with zipfile.ZipFile(io.BytesIO(pack)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_PICTURES + 3 or len({entry.filename for entry in entries}) != len(entries):
                raise BadPackError("It has more files than an evidence pack has, or two of one name.")
            found = {}
            for entry in entries:
                limit = _limit_of(entry.filename)
                if limit is None:
                    raise BadPackError("It has a file in it whose name no evidence pack has.")
                # What is stored as it is takes no more room than the file that we have.
                if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1 or entry.file_size > limit:
                    raise BadPackError("A file in it is compressed, encrypted or too large: no evidence pack is so.")
                found[entry.filename] = archive.read(entry)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, ValueError, RuntimeError) as error:
        raise BadPackError("This is no evidence pack, or it was damaged. If it ends in .age, open it first.") from error
    return found


def _payload(raw: bytes, payload_type: str, public_key: bytes) -> bytes:
    try:
        envelope = Envelope.model_validate_json(raw)
        payload = base64.b64decode(envelope.payload, validate=True)
        signature = next(
            base64.b64decode(each.sig, validate=True)
            for each in envelope.signatures[:10]
            if each.keyid == key_id(public_key)
        )
    except StopIteration as error:
        raise BadPackError("It is signed with another key than this bank's. Ask the bank for its key.") from error
    except (ValidationError, binascii.Error, ValueError) as error:
        raise BadPackError("Its signature cannot be read.") from error
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, pae(envelope.payloadType, payload))
    except (InvalidSignature, ValueError) as error:
        raise BadPackError("The signature does not hold: the manifest was changed after it was signed.") from error
    if envelope.payloadType != payload_type:
        raise BadPackError("This is signed as something else than an evidence pack.")
    return payload


def verify(pack: bytes, public_key: bytes) -> Verified:
    """Check a pack that was opened: its signature, each file, the chain of custody. Raises ``BadPackError``."""
    files = _read(pack)
    if MANIFEST not in files or ENVELOPE not in files:
        raise BadPackError("It has no manifest, or none that is signed.")
    payload = _payload(files.pop(ENVELOPE), EVIDENCE_TYPE, public_key)
    if payload != files.pop(MANIFEST):
        raise BadPackError("The manifest is not the one that was signed.")
    try:
        manifest = Manifest.model_validate_json(payload)
    except (ValidationError, RecursionError) as error:
        raise BadPackError("The manifest cannot be read by this version. Bring Reclaim up to date.") from error
    listed = {file.name: file for file in manifest.files}
    if listed.keys() != files.keys() or len(listed) != len(manifest.files):
        raise BadPackError("The files are not those that the manifest lists.")
    for name, content in files.items():
        if described(name, listed[name].media_type, content) != listed[name]:
            raise BadPackError(f"«{name}» was changed after the pack was made.")
    if not custody_holds(manifest.custody):
        raise BadPackError("The chain of custody was changed.")
    return Verified(manifest, key_id(public_key), hashlib.sha256(payload).hexdigest())
