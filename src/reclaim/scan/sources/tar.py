"""A tar archive, plain or compressed; read in order, in memory; nothing is written to disk."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from reclaim.scan.faults import ArchiveBomb, DamagedArchive, LinkNotFollowed, NotAFile, UnsupportedMember, code_of
from reclaim.scan.sources.base import Source, Unit, faulty, stamp
from reclaim.signals import PictureTooLarge
from reclaim.signals.sources import MAX_BYTES

MOST_UNPACKED = 250
"""An archive may unpack to so many times its size, and a gibibyte on top; pictures hardly shrink at all."""

_FREE = 2**30
_STEP = 2**20
_STREAMED_FILES, _STREAMED_BYTES = 16, 2**26
_DAMAGE = (tarfile.TarError, OSError, EOFError, ValueError, MemoryError, zlib.error, lzma.LZMAError, pa.ArrowException)


class _Bytes(Protocol):
    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


def _unpacked(path: Path) -> tuple[_Bytes, bool]:
    """The archive's bytes, and whether they were compressed."""
    with path.open("rb") as file:
        magic = file.read(6)
    if magic[:2] == b"\x1f\x8b":
        return gzip.open(path, "rb"), True
    if magic[:3] == b"BZh":
        return bz2.open(path, "rb"), True
    if magic == b"\xfd7zXZ\0":
        return lzma.open(path, "rb"), True
    if magic[:4] == b"\x28\xb5\x2f\xfd":
        return pa.CompressedInputStream(pa.OSFile(os.fsencode(path)), "zstd"), True
    return path.open("rb"), False


def is_tar(path: Path) -> bool:
    """Whether it begins, unpacked, with a tar's header."""
    try:
        packed, _ = _unpacked(path)
        try:
            tarfile.TarInfo.frombuf(packed.read(tarfile.BLOCKSIZE), "utf-8", "surrogateescape")
        finally:
            packed.close()
    except _DAMAGE:
        return False
    return True


class _Forward:
    """A stream that can only go forward, as ``tarfile`` wants it, and no further than is sensible."""

    def __init__(self, source: _Bytes, most: int) -> None:
        self._source = source
        self._most = most
        self._at = 0
        self.last = b""
        self.bomb = False

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        pieces, wanted = [], min(size, MAX_BYTES + 1) if size >= 0 else MAX_BYTES + 1
        while wanted > 0 and (piece := self._source.read(min(wanted, _STEP))):
            pieces.append(piece)
            wanted -= len(piece)
            self._forward(len(piece))
        self.last = b"".join(pieces)
        return self.last

    def seek(self, to: int, whence: int = 0) -> int:
        if whence or to < self._at:
            raise tarfile.ReadError
        while self._at < to:
            piece = self._source.read(min(to - self._at, _STEP))
            if not piece:
                break
            self._forward(len(piece))
        return self._at

    def _forward(self, by: int) -> None:
        self._at += by
        if self._at > self._most:
            self.bomb = True
            raise tarfile.ReadError


@dataclass(frozen=True)
class TarSource(Source):
    """Members are known by their place. Names are labels, as in a zip."""

    path: Path

    @property
    def streamed(self) -> bool:  # type: ignore[override]
        return _is_compressed(self.path)

    def identity(self) -> dict[str, Any]:
        return {"kind": "tar", **stamp(self.path)}

    def lost(self) -> Unit:
        return faulty(os.fsencode(self.path.name), DamagedArchive)

    def units(self) -> Iterator[Unit]:
        with self._forward() as stream:
            try:
                for number, member in enumerate(_members(stream)):
                    if not member.isdir():
                        yield _unit(number, member)
            except _DAMAGE:
                yield faulty(os.fsencode(self.path.name), ArchiveBomb) if stream.bomb else self.lost()

    def read(self, name: bytes, part: int, offset: int, size: int) -> bytes:
        if size > MAX_BYTES:
            raise PictureTooLarge
        try:
            data = os.pread(_descriptor(self.path), size, offset)
        except OSError:
            raise DamagedArchive from None
        if len(data) < size:
            raise DamagedArchive
        return data

    def stream(self, wanted: list[tuple[int, int]]) -> Iterator[list[tuple[bytes | None, str | None]]]:
        held: list[tuple[bytes | None, str | None]] = []
        ranges = iter(wanted)
        first, last = next(ranges)
        with self._forward() as stream:
            try:
                for number, member in enumerate(_members(stream)):
                    if number >= first and not member.isdir():
                        held.append(_contents(stream, member))
                    over = number + 1 >= last
                    if held and (over or len(held) >= _STREAMED_FILES or _weight(held) >= _STREAMED_BYTES):
                        yield held
                        held = []
                    if over:
                        if (following := next(ranges, None)) is None:
                            return
                        first, last = following
            except _DAMAGE:
                pass  # the listing has a row for what comes after
        if held:
            yield held

    @contextmanager
    def _forward(self) -> Iterator[_Forward]:
        source, _ = _unpacked(self.path)
        try:
            yield _Forward(source, self.path.stat().st_size * MOST_UNPACKED + _FREE)
        finally:
            source.close()


@lru_cache(maxsize=1)
def _is_compressed(path: Path) -> bool:
    packed, compressed = _unpacked(path)
    packed.close()
    return compressed


@lru_cache(maxsize=1)
def _descriptor(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _members(stream: _Forward) -> Iterator[tarfile.TarInfo]:
    """Every member. Raises ``ReadError`` where the archive does not end as it should, which ``tarfile`` lets pass."""
    with tarfile.TarFile(fileobj=stream, encoding="utf-8", errors="surrogateescape") as archive:  # type: ignore[arg-type]
        while (member := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # it would remember all of them
            yield member
    if len(stream.last) != tarfile.BLOCKSIZE or any(stream.last):
        raise tarfile.ReadError


def _fault(member: tarfile.TarInfo) -> str | None:
    if member.issym() or member.islnk():
        return code_of(LinkNotFollowed)
    if not member.isreg():
        return code_of(NotAFile)
    return code_of(UnsupportedMember) if member.issparse() else None


def _unit(number: int, member: tarfile.TarInfo) -> Unit:
    name = member.name.encode("utf-8", "surrogateescape")
    return Unit(name, part=number, offset=member.offset_data, size=member.size, fault=_fault(member))


def _contents(stream: _Forward, member: tarfile.TarInfo) -> tuple[bytes | None, str | None]:
    if fault := _fault(member):
        return None, fault
    if member.size > MAX_BYTES:
        return None, code_of(PictureTooLarge)
    stream.seek(member.offset_data)
    data = stream.read(member.size)
    return (data, None) if len(data) == member.size else (None, code_of(DamagedArchive))


def _weight(held: list[tuple[bytes | None, str | None]]) -> int:
    return sum(len(data) for data, _ in held if data is not None)
