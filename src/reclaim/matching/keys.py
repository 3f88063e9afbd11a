"""Keys of the match service: who holds one may ask. Only their SHA-256 is kept.

A key is 256 random bits, so its hash cannot be guessed back, and needs neither salt nor slowness.
"""

from __future__ import annotations

import datetime
import fcntl
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

KEY_FILE = "match-keys.json"
_PREFIX = "reclaim_match_"


class KeyFileError(Exception):
    """The file of keys cannot be used; the sentence says what to do."""


class _Key(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=80)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    made_at: str


class _KeyFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keys: list[_Key]


def _digest(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()


def _read(path: Path) -> _KeyFile:
    try:
        return _KeyFile.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise KeyFileError(f"There is no {path.name} yet. Make a key with: reclaim match key --keys FILE") from None
    except ValidationError:
        raise KeyFileError(f"{path.name} is no file of keys. Move it away and make new keys.") from None
    except OSError as error:
        raise KeyFileError(f"{path.name} cannot be read ({error.strerror}). Check who may read it.") from None


def make_key(path: Path, name: str) -> str:
    """Add a key to the file, which is made on first use (mode 0600), and return it: this once, for no copy is kept.

    A key of the same name ends. Raises ``KeyFileError``, and ``ValueError`` for a name that is not 1 to 80 printable
    characters.
    """
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise ValueError("A key's name has 1 to 80 printable characters.")
    key = _PREFIX + secrets.token_urlsafe(32)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (path.parent / f".{path.name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            held = _read(path).keys if path.exists() else []
            made_at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            new = _Key(name=name, sha256=_digest(key.encode()), made_at=made_at)
            _write(path, _KeyFile(keys=[*(each for each in held if each.name != name), new]))
    except OSError as error:
        raise KeyFileError(f"{path.name} cannot be written ({error.strerror}).") from None
    return key


def _write(path: Path, content: _KeyFile) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content.model_dump_json(indent=2))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


class Keys:
    """The keys of a file. After ``refresh`` a new one counts, and one that was taken out ends."""

    def __init__(self, path: Path) -> None:
        """Raises ``KeyFileError`` for a file that cannot be used or holds no key."""
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._digests: list[str] = []
        self._load()
        if not self._digests:
            raise KeyFileError(f"{path.name} holds no key. Make one with: reclaim match key --keys FILE")

    def refresh(self) -> None:
        """Read the file again if it has changed. One that cannot be read any more leaves no key valid.

        An error that nobody foresaw does so too, and is raised.
        """
        try:
            self._load()
        except Exception as error:
            self._digests, self._stamp = [], None
            if not isinstance(error, KeyFileError):
                raise

    def __len__(self) -> int:
        return len(self._digests)

    def owner(self, key: bytes) -> int | None:
        """Which key this is, by its place in the file; ``None`` for none of them. Every wrong key takes as long."""
        digest = _digest(key)
        found = None
        for place, held in enumerate(self._digests):
            if hmac.compare_digest(held, digest):
                found = place
        return found

    def _load(self) -> None:
        try:
            about = self._path.stat()
        except OSError:
            about = None
        stamp = (about.st_ino, about.st_size, about.st_mtime_ns) if about else None
        if stamp is None or stamp != self._stamp:
            self._digests = [each.sha256 for each in _read(self._path).keys]
            self._stamp = stamp
