"""A snapshot and the log that belongs to it: opening the two together, and what lies beside them."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from reclaim.index.drafts import drafts_like, sync_folder
from reclaim.index.errors import DamagedFile, IndexFileError, LogInUse, LogMismatch
from reclaim.index.hamming import HammingIndex, Mode
from reclaim.index.log import Change, DeltaLog, create_log, log_path

COMPACT_LEAST = 16_384
COMPACT_SHARE = 256
"""A log is long when it has more records than the former and than one for so many codes."""

_TRIES = 20

Stamp = tuple[int, int, int]
"""Device, inode and time of change: another one means another snapshot, or that it is to be read anew."""


class About(NamedTuple):
    """What a snapshot and its log held at one moment."""

    signals: int
    mode: Mode
    memory_bytes: int
    """Of the snapshot, and of what is kept beside it."""
    changes: int
    """In the log."""
    identity: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A snapshot and its log, opened; the index holds what both say."""

    index: HammingIndex
    log: DeltaLog
    stamp: Stamp

    @property
    def is_long(self) -> bool:
        """Whether the log is so long that a new snapshot is due."""
        return self.log.records > max(COMPACT_LEAST, len(self.index) // COMPACT_SHARE)

    @property
    def about(self) -> About:
        """What both hold now."""
        index = self.index
        return About(len(index), index.mode, index.memory_bytes, self.log.changes, index.identity)

    def write(self, changes: list[Change]) -> None:
        """Into the log, and when they are on disk into the index. Raises ``OSError`` if the log did not take them."""
        self.log.append(changes)
        apply(self.index, changes)


def stamp_of(snapshot: Path) -> Stamp:
    """Raises ``OSError``."""
    about = snapshot.stat()
    return about.st_dev, about.st_ino, about.st_mtime_ns


def touch(snapshot: Path) -> None:
    """Another stamp, whatever the clock says and however coarse the file system keeps it. Raises ``OSError``."""
    about = snapshot.stat()
    os.utime(snapshot, ns=(about.st_atime_ns, about.st_mtime_ns + 10**9))


def open_pair(snapshot: Path, *, writable: bool, in_memory: bool) -> Pair:
    """Open both, whichever the writer puts in their place meanwhile. Raises ``IndexFileError``, ``OSError``."""
    for _ in range(_TRIES):
        stamp = stamp_of(snapshot)
        index = HammingIndex.open(snapshot, in_memory=in_memory, merges=False)
        try:
            log = DeltaLog(log_path(snapshot, index.identity), index.identity, writable=writable)
        except FileNotFoundError:
            if stamp_of(snapshot) == stamp:
                raise LogMismatch("The snapshot's log is missing; build the index anew from its source.") from None
            continue  # both were replaced in between
        try:
            apply(index, log.news())
            if writable:
                log.drop_torn_end()
        except BaseException:
            log.close()
            raise
        return Pair(index, log, stamp)
    raise IndexFileError("The index is being replaced again and again; open it once that is over.")


def check(index: HammingIndex, changes: list[Change]) -> None:
    """Whether they can be made, one after the other. Raises ``KeyError``, ``ValueError``."""
    there: dict[int, bool] = {}
    for id_, code in changes:
        held = there.get(id_, id_ in index)
        if code is None and not held:
            raise KeyError(id_)
        if code is not None and held:
            raise ValueError(f"The id {id_} is there already.")
        if not -(2**63) <= id_ < 2**63:
            raise ValueError(f"An id has 64 bits; {id_} has more.")
        there[id_] = code is not None


def apply(index: HammingIndex, changes: Iterable[Change] | None) -> None:
    """What a log says, done. Raises ``DamagedFile`` for what cannot have been written, with a part of it done."""
    for id_, code in changes or ():
        try:
            if code is None:
                index.remove(id_)
            else:
                index.add(id_, code)
        except (KeyError, ValueError):
            raise DamagedFile(
                "The index's log removes what is not there, or adds what is; build the index anew from its source."
            ) from None


def new_log(snapshot: Path) -> int:
    """An empty log for a snapshot that is still to be put in place; the identity it must have. Raises ``OSError``."""
    identity = secrets.randbits(64)
    create_log(log_path(snapshot, identity), identity)
    return identity


def create_stored(path: Path | str, index: HammingIndex, *, replace: bool = False) -> None:
    """Save the index as a new ``StoredIndex``, or in the place of another if ``replace``; its readers then follow.

    Raises ``FileExistsError`` where there is one, ``LogInUse`` if a process writes to it, ``OSError``.
    """
    create_pairs({Path(path): index}, replace=replace)


def create_pairs(indexes: Mapping[Path, HammingIndex], *, replace: bool) -> None:
    """Save each index as a new pair, or in the place of one if ``replace``.

    Each is there whole or not at all; none is touched while another process writes to one of them. Raises
    ``FileExistsError``, ``LogInUse``, ``OSError``.
    """
    with ExitStack() as held:
        for target in indexes:
            held.callback(unlock, lock(target))
        for target in indexes:
            if target.exists() and not replace:
                raise FileExistsError(f"There is an index named {target.name} already.")
        for target, index in indexes.items():
            # The log first: a snapshot is never without one, so a missing log means lost withdrawals and is refused.
            identity = new_log(target)
            index.save(target, identity=identity)
            clean_up(target, identity)


def clean_up(snapshot: Path, identity: int) -> None:
    """Take away what a killed writer left, and every log but the one of this identity. Only with the lock held."""
    kept = log_path(snapshot, identity).name
    name = re.escape(snapshot.name)
    log = rf"{name}\.[0-9a-f]{{16}}\.log"
    logs, drafts = re.compile(log), drafts_like(f"{name}|{log}")
    gone = [
        path
        for path in snapshot.parent.iterdir()
        if (logs.fullmatch(path.name) and path.name != kept) or drafts.fullmatch(path.name)
    ]
    for path in gone:
        path.unlink(missing_ok=True)
    if gone:
        sync_folder(snapshot.parent)


def lock(snapshot: Path) -> int:
    """The writer's lock, to be given to ``unlock``. Raises ``LogInUse``, ``OSError``."""
    held = os.open(snapshot.with_name(f"{snapshot.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise LogInUse("Another process writes to this index; stop it first, or open the index for reading.") from None
    return held


def unlock(held: int) -> None:
    """Give the writer's lock back, also where a child that was forked meanwhile still has the file open."""
    fcntl.flock(held, fcntl.LOCK_UN)
    os.close(held)
