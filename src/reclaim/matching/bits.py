"""The order in which the index keeps a descriptor's bits.

The index cuts a code into sixteen bands of sixteen bits, and looks into buckets of like bands. Tests that stand side by
side in a descriptor say nearly the same, so whole bands of many descriptors would be equal and their buckets long. In
this order no band has tests that say the same; distances are what they were. ``tools/make_stop_list.py`` makes it. A
file of an index is of this order: with another one it has to be built anew.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from reclaim.index.codes import Codes

FILE = "bit-order.bin"


@cache
def _order() -> npt.NDArray[np.uint8]:
    return np.frombuffer((files("reclaim.matching") / "data" / FILE).read_bytes(), np.uint8)


def read_anew() -> None:
    """For whoever has just written another order: take it from the file at the next use."""
    _order.cache_clear()
    _inverse.cache_clear()


@cache
def _inverse() -> npt.NDArray[np.intp]:
    return np.argsort(_order())


def laid(values: Codes) -> Codes:
    """Descriptors, shape (n, 32), as the index keeps them."""
    return np.ascontiguousarray(np.packbits(np.unpackbits(values, axis=1).take(_order(), axis=1), axis=1))


def given(codes: Codes) -> Codes:
    """The same back."""
    return np.ascontiguousarray(np.packbits(np.unpackbits(codes, axis=1).take(_inverse(), axis=1), axis=1))
