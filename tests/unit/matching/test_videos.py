"""From a video or its frames to what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import ImageOps
from pydantic import ValidationError

from bench import clips
from reclaim.index import ExactIndex, FrameIndex, HammingIndex, StoredIndex, create_stored
from reclaim.matching import Action, Indexes, Policy
from reclaim.matching.folder import IndexFolder
from reclaim.matching.videos import (
    MOST_COMPARED,
    FoundVideo,
    VideoDecision,
    decide_on_frames,
    decide_video,
    find_videos,
)
from reclaim.signals import Frame, NotAVideo, TruncatedVideo, hamming, md5_of
from reclaim.signals.trim import Trimmed
from reclaim.signals.video import read_frames
from reclaim.signals.video_views import FramesView
from tests.personas import clip_frames

PHOTOS = clips.photographs()


def codes(frames: list[Frame]) -> np.ndarray:
    return np.frombuffer(bytes.fromhex("".join(frame.pdq for frame in frames)), np.uint8).reshape(-1, 32)


def index_of(*videos: list[Frame]) -> FrameIndex:
    """The videos under 1, 2 and so on."""
    return FrameIndex.build(
        (id_, codes(video), None, np.array([frame.seconds for frame in video]))
        for id_, video in enumerate(videos, start=1)
    )


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.write(tmp_path_factory.mktemp("film") / "film.mp4", clips.film(PHOTOS[:4], 6.0, seed=5))


@pytest.fixture(scope="module")
def indexes(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexes]:
    """The film under 1, another under 2, its file under 10; as a folder that is followed."""
    folder = tmp_path_factory.mktemp("indexes")
    built = index_of(read_frames(film), clip_frames(1, 5)).index
    assert isinstance(built, HammingIndex)
    create_stored(folder / "video.index", built)
    create_stored(folder / "md5.index", HammingIndex(mode="compact"))
    with StoredIndex(folder / "md5.index", writable=True) as writer:
        ExactIndex(writer).add(10, bytes.fromhex(md5_of(film)))
        ExactIndex(writer).add(11, bytes.fromhex(md5_of(b"a film that nobody can decode")))
    followed = IndexFolder(folder)
    followed.refresh()
    assert not followed.fault
    assert followed.counts() == {"md5": 2, "video_frames": len(built)}
    yield followed.indexes
    followed.close()


def only(decision: VideoDecision) -> FoundVideo:
    (match,) = decision.matches
    assert isinstance(match, FoundVideo)
    return match


def test_a_known_video_is_held_as_a_file_and_by_its_frames(film: Path, indexes: Indexes) -> None:
    decision = decide_video(film, indexes)
    assert decision.action is Action.HOLD
    assert [(match.type, match.id) for match in decision.matches] == [("md5", 10), ("vpdq", 1)]
    assert decision.searched == ["vpdq", "md5"]
    assert decision.reason == "This is a known file, byte for byte. Keep it back until a person has decided."


def test_a_part_that_was_mirrored_and_made_smaller_is_found_with_how_much_of_each_is_in_the_other(
    film: Path, indexes: Indexes, tmp_path: Path
) -> None:
    part = [ImageOps.mirror(frame).resize((320, 180)) for frame in clips.read(film)[30:]]
    decision = decide_video(clips.write(tmp_path / "part.webm", part, codec="libvpx"), indexes)
    match = only(decision)
    assert (match.id, match.relation.turn, match.query_percent) == (1, "flipy", 100.0)
    assert 30 < match.video_percent < 70
    assert decision.action is Action.REVIEW
    assert decision.reason.startswith("100 % of this upload is in the known video; ")
    assert "Mirrored left to right. 0:00 to 0:03 of this upload is 0:03 to 0:06 of the known video." in decision.reason


def test_what_lies_between_bars_or_in_another_film_is_looked_at_with_where_it_lies(
    film: Path, indexes: Indexes, tmp_path: Path
) -> None:
    frames, other = clips.read(film), list(clips.film(PHOTOS[14:15], 6.0))
    copies = {
        "trimmed": [ImageOps.expand(frame, (0, 60), "black") for frame in frames],
        "inset": clips.COPIES["picture-in-picture"](frames, other),
    }
    for how, copy in copies.items():
        decision = decide_video(clips.write(tmp_path / f"{how}.mp4", copy), indexes)
        match = only(decision)
        assert (match.id, match.relation.how, match.relation.turn) == (1, how, "original")
        assert match.query_percent >= 50
        assert (decision.action, match.action) == (Action.REVIEW, Action.REVIEW)
    # The last one lies in the upper right corner.
    assert match.relation.box == pytest.approx((360 / 640, 24 / 360, 616 / 640, 168 / 360), abs=0.02)


HALF = (Trimmed(0, 0, 256, 512),) * 20


@pytest.mark.parametrize(
    ("view", "how"),
    [
        (("whole", "flipy", ()), "turned"),
        (("trimmed", "original", HALF), "trimmed"),
        (("part", "original", HALF), "part"),
        (("part", "original", (Trimmed(300, 40, 480, 140),) * 20), "inset"),
    ],
)
def test_no_policy_lets_anything_but_plain_frames_hold(
    view: tuple[Literal["whole", "trimmed", "part"], str, tuple[Trimmed, ...]], how: str
) -> None:
    kind, turn, boxes = view
    eager = Policy(hold_percent=0.0, review_percent=0.0, hold_frames=1)
    plain = FramesView("whole", "original", tuple(OTHER[:20]))
    views = [plain, FramesView(kind, turn, tuple(KNOWN), boxes)]
    (match,) = find_videos(views, index_of(KNOWN), eager)
    assert (match.relation.how, match.query_percent, match.action) == (how, 100.0, Action.REVIEW)
    assert decide_on_frames(near_to(KNOWN, 40), index_of(KNOWN), eager).action is Action.REVIEW
    assert decide_on_frames(KNOWN, index_of(KNOWN), eager).action is Action.HOLD


def test_what_is_there_as_it_lies_is_held_though_more_of_it_is_there_mirrored() -> None:
    views = [
        FramesView("whole", "original", tuple(KNOWN[:10] + OTHER[:10])),
        FramesView("whole", "flipy", tuple(KNOWN)),
    ]
    (match,) = find_videos(views, index_of(KNOWN), Policy())
    assert (match.action, match.relation.how, match.query_percent) == (Action.HOLD, "same", 50.0)


def test_a_part_that_is_there_for_a_moment_is_counted_against_the_whole_upload() -> None:
    views = [
        FramesView("whole", "original", tuple(OTHER)),
        FramesView("part", "original", tuple(retimed(KNOWN[:10], 50)), HALF[:10]),
    ]
    (match,) = find_videos(views, index_of(KNOWN), Policy())
    assert (match.query_percent, match.video_percent) == (5.0, 50.0)
    assert find_videos(views, index_of(KNOWN), Policy(views=False)) == []


def near_to(frames: list[Frame], bits: int) -> list[Frame]:
    """The same, each so many bits away."""
    return [frame._replace(pdq=f"{int(frame.pdq, 16) ^ ((1 << bits) - 1):064x}") for frame in frames]


def retimed(frames: list[Frame], begin: float, speed: float = 1.0) -> list[Frame]:
    """Played so many times as fast, beginning so late."""
    return [frame._replace(number=at, seconds=begin + at / speed) for at, frame in enumerate(frames)]


def test_a_few_seconds_in_a_long_compilation_are_looked_at_with_where_they_lie_in_both() -> None:
    compilation = OTHER[:100] + retimed(KNOWN[8:13], 100) + retimed(OTHER[100:], 105)
    match = only(decide_on_frames(compilation, index_of(KNOWN + clip_frames(3, 100)[20:])))
    assert (match.query_percent, match.action) == (2.4, Action.REVIEW)
    assert set(vars(match)) == set(FoundVideo.model_fields)
    assert match.relation.sentence == "1:40 to 1:45 of this upload is 0:08 to 0:13 of the known video."


def test_the_same_few_frames_out_of_order_are_no_part_of_a_film() -> None:
    shuffled = retimed([KNOWN[at] for at in (15, 9, 3)], 100)
    decision = decide_on_frames(OTHER[:100] + shuffled, index_of(KNOWN + clip_frames(3, 100)[20:]))
    assert decision.action is Action.NONE


def test_frames_that_are_less_alike_count_where_they_are_in_order() -> None:
    decision = decide_on_frames(near_to(KNOWN, 50), index_of(KNOWN))
    match = only(decision)
    assert (decision.action, match.query_percent, match.video_percent) == (Action.REVIEW, 100.0, 100.0)
    assert decide_on_frames(near_to(KNOWN[:2], 50), index_of(KNOWN)).action is Action.NONE


def test_two_films_over_one_picture_are_not_taken_for_each_other_by_the_order_of_their_frames() -> None:
    chance = np.random.default_rng(3)

    def over_the_picture() -> list[Frame]:
        """Each frame 25 bits from the picture's, which bits is the film's own."""
        moved = (sum(1 << int(bit) for bit in chance.choice(256, 25, replace=False)) for _ in KNOWN)
        return [
            frame._replace(pdq=f"{int(KNOWN[0].pdq, 16) ^ bits:064x}") for frame, bits in zip(KNOWN, moved, strict=True)
        ]

    one, another = over_the_picture(), over_the_picture()
    distances = [hamming(a.pdq, b.pdq) for a in one for b in another]
    assert min(distances) > 31
    assert max(distances) < 60
    assert decide_on_frames(another, index_of(one)).action is Action.NONE


def test_what_is_played_faster_is_found_with_how_much() -> None:
    match = only(decide_on_frames(retimed(KNOWN, 0, 1.5), index_of(KNOWN)))
    stretch = match.relation.stretch
    assert stretch is not None
    assert (stretch.speed, match.action) == (1.5, Action.HOLD)
    assert match.relation.sentence.endswith("0:00 to 0:20 of the known video, played about 1.5 times as fast.")


def test_of_very_many_videos_that_share_frames_few_are_compared_frame_by_frame() -> None:
    shared = [KNOWN[:3] + clip_frames(seed, 20)[3:] for seed in range(10, 10 + 2 * MOST_COMPARED)]
    found = decide_on_frames(KNOWN, index_of(*shared)).matches
    stretches = [match.relation.stretch for match in found if isinstance(match, FoundVideo)]
    assert len(stretches) == 2 * MOST_COMPARED
    assert sum(stretch is not None for stretch in stretches) == MOST_COMPARED


def test_an_unrelated_video_finds_nothing(indexes: Indexes, tmp_path: Path) -> None:
    other = clips.write(tmp_path / "other.mp4", clips.film(PHOTOS[10:12], 3.0))
    decision = decide_video(other, indexes)
    assert (decision.action, decision.matches, decision.reason) == (Action.NONE, [], "Nothing was found.")
    assert decision.frames == len(read_frames(other))


def test_a_video_that_cannot_be_decoded_is_its_error_unless_its_file_is_known(indexes: Indexes, film: Path) -> None:
    assert decide_video(b"a film that nobody can decode", indexes).action is Action.HOLD
    with pytest.raises(NotAVideo):
        decide_video(b"another", indexes)
    with pytest.raises(TruncatedVideo):
        decide_video(film.read_bytes()[:2000], indexes)


def test_a_video_without_detail_says_that_only_the_file_was_looked_up(indexes: Indexes, tmp_path: Path) -> None:
    from PIL import Image

    decision = decide_video(clips.write(tmp_path / "g.mp4", [Image.new("RGB", clips.SIZE, "grey")] * 5), indexes)
    assert (decision.frames, decision.searched) == (0, ["md5"])
    assert "No frame of this video has enough detail" in decision.reason


KNOWN, OTHER = clip_frames(1, 20), clip_frames(2, 200)


@pytest.mark.parametrize(
    ("upload", "known", "percents", "action"),
    [
        (KNOWN, KNOWN, (100.0, 100.0), Action.HOLD),
        (KNOWN[:1], KNOWN[:1], (100.0, 100.0), Action.HOLD),
        (KNOWN[:3], KNOWN, (100.0, 15.0), Action.HOLD),
        (KNOWN[:2], KNOWN, (100.0, 10.0), Action.REVIEW),
        (OTHER[:100] + KNOWN, KNOWN, (16.7, 100.0), Action.HOLD),
        (OTHER + KNOWN[:1], KNOWN[:1], (0.5, 100.0), Action.REVIEW),
        (OTHER[:20] + KNOWN[:9], KNOWN, (31.0, 45.0), Action.REVIEW),
        (OTHER[:20] + KNOWN[:10], KNOWN, (33.3, 50.0), Action.HOLD),
        (OTHER[:20] + KNOWN[:1], KNOWN, None, Action.NONE),
    ],
)
def test_how_much_is_known_decides(
    upload: list[Frame], known: list[Frame], percents: tuple[float, float] | None, action: Action
) -> None:
    decision = decide_on_frames(upload, index_of(known))
    assert decision.action is action
    if percents is None:
        assert decision.matches == []
    else:
        match = only(decision)
        assert (match.query_percent, match.video_percent) == percents
        assert match.relation.how == "same"


def test_the_video_of_which_most_is_there_comes_first() -> None:
    decision = decide_on_frames(KNOWN, index_of(KNOWN[:4] + OTHER[:16], KNOWN, KNOWN[:10] + OTHER[:10]))
    assert [match.id for match in decision.matches] == [2, 3, 1]
    shortened = decide_on_frames(KNOWN, index_of(KNOWN, KNOWN), Policy(max_matches=1))
    assert ([match.id for match in shortened.matches], shortened.more) == ([1], True)


def test_poor_frames_count_for_nothing() -> None:
    poor = [frame._replace(quality=10) for frame in KNOWN]
    decision = decide_on_frames(poor, index_of(KNOWN))
    assert (decision.action, decision.frames) == (Action.NONE, 0)


def test_a_frame_that_comes_again_counts_once() -> None:
    again = [frame._replace(number=20 + frame.number, seconds=20 + frame.seconds) for frame in KNOWN[:5]]
    decision = decide_on_frames(KNOWN + again, index_of(KNOWN[:10]))
    assert (decision.frames, only(decision).query_percent) == (20, 50.0)


def test_thresholds_out_of_order_are_refused() -> None:
    with pytest.raises(ValidationError):
        Policy(hold_percent=10, review_percent=20)
