"""The second stage on an upload: which known pictures it may show by its parts, for the bank to check.

An upload is described whole, and once more without the bars, caption or app's screen around it, where there are any:
these take room that the picture's own descriptors need. A video is described so at several moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reclaim.matching.candidates import DescriptorIndex, candidates
from reclaim.matching.parts import PARTLY_ALTERED
from reclaim.matching.relation import Box, Relation
from reclaim.protocol.native_v2 import PlacementRelation
from reclaim.signals.descriptors import MOST_UPLOAD, UploadDescriptors, describe_upload
from reclaim.signals.trim import trim
from reclaim.signals.video_views import Moment

MOST_OF_A_MOMENT = 400
"""Descriptors of a moment of a video: half of a picture's, as it has many moments."""

MOST_CHECKS = 3
"""Pictures that one upload may be checked against, of those that may be asked about: each check is a question to the
bank, which counts them."""


class Described(NamedTuple):
    """An upload's descriptors, or those of a part of it."""

    descriptors: UploadDescriptors
    part: Box | None
    """The part of the upload; None where it is all of it."""
    at: float | None = None
    """Of a moment of a video: its seconds. None of a picture."""


class MayShow(NamedTuple):
    """A known picture that an upload may show."""

    id: int
    """The signal's."""
    pairs: list[list[int]]
    """What the bank is asked, see ``reclaim.signals.geometry.Pair``; nearest first."""
    frame: tuple[int, int]
    """Width and height that the pairs are counted in, in pixels; the longer one is 512."""
    part: Box | None
    """The part of the upload that has this frame; None where it is all of it."""
    at: float | None = None
    """Of a video: the seconds at which it may show it, in this frame."""


def described(square: npt.NDArray[np.uint8], width: int, height: int, at: float | None = None) -> list[Described]:
    """An upload, or a video at this moment, whole and trimmed. ``square`` is its luma of 512 x 512, the sides in pixels
    those of the upright picture. Raises ``ValueError`` for another kind of array or impossible sides."""
    most = MOST_UPLOAD if at is None else MOST_OF_A_MOMENT
    found = [Described(describe_upload(square, width, height, most), None, at)]
    inner = trim(square)
    if inner is not None:
        side = len(square)
        part = Box(*(edge / side for edge in inner))
        found.append(Described(describe_upload(square, width, height, most, part), part, at))
    return found


def described_moments(moments: Sequence[Moment]) -> list[Described]:
    """A video at each of these moments, as ``described``."""
    return [each for seconds, still in moments for each in described(still.luma, still.width, still.height, seconds)]


def may_show(upload: Sequence[Described], index: DescriptorIndex) -> list[MayShow]:
    """The pictures that most descriptors speak for, best first, each once; of these ``MOST_CHECKS`` are asked about."""
    found = [
        (candidate.paired, each, candidate) for each in upload for candidate in candidates(each.descriptors, index)
    ]
    best: dict[int, MayShow] = {}
    for _, (descriptors, part, at), candidate in sorted(found, key=lambda one: (-one[0], one[2].id)):
        frame = (descriptors.width, descriptors.height)
        best.setdefault(candidate.id, MayShow(candidate.id, candidate.pairs.tolist(), frame, part, at))
    return list(best.values())


def told(said: PlacementRelation | None, part: Box | None, at: float | None = None) -> Relation:
    """What the bank said of a part of the upload, or of all of it (``None``), at this moment of it, as said of the
    upload."""
    if said is None:
        return Relation(how="parts", box=part, at=at)
    return Relation(
        how="parts",
        turn=said.turn,
        tilt=said.tilt,
        box=within(part, None if said.box is None else Box(*said.box)),
        kept=said.kept,
        altered=said.altered,
        partly_altered=said.altered is not None and said.altered >= PARTLY_ALTERED,
        at=at,
    )


def within(part: Box | None, box: Box | None) -> Box | None:
    """A box in a part of the upload, as a box in the upload; None where it is all of it or not known."""
    if part is None:
        return box
    if box is None:
        return part
    wide, high = part.right - part.left, part.bottom - part.top
    return Box(
        part.left + wide * box.left,
        part.top + high * box.top,
        part.left + wide * box.right,
        part.top + high * box.bottom,
    )
