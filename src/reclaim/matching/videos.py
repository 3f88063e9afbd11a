"""One call from a video, or from its frames, to a decision: how much of it is known, and how much of what is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from reclaim.index import CODE_BYTES, FrameIndex
from reclaim.index.codes import Codes
from reclaim.matching.decisions import DEFAULT_POLICY, Found, Indexes, files_of, review_only_in_words
from reclaim.matching.in_order import REACH, STANDS_OUT, InOrder, in_order
from reclaim.matching.policy import Action, Policy, at_most_review, most_urgent
from reclaim.matching.relation import Box, How, Relation, Stretch
from reclaim.matching.review_only import NO_REVIEW_ONLY, ReviewOnly
from reclaim.signals import Frame, SignalError, md5_of
from reclaim.signals.luma import SIDE
from reclaim.signals.pdq import TURNS
from reclaim.signals.trim import Trimmed
from reclaim.signals.values import SignalType
from reclaim.signals.video_views import FramesView, read_views

_USUAL = 0.08
# A speed this near to the usual one is taken for it: frames a second apart do not tell more.
_SECONDS_FOR_SPEED = 4.0


MOST_COMPARED = 8
"""Known videos that an upload is compared with frame by frame: those of which most frames were found."""
FAR_FRAMES, FAR_FRAMES_OF_OTHERS = 32, 8
"""Frames, spread over the upload as it lies and over each other view, that are looked up as far as frames in order may
be apart. So far the index looks at every code that it has, which takes a while."""


class FoundVideo(BaseModel):
    """A known video of which frames were found."""

    model_config = ConfigDict(frozen=True)

    type: Literal["vpdq"] = "vpdq"
    id: int
    """What the index knows it by; on a platform the primary key of its ``KnownSignal``."""
    query_percent: float
    """How much of the upload is in the known video: of its frames that count, 0 to 100."""
    video_percent: float
    """How much of the known video is in the upload."""
    frames: int
    """How many frames of the known video that is."""
    relation: Relation
    """How the upload relates to the known video, in the view that shows most of it, and which stretch is alike."""
    review_only: bool = False
    """The bank says that a person has to look: this match asks for no more than a review."""
    action: Action
    """What this match alone asks for."""


class VideoDecision(BaseModel):
    """What to do about a video, and why."""

    model_config = ConfigDict(frozen=True)

    action: Action
    reason: str
    """One sentence or two for the person who looks."""
    frames: int
    """How many frames of the upload count. With none, nothing but its MD5 was looked up."""
    searched: list[SignalType]
    """The kinds of signals that were looked for."""
    matches: list[Found | FoundVideo]
    """Known files first, then videos, what most was found of first; each once."""
    more: bool = False
    """There were more matches than are named here."""


def decide_video(video: bytes | Path, indexes: Indexes, policy: Policy = DEFAULT_POLICY) -> VideoDecision:
    """Look a video up by its bytes or path: as a file, and by its frames, also turned, trimmed and in parts.

    Raises what ``reclaim.signals.video.read_frames`` raises, unless the file is a known one. It is decoded in this
    process; ``reclaim.matching.seen.seen_video_crew`` does so elsewhere.
    """
    md5 = md5_of(video)
    try:
        views: Sequence[FramesView] | SignalError = read_views(video)
    except SignalError as error:
        views = error
    return decide_on_video(md5, views, indexes, policy)


def decide_on_video(
    md5: str, views: Sequence[FramesView] | SignalError, indexes: Indexes, policy: Policy = DEFAULT_POLICY
) -> VideoDecision:
    """As ``decide_video``, from signals made before. A video's error is raised, unless the file is a known one."""
    files = files_of(md5, indexes.md5, policy, indexes.review_only)
    if isinstance(views, SignalError):
        if not files:
            raise views
        return _decision(files, [], ["md5"], 0, policy)
    frames = _count(views[0].frames)
    # Compared with None: an index with nothing in it is false, and is searched all the same.
    looked = frames > 0 and indexes.video is not None
    searched: list[SignalType] = ["vpdq"] if looked else []
    searched += [] if indexes.md5 is None else ["md5"]
    videos = [] if indexes.video is None else find_videos(views, indexes.video, policy, review_only=indexes.review_only)
    return _decision(files, videos, searched, frames, policy)


def decide_on_frames(
    frames: Sequence[Frame],
    index: FrameIndex,
    policy: Policy = DEFAULT_POLICY,
    *,
    review_only: ReviewOnly = NO_REVIEW_ONLY,
) -> VideoDecision:
    """Look up the frames of a video as they lie; poor and repeated ones may be among them, and do not count."""
    bare = FramesView("whole", TURNS[0], tuple(frames))
    videos = find_videos([bare], index, policy, review_only=review_only)
    return _decision([], videos, ["vpdq"], _count(frames), policy)


def _count(frames: Sequence[Frame]) -> int:
    """How many frames the percentages are of: the good ones, each value once."""
    return len({frame.pdq for frame in frames if not frame.poor})


class _Seen(NamedTuple):
    """A known video, in the view of the upload that shows most of it."""

    id: int
    view: FramesView
    query_frames: int
    query_percent: float
    video_frames: int
    video_percent: float
    action: Action
    """What it asks for by the frames that are alike by themselves."""
    far_frames: int = 0
    """Frames of the upload that are alike only as far as frames in order may be, where none is by itself."""
    stretch: InOrder | None = None

    @property
    def rank(self) -> tuple[float, float]:
        return max(self.query_percent, self.video_percent), min(self.query_percent, self.video_percent)


def find_videos(
    views: Sequence[FramesView],
    index: FrameIndex,
    policy: Policy,
    *,
    review_only: ReviewOnly = NO_REVIEW_ONLY,
) -> list[FoundVideo]:
    """Each known video that any view has frames of, in the view that has most; most first.

    The first view is the frames as they lie. Only by them may a video ask to be held.
    """
    whole = _count(views[0].frames)
    views = [view for view in views if policy.views or view.kind == "whole"]
    best: dict[int, _Seen] = {}
    for view in views:
        for seen in _seen(view, whole, index, policy):
            before = best.get(seen.id)
            # What is held for is shown as it lies.
            if before is None or (before.action is not Action.HOLD and seen.rank > before.rank):
                best[seen.id] = seen
    far: dict[int, _Seen] = {}
    for view in views:
        for seen in _seen_from_far(view, index):
            if seen.id not in best and (seen.id not in far or seen.far_frames > far[seen.id].far_frames):
                far[seen.id] = seen
    best |= far
    most = sorted(best.values(), key=lambda each: (-max(each.query_frames, each.far_frames), -each.rank[0], each.id))
    for seen in most[:MOST_COMPARED]:
        best[seen.id] = _compared(seen, whole, index, policy)
    found = []
    for seen in sorted(best.values(), key=lambda each: (-each.rank[0], -each.rank[1], each.id)):
        if seen.action is Action.NONE:
            continue
        asked = seen.id in review_only
        found.append(
            FoundVideo(
                id=seen.id,
                query_percent=round(seen.query_percent, 1),
                video_percent=round(seen.video_percent, 1),
                frames=seen.video_frames,
                relation=_relation(seen),
                review_only=asked,
                action=at_most_review(seen.action) if asked else seen.action,
            )
        )
    return found


def _good(view: FramesView) -> tuple[Codes, npt.NDArray[np.float64]]:
    """The frames that count, shape (n, 32), and where they lie."""
    good = [frame for frame in view.frames if not frame.poor]
    codes = np.frombuffer(bytes.fromhex("".join(frame.pdq for frame in good)), np.uint8).reshape(-1, CODE_BYTES)
    return codes, np.array([frame.seconds for frame in good], np.float64)


def _seen(view: FramesView, whole: int, index: FrameIndex, policy: Policy) -> Iterator[_Seen]:
    """The known videos that a view has frames of."""
    codes, _ = _good(view)
    if not len(codes):
        return
    for hit in index.query(codes, policy.frame_distance, least_query_percent=0.0):
        # A part may be there for some of the time only: the percentage is of the upload all the same.
        of_upload = min(hit.query_percent, 100 * hit.query_frames / max(1, whole))
        action = policy.action_on_video(of_upload, hit.video_percent, min(hit.query_frames, hit.video_frames))
        yield _Seen(
            hit.id,
            view,
            hit.query_frames,
            of_upload,
            hit.video_frames,
            hit.video_percent,
            action if _as_it_lies(view) else at_most_review(action),
        )


def _seen_from_far(view: FramesView, index: FrameIndex) -> Iterator[_Seen]:
    """The known videos that some frames of a view may belong to, if they turn out to lie in order."""
    codes, _ = _good(view)
    if not len(codes):
        return
    wanted = FAR_FRAMES if _as_it_lies(view) else FAR_FRAMES_OF_OTHERS
    spread = np.unique(np.linspace(0, len(codes) - 1, wanted).round().astype(np.intp))
    for hit in index.query(codes[spread], REACH, least_query_percent=0.0):
        yield _Seen(hit.id, view, 0, 0.0, 0, 0.0, Action.NONE, far_frames=hit.query_frames)


def _as_it_lies(view: FramesView) -> bool:
    return view.kind == "whole" and view.turn == TURNS[0]


def _compared(seen: _Seen, whole: int, index: FrameIndex, policy: Policy) -> _Seen:
    """The same, with the stretch that is alike in order: frames count there that alone would not."""
    try:
        known = index.frames_of(seen.id)
    except KeyError:  # withdrawn since it was found
        return seen
    codes, seconds = _good(seen.view)
    stretch = in_order(codes, seconds, known.codes, known.seconds)
    if stretch is None or stretch.frames < policy.review_frames:
        return seen
    if stretch.stands_out < STANDS_OUT:
        # Frames that are alike by themselves may still say where.
        return seen._replace(stretch=stretch) if seen.query_frames >= policy.review_frames else seen
    query_frames = max(seen.query_frames, stretch.upload_frames)
    video_frames = max(seen.video_frames, stretch.known_frames)
    return seen._replace(
        query_frames=query_frames,
        query_percent=max(seen.query_percent, min(100.0, 100 * query_frames / max(1, whole))),
        video_frames=video_frames,
        video_percent=max(seen.video_percent, 100 * video_frames / len(known.codes)),
        action=most_urgent(seen.action, Action.REVIEW),
        stretch=stretch,
    )


def _relation(seen: _Seen) -> Relation:
    view, stretch = seen.view, seen.stretch
    how: How = "same" if view.turn == TURNS[0] else "turned"
    box = None
    if view.kind != "whole":
        shown = view.boxes
        if stretch is not None:
            first, last = stretch.upload
            inside = [box for box, frame in zip(view.boxes, view.frames, strict=True) if first <= frame.seconds <= last]
            shown = tuple(inside) or shown
        ((most, _),) = Counter(shown).most_common(1)
        box = Box(*(side / SIDE for side in most))
        how = "trimmed" if view.kind == "trimmed" else "part" if _is_cell(most) else "inset"
    return Relation(how=how, turn=view.turn, box=box, stretch=None if stretch is None else _stretch(stretch))


def _is_cell(box: Trimmed) -> bool:
    """Whether it lies at two rims of the frame at least and is not small: a part of a split screen."""
    rims = (box.left == 0) + (box.top == 0) + (box.right == SIDE) + (box.bottom == SIDE)
    return rims >= 2 and (box.right - box.left) * (box.bottom - box.top) * 6 >= SIDE**2


def _stretch(found: InOrder) -> Stretch:
    """In seconds: a frame stands for the second that it begins."""
    usual = abs(found.speed - 1) < _USUAL or found.upload[1] - found.upload[0] < _SECONDS_FOR_SPEED
    speed = 1.0 if usual else round(found.speed * 20) / 20
    return Stretch(
        upload_from=round(found.upload[0], 1),
        upload_to=round(found.upload[1] + 1, 1),
        known_from=round(found.known[0], 1),
        known_to=round(found.known[1] + found.speed, 1),
        speed=speed,
    )


def _decision(
    files: list[Found], videos: list[FoundVideo], searched: list[SignalType], frames: int, policy: Policy
) -> VideoDecision:
    found: list[Found | FoundVideo] = [*files, *videos]
    action = Action.NONE
    for match in found:
        action = most_urgent(action, match.action)
    return VideoDecision(
        action=action,
        reason=_reason(action, files, videos, frames) + review_only_in_words([each.review_only for each in found]),
        frames=frames,
        searched=searched,
        matches=found[: policy.max_matches],
        more=len(found) > policy.max_matches,
    )


def in_words(found: FoundVideo) -> str:
    """How much of each is in the other, and how the two relate, in sentences."""
    return f"{shares_in_words(found.query_percent, found.video_percent)} {found.relation.sentence}"


def shares_in_words(query_percent: float, video_percent: float) -> str:
    """The same of the two percentages."""
    return (
        f"{_percent(query_percent)} of this upload is in the known video; "
        f"{_percent(video_percent)} of the known video is in this upload."
    )


def _percent(share: float) -> str:
    return f"{share:.0f} %" if share >= 1 or share == 0 else "less than 1 %"


def _reason(action: Action, files: list[Found], videos: list[FoundVideo], frames: int) -> str:
    if not files and not videos:
        return "Nothing was found." + (
            "" if frames else " No frame of this video has enough detail to be looked up, only the file itself was."
        )
    why = "This is a known file, byte for byte." if files else in_words(videos[0])
    what = {
        Action.NONE: "By this policy nothing is to be done.",
        Action.REVIEW: "Let a person look at it.",
        Action.HOLD: "Keep it back until a person has decided.",
    }
    return f"{why} {what[action]}"
