"""What ``reclaim index`` does with signals once they are read: builds indexes, adds to them, removes from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt

from reclaim.cli.signal_lines import BadLine, Line, SignalLine, VideoLine
from reclaim.index import CODE_BYTES, FrameIndex, HammingIndex, StoredIndex
from reclaim.index.hamming import Mode
from reclaim.signals import is_degenerate

_CHUNK = 65_536
THERE = "The folder holds an index already. Name another folder, or give --replace."
_SHOWN = 20
_TWICE = "Its id is there already."
_ABSENT = "It is not there."
_VIDEO = "Videos are put into an index when it is built, not one by one."
_DEGENERATE = "No real picture gives this PDQ value; it would match what nobody reported."


@dataclass
class LeftOut:
    """Lines that could not be used: how many, and the first few."""

    count: int = 0
    first: list[BadLine] = field(default_factory=list)

    def note(self, line: BadLine) -> None:
        """Count it, and keep it if its line is one of the first."""
        self.count += 1
        if len(self.first) < _SHOWN or line.number < self.first[-1].number:
            self.first = sorted([*self.first, line])[:_SHOWN]


def _degenerate(line: SignalLine) -> bool:
    return line.type == "pdq" and is_degenerate(line.code.hex())


class Builder:
    """Takes lines, gives an index of each type."""

    def __init__(self, *, compact: bool) -> None:
        # MD5 is looked up at radius 0, where the other mode gains nothing for a quarter more memory.
        mode: Mode = "compact" if compact else "fast"
        self._kinds = {"pdq": _Kind(mode), "md5": _Kind("compact")}
        self._videos = _Videos(mode)
        self.left_out = LeftOut()

    def take(self, line: Line) -> None:
        """One line; a signal without an id gets its number."""
        if isinstance(line, BadLine):
            self.left_out.note(line)
        elif isinstance(line, VideoLine):
            self._videos.take(line, self.left_out)
        elif _degenerate(line):
            self.left_out.note(BadLine(line.number, _DEGENERATE))
        else:
            self._kinds[line.type].take(line)

    def finish(self, progress: Callable[[int, int], object]) -> dict[str, HammingIndex]:
        """The indexes of what was taken, by type; of lines with the same id the first counts."""
        indexes = {name: kind.finish(self.left_out, progress) for name, kind in self._kinds.items()}
        return {**indexes, "video": self._videos.finish(progress)}

    @property
    def videos(self) -> int:
        """How many videos were taken; their index counts frames."""
        return len(self._videos)


class _Kind:
    """The signals of one type on their way into an index, in arrays."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._waiting: list[SignalLine] = []
        self._codes: list[npt.NDArray[np.uint8]] = []
        self._ids: list[npt.NDArray[np.int64]] = []
        self._numbers: list[npt.NDArray[np.int64]] = []

    def take(self, line: SignalLine) -> None:
        self._waiting.append(line)
        if len(self._waiting) == _CHUNK:
            self._pack()

    def finish(self, left_out: LeftOut, progress: Callable[[int, int], object]) -> HammingIndex:
        self._pack()
        fresh = self._first_of_each_id(left_out)
        return HammingIndex.build(self._chunks(fresh), mode=self._mode, progress=progress)

    def _pack(self) -> None:
        lines, self._waiting = self._waiting, []
        numbers = np.array([line.number for line in lines], np.int64)
        ids = [line.number if line.id is None else line.id for line in lines]
        self._codes.append(np.frombuffer(b"".join(line.code for line in lines), np.uint8).reshape(-1, 32))
        self._ids.append(np.array(ids, np.int64))
        self._numbers.append(numbers)

    def _first_of_each_id(self, left_out: LeftOut) -> npt.NDArray[np.bool_]:
        ids, numbers = np.concatenate(self._ids), np.concatenate(self._numbers)
        fresh = np.zeros(len(ids), np.bool_)
        fresh[np.unique(ids, return_index=True)[1]] = True
        for number in numbers[~fresh].tolist():
            left_out.note(BadLine(number, _TWICE))
        return fresh

    def _chunks(self, fresh: npt.NDArray[np.bool_]) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]:
        at = 0
        for codes, ids in zip(self._codes, self._ids, strict=True):
            kept = fresh[at : at + len(ids)]
            at += len(ids)
            yield (codes, ids) if kept.all() else (codes[kept], ids[kept])
        self._codes, self._ids = [], []  # so that each can be let go of as soon as it is in the index


class _Videos:
    """Videos on their way into an index, as arrays of frames."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._held: dict[int, tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def take(self, line: VideoLine, left_out: LeftOut) -> None:
        id_ = line.number if line.id is None else line.id
        if id_ in self._held:
            left_out.note(BadLine(line.number, _TWICE))
            return
        good = [frame for frame in line.frames if not frame.poor]
        codes = np.frombuffer(bytes.fromhex("".join(frame.pdq for frame in good)), np.uint8)
        self._held[id_] = codes.reshape(-1, CODE_BYTES), np.array([frame.seconds for frame in good], np.float64)

    def finish(self, progress: Callable[[int, int], object]) -> HammingIndex:
        videos = ((id_, codes, None, seconds) for id_, (codes, seconds) in self._held.items())
        return cast(HammingIndex, FrameIndex.build(videos, mode=self._mode, progress=progress).index)


def adding(indexes: dict[str, StoredIndex], lines: Iterable[Line]) -> tuple[dict[str, int], LeftOut]:
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
        elif isinstance(line, VideoLine):
            left_out.note(BadLine(line.number, _VIDEO))
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


def removing(indexes: dict[str, StoredIndex], lines: Iterable[Line]) -> tuple[dict[str, int], LeftOut]:
    """Take the signals out, each under every id it has or under the one that is named; as ``adding`` answers."""
    left_out = LeftOut()
    gone: dict[str, dict[int, None]] = {kind: {} for kind in indexes}
    for line in lines:
        if isinstance(line, VideoLine):
            line = BadLine(line.number, _VIDEO)
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
