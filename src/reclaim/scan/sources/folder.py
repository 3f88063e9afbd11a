"""A folder and all folders in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reclaim.scan.errors import WorkerStop
from reclaim.scan.faults import LinkNotFollowed, NotAFile, UnreadableFolder
from reclaim.scan.sources.base import Source, Unit, faulty
from reclaim.signals import UnreadableFile
from reclaim.signals.sources import read_bytes


@dataclass(frozen=True)
class FolderSource(Source):
    """Names are relative to the folder. Links are not followed: each is a row of its own that says so."""

    path: Path
    device: int
    inode: int

    @classmethod
    def at(cls, path: Path) -> FolderSource:
        """The folder at this path. Raises ``OSError``."""
        about = path.stat()
        return cls(path, about.st_dev, about.st_ino)

    def identity(self) -> dict[str, Any]:
        return {"kind": "folder", "path": os.fsencode(self.path).decode(errors="backslashreplace")}

    @property
    def _prefix(self) -> bytes:
        return os.path.join(os.fsencode(self.path), b"")  # noqa: PTH118 names are bytes

    def units(self) -> Iterator[Unit]:
        waiting = [os.fsencode(self.path)]
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        name = entry.path.removeprefix(self._prefix)
                        if entry.is_symlink():
                            yield faulty(name, LinkNotFollowed)
                        elif entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        elif entry.is_file(follow_symlinks=False):
                            yield Unit(name)
                        else:
                            yield faulty(name, NotAFile)
            except OSError:
                if folder == os.fsencode(self.path):
                    raise WorkerStop("source") from None
                yield faulty(folder.removeprefix(self._prefix), UnreadableFolder)

    def read(self, name: bytes, part: int, offset: int, size: int) -> bytes:
        try:
            return read_bytes(Path(os.fsdecode(self._prefix + name)))
        except UnreadableFile:
            if not self._still_there():
                raise WorkerStop("source") from None
            raise

    def _still_there(self) -> bool:
        """Whether the folder is the one it was: where a disk is no longer mounted, every file seems to be missing."""
        try:
            about = self.path.stat()
        except OSError:
            return False
        return (about.st_dev, about.st_ino) == (self.device, self.inode)
