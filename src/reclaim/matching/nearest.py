"""Each signal once, at the turn of the picture that comes nearest to it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from reclaim.index.codes import Ids


def at_nearest_turn(
    ids: Ids, distances: npt.NDArray[np.uint16], turns: npt.NDArray[np.int64], most: int | None = None
) -> Iterator[tuple[int, int, int]]:
    """The ids as ``(id, distance, turn)``, nearest first, equal distances by id; only the first ``most``, if given.

    All three arrays have shape (found,): an id may be there once for each turn, which is a number here. Of equal
    distances the first turn counts. All but what comes out is done in NumPy, as one picture may be near to very many.
    """
    by_id = np.lexsort((turns, distances, ids))
    is_first = np.ones(len(ids), bool)
    is_first[1:] = ids[by_id[1:]] != ids[by_id[:-1]]
    best = by_id[is_first]
    best = best[np.lexsort((ids[best], distances[best]))][:most]
    return zip(ids[best].tolist(), distances[best].tolist(), turns[best].tolist(), strict=True)
