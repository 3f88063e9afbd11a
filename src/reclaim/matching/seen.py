"""What limited processes make of an upload for both stages: hostile files are read in them, and in nothing else."""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reclaim.matching.by_parts import MOST_OF_A_MOMENT, Described, described, described_moments
from reclaim.matching.relation import Box
from reclaim.signals.crew import Crew, Fields
from reclaim.signals.descriptors import ANGLES, BYTES, LEVELS, MOST_UPLOAD, UploadDescriptors, parse_frame
from reclaim.signals.frames import LATEST
from reclaim.signals.luma import SIDE, picture_of_bytes
from reclaim.signals.video import MAX_SIDE, Still
from reclaim.signals.video_views import (
    LONGEST_VIEWS,
    MOST_MOMENTS,
    MOST_STILLS,
    NO_VIEWS,
    FramesView,
    Moment,
    read_moments,
    read_view,
)
from reclaim.signals.video_views import fields_of as fields_of_frames
from reclaim.signals.video_views import views_in as frames_in
from reclaim.signals.views import LONGEST_ANSWER, Views, fields_of, views_in, views_of

VIEWS_ALONE, BOTH_STAGES = b"1", b"2"
"""What a task begins with, before the file's bytes."""

_SOME_MOMENTS = b"3"
_COUNT = struct.Struct("!B")
_SECONDS = struct.Struct("!d")
# A few levels may have one more than their share.
_MOST_OF_A_PICTURE, _MOST_OF_A_MOMENT = MOST_UPLOAD + LEVELS, MOST_OF_A_MOMENT + LEVELS


def _longest(descriptors: int) -> int:
    """Bytes of an answer with so many descriptors, twice: whole, and without what is around it."""
    return 2 * (descriptors * (2 * BYTES + 8) * 4 // 3 + 200)


class Seen(NamedTuple):
    """What a limited process makes of a picture."""

    views: Views
    described: list[Described]
    """Empty where the second stage was not asked for."""


class SeenVideo(NamedTuple):
    """What a limited process makes of a video."""

    views: tuple[FramesView, ...]
    stills: list[Moment]
    """Up to ``MOST_STILLS``, in their order; none of a video without detail. Or those that were asked for."""
    described: list[Described]
    """Empty where the second stage was not asked for."""


def seen_crew(count: int, *, niceness: int = 0) -> Crew[Seen]:
    """So many processes that each take ``VIEWS_ALONE`` or ``BOTH_STAGES`` and a picture's bytes."""
    longest = LONGEST_ANSWER + _longest(_MOST_OF_A_PICTURE)
    return Crew(_seen_fields, _seen, count=count, niceness=niceness, longest_answer=longest)


def seen_video_crew(count: int, *, niceness: int = 0) -> Crew[SeenVideo]:
    """So many processes that each take ``VIEWS_ALONE`` or ``BOTH_STAGES`` and a video's bytes, or ``moments_task``."""
    stills = MOST_STILLS * (SIDE * SIDE * 4 // 3 + 200)
    longest = LONGEST_VIEWS + stills + MOST_MOMENTS * _longest(_MOST_OF_A_MOMENT)
    return Crew(_video_fields, _seen_video, count=count, niceness=niceness, longest_answer=longest)


def moments_task(seconds: Sequence[float], video: bytes) -> bytes:
    """A task for the stills of a video at these of its moments, up to ``MOST_STILLS``, and nothing else."""
    return _SOME_MOMENTS + _COUNT.pack(len(seconds)) + b"".join(map(_SECONDS.pack, seconds)) + video


def _seen_fields(task: bytes) -> Fields:
    picture = picture_of_bytes(task[1:])
    found = described(*picture) if task[:1] == BOTH_STAGES else []
    return {**fields_of(views_of(picture)), "described": _described_fields(found)}


def _seen(fields: Fields) -> Seen:
    """``ValueError``, ``TypeError`` or ``KeyError`` where it is none: a decoder may have been taken over."""
    return Seen(views_in(fields), _described_in(fields, 1, _MOST_OF_A_PICTURE))


def _video_fields(task: bytes) -> Fields:
    if task[:1] == _SOME_MOMENTS:
        (count,) = _COUNT.unpack_from(task, 1)
        start = 1 + _COUNT.size + count * _SECONDS.size
        wanted = [seconds for (seconds,) in _SECONDS.iter_unpack(task[1 + _COUNT.size : start])]
        return {
            **fields_of_frames(NO_VIEWS),
            "stills": _stills_fields(read_moments(task[start:], wanted)),
            "described": [],
        }
    view = read_view(task[1:])
    found = described_moments(view.moments) if task[:1] == BOTH_STAGES else []
    return {
        **fields_of_frames(view.views),
        "stills": _stills_fields(view.stills),
        "described": _described_fields(found),
    }


def _stills_fields(stills: Sequence[Moment]) -> list[Fields]:
    return [
        {"seconds": seconds, "luma": _text(still.luma), "size": [still.width, still.height]}
        for seconds, still in stills
    ]


def _seen_video(fields: Fields) -> SeenVideo:
    """As ``_seen``."""
    if len(fields["stills"]) > MOST_STILLS:
        raise ValueError
    described = _described_in(fields, MOST_MOMENTS, _MOST_OF_A_MOMENT)
    return SeenVideo(frames_in(fields), [_still_of(each) for each in fields["stills"]], described)


def _still_of(seen: Fields) -> Moment:
    luma = np.frombuffer(b64decode(seen["luma"], validate=True), np.uint8).reshape(SIDE, SIDE)
    width, height = map(int, seen["size"])
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ValueError
    return Moment(_moment_in(seen["seconds"]), Still(luma, width, height))


def _moment_in(seconds: float) -> float:
    if not 0 <= float(seconds) < LATEST:
        raise ValueError
    return float(seconds)


def _described_fields(found: Sequence[Described]) -> list[list[Any]]:
    return [
        [
            *(_text(numbers) for numbers in (each.values, each.mirrored, each.places)),
            each.width,
            each.height,
            part,
            at,
        ]
        for each, part, at in found
    ]


def _text(numbers: npt.NDArray[Any]) -> str:
    return b64encode(np.ascontiguousarray(numbers).tobytes()).decode()


def _described_in(fields: Fields, moments: int, most: int) -> list[Described]:
    given = fields["described"]
    # Each whole, and once more without what is around it.
    if len(given) > 2 * moments:
        raise ValueError
    return [_one_described_in(most, *each) for each in given]


def _one_described_in(
    most: int,
    values: str,
    mirrored: str,
    places: str,
    width: int,
    height: int,
    part: Sequence[float] | None,
    at: float | None,
) -> Described:
    codes = [np.frombuffer(b64decode(text, validate=True), np.uint8).reshape(-1, BYTES) for text in (values, mirrored)]
    where = np.frombuffer(b64decode(places, validate=True), np.int16).reshape(-1, 4)
    frame = parse_frame((width, height))
    if not len(codes[0]) == len(codes[1]) == len(where) <= most:
        raise ValueError
    if (where < 0).any() or (where >= (*frame, LEVELS, ANGLES)).any():
        raise ValueError
    box = None
    if part is not None:
        box = Box(*(float(edge) for edge in part))
        if not (0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1):
            raise ValueError
    seconds = None if at is None else _moment_in(at)
    return Described(UploadDescriptors(codes[0], codes[1], where, *frame), box, seconds)
