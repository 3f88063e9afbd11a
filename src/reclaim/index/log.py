"""The delta log: what was added and removed since a snapshot, in records of one size, each with its own checksum.

Header, 32 bytes: magic, version, the snapshot's identity, CRC-32 of these. Record, 48 bytes: kind, CRC-32, id, code. A
record's CRC covers the identity and the record's number too, so a record that was moved, repeated or taken from another
log is not one. A record that cannot be read is the torn end of an interrupted write if no sound one follows it, and is
dropped; otherwise the log was damaged later and is refused.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from reclaim.index.codes import CODE_BYTES
from reclaim.index.drafts import draft
from reclaim.index.errors import DamagedFile, ForeignFile, LogMismatch, TruncatedFile, UnknownVersion

MAGIC = b"RCLMLOG\n"
VERSION = 1
_HEADER = struct.Struct("<8sIQ8xI")
_RECORD = struct.Struct(f"<B3xIq{CODE_BYTES}s")
_NUMBERED = struct.Struct(f"<QQBq{CODE_BYTES}s")
RECORD_BYTES = _RECORD.size
_ADD, _REMOVE = 1, 2
_NO_CODE = bytes(CODE_BYTES)
_FOLLOWED_SECONDS = 60.0


class Change(NamedTuple):
    """One id that came, with its code, or went, with none."""

    id: int
    code: bytes | None


def log_path(snapshot: Path, identity: int) -> Path:
    """Where the log of a snapshot with this identity lies: beside it."""
    return snapshot.with_name(f"{snapshot.name}.{identity:016x}.log")


def _header(identity: int) -> bytes:
    start = _HEADER.pack(MAGIC, VERSION, identity, 0)[:-4]
    return start + struct.pack("<I", zlib.crc32(start))


def _sum(identity: int, number: int, kind: int, id_: int, code: bytes) -> int:
    return zlib.crc32(_NUMBERED.pack(identity, number, kind, id_, code))


def _packed(identity: int, number: int, change: Change) -> bytes:
    kind, code = (_REMOVE, _NO_CODE) if change.code is None else (_ADD, change.code)
    return _RECORD.pack(kind, _sum(identity, number, kind, change.id, code), change.id, code)


def _unpacked(identity: int, number: int, data: bytes) -> Change | None:
    """The record, or ``None`` if it is not sound."""
    kind, told, id_, code = _RECORD.unpack(data)
    if told != _sum(identity, number, kind, id_, code) or kind not in (_ADD, _REMOVE) or data[1:4] != b"\0\0\0":
        return None
    return Change(id_, code if kind == _ADD else None)


def create_log(path: Path, identity: int) -> None:
    """Write an empty log, whole or not at all. Raises ``OSError``."""
    with draft(path) as file:
        os.write(file.handle, _header(identity))
        file.put_in_place()


class DeltaLog:
    """An open log. One process writes; any number follow, each from where it last stopped. One thread at a time."""

    def __init__(self, path: Path, identity: int, *, writable: bool) -> None:
        """Open the log of the snapshot with this identity.

        Raises ``IndexFileError`` for a file that cannot be used, ``FileNotFoundError``, ``OSError``.
        """
        self._identity = identity
        self._records = 0
        self._file = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
        try:
            _check_header(os.pread(self._file, _HEADER.size, 0), identity)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the file back. A second time it does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @property
    def records(self) -> int:
        """How many were read or written."""
        return self._records

    def news(self) -> list[Change] | None:
        """What was appended since the last call, ``None`` if records that were read are gone.

        A torn end is left for later. When nothing was appended this costs one ``fstat``. Raises ``DamagedFile``,
        ``OSError``.
        """
        waiting = os.fstat(self._file).st_size - self._end()
        if waiting < 0:
            return None
        changes = list(self._sound(self._unread())) if waiting else []
        self._records += len(changes)
        return changes

    def drop_torn_end(self) -> None:
        """Cut off what follows the last record that was read or written. Raises ``OSError``."""
        if os.fstat(self._file).st_size != self._end():
            os.ftruncate(self._file, self._end())
            os.fsync(self._file)

    def append(self, changes: Iterable[Change], *, durable: bool = True) -> None:
        """Write the changes and, if ``durable``, wait until they would outlast a power cut.

        Raises ``OSError``; any part of them may then be in the file, and ``drop_torn_end`` takes it out.
        """
        packed = b"".join(
            _packed(self._identity, number, change) for number, change in enumerate(changes, start=self._records)
        )
        written = 0
        while written < len(packed):
            written += os.pwrite(self._file, packed[written:], self._end() + written)
        if durable:
            os.fdatasync(self._file)
        self._records += len(packed) // RECORD_BYTES

    def _end(self) -> int:
        return _HEADER.size + self._records * RECORD_BYTES

    def _unread(self) -> bytes:
        parts, at = [], self._end()
        while part := os.pread(self._file, 1 << 20, at):
            parts.append(part)
            at += len(part)
        return b"".join(parts)

    def _sound(self, data: bytes) -> Iterator[Change]:
        whole = len(data) // RECORD_BYTES
        for position in range(whole):
            change = self._at(data, position)
            if change is None:
                if any(self._at(data, later) is not None for later in range(position + 1, whole)):
                    raise DamagedFile("The index's log is damaged; build the index anew from its source.")
                return
            yield change

    def _at(self, data: bytes, position: int) -> Change | None:
        start = position * RECORD_BYTES
        return _unpacked(self._identity, self._records + position, data[start : start + RECORD_BYTES])


class FormerLog:
    """The log of the snapshot before, written on for a minute for readers that are still taking in the new one."""

    def __init__(self) -> None:
        self._log: DeltaLog | None = None
        self._until = 0.0

    def begin(self, log: DeltaLog) -> None:
        """From now on it is this one, which is closed in the end."""
        self.end()
        self._log, self._until = log, time.monotonic() + _FOLLOWED_SECONDS

    def append(self, changes: Iterable[Change]) -> None:
        """Write the changes; where that fails, those readers see them when they have the new snapshot."""
        if self._log is not None:
            try:
                self._log.append(changes, durable=False)
            except OSError:
                self.end()
        if time.monotonic() > self._until:
            self.end()

    def end(self) -> None:
        """Write no more."""
        if self._log is not None:
            self._log.close()
            self._log = None


def _check_header(header: bytes, identity: int) -> None:
    if header[: len(MAGIC)] != MAGIC:
        raise ForeignFile("This is no log of the index.")
    if len(header) < _HEADER.size:
        raise TruncatedFile("The index's log is cut short; build the index anew from its source.")
    _, version, told, crc = _HEADER.unpack(header)
    if crc != zlib.crc32(header[:-4]):
        raise DamagedFile("The index's log is damaged; build the index anew from its source.")
    if version != VERSION:
        raise UnknownVersion("The index's log has another version; build the index anew with this software.")
    if told != identity:
        raise LogMismatch("This log belongs to another snapshot; put back the snapshot and the log saved together.")
