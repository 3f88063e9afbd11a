"""One picture against an index: decoded once, hashed in its views and their turns, looked up as one batch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reclaim.index import ManyHits
from reclaim.index.codes import Codes
from reclaim.matching.nearest import nearest
from reclaim.matching.policy import Policy
from reclaim.matching.relation import Box, How, Relation
from reclaim.signals import MATCH_DISTANCE
from reclaim.signals.luma import read_picture
from reclaim.signals.pdq import TURNS
from reclaim.signals.views import View, Views, views_of

_HOW: dict[str, How] = {"trimmed": "trimmed", "part": "part", "inset": "inset", "tilted": "tilted"}


class Searchable(Protocol):
    """What can be looked up in: a ``HammingIndex``, or whatever guards one."""

    def query_many(self, codes: Codes, radius: int) -> ManyHits:
        """See ``HammingIndex.query_many``."""
        ...


@dataclass(frozen=True, slots=True)
class Match:
    """A signal that a picture came near to."""

    signal_id: int
    distance: int
    """Bits, 0 to the radius: the smallest over all views and turns."""
    relation: Relation
    """The view and the turn of the picture at which the distance is that."""
    quality: int
    """PDQ quality of that view, 0 to 100."""
    plain: bool
    """It is the whole picture as it lies that is so near."""

    @property
    def turn(self) -> str:
        """The turn, one of ``signals.pdq.TURNS``."""
        return self.relation.turn


@dataclass(frozen=True, slots=True)
class PictureMatches:
    """What was found for one picture, each signal once: first by the whole of it as it lies, then the nearest."""

    quality: int
    """PDQ quality of the picture as it lies, 0 to 100."""
    poor: bool
    """The picture has too little detail for its matches, or their absence, to say much."""
    matches: list[Match]


@dataclass(frozen=True, slots=True)
class Hits:
    """What one batch found of several pictures' views: every hit, and which view and turn it is of."""

    ids: npt.NDArray[np.int64]
    distances: npt.NDArray[np.uint16]
    asked: npt.NDArray[np.int64]
    """Which of the picture's values, as ``Views.codes`` has them; 0 is the whole as it lies."""


def look_up(pictures: list[Views], index: Searchable, radius: int) -> list[Hits]:
    """All views of all pictures in one batch. Raises ``ValueError`` for a radius that is not 0 to 64.

    Parts are looked up to 31 bits at most. Where ``radius`` is more than that, the whole pictures, and those trimmed,
    are looked up once more.
    """
    codes = [views.codes for views in pictures]
    found = _hits(codes, index, min(radius, MATCH_DISTANCE))
    if radius <= MATCH_DISTANCE:
        return found
    few = [np.ascontiguousarray(asked[: _wide(views)]) for asked, views in zip(codes, pictures, strict=True)]
    both = zip(found, _hits(few, index, radius), few, strict=True)
    return [_joined(near, far, len(again)) for near, far, again in both]


def _wide(views: Views) -> int:
    """How many values are looked up beyond 31 bits: all of the picture, and of what is left of it when trimmed."""
    return len(TURNS) * (2 if len(views.views) > 1 and views.views[1].kind == "trimmed" else 1)


def _joined(near: Hits, far: Hits, again: int) -> Hits:
    rest = near.asked >= again
    return Hits(
        np.concatenate([far.ids, near.ids[rest]]),
        np.concatenate([far.distances, near.distances[rest]]),
        np.concatenate([far.asked, near.asked[rest]]),
    )


def _hits(codes: list[Codes], index: Searchable, radius: int) -> list[Hits]:
    together = np.concatenate(codes) if codes else np.empty((0, 32), np.uint8)
    found = index.query_many(together, radius)
    hits, first = [], 0
    for asked in codes:
        starts = found.starts[first : first + len(asked) + 1]
        here = slice(int(starts[0]), int(starts[-1]))
        numbers = np.repeat(np.arange(len(asked)), np.diff(starts))
        hits.append(Hits(found.ids[here], found.distances[here], numbers))
        first += len(asked)
    return hits


def relation_of(view: View, turn: str) -> Relation:
    """How an upload relates to a known picture that was found by this view of it, turned so."""
    box = None if view.box is None else Box(*view.box)
    how = _HOW.get(view.kind, "same" if turn == TURNS[0] else "turned")
    return Relation(how=how, turn=turn, tilt=view.tilt, box=box)


def match_views(views: Views, index: Searchable, policy: Policy) -> PictureMatches:
    """Look up the views of an upload, or only all of it where the policy says so."""
    asked = views if policy.views else views.whole()
    return matches_of(asked, look_up([asked], index, policy.review_distance)[0])


def matches_of(views: Views, hits: Hits) -> PictureMatches:
    """What the hits of its views say of a picture."""
    original = views.original
    origins = list(views.origins())
    plain = (hits.asked == 0) & (hits.distances <= MATCH_DISTANCE)
    matches = []
    for id_, distance, at in nearest(hits.ids, hits.distances, hits.asked, first=plain):
        view, turn = origins[at]
        matches.append(Match(id_, distance, relation_of(view, turn), view.quality, at == 0))
    return PictureMatches(original.quality, original.poor, matches)


def match_picture(data: bytes | Path, index: Searchable, policy: Policy | None = None) -> PictureMatches:
    """Look up a picture file, by its bytes or its path.

    A picture of poor quality is matched all the same, and the answer says that it is poor. Raises what
    ``reclaim.signals.read_luma`` raises.
    """
    return match_views(views_of(read_picture(data)), index, policy or Policy())
