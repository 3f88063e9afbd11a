"""Exact search among 256-bit codes by Hamming distance: the native search behind a small, typed class.

How it works, what it costs and what a snapshot holds is in docs/index.md.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from reclaim.index import _native, errors
from reclaim.index.aside import Aside
from reclaim.index.codes import Codes, Hits, Ids, ManyHits, as_code, as_codes, as_ids, check_radius
from reclaim.index.drafts import draft
from reclaim.index.forks import tell_in_child

Mode = Literal["fast", "compact"]
"""``fast``: 162 bytes a code. ``compact``: 130, and slower from millions of codes on. 16 more from 16.7 million on."""

MOST_LOOKS = 4032
"""Of one band, see ``HammingIndex.query_bounded``."""

Progress = Callable[[int, int], object]
"""Called with how many steps are done, of how many."""

_FAULTS: dict[str, tuple[type[errors.IndexFileError], str]] = {
    "foreign": (errors.ForeignFile, "This is no snapshot of the index; name the file that «save» wrote."),
    "version": (errors.UnknownVersion, "This snapshot has another version; build it anew with this software."),
    "truncated": (errors.TruncatedFile, "This snapshot is cut short; copy it again, or build it anew."),
    "damaged": (errors.DamagedFile, "This snapshot is damaged; copy it again, or build it anew."),
}


class Plan(NamedTuple):
    """How a query will be answered, and what the cost model expects it to take, in nanoseconds."""

    banded: bool
    banded_ns: float
    """-1 where the bands cannot answer."""
    every_code_ns: float


class HammingIndex:
    """Codes under ids. The same code may be there under several ids; an id holds one code.

    Threads may share one: searches run side by side without the GIL, a change waits for those under way and is seen
    by every search that begins after it. A removed code is wiped from memory at once, or, while a merge or a save reads
    it, when that is done; where the index is a mapped snapshot, the file holds it until the next one is saved.

    When many were added (more than 16,384 and more than a 256th of the index) or a quarter was removed, a thread merges
    them into the main structure; searches and changes go on meanwhile. A process made by ``os.fork`` may use the index
    it inherits.
    """

    def __init__(
        self,
        codes: Codes | None = None,
        ids: Ids | Sequence[int] | None = None,
        *,
        mode: Mode = "fast",
        progress: Progress | None = None,
    ) -> None:
        """Build from codes of shape (n, 32), uint8, and as many distinct ids (int64); empty without them.

        Raises ``ValueError`` for other shapes, an id that is there twice or another mode, ``TypeError`` for other
        dtypes, ``MemoryError``.
        """
        if mode not in ("fast", "compact"):
            raise ValueError(f"A mode is fast or compact, not {mode}.")
        self._hold(_native.Index(mode == "compact"), merges=True)
        array = as_codes(np.empty((0, 32), np.uint8) if codes is None else codes, "Codes")
        self._fill([(array, as_ids(ids, len(array)))], progress)

    @classmethod
    def build(
        cls,
        chunks: Iterable[tuple[Codes, Ids | Sequence[int]]],
        *,
        mode: Mode = "fast",
        progress: Progress | None = None,
    ) -> HammingIndex:
        """Build from pairs of codes and ids, each as the constructor takes them; raises as it does.

        All chunks are held, and each is let go of as soon as it is in the index.
        """
        index = cls(mode=mode)
        checked = []
        for codes, ids in chunks:
            array = as_codes(codes, "Codes")
            checked.append((array, as_ids(ids, len(array))))
        index._fill(checked, progress)
        return index

    def _fill(self, chunks: list[tuple[Codes, Ids]], progress: Progress | None) -> None:
        count = sum(len(codes) for codes, _ in chunks)
        if count:
            self._native.begin(count)
            chunks.reverse()
            while chunks:
                self._native.put(*chunks.pop())
            self._native.finish(progress)

    @classmethod
    def open(cls, path: Path | str, *, in_memory: bool = False, merges: bool = True) -> HammingIndex:
        """The index in a snapshot: mapped read-only and shared with every process that maps it, or read into memory
        of its own. A merge makes a copy that is no longer shared; without ``merges`` none begins by itself.

        The file's sums are checked first, which reads all of it. Whoever replaces the file does so by renaming
        another onto it, as ``save`` does: a mapped file must never be written into or cut. Raises
        ``IndexFileError`` for a file that cannot be used, ``OSError``.
        """
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            native = _native.Index.open(file, in_memory)
        except _native.FileFault as fault:
            kind, sentence = _FAULTS[str(fault)]
            raise kind(sentence) from None
        finally:
            os.close(file)
        index = cls.__new__(cls)
        index._hold(native, merges)
        return index

    def _hold(self, native: _native.Index, merges: bool) -> None:
        self._native = native
        self._merges = merges
        self._aside = Aside("index-merge")
        self.after_fork_in_child()
        tell_in_child(self)

    def after_fork_in_child(self) -> None:
        """Not for callers: makes the locks anew in a forked child, where their holders are not."""
        self._merging = threading.RLock()
        self._aside.after_fork_in_child()

    def save(self, path: Path | str, *, identity: int | None = None) -> int:
        """Write a snapshot, whole or not at all, and return its identity (a random 64-bit number if none is given).

        It holds what the index held at one moment after the call; searches and changes go on meanwhile. Raises
        ``ValueError`` for an identity that is no 64-bit number, ``OSError``, ``MemoryError``.
        """
        identity = secrets.randbits(64) if identity is None else identity
        with draft(Path(path)) as file:
            self.write(file.handle, identity)
            file.put_in_place()
        return identity

    def write(self, handle: int, identity: int, settled: Callable[[], object] | None = None) -> None:
        """The same into an open file; ``settled`` is called once it is clear what goes into the snapshot."""
        if not 0 <= identity < 2**64:
            raise ValueError(f"An identity is a whole number of 64 bits, not {identity}.")
        with self._merging:
            self._native.save(handle, identity, settled)

    def __len__(self) -> int:
        return len(self._native)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._native

    def add(self, id_: int, code: Codes | bytes) -> None:
        """Put in one code of 32 bytes. Raises ``ValueError`` if the id is there already."""
        if self._native.add(id_, as_code(code)):
            self._merge_aside()

    def extend(self, codes: Codes, ids: Ids | Sequence[int]) -> None:
        """Put in many, all or none; shapes and errors as for the constructor."""
        array = as_codes(codes, "Codes")
        if self._native.extend(array, as_ids(ids, len(array))):
            self._merge_aside()

    def remove(self, id_: int) -> None:
        """Take out one id. Raises ``KeyError`` if it is not there."""
        if self._native.remove(id_):
            self._merge_aside()

    def code_of(self, id_: int) -> bytes:
        """The 32 bytes under an id. Raises ``KeyError`` if it is not there."""
        return self._native.code(id_)

    def query(self, code: Codes | bytes, radius: int) -> Hits:
        """Every id whose code is at most ``radius`` bits (0 to 64) from this code of 32 bytes."""
        check_radius(radius)
        _, ids, distances = self._native.query(as_code(code), radius)
        return Hits(np.frombuffer(ids, np.int64), np.frombuffer(distances, np.uint16))

    def query_many(self, codes: Codes, radius: int) -> ManyHits:
        """The same for several codes, shape (n, 32), in three arrays: the fastest way to ask for many."""
        check_radius(radius)
        starts, ids, distances = self._native.query(as_codes(codes, "Query codes"), radius)
        return ManyHits(
            np.frombuffer(starts, np.int64), np.frombuffer(ids, np.int64), np.frombuffer(distances, np.uint16)
        )

    def query_bounded(self, codes: Codes, radius: int, *, looks: int, fullest: int) -> ManyHits:
        """Like ``query_many``, in bounded time where codes crowd together, which it may then miss some of.

        Of each bucket of codes that share one of their sixteen bands with a code asked for, only the first ``fullest``
        are looked at, and of one band's buckets at most ``looks`` (1 to 4,032) in full: no code has more than
        16 * ``looks`` hits for each of the main structure and what was added since. Those are found that were put in
        first. Raises ``ValueError`` for another number.
        """
        check_radius(radius)
        if not 1 <= looks <= MOST_LOOKS or not 1 <= fullest < 2**32:
            raise ValueError(f"A bounded search looks at 1 to {MOST_LOOKS} codes of a band, and 1 or more of a bucket.")
        starts, ids, distances = self._native.query(as_codes(codes, "Query codes"), radius, 0, looks, fullest)
        return ManyHits(
            np.frombuffer(starts, np.int64), np.frombuffer(ids, np.int64), np.frombuffer(distances, np.uint16)
        )

    def query_batch(self, codes: Codes, radius: int) -> list[Hits]:
        """The same for several codes, shape (n, 32): one answer for each, in their order."""
        found = self.query_many(codes, radius)
        borders = found.starts.tolist()
        return [Hits(found.ids[first:last], found.distances[first:last]) for first, last in pairwise(borders)]

    def merge(self, progress: Progress | None = None, *, all_cores: bool = True) -> None:
        """Merge what was added and removed into the main structure, which may take seconds; others go on meanwhile.

        On up to four cores, or on one, as a merge that begins by itself does. Raises ``MemoryError``, with everything
        as it was.
        """
        with self._merging:
            self._native.merge(progress, all_cores)

    def plan(self, radius: int, queries: int = 1) -> Plan:
        """How queries of this radius, so many at once, will be answered."""
        check_radius(radius)
        return Plan(*self._native.plan(radius, queries))

    @property
    def memory_bytes(self) -> int:
        """Bytes held: the mapped or own main structure, and what was added since."""
        return self._native.state()["bytes"]

    @property
    def mode(self) -> Mode:
        """``fast`` or ``compact``."""
        return "compact" if self._native.state()["compact"] else "fast"

    @property
    def identity(self) -> int:
        """Of the snapshot this was opened from; 0 for one that was built here."""
        return self._native.state()["identity"]

    @property
    def merge_error(self) -> Exception | None:
        """Why the last merge that began by itself failed, or ``None``. Nothing is lost by it; it is tried again."""
        return self._aside.error

    def _merge_aside(self) -> None:
        if self._merges:
            self._aside.start(lambda: self.merge(all_cores=False))
