"""Each signal once, at the view and turn of the picture that comes nearest to it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from reclaim.index.codes import Ids


def nearest(
    ids: Ids,
    distances: npt.NDArray[np.uint16],
    asked: npt.NDArray[np.int64],
    most: int | None = None,
    *,
    first: npt.NDArray[np.bool_] | None = None,
) -> Iterator[tuple[int, int, int]]:
    """The ids as ``(id, distance, asked)``, nearest first, equal distances by id; only the ``most`` first, if given.

    All arrays have shape (found,): an id may be there once for each value that was asked for, which is a number here.
    Of equal distances the first one asked counts. What is in ``first`` goes before all that is nearer, so that no
    number of others hides it. All but what comes out is done in NumPy, as one picture may be near to very many.
    """
    later = np.zeros(len(ids), bool) if first is None else ~first
    by_id = np.lexsort((asked, distances, later, ids))
    is_first = np.ones(len(ids), bool)
    is_first[1:] = ids[by_id[1:]] != ids[by_id[:-1]]
    best = by_id[is_first]
    best = best[np.lexsort((ids[best], distances[best], later[best]))][:most]
    return zip(ids[best].tolist(), distances[best].tolist(), asked[best].tolist(), strict=True)
