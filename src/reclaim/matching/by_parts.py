"""The second stage on an upload: which known pictures it may show by its parts, for the bank to check.

An upload is described whole, and once more without the bars, caption or app's screen around it, where there are any:
these take room that the picture's own descriptors need.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reclaim.matching.candidates import DescriptorIndex, candidates
from reclaim.matching.parts import PARTLY_ALTERED
from reclaim.matching.relation import Box, Relation
from reclaim.protocol.native_v2 import PlacementRelation
from reclaim.signals.crew import Crew, Fields
from reclaim.signals.descriptors import ANGLES, BYTES, FRAME, LEVELS, UploadDescriptors, describe_upload
from reclaim.signals.luma import picture_of_bytes
from reclaim.signals.trim import trim
from reclaim.signals.views import LONGEST_ANSWER, Views, fields_of, views_in, views_of

MOST_CHECKS = 3
"""Pictures that one upload may be checked against, of those that may be asked about: each check is a question to the
bank, which counts them."""


class Described(NamedTuple):
    """An upload's descriptors, or those of a part of it."""

    descriptors: UploadDescriptors
    part: Box | None
    """The part of the upload; None where it is all of it."""


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


def described(square: npt.NDArray[np.uint8], width: int, height: int) -> list[Described]:
    """An upload, whole and trimmed. ``square`` is its luma of 512 x 512, the sides in pixels those of the upright
    picture. Raises ``ValueError`` for another kind of array or impossible sides."""
    found = [Described(describe_upload(square, width, height), None)]
    inner = trim(square)
    if inner is not None:
        side = len(square)
        part = Box(*(edge / side for edge in inner))
        found.append(Described(describe_upload(square, width, height, box=part), part))
    return found


def may_show(upload: Sequence[Described], index: DescriptorIndex) -> list[MayShow]:
    """The pictures that most descriptors speak for, best first, each once; of these ``MOST_CHECKS`` are asked about."""
    found = [
        (candidate.paired, each, candidate) for each in upload for candidate in candidates(each.descriptors, index)
    ]
    best: dict[int, MayShow] = {}
    for _, (descriptors, part), candidate in sorted(found, key=lambda one: (-one[0], one[2].id)):
        frame = (descriptors.width, descriptors.height)
        best.setdefault(candidate.id, MayShow(candidate.id, candidate.pairs.tolist(), frame, part))
    return list(best.values())


def told(said: PlacementRelation | None, part: Box | None) -> Relation:
    """What the bank said of a part of the upload, or of all of it (``None``), as said of the upload."""
    if said is None:
        return Relation(how="parts", box=part)
    return Relation(
        how="parts",
        turn=said.turn,
        tilt=said.tilt,
        box=within(part, None if said.box is None else Box(*said.box)),
        kept=said.kept,
        altered=said.altered,
        partly_altered=said.altered is not None and said.altered >= PARTLY_ALTERED,
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


class Seen(NamedTuple):
    """What a limited process makes of a picture for both stages."""

    views: Views
    described: list[Described]
    """Empty where the second stage was not asked for."""


VIEWS_ALONE, BOTH_STAGES = b"1", b"2"
"""What a task of ``seen_crew`` begins with, before the picture's bytes."""

_MOST_DESCRIBED = 4096
"""Descriptors of one upload that an answer may have: twice what is ever made."""


def seen_crew(count: int, *, niceness: int = 0) -> Crew[Seen]:
    """So many processes that each take ``VIEWS_ALONE`` or ``BOTH_STAGES`` and a picture's bytes."""
    longest = LONGEST_ANSWER + 2 * _MOST_DESCRIBED * (2 * BYTES + 8) * 4 // 3 + 4096
    return Crew(_seen_fields, _seen, count=count, niceness=niceness, longest_answer=longest)


def _seen_fields(task: bytes) -> Fields:
    picture = picture_of_bytes(task[1:])
    fields = fields_of(views_of(picture))
    if task[:1] == BOTH_STAGES:
        fields["described"] = [
            [
                *(_text(numbers) for numbers in (each.values, each.mirrored, each.places)),
                each.width,
                each.height,
                part,
            ]
            for each, part in described(*picture)
        ]
    return fields


def _text(numbers: npt.NDArray[Any]) -> str:
    return b64encode(np.ascontiguousarray(numbers).tobytes()).decode()


def _seen(fields: Fields) -> Seen:
    """``ValueError``, ``TypeError`` or ``KeyError`` where it is none: a decoder may have been taken over."""
    given = fields.get("described", [])
    if len(given) > 2:
        raise ValueError
    return Seen(views_in(fields), [_described_in(*each) for each in given])


def _described_in(
    values: str, mirrored: str, places: str, width: object, height: object, part: Sequence[float] | None
) -> Described:
    codes = [np.frombuffer(b64decode(text, validate=True), np.uint8).reshape(-1, BYTES) for text in (values, mirrored)]
    where = np.frombuffer(b64decode(places, validate=True), np.int16).reshape(-1, 4)
    if not isinstance(width, int) or not isinstance(height, int) or max(width, height) != FRAME:
        raise ValueError
    if min(width, height) < 1 or not len(codes[0]) == len(codes[1]) == len(where) <= _MOST_DESCRIBED:
        raise ValueError
    if (where < 0).any() or (where >= (width, height, LEVELS, ANGLES)).any():
        raise ValueError
    box = None
    if part is not None:
        box = Box(*(float(edge) for edge in part))
        if not (0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1):
            raise ValueError
    return Described(UploadDescriptors(codes[0], codes[1], where, width, height), box)
