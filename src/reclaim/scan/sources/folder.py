"""A folder and all folders in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reclaim.scan.errors import WorkerStop
from reclaim.scan.faults import LinkNotFollowed, NotAFile, UnreadableFolder
from reclaim.scan.sources.base import PathSource, Unit, faulty
from reclaim.signals import UnreadableFile
from reclaim.signals.sources import read_bytes


@dataclass(frozen=True)
class FolderSource(PathSource):
    """Names are relative to the folder. Links are not followed: each is a row of its own that says so."""

    kind = "folder"

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
            self.insist()
            raise
