"""The bytes of a file, within a limit, and their MD5."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from reclaim.signals.errors import EmptyFile, PictureTooLarge, UnreadableFile

MAX_BYTES = 256 * 2**20
"""A picture file may have 256 MiB."""


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """The file opened to read, if it is a regular one: a named pipe or a device could hold us for ever."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError):
        raise UnreadableFile from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableFile
    with os.fdopen(descriptor, "rb") as file:
        yield file


def read_bytes(source: bytes | Path) -> bytes:
    """All bytes of the source. Raises UnreadableFile, EmptyFile, PictureTooLarge (over MAX_BYTES)."""
    if isinstance(source, bytes):
        data = source
    else:
        with opened(source) as file:
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                raise PictureTooLarge
            try:
                data = file.read(MAX_BYTES + 1)
            except OSError:
                raise UnreadableFile from None
    if not data:
        raise EmptyFile
    if len(data) > MAX_BYTES:
        raise PictureTooLarge
    return data


def md5_of(source: bytes | Path) -> str:
    """MD5 of the bytes, 32 lowercase hexadecimal characters; a file of any size is read piece by piece.

    Raises UnreadableFile, EmptyFile.
    """
    digest = hashlib.md5(usedforsecurity=False)
    if isinstance(source, bytes):
        size = len(source)
        digest.update(source)
    else:
        size = 0
        with opened(source) as file:
            try:
                while piece := file.read(1 << 20):
                    size += len(piece)
                    digest.update(piece)
            except OSError:
                raise UnreadableFile from None
    if size == 0:
        raise EmptyFile
    return digest.hexdigest()
