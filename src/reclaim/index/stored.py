"""An index kept in files: a snapshot that every process maps, and beside it a log of what changed since.

One process writes; any number read the same files. A reader calls ``refresh`` when it wants the news, which is cheap
enough to do before every search. The files of an index named ``pdq.index``:

    pdq.index                         the snapshot
    pdq.index.<identity>.log          what changed since that snapshot
    pdq.index.lock                    held by the process that writes
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from reclaim.index.aside import Aside
from reclaim.index.codes import Codes, as_code
from reclaim.index.drafts import Draft, draft
from reclaim.index.forks import tell_in_child
from reclaim.index.hamming import HammingIndex
from reclaim.index.log import Change, DeltaLog, FormerLog, log_path
from reclaim.index.pair import About, Pair, apply, check, clean_up, lock, new_log, open_pair, stamp_of, touch, unlock
from reclaim.index.searching import Searching

_CLOSED = "This index is closed."
_FAILED = "This index is closed, as its files could not be written; open it anew."
_FORKED = "This index is open for writing in the process that this one was forked from; open it anew."


class StoredIndex(Searching):
    """A ``HammingIndex`` in files. Close it, or use it with ``with``; afterwards every call raises ``ValueError``.

    Threads may share one: any number search while one changes or refreshes. It never merges, so the snapshot stays
    shared by all who map it: in the writer's process a thread compacts when the log has grown long, and the readers
    follow. A child made by ``os.fork`` may go on with one that was opened for reading, and has to open one for writing
    anew.
    """

    def __init__(self, path: Path | str, *, writable: bool = False, in_memory: bool = False) -> None:
        """Open what ``create_stored`` made, with everything the log says.

        ``in_memory`` reads the snapshot into huge pages of this process instead of sharing the file's. Raises
        ``IndexFileError`` for files that cannot be used, or ``LogInUse`` if another process writes; ``OSError``.
        """
        self._path = Path(path)
        self._in_memory = in_memory
        self._why_closed = _CLOSED
        self._former = FormerLog()
        self._since: list[Change] | None = None  # while compacting: what the new snapshot does not hold yet
        self._stale = False
        self._aside = Aside("index-compact" if writable else "index-load")
        self._fresh_locks()
        self._pair: Pair | None = None
        self._lock_file = lock(self._path) if writable else None
        try:
            self._pair = open_pair(self._path, writable=writable, in_memory=in_memory)
            if writable:
                clean_up(self._path, self._pair.index.identity)
        except BaseException:
            self._give_back()
            raise
        tell_in_child(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the files back, after a compaction or a refresh that is under way. A second time it does nothing."""
        self._aside.wait()
        with self._replacing, self._changing:
            self._give_back()

    @property
    def error(self) -> Exception | None:
        """Why the last compaction or load that ran in a thread of its own failed; ``None`` if it did not.

        It is tried again with the next change, or the next refresh.
        """
        return self._aside.error

    @property
    def is_behind(self) -> bool:
        """Whether the log could not be followed and what takes its place has not been read yet."""
        return self._stale

    def about(self) -> About:
        """What there is, as of the last refresh."""
        return self._now().about

    def add(self, id_: int, code: Codes | bytes) -> None:
        """Put in one code, on disk and then in memory; raises as ``change`` does."""
        self.change(added=[(id_, code)])

    def remove(self, id_: int) -> None:
        """Take out one id, on disk and then in memory; raises as ``change`` does."""
        self.change(removed=[id_])

    def change(self, added: Sequence[tuple[int, Codes | bytes]] = (), removed: Sequence[int] = ()) -> None:
        """Take out ids, then put in others, all or none, with one wait for the disk.

        Raises ``ValueError`` for an id that is there already, ``KeyError`` for one that is not there to be removed,
        ``PermissionError`` if this was opened for reading, ``OSError`` if the disk did not take it. Where not even that
        can be put right, the index closes itself, and what holds is what is found on opening it anew.

        When the log has grown long, a thread begins to compact.
        """
        changes = [Change(int(id_), None) for id_ in removed]
        changes += [Change(int(id_), bytes(as_code(code))) for id_, code in added]
        with self._changing:
            pair = self._writing()
            check(pair.index, changes)
            self._write(pair, changes)
        if pair.is_long:
            self._aside.start(self._compact_if_long)

    def refresh(self, *, wait: bool = True) -> int:
        """Take in what the writing process changed; how many changes, or all codes if the snapshot is a new one.

        When nothing changed it costs a ``stat`` and an ``fstat``. A new snapshot is read in full to check it; meanwhile
        searches, and refreshes by other threads, go on with the old one and what is new since. Without ``wait`` that is
        left to a thread, and an error it meets is raised by the next refresh. Raises ``IndexFileError``, ``OSError``;
        then the index goes on with what it could take in, and says so again at each refresh until it can follow.
        """
        with self._changing:
            pair = self._now()
            if self._lock_file is not None:
                return 0
            changes = None if self._stale else self._news(pair)  # first: they are told also while the name is missing
            current = not self._stale and stamp_of(self._path) == pair.stamp
        if current and changes is not None:
            return len(changes)
        if wait:
            return self._load() or len(changes or ())
        error = self._aside.error
        self._aside.start(self._load)
        if error is not None:
            raise error.with_traceback(None)  # else it would grow by each refresh
        return len(changes or ())

    def compact(self) -> None:
        """Write a new snapshot and begin a new log. From then on no file holds what was removed before the call.

        Searches and changes go on meanwhile. Raises ``OSError``, ``MemoryError``, with the old pair still in use; if
        that is in doubt, the index closes itself.
        """
        with self._replacing:
            self._compact()

    def after_fork_in_child(self) -> None:
        """Not for callers: makes the locks anew in a forked child, where their holders are not."""
        self._stale = self._stale or self._changing.locked()  # somebody was in the middle of the news
        self._fresh_locks()
        self._aside.after_fork_in_child()
        if self._lock_file is not None:
            self._give_back(_FORKED)

    def _fresh_locks(self) -> None:
        # Whoever takes both takes them in this order. The second is held for moments only.
        self._replacing = threading.Lock()  # by who loads or writes a snapshot
        self._changing = threading.Lock()  # by who changes the index or takes in news

    def _index(self) -> HammingIndex:
        return self._now().index

    def _now(self) -> Pair:
        pair = self._pair
        if pair is None:
            raise ValueError(self._why_closed)
        return pair

    def _writing(self) -> Pair:
        pair = self._now()
        if self._lock_file is None:
            raise PermissionError("This index was opened for reading; open it with writable=True.")
        return pair

    def _give_back(self, why: str = _CLOSED) -> None:
        pair, self._pair = self._pair, None
        if pair is not None:
            self._why_closed = why
            pair.log.close()
        self._former.end()
        if self._lock_file is not None:
            (os.close if why is _FORKED else unlock)(self._lock_file)  # in a child it is the parent's
            self._lock_file = None

    @contextmanager
    def _or_closed(self) -> Iterator[None]:
        """What fails in here leaves it open what the files say: then nothing may be written any more."""
        try:
            yield
        except BaseException:
            self._give_back(_FAILED)
            raise

    def _write(self, pair: Pair, changes: list[Change]) -> None:
        failure: OSError | None = None
        with self._or_closed():
            try:
                pair.write(changes)
            except OSError as error:
                failure = error
                pair.log.drop_torn_end()
                touch(self._path)  # readers that have taken it in read everything anew
            else:
                if self._since is not None:
                    self._since.extend(changes)
        if failure is not None:
            raise failure
        self._former.append(changes)

    def _compact_if_long(self) -> None:
        with self._replacing:
            if self._pair is not None and self._pair.is_long:
                self._compact()

    def _compact(self) -> None:
        index = self._writing().index
        try:
            identity = new_log(self._path)
            with draft(self._path) as file:
                with ExitStack() as held:
                    held.enter_context(self._changing)
                    self._since = []
                    index.write(file.handle, identity, held.close)
                self._replace(file, DeltaLog(log_path(self._path, identity), identity, writable=True))
        finally:
            with self._changing:
                self._since = None
            if self._pair is not None:
                clean_up(self._path, self._pair.index.identity)

    def _replace(self, file: Draft, log: DeltaLog) -> None:
        """Put a written draft in the place of the snapshot, once opening it has checked it, and this log beside it."""
        try:
            os.fsync(file.handle)
            index = HammingIndex.open(file.path, in_memory=self._in_memory, merges=False)
            new = Pair(index, log, stamp_of(file.path))
            while self._catch_up(new):
                pass
            with self._changing:
                old = self._writing()
                new.write(self._since or [])
                with self._or_closed():
                    file.put_in_place()
                    self._pair = new
                self._former.begin(old.log)
        except BaseException:
            if self._pair is None or self._pair.log is not log:
                log.close()
            raise

    def _catch_up(self, new: Pair) -> bool:
        """Carry over what was changed since; whether it was so much that there may be much again."""
        with self._changing:
            self._writing()
            changes, self._since = self._since or [], []
        new.write(changes)
        return len(changes) > 1000

    def _news(self, pair: Pair) -> list[Change] | None:
        self._stale = True  # unless all of it goes well
        changes = pair.log.news()
        apply(pair.index, changes)
        self._stale = changes is None
        return changes

    def _load(self) -> int:
        """Take in a new snapshot; how many codes it has, 0 if there is none or another thread is at it."""
        with ExitStack() as held:
            if not self._replacing.acquire(blocking=self._stale):
                return 0  # what changes is seen all the same
            held.callback(self._replacing.release)
            if self._pair is None or (not self._stale and stamp_of(self._path) == self._pair.stamp):
                return 0
            new = open_pair(self._path, writable=False, in_memory=self._in_memory)
            try:
                with self._changing:
                    old = self._now()
                    apply(new.index, new.log.news())
                    self._pair, self._stale = new, False
                    old.log.close()
            except BaseException:
                new.log.close()
                raise
            return len(new.index)
