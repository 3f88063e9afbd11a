"""Files that are written whole or not at all: a draft beside the target, renamed onto it when it is on disk."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_RANDOM = r"[a-z0-9_]{8}"  # what tempfile.mkstemp puts in


class Draft(NamedTuple):
    """A file that is being written; mode 0600."""

    handle: int
    path: Path
    target: Path

    def put_in_place(self) -> None:
        """Wait for the disk and rename it onto the target, so that this outlasts a power cut. Raises ``OSError``."""
        os.fsync(self.handle)
        self.path.replace(self.target)
        sync_folder(self.target.parent)


@contextmanager
def draft(target: Path) -> Iterator[Draft]:
    """A draft of the target. It is gone afterwards, unless the process is killed. Raises ``OSError``."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".draft", dir=target.parent)
    path = Path(name)
    try:
        yield Draft(handle, path, target)
    finally:
        os.close(handle)
        path.unlink(missing_ok=True)


def drafts_like(target_names: str) -> re.Pattern[str]:
    """What the drafts of targets are named, whose names match this pattern."""
    return re.compile(rf"\.(?:{target_names})\.{_RANDOM}\.draft")


def sync_folder(folder: Path) -> None:
    """Make what was renamed, made or unlinked in this folder outlast a power cut. Raises ``OSError``."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
