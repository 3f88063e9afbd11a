"""The questions a ``HammingIndex`` answers, put to the one that is in place at the moment."""

from __future__ import annotations

from abc import ABC, abstractmethod

from reclaim.index.codes import Codes, Hits, ManyHits
from reclaim.index.hamming import HammingIndex


class Searching(ABC):
    """Each call asks one ``HammingIndex`` to its end, even if another takes its place meanwhile."""

    @abstractmethod
    def _index(self) -> HammingIndex:
        """The one in place. Raises ``ValueError`` if there is none any more."""

    def __len__(self) -> int:
        return len(self._index())

    def __contains__(self, id_: object) -> bool:
        return id_ in self._index()

    def code_of(self, id_: int) -> bytes:
        """See ``HammingIndex.code_of``."""
        return self._index().code_of(id_)

    def query(self, code: Codes | bytes, radius: int) -> Hits:
        """See ``HammingIndex.query``."""
        return self._index().query(code, radius)

    def query_batch(self, codes: Codes, radius: int) -> list[Hits]:
        """See ``HammingIndex.query_batch``."""
        return self._index().query_batch(codes, radius)

    def query_many(self, codes: Codes, radius: int) -> ManyHits:
        """See ``HammingIndex.query_many``."""
        return self._index().query_many(codes, radius)

    def query_bounded(self, codes: Codes, radius: int, *, looks: int, fullest: int) -> ManyHits:
        """See ``HammingIndex.query_bounded``."""
        return self._index().query_bounded(codes, radius, looks=looks, fullest=fullest)
