"""A bank's snapshot: its manifest, which is signed, and its parts, which are checked against it."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from reclaim.client.changes import Change
from reclaim.client.errors import BankMisbehaved
from reclaim.client.native_reading import TYPES, checked, read_fields, read_object
from reclaim.protocol import native_v2 as wire

MOST_PARTS = 10_000
MOST_ROWS = 500_000_000
LARGEST_PART = 4 * 2**30
_VALUE_BYTES = {"pdq": 32, "md5": 16, "vpdq": 32}


def read_manifest(body: bytes, key: bytes, bank_id: str) -> wire.SnapshotManifest:
    """The manifest in a signed envelope. Raises ``BankMisbehaved`` unless ``key`` (Ed25519, 32 bytes) signed it."""
    envelope = read_fields(wire.Envelope, read_object(body), "snapshot")
    payload = _base64(envelope.payload)
    if envelope.payloadType != wire.SNAPSHOT_TYPE or payload is None:
        raise BankMisbehaved("The bank's snapshot breaks the contract. Nothing of it was stored; tell its operator.")
    message = wire.pae(envelope.payloadType, payload)
    if not any(_signed(key, _base64(each.sig), message) for each in envelope.signatures[:10]):
        raise BankMisbehaved(
            "The bank's snapshot is not signed with the key that it named when you joined. Nothing of it was stored. "
            "If its operator tells you, by another way, that the key was changed, run «reclaim platform init» again."
        )
    manifest = read_fields(wire.SnapshotManifest, read_object(payload), "snapshot")
    parts = manifest.parts
    if (
        manifest.bank_id != bank_id
        or len(parts) > MOST_PARTS
        or not 0 <= manifest.rows <= MOST_ROWS
        or sum(part.rows for part in parts) != manifest.rows
        or any(not 0 < part.bytes <= LARGEST_PART or part.rows < 0 for part in parts)
        or any(not _is_digest(part.sha256) for part in parts)
        or not 0 < len(manifest.cursor) <= wire.LARGEST_CURSOR
        or len(manifest.snapshot) > 100
    ):
        raise BankMisbehaved("The bank's snapshot does not add up. Nothing of it was stored; tell its operator.")
    return manifest


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


def _signed(key: bytes, signature: bytes | None, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature or b"", message)
    except InvalidSignature:
        return False
    return True


def _is_digest(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def fetch_part(part: wire.SnapshotPart, folder: Path, pieces: Callable[[int, int], Iterator[bytes]]) -> Path:
    """The part as a file of ``folder``, going on where an earlier download ended.

    ``pieces(start, size)`` are its bytes from ``start`` on. Raises ``BankMisbehaved`` if they are not those that the
    manifest names; then nothing is kept.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{part.sha256}.part"
    for _ in range(2):
        have = path.stat().st_size if path.exists() else 0
        if have < part.bytes:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                for piece in pieces(have, part.bytes):
                    file.write(piece)
        with path.open("rb") as file:
            if path.stat().st_size == part.bytes and hashlib.file_digest(file, "sha256").hexdigest() == part.sha256:
                return path
        # What an earlier download left may have been spoilt since; what is wrong from its beginning stays wrong.
        path.unlink()
        if not have:
            break
    raise BankMisbehaved(
        "A part of the bank's snapshot is not what its manifest says. Nothing of it was stored; tell its operator."
    )


def read_part(path: Path, part: wire.SnapshotPart, skip: int = 0) -> Iterator[tuple[int, list[Change], int]]:
    """Rows of a part, some at a time: how many there were, those that could be read, how many could not.

    The first ``skip`` rows are left out. Raises ``BankMisbehaved`` where it is not a part of so many rows.
    """
    import pyarrow as pa

    # The file itself, not the package around it, whose libraries it has no use for.
    program = Path(__file__).with_name("unpack.py")
    command = [sys.executable, "-I", str(program), str(path), str(part.rows)]
    rows = 0
    with subprocess.Popen(  # noqa: S603 our own command
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        if process.stdout is None:
            raise BankMisbehaved("The snapshot could not be read.")
        try:
            with pa.ipc.open_stream(process.stdout) as stream:
                for batch in stream:
                    left_out = min(max(skip - rows, 0), batch.num_rows)
                    rows += batch.num_rows
                    if left_out < batch.num_rows:
                        changes = list(_rows(batch.slice(left_out).to_pydict()))
                        taken = batch.num_rows - left_out
                        yield taken, changes, taken - len(changes)
            broken = False
        except (pa.ArrowException, OSError):
            broken = True
            process.kill()
        if process.wait() or broken or rows != part.rows:
            raise BankMisbehaved(
                "A part of the bank's snapshot cannot be read: it is no Parquet file as the contract has it, or takes "
                "more memory than any part may. Tell the bank's operator."
            )


def _rows(columns: dict[str, list[Any]]) -> Iterator[Change]:
    """The rows that can be read."""
    for kind, value, frames, quality, labels, provenance, trust, action in zip(*columns.values(), strict=True):
        if len(value or b"") != _VALUE_BYTES.get(kind) or action not in ("block", "review"):
            continue
        try:
            text, kept = checked(TYPES[kind], value.hex(), frames or [])
        except ValueError:
            continue
        yield Change(
            TYPES[kind],
            text,
            frames=kept,
            labels=[label for label in labels or [] if label][:20],
            quality=quality if quality is None or quality <= 100 else None,
            provenance=[name for name in provenance or [] if name][:20],
            trust=min(trust, 100) if trust is not None else 0,
            review_only=action == "review" or trust is None,
        )
