"""The delta log: what was added and removed since a snapshot, in records of one size, each with its own checksum.

Header, 32 bytes: magic, version, the snapshot's identity, CRC-32 of these. Record, 48 bytes: kind, CRC-32, id, code. A
record's CRC covers the identity and the record's number too, so a record that was moved, repeated or taken from another
log is not one.

Changes that are made together are a batch: a record with their count in the place of the id and the CRC-32 of all their
records in that of the code, then the records, of kinds that are found in batches only. A change or batch that is not
whole is the torn end of an interrupted write if no other begins after it, and is dropped, all of it; otherwise the log
was damaged later and is refused. A batch may be torn anywhere: a disk need not write in order.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections import deque
from collections.abc import Sequence
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
_BATCH_SUM = struct.Struct(f"<I{CODE_BYTES - 4}x")
_ADD, _REMOVE, _BATCH, _ADD_IN_BATCH, _REMOVE_IN_BATCH = 1, 2, 3, 4, 5
_NO_CODE = bytes(CODE_BYTES)
_FOLLOWED_SECONDS = 60.0
_FOLLOWED_MOST = 64


class Change(NamedTuple):
    """One id that came, with its code, or went, with none."""

    id: int
    code: bytes | None


class _Record(NamedTuple):
    kind: int
    id: int
    code: bytes

    @property
    def change(self) -> Change:
        return Change(self.id, self.code if self.kind in (_ADD, _ADD_IN_BATCH) else None)


def log_path(snapshot: Path, identity: int) -> Path:
    """Where the log of a snapshot with this identity lies: beside it."""
    return snapshot.with_name(f"{snapshot.name}.{identity:016x}.log")


def _header(identity: int) -> bytes:
    start = _HEADER.pack(MAGIC, VERSION, identity, 0)[:-4]
    return start + struct.pack("<I", zlib.crc32(start))


def _sum(identity: int, number: int, kind: int, id_: int, code: bytes) -> int:
    return zlib.crc32(_NUMBERED.pack(identity, number, kind, id_, code))


def _record(identity: int, number: int, kind: int, id_: int, code: bytes | None) -> bytes:
    code = _NO_CODE if code is None else code
    return _RECORD.pack(kind, _sum(identity, number, kind, id_, code), id_, code)


def packed(identity: int, number: int, changes: Sequence[Change]) -> bytes:
    """The records of changes that are made together, the first with this number."""
    batch = len(changes) > 1
    added, removed = (_ADD_IN_BATCH, _REMOVE_IN_BATCH) if batch else (_ADD, _REMOVE)
    records = b"".join(
        _record(identity, place, removed if code is None else added, id_, code)
        for place, (id_, code) in enumerate(changes, start=number + batch)
    )
    if not batch:
        return records
    return _record(identity, number, _BATCH, len(changes), _BATCH_SUM.pack(zlib.crc32(records))) + records


def _unpacked(identity: int, number: int, data: bytes) -> _Record | None:
    """The record, or ``None`` if it is not sound."""
    kind, told, id_, code = _RECORD.unpack(data)
    if told != _sum(identity, number, kind, id_, code) or not _ADD <= kind <= _REMOVE_IN_BATCH or any(data[1:4]):
        return None
    return _Record(kind, id_, code)


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
        self._changes = 0
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

    @property
    def changes(self) -> int:
        """How many these records tell."""
        return self._changes

    def news(self) -> list[Change] | None:
        """What was appended since the last call, ``None`` if records that were read are gone.

        A torn end, or a batch that is still being written, is left for later. When nothing was appended this costs one
        ``fstat``. Raises ``DamagedFile``, ``OSError``.
        """
        waiting = os.fstat(self._file).st_size - self._end()
        if waiting < 0:
            return None
        changes, records = self._sound(self._unread()) if waiting else ([], 0)
        self._records += records
        self._changes += len(changes)
        return changes

    def drop_torn_end(self) -> None:
        """Cut off what follows the last record that was read or written. Raises ``OSError``."""
        if os.fstat(self._file).st_size != self._end():
            os.ftruncate(self._file, self._end())
            os.fsync(self._file)

    def append(self, changes: Sequence[Change], *, durable: bool = True) -> None:
        """Write the changes, to be read all or none, and, if ``durable``, wait until they would outlast a power cut.

        Raises ``OSError``; any part of them may then be in the file, and ``drop_torn_end`` takes it out.
        """
        records = memoryview(packed(self._identity, self._records, changes))
        written = 0
        while written < len(records):
            written += os.pwrite(self._file, records[written:], self._end() + written)
        if durable:
            os.fdatasync(self._file)
        self._records += len(records) // RECORD_BYTES
        self._changes += len(changes)

    def _end(self) -> int:
        return _HEADER.size + self._records * RECORD_BYTES

    def _unread(self) -> bytes:
        parts, at = [], self._end()
        while part := os.pread(self._file, 1 << 20, at):
            parts.append(part)
            at += len(part)
        return b"".join(parts)

    def _sound(self, data: bytes) -> tuple[list[Change], int]:
        """What is whole from the beginning on, and in how many records."""
        changes: list[Change] = []
        position, end = 0, len(data) // RECORD_BYTES
        while position < end:
            made = self._made_at(data, position)
            if made is None:
                if any(self._begins(data, later) for later in range(position + 1, end)):
                    raise DamagedFile("The index's log is damaged; build the index anew from its source.")
                break
            together, position = made
            changes += together
        return changes, position

    def _made_at(self, data: bytes, position: int) -> tuple[list[Change], int] | None:
        """The change or batch that begins here, and where the next does; ``None`` if it is not whole and sound."""
        first = self._at(data, position)
        if first is None or first.kind in (_ADD_IN_BATCH, _REMOVE_IN_BATCH):
            return None
        if first.kind != _BATCH:
            return [first.change], position + 1
        begin, end = position + 1, position + 1 + first.id
        if not begin < end <= len(data) // RECORD_BYTES:
            return None
        if _BATCH_SUM.pack(zlib.crc32(data[begin * RECORD_BYTES : end * RECORD_BYTES])) != first.code:
            return None
        changes = []
        for place in range(begin, end):
            record = self._at(data, place)
            if record is None or record.kind not in (_ADD_IN_BATCH, _REMOVE_IN_BATCH):
                return None
            changes.append(record.change)
        return changes, end

    def _begins(self, data: bytes, position: int) -> bool:
        """Whether a change or a batch begins here."""
        record = self._at(data, position)
        return record is not None and record.kind in (_ADD, _REMOVE, _BATCH)

    def _at(self, data: bytes, position: int) -> _Record | None:
        start = position * RECORD_BYTES
        return _unpacked(self._identity, self._records + position, data[start : start + RECORD_BYTES])


class FormerLog:
    """The logs of the snapshots before, each written on for a minute for readers that are still taking in a newer one.

    Of many compactions within a minute the last 64 count.
    """

    def __init__(self) -> None:
        self._followed: deque[tuple[DeltaLog, float]] = deque()

    def begin(self, log: DeltaLog) -> None:
        """From now on this one too, which is closed in the end."""
        self._followed.append((log, time.monotonic() + _FOLLOWED_SECONDS))
        if len(self._followed) > _FOLLOWED_MOST:
            self._followed.popleft()[0].close()

    def append(self, changes: Sequence[Change]) -> None:
        """Write the changes; where that fails, those readers see them when they have the newer snapshot."""
        for log, until in list(self._followed):
            try:
                log.append(changes, durable=False)
                over = time.monotonic() > until
            except OSError:
                over = True
            if over:
                self._followed.remove((log, until))
                log.close()

    def end(self) -> None:
        """Write no more."""
        while self._followed:
            self._followed.popleft()[0].close()


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
