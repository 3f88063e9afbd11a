"""One picture against an index: decoded once, hashed in its eight turns, looked up as one batch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reclaim.index import CODE_BYTES, Hits
from reclaim.matching.nearest import at_nearest_turn
from reclaim.signals import MATCH_DISTANCE, pdq_of_turns, read_luma


class Searchable(Protocol):
    """What can be looked up in: a ``HammingIndex``, or whatever guards one."""

    def query_batch(self, codes: npt.NDArray[np.uint8], radius: int) -> list[Hits]:
        """See ``HammingIndex.query_batch``."""
        ...


@dataclass(frozen=True, slots=True)
class Match:
    """A signal that a picture came near to."""

    signal_id: int
    distance: int
    """Bits, 0 to the radius: the smallest over the eight turns."""
    turn: str
    """The turn of the picture at which the distance is that; ``original`` is the picture as it lies."""
    quality: int
    """PDQ quality of the picture at that turn, 0 to 100."""


@dataclass(frozen=True, slots=True)
class PictureMatches:
    """What was found for one picture: nearest first, each signal once."""

    quality: int
    """PDQ quality of the picture as it lies, 0 to 100."""
    poor: bool
    """The picture has too little detail for its matches, or their absence, to say much."""
    matches: list[Match]


def match_luma(luma: npt.NDArray[np.uint8], index: Searchable, radius: int = MATCH_DISTANCE) -> PictureMatches:
    """Look up a picture that ``reclaim.signals.read_luma`` has read (512 x 512, uint8)."""
    hashed = pdq_of_turns(luma)
    codes = np.frombuffer(bytes.fromhex("".join(pdq.value for pdq in hashed.values())), np.uint8)
    answers = index.query_batch(codes.reshape(-1, CODE_BYTES), radius)
    found = at_nearest_turn(
        np.concatenate([hits.ids for hits in answers]),
        np.concatenate([hits.distances for hits in answers]),
        np.repeat(np.arange(len(answers)), [len(hits.ids) for hits in answers]),
    )
    turns = list(hashed.items())
    matches = [Match(id_, distance, turns[at][0], turns[at][1].quality) for id_, distance, at in found]
    upright = hashed["original"]
    return PictureMatches(upright.quality, upright.poor, matches)


def match_picture(data: bytes | Path, index: Searchable, radius: int = MATCH_DISTANCE) -> PictureMatches:
    """Look up a picture file, by its bytes or its path.

    A picture of poor quality is matched all the same, and the answer says that it is poor. Raises what
    ``reclaim.signals.read_luma`` raises, and ``ValueError`` for a radius that is not 0 to 64.
    """
    return match_luma(read_luma(data), index, radius)
