"""One call from a video, or from its frames, to a decision: how much of it is known, and how much of what is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from reclaim.index import CODE_BYTES, FrameIndex, VideoHit
from reclaim.matching.decisions import DEFAULT_POLICY, Found, Indexes, files_of, review_only_in_words
from reclaim.matching.policy import Action, Policy, most_urgent
from reclaim.matching.review_only import NO_REVIEW_ONLY, ReviewOnly
from reclaim.signals import Frame, SignalError, md5_of
from reclaim.signals.pdq import TURNS
from reclaim.signals.values import SignalType
from reclaim.signals.video import TurnedFrames, read_turned_frames


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
    turn: str | None = None
    """The turn of the upload in which most was found; ``original`` is as it lies, ``unboxed`` without its black bars.
    None for bare frames."""
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
    """Look a video up by its bytes or path: as a file, and by its frames, in all eight turns and without black bars.

    Raises what ``reclaim.signals.video.read_frames`` raises, unless the file is a known one. It is decoded in this
    process; ``reclaim.signals.video.view_crew`` does so elsewhere.
    """
    md5 = md5_of(video)
    try:
        turned: TurnedFrames | SignalError = read_turned_frames(video)
    except SignalError as error:
        turned = error
    return decide_on_video(md5, turned, indexes, policy)


def decide_on_video(
    md5: str, turned: TurnedFrames | SignalError, indexes: Indexes, policy: Policy = DEFAULT_POLICY
) -> VideoDecision:
    """As ``decide_video``, from signals made before. A video's error is raised, unless the file is a known one."""
    files = files_of(md5, indexes.md5, policy, indexes.review_only)
    if isinstance(turned, SignalError):
        if not files:
            raise turned
        return _decision(files, [], ["md5"], 0, policy)
    frames = _count(turned[TURNS[0]])
    # Compared with None: an index with nothing in it is false, and is searched all the same.
    looked = frames > 0 and indexes.video is not None
    searched: list[SignalType] = ["vpdq"] if looked else []
    searched += [] if indexes.md5 is None else ["md5"]
    videos = (
        [] if indexes.video is None else find_videos(turned, indexes.video, policy, review_only=indexes.review_only)
    )
    return _decision(files, videos, searched, frames, policy)


def decide_on_frames(
    frames: Sequence[Frame],
    index: FrameIndex,
    policy: Policy = DEFAULT_POLICY,
    *,
    review_only: ReviewOnly = NO_REVIEW_ONLY,
) -> VideoDecision:
    """Look up the frames of a video as they lie; poor and repeated ones may be among them, and do not count."""
    videos = find_videos({None: frames}, index, policy, review_only=review_only)
    return _decision([], videos, ["vpdq"], _count(frames), policy)


def _count(frames: Sequence[Frame]) -> int:
    """How many frames the percentages are of: the good ones, each value once."""
    return len({frame.pdq for frame in frames if not frame.poor})


def find_videos(
    turned: Mapping[str, Sequence[Frame]] | Mapping[None, Sequence[Frame]],
    index: FrameIndex,
    policy: Policy,
    *,
    review_only: ReviewOnly = NO_REVIEW_ONLY,
) -> list[FoundVideo]:
    """Each known video that any turn has frames of, in the turn that has most; most first."""
    best: dict[int, tuple[tuple[float, float], str | None, VideoHit]] = {}
    for turn, frames in turned.items():
        good = [frame for frame in frames if not frame.poor]
        if not good:
            continue
        codes = np.frombuffer(bytes.fromhex("".join(frame.pdq for frame in good)), np.uint8).reshape(-1, CODE_BYTES)
        for hit in index.query(codes, policy.frame_distance, least_query_percent=0.0):
            most = max(hit.query_percent, hit.video_percent), min(hit.query_percent, hit.video_percent)
            if hit.id not in best or most > best[hit.id][0]:
                best[hit.id] = most, turn, hit
    found = []
    for _, turn, hit in sorted(best.values(), key=lambda each: (-each[0][0], -each[0][1], each[2].id)):
        action = policy.action_on_video(hit.query_percent, hit.video_percent, min(hit.query_frames, hit.video_frames))
        asked = hit.id in review_only
        if action is not Action.NONE:
            found.append(
                FoundVideo(
                    id=hit.id,
                    query_percent=round(hit.query_percent, 1),
                    video_percent=round(hit.video_percent, 1),
                    frames=hit.video_frames,
                    turn=turn,
                    review_only=asked,
                    action=policy.for_review_only(action) if asked else action,
                )
            )
    return found


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
    """How much of each is in the other, as a sentence."""
    return shares_in_words(found.query_percent, found.video_percent)


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
