"""Descriptors that say nothing: of captions, of apps' interfaces, of forms. The same ones are on unrelated pictures.

``tools/make_stop_list.py`` makes the list, and docs/second-stage.md says of what. The file holds a first line that
names the format, the list's version and the number of entries, and then 32 bytes an entry, ascending.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Self

import numpy as np
import numpy.typing as npt

from reclaim.index import HammingIndex
from reclaim.index.codes import Codes, as_codes
from reclaim.signals.descriptors import BYTES

FILE = "stop-list.bin"
RADIUS = 24
"""A descriptor at most this many bits from an entry says as little as it."""

_FORMAT = "reclaim-stop-list"


class StopList:
    """Entries, and which descriptors are like one of them."""

    def __init__(self, entries: Codes, version: int) -> None:
        """Of entries of shape (n, 32), uint8. Raises ValueError for another shape, TypeError for another dtype."""
        self.entries = as_codes(entries, "Entries")
        self.version = version
        self._index = HammingIndex(self.entries, np.arange(len(self.entries)), mode="compact")

    @classmethod
    def empty(cls) -> Self:
        """One that lets everything through."""
        return cls(np.empty((0, BYTES), np.uint8), 0)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The list in a file's bytes. Raises ValueError for anything else."""
        head, _, body = data.partition(b"\n")
        try:
            name, version, count = head.decode("ascii").split(" ")
            whole = name == _FORMAT and len(body) == int(count) * BYTES
            number = int(version)
        except ValueError:
            whole, number = False, 0
        if not whole:
            raise ValueError("This is no stop list; make it anew with «python -m tools.make_stop_list».")
        return cls(np.frombuffer(body, np.uint8).reshape(-1, BYTES), number)

    def written(self) -> bytes:
        """As a file's bytes."""
        return f"{_FORMAT} {self.version} {len(self.entries)}\n".encode() + self.entries.tobytes()

    def mask(self, values: Codes) -> npt.NDArray[np.bool_]:
        """Which of the descriptors, shape (n, 32), are like an entry: shape (n,)."""
        found: npt.NDArray[np.bool_] = np.diff(self._index.query_many(values, RADIUS).starts) > 0
        return found


@cache
def shipped() -> StopList:
    """The list that comes with the package."""
    return StopList.parse((files("reclaim.matching") / "data" / FILE).read_bytes())
