"""Files that outlast a power cut and that only their owner may read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO


def private(path: Path) -> BinaryIO:
    """A new file to write. Names of pictures are personal, and so are signals."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")


def to_disk(file: BinaryIO) -> None:
    """Wait until what was written is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until what was made, renamed or removed in the folder is on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
