"""The PDQ values of a picture in its eight turns, made here or in a crew of limited processes."""

from __future__ import annotations

from pathlib import Path

from reclaim.signals.crew import Crew, Fields
from reclaim.signals.luma import luma_of_bytes, read_luma
from reclaim.signals.pdq import TURNS, pdq_of_turns
from reclaim.signals.values import Pdq, parse_pdq

Turned = dict[str, Pdq]
"""PDQ value and quality by the name of the turn, all of `TURNS`; `original` is the picture as it lies."""


def turned_pdq(source: bytes | Path) -> Turned:
    """PDQ of the picture in its eight turns. Raises what `read_luma` raises."""
    return pdq_of_turns(read_luma(source))


def turned_crew(count: int, *, niceness: int = 0) -> Crew[Turned]:
    """So many processes that each take a picture's bytes and answer as `turned_pdq`."""
    return Crew(_fields_of, _turned_of, count=count, niceness=niceness)


def _fields_of(data: bytes) -> Fields:
    return dict(pdq_of_turns(luma_of_bytes(data)))


def _turned_of(fields: Fields) -> Turned:
    """The values; ValueError, TypeError or KeyError where they are none."""
    turned = {}
    for name in TURNS:
        value, quality = fields[name]
        if not isinstance(quality, int) or not 0 <= quality <= 100:
            raise ValueError
        turned[name] = Pdq(parse_pdq(value), quality)
    return turned
