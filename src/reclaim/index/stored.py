"""An index kept in files: a snapshot that every process maps, and beside it a log of what changed since.

One process writes; any number read the same files. A reader calls ``refresh`` when it wants the news, which is cheap
enough to do before every search. The files of an index named ``pdq.index``:

    pdq.index                         the snapshot
    pdq.index.<identity>.log          what changed since that snapshot
    pdq.index.lock                    held by the process that writes
"""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from reclaim.index.codes import Codes, Hits, ManyHits, as_code
from reclaim.index.errors import LogInUse, LogMismatch
from reclaim.index.hamming import HammingIndex, sync_folder
from reclaim.index.log import Change, DeltaLog, create_log, log_path

_TRIES = 20


def create_stored(path: Path | str, index: HammingIndex) -> None:
    """Save the index as a new ``StoredIndex``. Raises ``FileExistsError`` if there is one, ``OSError``."""
    target = Path(path)
    if target.exists():
        raise FileExistsError(f"There is an index named {target.name} already.")
    _save(target, index)


def _save(target: Path, index: HammingIndex) -> None:
    # The log first: a snapshot is never without one, so a missing log means lost withdrawals and is refused.
    identity = secrets.randbits(64)
    log = log_path(target, identity)
    create_log(log, identity)
    try:
        index.save(target, identity=identity)
    except BaseException:
        log.unlink(missing_ok=True)
        raise


class StoredIndex:
    """A ``HammingIndex`` in files. Threads may share one. Close it, or use it with ``with``."""

    def __init__(self, path: Path | str, *, writable: bool = False, in_memory: bool = False) -> None:
        """Open what ``create_stored`` made, with everything the log says.

        ``in_memory`` reads the snapshot into huge pages of this process instead of sharing the file's: faster to
        search, no longer shared. Raises ``IndexFileError`` for files that cannot be used, or ``LogInUse`` if another
        process writes; ``OSError``.
        """
        self._path = Path(path)
        self._in_memory = in_memory
        self._changing = threading.Lock()
        self._lock_file = _lock(self._path) if writable else None
        try:
            self._load()
        except BaseException:
            self._unlock()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the files back."""
        self._log.close()
        self._unlock()

    def __len__(self) -> int:
        return len(self._index)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._index

    def query(self, code: Codes | bytes, radius: int) -> Hits:
        """See ``HammingIndex.query``."""
        return self._index.query(code, radius)

    def query_batch(self, codes: Codes, radius: int) -> list[Hits]:
        """See ``HammingIndex.query_batch``."""
        return self._index.query_batch(codes, radius)

    def query_many(self, codes: Codes, radius: int) -> ManyHits:
        """See ``HammingIndex.query_many``."""
        return self._index.query_many(codes, radius)

    def add(self, id_: int, code: Codes | bytes) -> None:
        """Put in one code, on disk and then in memory; raises as ``change`` does."""
        self.change(added=[(id_, code)])

    def remove(self, id_: int) -> None:
        """Take out one id, on disk and then in memory; raises as ``change`` does."""
        self.change(removed=[id_])

    def change(self, added: Sequence[tuple[int, Codes | bytes]] = (), removed: Sequence[int] = ()) -> None:
        """Take out ids, then put in others, all or none, with one wait for the disk.

        Raises ``ValueError`` for an id that is there already, ``KeyError`` for one that is not there to be removed,
        ``PermissionError`` if this was opened for reading, ``OSError``.
        """
        if self._lock_file is None:
            raise PermissionError("This index was opened for reading; open it with writable=True.")
        changes = [Change(int(id_), None) for id_ in removed]
        changes += [Change(int(id_), bytes(as_code(code))) for id_, code in added]
        with self._changing:
            self._check(changes)
            self._log.append(changes)
            self._apply(changes)

    def refresh(self) -> int:
        """Take in what the writing process changed; how many changes, or all codes if the snapshot is a new one."""
        with self._changing:
            if self._lock_file is not None:
                return 0
            if self._stamp() != self._opened:
                old = self._log
                self._load()
                old.close()
                return len(self._index)
            changes = self._log.news()
            self._apply(changes)
            return len(changes)

    def compact(self) -> None:
        """Write a new snapshot and begin an empty log. From then on no file holds a removed code."""
        if self._lock_file is None:
            raise PermissionError("This index was opened for reading; open it with writable=True.")
        with self._changing:
            old = self._log
            _save(self._path, self._index)
            self._load()
            old.close()

    def _load(self) -> None:
        # Between the snapshot and its log the writer may have put a new pair in their place: then look again.
        for attempt in range(_TRIES):
            opened = self._stamp()
            index = HammingIndex.open(self._path, in_memory=self._in_memory)
            try:
                log = DeltaLog(log_path(self._path, index.identity), index.identity, writable=bool(self._lock_file))
            except FileNotFoundError:
                if attempt == _TRIES - 1 or self._stamp() == opened:
                    raise LogMismatch("The snapshot's log is missing; build the index anew from its source.") from None
                continue
            if self._stamp() == opened:
                break
            log.close()
        try:
            changes = log.news()
            if self._lock_file is not None:
                log.drop_torn_end()
                self._clean_up(index.identity)
        except BaseException:
            log.close()
            raise
        self._index, self._log, self._opened = index, log, opened
        self._apply(changes)

    def _stamp(self) -> tuple[int, int, int]:
        about = self._path.stat()
        return about.st_dev, about.st_ino, about.st_mtime_ns

    def _check(self, changes: list[Change]) -> None:
        there: dict[int, bool] = {}
        for id_, code in changes:
            held = there.get(id_, id_ in self._index)
            if code is None and not held:
                raise KeyError(id_)
            if code is not None and held:
                raise ValueError(f"The id {id_} is there already.")
            if not -(2**63) <= id_ < 2**63:
                raise ValueError(f"An id has 64 bits; {id_} has more.")
            there[id_] = code is not None

    def _apply(self, changes: list[Change]) -> None:
        for id_, code in changes:
            if code is None:
                self._index.remove(id_)
            else:
                self._index.add(id_, code)

    def _clean_up(self, identity: int) -> None:
        kept = log_path(self._path, identity)
        for path in self._path.parent.glob(f"{self._path.name}.{'[0-9a-f]' * 16}.log"):
            if path != kept:
                path.unlink(missing_ok=True)
        sync_folder(self._path.parent)

    def _unlock(self) -> None:
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None


def _lock(path: Path) -> int:
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise LogInUse("Another process writes to this index; stop it first, or open the index for reading.") from None
    return lock
