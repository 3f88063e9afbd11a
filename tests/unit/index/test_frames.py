"""Videos by their frames, held to the definition of vPDQ's percentages in plain Python."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reclaim.index import FrameIndex, HammingIndex, StoredIndex, VideoHit, create_stored
from reclaim.index.frames import MAX_FRAMES, MAX_VIDEO, kept_frames
from tests.unit.index.banks import Codes, flipped

Video = list[tuple[bytes, int]]
"""Frames and their qualities."""

RADIUS = 31


def reference(
    videos: dict[int, Video], query: Video, radius: int, query_least: float, video_least: float
) -> list[VideoHit]:
    """Quality first, then each value once, then every frame against every frame: as threatexchange's index counts."""

    def good(video: Video) -> set[bytes]:
        return {frame for frame, quality in video if quality >= 50}

    def near(one: bytes, others: set[bytes]) -> bool:
        return any((int.from_bytes(one) ^ int.from_bytes(other)).bit_count() <= radius for other in others)

    hits = []
    asked = good(query)
    for id_, video in videos.items():
        held = good(video)
        of_query = sum(near(frame, held) for frame in asked)
        of_video = sum(near(frame, asked) for frame in held)
        if of_query:
            hit = VideoHit(id_, of_query * 100 / len(asked), of_video * 100 / len(held), of_query, of_video)
            if hit.query_percent >= query_least and hit.video_percent >= video_least:
                hits.append(hit)
    return sorted(hits, key=lambda hit: (-hit.query_percent, -hit.video_percent, hit.id))


def arrays(video: Video) -> tuple[Codes, npt.NDArray[np.int64]]:
    frames = np.frombuffer(b"".join(frame for frame, _ in video), np.uint8).reshape(-1, 32)
    return frames, np.array([quality for _, quality in video], np.int64)


# A few scenes, and frames a little away from them: so that videos share frames and the radius is often just met.
SCENES = np.random.default_rng(8).integers(0, 256, (4, 32), np.uint8)
frames = st.builds(
    lambda scene, bits: flipped(SCENES[scene], bits).tobytes(),
    st.integers(0, 3),
    st.lists(st.integers(0, 255), unique=True, max_size=40) | st.just([]),
)
videos = st.lists(st.tuples(frames, st.sampled_from([0, 49, 50, 100])), max_size=8)
usable = videos.filter(lambda video: any(quality >= 50 for _, quality in video))


@given(
    st.dictionaries(st.sampled_from([0, 1, 2, 500, MAX_VIDEO]), usable),
    videos,
    st.sampled_from([0, 8, RADIUS]),
    st.sampled_from([0.0, 50.0, 80.0]),
    st.sampled_from([0.0, 50.0]),
    st.booleans(),
)
def test_it_finds_what_comparing_every_frame_with_every_frame_finds(
    held: dict[int, Video], query: Video, radius: int, query_least: float, video_least: float, built: bool
) -> None:
    if built:
        index = FrameIndex.build((id_, *arrays(video)) for id_, video in held.items())
    else:
        index = FrameIndex()
        for id_, video in held.items():
            index.add(id_, *arrays(video))
    codes, qualities = arrays(query)
    found = index.query(codes, radius, qualities, least_query_percent=query_least, least_video_percent=video_least)
    assert found == reference(held, query, radius, query_least, video_least)
    for id_, video in held.items():
        assert index.count(id_) == len({frame for frame, quality in video if quality >= 50})


def clip(seed: int, count: int) -> Codes:
    return np.random.default_rng(seed).integers(0, 256, (count, 32), np.uint8)


def test_a_clip_out_of_a_video_is_found_with_both_percentages() -> None:
    index = FrameIndex()
    index.add(7, clip(1, 60))
    index.add(8, clip(2, 60))
    asked = np.concatenate([clip(1, 60)[10:25], clip(3, 5)])
    assert index.query(asked, RADIUS, least_query_percent=75) == [VideoHit(7, 75.0, 25.0, 15, 15)]
    assert index.query(asked, RADIUS) == []


def test_a_removed_video_is_not_found_any_more() -> None:
    index = FrameIndex()
    index.add(7, clip(1, 60))
    index.add(8, clip(1, 30))
    index.remove(7)
    assert index.query(clip(1, 30), RADIUS) == [VideoHit(8, 100.0, 100.0, 30, 30)]
    assert 7 not in index
    assert len(index) == 30
    assert index.count(7) == 0
    with pytest.raises(KeyError):
        index.remove(7)


def test_a_video_may_be_named_by_any_kind_of_whole_number() -> None:
    index = FrameIndex()
    video = np.int32(500_000)
    index.add(video, clip(1, 5))  # type: ignore[arg-type]
    for same in (500_000, video, np.int64(500_000)):
        assert same in index
        assert index.count(same) == 5  # type: ignore[arg-type]
    assert all(other not in index for other in (500_001, 500_000.0, "500000", None))
    index.remove(video)  # type: ignore[arg-type]
    assert len(index) == 0


def test_a_video_may_be_put_in_again_after_it_was_removed() -> None:
    index = FrameIndex()
    index.add(7, clip(1, 60))
    with pytest.raises(ValueError, match="The video 7 is there already; remove it first"):
        index.add(7, clip(2, 3))
    index.remove(7)
    index.add(7, clip(2, 3))
    assert index.query(clip(2, 3), RADIUS) == [VideoHit(7, 100.0, 100.0, 3, 3)]


def test_another_process_reading_the_file_sees_whole_videos_come_and_go(tmp_path: Path) -> None:
    path = tmp_path / "videos.index"
    built = FrameIndex.build([(3, clip(3, 40), None)]).index
    assert isinstance(built, HammingIndex)
    create_stored(path, built)
    with StoredIndex(path, writable=True) as to_write, StoredIndex(path) as to_read:
        writer, reader = FrameIndex(to_write), FrameIndex(to_read)
        writer.add(4, clip(4, 25))
        writer.remove(3)
        assert reader.refresh() == 65
        assert reader.query(clip(4, 25), RADIUS) == [VideoHit(4, 100.0, 100.0, 25, 25)]
        assert reader.query(clip(3, 40), RADIUS) == []


def test_no_percentage_passes_a_hundred_while_videos_come_and_go() -> None:
    index = FrameIndex()
    asked = clip(1, 400)
    seen: list[VideoHit] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            seen.extend(index.query(asked, RADIUS, least_query_percent=0))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for _ in range(60):
            index.add(1, asked)
            index.remove(1)
    finally:
        over.set()
        thread.join()
    assert all(0 < hit.query_percent <= 100 and 0 < hit.video_percent <= 100 for hit in seen)


def test_an_index_in_memory_has_no_news() -> None:
    assert FrameIndex().refresh() == 0


def test_where_the_frames_that_count_lie_is_kept_with_them(tmp_path: Path) -> None:
    seconds, qualities = np.arange(21) * 1.25, np.array([100] * 20 + [10])
    path = tmp_path / "videos.index"
    built = FrameIndex.build([(3, clip(3, 21), qualities, seconds), (4, clip(4, 5), None)]).index
    assert isinstance(built, HammingIndex)
    create_stored(path, built)
    with StoredIndex(path, writable=True) as stored:
        videos = FrameIndex(stored)
        assert len(videos) == 20 + 3 + 5
        known = videos.frames_of(3)
        assert known.codes.tolist() == clip(3, 20).tolist()
        assert known.seconds.tolist() == pytest.approx(seconds[:20], abs=0.051)
        assert videos.frames_of(4).seconds.tolist() == [0, 1, 2, 3, 4]
        assert videos.query(clip(3, 20), RADIUS) == [VideoHit(3, 100.0, 100.0, 20, 20)]
        videos.remove(3)
        assert len(videos) == 5
        with pytest.raises(KeyError):
            videos.frames_of(3)


def test_times_are_found_by_no_search_even_by_one_for_their_own_code() -> None:
    index = FrameIndex()
    index.add(3, clip(3, 8), None, np.arange(8.0))
    held = index.index
    assert isinstance(held, HammingIndex)
    times = held.code_of((3 << 20) + MAX_FRAMES)
    assert index.query(np.frombuffer(times, np.uint8).reshape(1, 32), 0, least_query_percent=0) == []


def test_a_query_without_a_good_frame_finds_nothing() -> None:
    index = FrameIndex()
    index.add(1, clip(1, 3))
    assert index.query(clip(1, 3), RADIUS, np.array([49, 0, 10])) == []
    assert index.query(clip(1, 0), RADIUS) == []


def test_frames_are_kept_in_their_order_and_each_value_once() -> None:
    one, two, three = clip(5, 3)
    kept = kept_frames(np.array([two, one, two, three, one]), np.array([100, 100, 100, 10, 100]))
    assert kept.tolist() == [two.tolist(), one.tolist()]


def test_what_cannot_be_kept_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    index = FrameIndex()
    for video in (-1, MAX_VIDEO + 1):
        with pytest.raises(ValueError, match="A video's id is 0 to 8796093022207"):
            index.add(video, clip(1, 3))
        assert video not in index
    with pytest.raises(ValueError, match="of this one 0 are good enough"):
        index.add(1, clip(1, 3), np.array([0, 49, 10]))
    with pytest.raises(ValueError, match="one quality for each of the 3 frames"):
        index.add(1, clip(1, 3), np.array([100]))
    with pytest.raises(ValueError, match="one time for each of the 3 frames"):
        index.add(1, clip(1, 3), None, np.arange(2.0))
    with pytest.raises(ValueError, match="Frames must have shape"):
        index.add(1, clip(1, 3)[:, :16])
    with pytest.raises(ValueError, match="A radius is 0 to 64"):
        index.query(clip(1, 3), 65)
    monkeypatch.setattr("reclaim.index.frames.MAX_FRAMES", 4)
    with pytest.raises(ValueError, match="1 to 4 frames are kept; of this one 5"):
        index.add(1, clip(1, 5))
    assert len(index) == 0
