"""A tar archive, plain or compressed; read in order, in memory; nothing is written to disk."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from reclaim.scan.errors import WorkerStop
from reclaim.scan.faults import ArchiveBomb, DamagedArchive, LinkNotFollowed, NotAFile, UnsupportedMember, code_of
from reclaim.scan.sources.base import PathSource, Unit, faulty, stamp
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


def _zstd(path: Path) -> _Bytes:
    stream: _Bytes = pa.CompressedInputStream(pa.OSFile(os.fsencode(path)), "zstd")
    return stream


_PACKED: dict[bytes, Callable[[Path], _Bytes]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
    b"\x28\xb5\x2f\xfd": _zstd,
}
"""How to open what begins so."""


def is_tar(path: Path) -> bool:
    """Whether it begins with a tar's header, or is packed: then only ``units`` can tell, in its limited process."""
    if _magic(path):
        return True
    try:
        with path.open("rb") as file:
            tarfile.TarInfo.frombuf(file.read(tarfile.BLOCKSIZE), "utf-8", "surrogateescape")
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
class TarSource(PathSource):
    """Members are known by their place. Names are labels, as in a zip."""

    streamed: bool = False
    """Whether it is packed."""

    kind = "tar"

    @classmethod
    def at(cls, path: Path) -> TarSource:
        return cls(path, stamp(path), bool(_magic(path)))

    def units(self) -> Iterator[Unit]:
        number, bomb = -1, False
        try:
            with self._forward() as stream:
                try:
                    for number, member in enumerate(_members(stream)):
                        if not member.isdir():
                            yield _unit(number, member)
                finally:
                    bomb = stream.bomb
        except _DAMAGE:
            self.insist()
            if number < 0 and self.streamed and not bomb:
                raise WorkerStop("packed") from None
            yield faulty(os.fsencode(self.path.name), ArchiveBomb if bomb else DamagedArchive)

    def read(self, name: bytes, part: int, offset: int, size: int) -> bytes:
        if size > MAX_BYTES:
            raise PictureTooLarge
        try:
            data = os.pread(_descriptor(self.path), size, offset)
        except OSError:
            data = b""
        if len(data) < size:
            self.insist()
            raise DamagedArchive
        return data

    def stream(self, wanted: list[tuple[int, int]]) -> Iterator[list[tuple[bytes | None, str | None]]]:
        self.insist()
        held: list[tuple[bytes | None, str | None]] = []
        ranges = iter(wanted)
        first, last = next(ranges)
        try:
            with self._forward() as stream:
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
        self.insist()
        if held:
            yield held

    @contextmanager
    def _forward(self) -> Iterator[_Forward]:
        source = _PACKED.get(_magic(self.path), _plain)(self.path)
        try:
            yield _Forward(source, self.path.stat().st_size * MOST_UNPACKED + _FREE)
        finally:
            source.close()


def _plain(path: Path) -> _Bytes:
    return path.open("rb")


def _magic(path: Path) -> bytes:
    """The bytes by which a packed file is known; empty for one that is not."""
    with path.open("rb") as file:
        start = file.read(max(map(len, _PACKED)))
    return next((magic for magic in _PACKED if start.startswith(magic)), b"")


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
