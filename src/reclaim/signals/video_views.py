"""A video as it is looked up: its frames as they lie, turned, and what lies within them; and moments of it as pictures.

What a person's device describes of a video is described here the same way, for tools and figures: `describe_video`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from reclaim.signals.crew import Fields
from reclaim.signals.descriptors import Descriptors, describe
from reclaim.signals.errors import PoorSignal, SignalError
from reclaim.signals.frames import ALIKE, DESCRIBED_STILLS, Frame, Spread, frames_text, parse_all_frames
from reclaim.signals.luma import SIDE, squared
from reclaim.signals.many import answers_of
from reclaim.signals.pdq import TURNS, Luma, pdq_of_luma, pdq_of_turns, turns
from reclaim.signals.steady import MOST_PARTS, layout
from reclaim.signals.trim import Trimmed
from reclaim.signals.values import MATCH_DISTANCE
from reclaim.signals.video import LONGEST_ANSWER, SECONDS_PER_VIDEO, Still, kept_frames

MOST_STILLS = 8
"""Stills of an upload to show to somebody."""

MOST_MOMENTS = 64
"""Moments of an upload that are looked at as pictures: many more than a person's device describes, so that one of them
shows the scene of one of hers also where an upload begins elsewhere."""

_WINDOW = 16
# Frames that are looked at together for what is steady in them.
_EACH_WINDOW, _LATER_WINDOWS = 32, 4
# Of a long video's later windows only every fourth is looked into: an hour of frames costs what half of one does.
_TURNS_OF_PARTS = ("original", "flipy")
_MOST_VIEWS = 2 * len(TURNS) + MOST_PARTS * len(_TURNS_OF_PARTS)
LONGEST_VIEWS = _MOST_VIEWS * LONGEST_ANSWER
"""Bytes of a decoder's answer with views."""

Kind = Literal["whole", "trimmed", "part"]
"""Of a view: the whole frames, what is left without bars and captions, or an inset or part of a split screen."""


@dataclass(frozen=True, slots=True)
class FramesView:
    """The frames of a video, as they are looked up together."""

    kind: Kind
    turn: str
    """The one of `TURNS` in which they were hashed."""
    frames: tuple[Frame, ...]
    """With the numbers and seconds of the frames that count. Poor ones may be among them."""
    boxes: tuple[Trimmed, ...] = ()
    """Of each frame, what part of its square was hashed; none of whole frames."""


class Moment(NamedTuple):
    """A frame that counts, as a picture."""

    seconds: float
    """Its place in the video."""
    still: Still


@dataclass(frozen=True, slots=True)
class View:
    """What is looked up of a video, and what is shown of it."""

    views: tuple[FramesView, ...]
    """The whole frames in all of `TURNS`, as they lie first; then what was found in them."""
    stills: tuple[Moment, ...]
    """Up to `MOST_STILLS`, spread evenly, to show to somebody; none of a video without detail."""
    moments: tuple[Moment, ...]
    """Up to `MOST_MOMENTS` that are unlike, in their order, to look up."""


NO_VIEWS = tuple(FramesView("whole", turn, ()) for turn in TURNS)
"""Of a video that cannot be decoded."""


def describe_video(source: bytes | Path) -> list[Descriptors]:
    """The descriptors of a video, as a person's device gives them: of up to DESCRIBED_STILLS of the frames that count,
    spread over it, no two of them alike, those of them that have enough. Raises as `video_signals` does."""
    chosen: Spread[Still] = Spread(DESCRIBED_STILLS, ALIKE)
    for frame, still in kept_frames(source):
        chosen.take(frame.pdq, still)
    made = []
    for still in chosen.kept:
        try:
            made.append(describe(still.luma, still.width, still.height))
        except PoorSignal:
            continue
    return made


def read_views(source: bytes | Path) -> tuple[FramesView, ...]:
    """The frames that count, as they are looked up to find edited copies. Raises as `video_signals` does."""
    return read_view(source).views


def read_view(source: bytes | Path) -> View:
    """The same with stills and moments from all over it. Raises as before."""
    stills: Spread[Moment] = Spread(MOST_STILLS, 0)
    moments: Spread[Moment] = Spread(MOST_MOMENTS, MATCH_DISTANCE)
    views = _Views()
    for frame, still in kept_frames(source):
        for spread in (stills, moments):
            spread.take(frame.pdq, Moment(frame.seconds, still))
        views.take(frame, still.luma)
    return View(views.finish(), tuple(stills.kept), tuple(moments.kept))


def read_moments(source: bytes | Path, seconds: Sequence[float]) -> list[Moment]:
    """Those frames that count at these seconds of the video, in their order. Raises as before."""
    return [Moment(frame.seconds, still) for frame, still in kept_frames(source) if frame.seconds in seconds]


class _Views:
    """The frames of a video on their way into views: some at a time are held, as only several tell what is steady."""

    def __init__(self) -> None:
        self._whole: dict[str, list[Frame]] = {turn: [] for turn in TURNS}
        self._within: dict[tuple[Kind, int, str], list[tuple[Frame, Trimmed]]] = {}
        self._held: list[tuple[Frame, Luma]] = []
        self._windows = 0

    def take(self, frame: Frame, luma: Luma) -> None:
        """One more frame."""
        for turn, (value, quality) in pdq_of_turns(luma).items():
            self._whole[turn].append(frame._replace(pdq=value, quality=quality))
        self._held.append((frame, luma))
        if len(self._held) == _WINDOW:
            self._look()

    def finish(self) -> tuple[FramesView, ...]:
        """All views."""
        if self._held:
            self._look()
        whole = [FramesView("whole", turn, tuple(frames)) for turn, frames in self._whole.items()]
        within = [
            FramesView(kind, turn, tuple(frame for frame, _ in seen), tuple(box for _, box in seen))
            for (kind, _, turn), seen in self._within.items()
        ]
        return (*whole, *within)

    def _look(self) -> None:
        held, self._held = self._held, []
        self._windows += 1
        if self._windows > _EACH_WINDOW and self._windows % _LATER_WINDOWS:
            return
        found = layout([luma for _, luma in held])
        for at, box in enumerate([found.trimmed, *found.parts]):
            if box is None:
                continue
            # How many turns: bars come of turning, an inset is hardly ever turned.
            kind: Kind = "part" if at else "trimmed"
            for frame, luma in held:
                inside = turns(_square_of(luma, box))
                for turn in _TURNS_OF_PARTS if at else TURNS:
                    value, quality = pdq_of_luma(inside[turn])
                    seen = self._within.setdefault((kind, at, turn), [])
                    seen.append((frame._replace(pdq=value, quality=quality), box))


def _square_of(luma: Luma, box: Trimmed) -> Luma:
    """What lies in a box, 512 x 512."""
    inside = np.ascontiguousarray(luma[box.top : box.bottom, box.left : box.right])
    return squared(lambda top, bottom: inside[top:bottom], inside.shape[1], inside.shape[0])


def viewed_videos_of(
    paths: Sequence[Path], *, jobs: int | None = None, seconds: float = SECONDS_PER_VIDEO
) -> Iterator[tuple[FramesView, ...] | SignalError]:
    """`read_views` of each path, as `videos_of` has it."""
    return answers_of(paths, _fields_of_path, views_in, jobs=jobs, seconds=seconds, longest_answer=LONGEST_VIEWS)


def _fields_of_path(path: bytes) -> Fields:
    return fields_of(read_views(Path(os.fsdecode(path))))


def fields_of(views: Sequence[FramesView]) -> Fields:
    """The views as a limited process answers."""
    return {
        "views": [
            {
                "kind": view.kind,
                "turn": view.turn,
                "frames": frames_text(view.frames),
                # Many frames in a row have the same.
                "boxes": [[len(list(same)), *box] for box, same in groupby(view.boxes)],
            }
            for view in views
        ]
    }


def views_in(fields: Fields) -> tuple[FramesView, ...]:
    """The views in such an answer; ValueError, TypeError or KeyError where they are none."""
    if len(fields["views"]) > _MOST_VIEWS:
        raise ValueError
    views = tuple(map(_frames_view, fields["views"]))
    if [(view.kind, view.turn) for view in views[: len(TURNS)]] != [("whole", turn) for turn in TURNS]:
        raise ValueError
    return views


def _frames_view(fields: Fields) -> FramesView:
    kind, turn = fields["kind"], fields["turn"]
    if kind not in ("whole", "trimmed", "part") or turn not in TURNS:
        raise ValueError
    # A frame that is good as it lies may be a little below that when turned.
    frames = tuple(parse_all_frames(fields["frames"]) if fields["frames"] else ())
    boxes: list[Trimmed] = []
    for count, left, top, right, bottom in fields["boxes"]:
        if not (0 <= left < right <= SIDE and 0 <= top < bottom <= SIDE and 0 < count <= len(frames) - len(boxes)):
            raise ValueError
        boxes += [Trimmed(int(left), int(top), int(right), int(bottom))] * int(count)
    if len(boxes) != (0 if kind == "whole" else len(frames)):
        raise ValueError
    return FramesView(kind, turn, frames, tuple(boxes))
