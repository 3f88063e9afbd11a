"""A zip archive: each member is read by itself, in memory; nothing is written to disk."""

from __future__ import annotations

import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from reclaim.scan.faults import DamagedArchive, LinkNotFollowed, UnsupportedMember
from reclaim.scan.sources.base import PathSource, Unit, faulty
from reclaim.signals import PictureTooLarge
from reclaim.signals.sources import MAX_BYTES

_ENCRYPTED = 1
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError, IndexError)


def is_zip(path: Path) -> bool:
    """By its first bytes: those of a member, or of the end of an empty archive."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


@lru_cache(maxsize=1)
def _opened(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


@dataclass(frozen=True)
class ZipSource(PathSource):
    """Names are labels: one such as ``../../etc/passwd`` leads nowhere, since nothing is ever unpacked."""

    kind = "zip"

    def units(self) -> Iterator[Unit]:
        try:
            members = _opened(self.path).infolist()
        except (*_DAMAGE, NotImplementedError, MemoryError):
            self.insist()
            yield faulty(os.fsencode(self.path.name), DamagedArchive)
            return
        for number, member in enumerate(members):
            if member.is_dir():
                continue
            name = member.filename.encode(errors="surrogatepass")
            if stat.S_ISLNK(member.external_attr >> 16):
                yield faulty(name, LinkNotFollowed)
            elif member.flag_bits & _ENCRYPTED:
                yield faulty(name, UnsupportedMember, member.file_size)
            else:
                yield Unit(name, part=number, size=member.file_size)

    def read(self, name: bytes, part: int, offset: int, size: int) -> bytes:
        if size > MAX_BYTES:
            raise PictureTooLarge
        try:
            archive = _opened(self.path)
            with archive.open(archive.infolist()[part]) as member:
                return member.read(MAX_BYTES + 1)
        except (RuntimeError, NotImplementedError):
            raise UnsupportedMember from None
        except _DAMAGE:
            self.insist()
            raise DamagedArchive from None
