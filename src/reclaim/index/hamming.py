"""Exact search among 256-bit codes by Hamming distance.

Every query looks at every code, so nothing within the radius is ever missed. A code is held as four columns of
64-bit words: XOR, count bits, add up, one column after the other, in blocks that stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

CODE_BYTES = 32
MAX_RADIUS = 64
"""Beyond a quarter of the bits, codes of unrelated pictures begin to fall within the radius."""

_WORDS = CODE_BYTES // 8
_BLOCK = 32_768
"""Codes per block: 1 MiB of words, about what a core's own cache holds."""

Codes = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.int64]


class Hits(NamedTuple):
    """What a query found: nearest first, equal distances by id."""

    ids: Ids
    """Shape (n,), int64."""
    distances: npt.NDArray[np.uint16]
    """Shape (n,), bits, 0 to the radius inclusive."""


def _as_words(codes: Codes, what: str) -> npt.NDArray[np.uint64]:
    if codes.dtype != np.uint8:
        raise TypeError(f"{what} must be uint8, not {codes.dtype}.")
    if codes.ndim != 2 or codes.shape[1] != CODE_BYTES:
        raise ValueError(f"{what} must have shape (n, {CODE_BYTES}), not {codes.shape}.")
    return np.ascontiguousarray(codes).view(np.uint64)


def _as_one(code: Codes | bytes) -> Codes:
    array = np.frombuffer(code, dtype=np.uint8) if isinstance(code, bytes) else code
    if array.shape != (CODE_BYTES,):
        raise ValueError(f"A code has {CODE_BYTES} bytes, not shape {array.shape}.")
    return array.reshape(1, CODE_BYTES)


class HammingIndex:
    """Codes under ids. The same code may be there under several ids; an id holds one code.

    Not safe for changes while another thread searches: whoever shares one takes care of that.
    """

    def __init__(self, codes: Codes | None = None, ids: Ids | Sequence[int] | None = None) -> None:
        """Build from codes of shape (n, 32), uint8, and as many distinct ids (int64); empty without them.

        Raises ``ValueError`` for other shapes or an id that is there twice, ``TypeError`` for other dtypes.
        """
        words = _as_words(np.empty((0, CODE_BYTES), np.uint8) if codes is None else codes, "Codes")
        self._ids: Ids = np.array([] if ids is None else ids, dtype=np.int64)
        if self._ids.shape != (len(words),):
            raise ValueError(f"There must be one id for each of the {len(words)} codes, not {self._ids.shape}.")
        self._columns = np.array(words.T, order="C")
        self._rows = {id_: row for row, id_ in enumerate(self._ids.tolist())}
        self._size = len(words)
        if len(self._rows) != self._size:
            raise ValueError("An id is there twice.")

    def __len__(self) -> int:
        return self._size

    def __contains__(self, id_: object) -> bool:
        return id_ in self._rows

    def add(self, id_: int, code: Codes | bytes) -> None:
        """Put in one code of 32 bytes. Raises ``ValueError`` if the id is there already."""
        words = _as_words(_as_one(code), "The code")
        if id_ in self._rows:
            raise ValueError(f"The id {id_} is there already.")
        if self._size == len(self._ids):
            self._grow()
        self._columns[:, self._size] = words[0]
        self._ids[self._size] = id_
        self._rows[id_] = self._size
        self._size += 1

    def remove(self, id_: int) -> None:
        """Take out one id. Raises ``KeyError`` if it is not there."""
        row = self._rows.pop(id_)
        last = self._size - 1
        if row != last:
            moved = int(self._ids[last])
            self._columns[:, row] = self._columns[:, last]
            self._ids[row] = moved
            self._rows[moved] = row
        # Zeroed, not only forgotten: a removed code must not stay in memory.
        self._columns[:, last] = 0
        self._size = last

    def query(self, code: Codes | bytes, radius: int) -> Hits:
        """Every id whose code is at most ``radius`` bits (0 to 64) from this code of 32 bytes."""
        return self.query_batch(_as_one(code), radius)[0]

    def query_batch(self, codes: Codes, radius: int) -> list[Hits]:
        """The same for several codes, shape (n, 32): one answer for each, in their order."""
        if not 0 <= radius <= MAX_RADIUS:
            raise ValueError(f"A radius is 0 to {MAX_RADIUS} bits, not {radius}.")
        queries = _as_words(codes, "Query codes")
        found: list[list[tuple[Ids, npt.NDArray[np.uint16]]]] = [[] for _ in queries]
        for start in range(0, self._size, _BLOCK):
            stop = min(start + _BLOCK, self._size)
            block = self._columns[:, start:stop]
            for query, hits in zip(queries, found, strict=True):
                distances = np.bitwise_count(block[0] ^ query[0]).astype(np.uint16)
                for word in range(1, _WORDS):
                    distances += np.bitwise_count(block[word] ^ query[word])
                near = np.flatnonzero(distances <= radius)
                if len(near):
                    hits.append((self._ids[start + near], distances[near]))
        return [_sorted(hits) for hits in found]

    def _grow(self) -> None:
        capacity = max(64, 2 * len(self._ids))
        columns = np.zeros((_WORDS, capacity), np.uint64)
        columns[:, : self._size] = self._columns[:, : self._size]
        ids = np.zeros(capacity, np.int64)
        ids[: self._size] = self._ids[: self._size]
        self._columns, self._ids = columns, ids


def _sorted(hits: list[tuple[Ids, npt.NDArray[np.uint16]]]) -> Hits:
    ids = np.concatenate([np.empty(0, np.int64), *(ids for ids, _ in hits)])
    distances = np.concatenate([np.empty(0, np.uint16), *(distances for _, distances in hits)])
    order = np.lexsort((ids, distances))
    return Hits(ids[order], distances[order])
