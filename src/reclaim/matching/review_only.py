"""Which signals there is something to know about, beside a folder's indexes.

``review-only.ids`` names those that are only to be looked at by a person, ``of-a-source.ids`` the descriptors of source
photographs. The ids of the indexes, ascending, eight bytes each with the lowest first. Always replaced whole, so a
reader has either the file of before or that of after.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reclaim.index.codes import Ids
from reclaim.matching.state import write_whole

REVIEW_ONLY_FILE = "review-only.ids"
OF_A_SOURCE_FILE = "of-a-source.ids"
_ID = np.dtype("<i8")


class ReviewOnly:
    """A set of ids. Never changed: another one takes its place."""

    def __init__(self, ids: Iterable[int] = ()) -> None:
        self._ids = np.unique(np.fromiter(ids, np.int64))

    def __contains__(self, id_: int) -> bool:
        at = int(np.searchsorted(self._ids, id_))
        return at < len(self._ids) and int(self._ids[at]) == id_

    def __len__(self) -> int:
        return len(self._ids)

    def same_as(self, other: ReviewOnly) -> bool:
        """Whether it is the same ids."""
        return np.array_equal(self._ids, other._ids)

    def mask(self, ids: Ids) -> npt.NDArray[np.bool_]:
        """Which of these are among them; shape (n,)."""
        if not len(self._ids):
            return np.zeros(len(ids), bool)
        at = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        return np.asarray(self._ids[at] == ids)

    def save(self, folder: Path, name: str = REVIEW_ONLY_FILE) -> None:
        """Write the file whole or not at all, mode 0600. Raises ``OSError``."""
        write_whole(folder / name, self._ids.astype(_ID).tobytes())

    @classmethod
    def load(cls, folder: Path, name: str = REVIEW_ONLY_FILE) -> ReviewOnly:
        """Raises ``FileNotFoundError``, ``OSError``, and ``ValueError`` for a file that is none."""
        raw = (folder / name).read_bytes()
        ids = np.frombuffer(raw, _ID).astype(np.int64) if len(raw) % _ID.itemsize == 0 else None
        if ids is None or not np.all(ids[1:] > ids[:-1]):
            raise ValueError(f"{name} cannot be read; whoever writes this folder has to write it anew.")
        read = cls()
        read._ids = ids
        return read


NO_REVIEW_ONLY = ReviewOnly()
"""Of a folder that nobody says so of."""
