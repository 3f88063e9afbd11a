"""What ``reclaim index`` does with signals once they are read: builds indexes, adds to them, removes from them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from reclaim.cli.signal_lines import BadLine, SignalLine
from reclaim.index import HammingIndex, StoredIndex
from reclaim.index.pair import clean_up, lock, new_log
from reclaim.signals import is_degenerate

_CHUNK = 65_536
THERE = "The folder holds an index already. Name another folder, or give --replace."
_SHOWN = 20
_TWICE = "Its id is there already."
_ABSENT = "It is not there."
_DEGENERATE = "No real picture gives this PDQ value; it would match what nobody reported."


@dataclass
class LeftOut:
    """Lines that could not be used: how many, and the first few."""

    count: int = 0
    first: list[BadLine] = field(default_factory=list)

    def note(self, line: BadLine) -> None:
        """Count it, and keep it if it is one of the first."""
        self.count += 1
        if len(self.first) < _SHOWN:
            self.first.append(line)


def _degenerate(line: SignalLine) -> bool:
    return line.type == "pdq" and is_degenerate(line.code.hex())


class Builder:
    """Takes lines, gives an index of each type."""

    def __init__(self, *, compact: bool) -> None:
        # MD5 is looked up at radius 0, where the other mode gains nothing for more than twice the memory.
        self._indexes = {
            "pdq": HammingIndex(mode="compact" if compact else "fast"),
            "md5": HammingIndex(mode="compact"),
        }
        self._waiting: dict[str, list[SignalLine]] = {kind: [] for kind in self._indexes}
        self.left_out = LeftOut()

    def take(self, line: SignalLine | BadLine) -> None:
        """One line; a signal without an id gets its number."""
        if isinstance(line, BadLine):
            self.left_out.note(line)
            return
        if _degenerate(line):
            self.left_out.note(BadLine(line.number, _DEGENERATE))
            return
        waiting = self._waiting[line.type]
        waiting.append(line)
        if len(waiting) == _CHUNK:
            self._put_in(line.type)

    def finish(self, progress: Callable[[int, int], object]) -> dict[str, HammingIndex]:
        """The indexes of what was taken, by type."""
        for kind, index in self._indexes.items():
            self._put_in(kind)
            if len(index):
                index.merge(progress)
        return self._indexes

    def _put_in(self, kind: str) -> None:
        index, lines = self._indexes[kind], self._waiting[kind]
        self._waiting[kind] = []
        fresh: dict[int, bytes] = {}
        for line in lines:
            id_ = line.number if line.id is None else line.id
            if id_ in fresh or id_ in index:
                self.left_out.note(BadLine(line.number, _TWICE))
            else:
                fresh[id_] = line.code
        codes = np.frombuffer(b"".join(fresh.values()), np.uint8).reshape(-1, 32)
        index.extend(codes, np.fromiter(fresh, np.int64, len(fresh)))


def put_in_place(indexes: dict[Path, HammingIndex], *, replace: bool) -> None:
    """Save each as a new ``StoredIndex``, or in the place of one, which its readers then follow.

    Each is there whole or not at all; none is touched while another process writes to one of them. Raises
    ``FileExistsError`` with a sentence, ``LogInUse``, ``OSError``.
    """
    with ExitStack() as held:
        for target in indexes:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            held.callback(os.close, lock(target))
        if not replace and any(target.exists() for target in indexes):
            raise FileExistsError(THERE)
        for target, index in indexes.items():
            # The log first: a snapshot is never without one.
            identity = new_log(target)
            index.save(target, identity=identity)
            clean_up(target, identity)


def adding(indexes: dict[str, StoredIndex], lines: Iterable[SignalLine | BadLine]) -> tuple[dict[str, int], LeftOut]:
    """Put the signals in; how many of each type, and what was left out. Raises ``OSError``."""
    left_out = LeftOut()
    fresh: dict[str, dict[int, bytes]] = {kind: {} for kind in indexes}
    counts = dict.fromkeys(indexes, 0)

    def put_in(kind: str) -> None:
        indexes[kind].change(added=list(fresh[kind].items()))
        counts[kind] += len(fresh[kind])
        fresh[kind].clear()

    for line in lines:
        if isinstance(line, BadLine):
            left_out.note(line)
        elif _degenerate(line):
            left_out.note(BadLine(line.number, _DEGENERATE))
        elif line.id is None:
            left_out.note(BadLine(line.number, "Put its id after the value and a space."))
        elif line.id in fresh[line.type] or line.id in indexes[line.type]:
            left_out.note(BadLine(line.number, _TWICE))
        else:
            fresh[line.type][line.id] = line.code
            if len(fresh[line.type]) == _CHUNK:
                put_in(line.type)
    for kind in indexes:
        put_in(kind)
    return counts, left_out


def removing(indexes: dict[str, StoredIndex], lines: Iterable[SignalLine | BadLine]) -> tuple[dict[str, int], LeftOut]:
    """Take the signals out, each under every id it has or under the one that is named; as ``adding`` answers."""
    left_out = LeftOut()
    gone: dict[str, dict[int, None]] = {kind: {} for kind in indexes}
    for line in lines:
        if isinstance(line, BadLine):
            left_out.note(line)
            continue
        here = gone[line.type]
        ids = [
            id_
            for id_ in indexes[line.type].query(line.code, 0).ids.tolist()
            if line.id in (None, id_) and id_ not in here
        ]
        here.update(dict.fromkeys(ids))
        if not ids:
            left_out.note(BadLine(line.number, _ABSENT))
    for kind, index in indexes.items():
        index.change(removed=list(gone[kind]))
    return {kind: len(ids) for kind, ids in gone.items()}, left_out
