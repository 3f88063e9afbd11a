"""``state.json``: how current a folder of indexes is, as the one who writes it says. Read by every match service."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

PDQ_INDEX = "pdq.index"
MD5_INDEX = "md5.index"
VIDEO_INDEX = "video.index"
SOURCE_INDEX = "source.index"
DESCRIPTORS_INDEX = "descriptors.index"
STATE_FILE = "state.json"


class FolderState(BaseModel):
    """What the writer has put into the indexes, and when. Times are seconds since 1970, UTC."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    store: str
    """Names the set of signals; another one has other ids."""
    version: int
    """The set's version that the indexes hold."""
    newest: int
    """The largest id that was put in."""
    followed_at: float | None
    """When the feed was last followed to its end; None before the first time."""
    compacted_at: float
    """When the snapshots were last written anew: what was withdrawn before that is in no file."""
    compacted_version: int
    """The set's version at that time."""


def save_state(folder: Path, state: FolderState) -> None:
    """Write it whole or not at all, mode 0600. Raises ``OSError``."""
    write_whole(folder / STATE_FILE, state.model_dump_json().encode())


def write_whole(target: Path, content: bytes) -> None:
    """Write a file whole or not at all, mode 0600. Raises ``OSError``."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def load_state(folder: Path) -> FolderState | None:
    """What the writer says; ``None`` where nobody has said anything. Raises ``ValueError`` for a file that is no state.

    ``OSError`` where it cannot be read.
    """
    try:
        return FolderState.model_validate_json((folder / STATE_FILE).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise ValueError(f"{STATE_FILE} cannot be read; whoever writes this folder has to write it anew.") from None
