"""Videos: the same frames whatever they are packed in, and nothing worse than a sentence for a hostile file."""

from __future__ import annotations

import dataclasses
import hashlib
import random
from fractions import Fraction
from io import BytesIO

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from PIL import Image

from bench import clips
from reclaim.signals import (
    DecoderStopped,
    EmptyFile,
    EncryptedVideo,
    NotAVideo,
    SignalError,
    TruncatedVideo,
    UnreadableFile,
    UnsupportedVideo,
    VideoTooLarge,
    fingerprint,
    hamming,
    parse_frames,
    video_views,
)
from reclaim.signals import video as videos
from reclaim.signals.frames import Frame, frames_text, parse_all_frames
from reclaim.signals.pdq import TURNS, pdq_of_luma
from reclaim.signals.steady import NO_LAYOUT
from reclaim.signals.video import (
    is_video,
    read_frames,
    video_crew,
    video_signals,
    videos_of,
)
from reclaim.signals.video_views import read_views, viewed_videos_of

PHOTOS = clips.photographs()
KEY = {
    "encryption_scheme": "cenc-aes-ctr",
    "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
    "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
}


@pytest.fixture(scope="module")
def images():
    return list(clips.film(PHOTOS[:3], 5.0, seed=3))


@pytest.fixture(scope="module")
def film(images, tmp_path_factory):
    return clips.write(tmp_path_factory.mktemp("film") / "film.mp4", images)


def nearest(frames, others):
    """How far each frame is from the nearest of the others."""
    return [min(hamming(frame.pdq, other.pdq) for other in others) for frame in frames]


def test_a_video_gives_the_md5_of_its_bytes_and_a_frame_a_second(film, images, tmp_path):
    found = video_signals(film)
    assert found.md5 == hashlib.md5(film.read_bytes()).hexdigest()
    assert found == video_signals(film.read_bytes())
    assert [frame.number for frame in found.frames] == [0, 1, 2, 3, 4]
    assert [frame.seconds for frame in found.frames] == [0.0, 1.0, 2.0, 3.0, 4.0]
    for frame in found.frames:
        still = tmp_path / "still.png"
        images[frame.number * clips.RATE].save(still)
        assert hamming(frame.pdq, fingerprint(still).pdq) <= 10
    assert parse_frames(frames_text(found.frames)) == list(found.frames)


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("film.mov", "libx264", {"preset": "veryfast", "crf": "30"}),
        ("film.mkv", "mpeg4", {"b": "2000000"}),
        ("film.webm", "libvpx", {"deadline": "realtime", "cpu-used": "8", "b": "2000000"}),
    ],
)
def test_every_packing_gives_the_same_frames_within_the_match_distance(film, images, tmp_path, name, codec, options):
    other = read_frames(clips.write(tmp_path / name, images, codec=codec, options=options))
    assert max(nearest(read_frames(film), other)) <= 10


def test_a_video_that_a_player_turns_upright_is_turned_first(film, images, tmp_path):
    lying = [image.transpose(Image.Transpose.ROTATE_90) for image in images]
    turned = read_frames(clips.write(tmp_path / "turned.mp4", lying, rotation=-90))
    assert max(nearest(read_frames(film), turned)) <= 10


def stored(pix_fmt: str) -> tuple[np.ndarray, bytes]:
    """One photograph as the brightness that a film without loss stores, and the film."""
    photo = Image.open(PHOTOS[0]).resize((322, 242))
    frame = VideoFrame.from_image(photo).reformat(format=pix_fmt)
    first = frame.planes[0]
    wide = "10le" in pix_fmt
    rows = np.frombuffer(memoryview(first), "<u2" if wide else np.uint8).reshape(frame.height, -1)[:, : frame.width]
    made = BytesIO()
    with av.open(made, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10, options={"qp": "0", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *photo.size, pix_fmt
        frame.pts, frame.time_base = 0, Fraction(1, 10)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return (rows >> 2 if wide else rows).astype(np.uint8), made.getvalue()


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "nv12", "gray", "yuvj420p", "yuv420p10le"])
def test_a_frame_is_hashed_by_the_brightness_that_is_stored_stretched_to_the_whole_scale(pix_fmt):
    rows, film = stored(pix_fmt)
    square = np.asarray(Image.fromarray(rows).resize((512, 242), Image.Resampling.BILINEAR))
    square = np.asarray(Image.fromarray(square).resize((512, 512), Image.Resampling.BILINEAR))
    if not pix_fmt.startswith("yuvj"):
        square = np.clip(np.rint((square - 16.0) * 255 / 219), 0, 255).astype(np.uint8)
    (frame,) = read_frames(film)
    assert (frame.pdq, frame.quality) == pdq_of_luma(square)


def test_a_film_that_stores_colours_is_hashed_by_the_brightness_of_these(images, tmp_path):
    options = {"qp": "0", "preset": "ultrafast"}
    film = clips.write(tmp_path / "colours.mkv", images[:1], codec="libx264rgb", options=options, pix_fmt="rgb24")
    images[0].save(tmp_path / "still.png")
    (frame,) = read_frames(film)
    assert frame.pdq == fingerprint(tmp_path / "still.png").pdq


def test_a_still_picture_held_for_long_is_one_frame(images, tmp_path):
    assert len(read_frames(clips.write(tmp_path / "held.mp4", [images[0]] * 50))) == 1


def test_a_video_without_detail_has_no_frames_and_still_an_md5(tmp_path):
    found = video_signals(clips.write(tmp_path / "grey.mp4", [Image.new("RGB", clips.SIZE, "grey")] * 10))
    assert found.frames == ()
    assert len(found.md5) == 32


def test_a_long_video_gives_no_more_frames_than_may_be(film, monkeypatch):
    monkeypatch.setattr(videos, "MAX_FRAMES", 2)
    assert [(frame.number, frame.seconds) for frame in read_frames(film)] == [(0, 0.0), (1, 2.5)]


def test_a_video_that_claims_to_last_for_centuries_gives_frames_that_can_be_written(images):
    made = BytesIO()
    with av.open(made, "w", format="matroska") as container:
        stream = container.add_stream("libvpx", rate=10)
        stream.width, stream.height = images[0].size
        for image, seconds in zip(
            [*images[:3], *images[20:23]], [0, 1, 2, 10**10, 2 * 10**10, 3 * 10**10], strict=True
        ):
            frame = VideoFrame.from_image(image)
            frame.pts, frame.time_base = seconds * 10, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    texts = frames_text(read_frames(made.getvalue()))
    assert frames_text(parse_frames(texts)) == texts


def test_a_recording_that_was_cut_off_gives_the_frames_it_has(images, tmp_path):
    whole = clips.write(tmp_path / "whole.mkv", images).read_bytes()
    frames = read_frames(whole[: len(whole) * 2 // 3])
    assert 0 < len(frames) < len(read_frames(whole))


def test_a_film_is_told_by_its_first_bytes(film):
    assert is_video(film.read_bytes()[:4096])
    assert not is_video(PHOTOS[0].read_bytes()[:4096])
    assert not is_video(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")


@pytest.fixture(scope="module")
def bad(film, images, tmp_path_factory):
    """A file for each thing that can be wrong, and its error."""
    folder = tmp_path_factory.mktemp("bad")
    sound = folder / "sound.mp4"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.sample_rate = 8000
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = film.read_bytes()
    wide = clips.write(
        folder / "w.mkv",
        [Image.new("RGB", (videos.MAX_SIDE + 16, 32))],
        codec="mjpeg",
        options={"strict": "unofficial"},
    )
    files = {
        "empty": (b"", EmptyFile),
        "photograph": (PHOTOS[0].read_bytes(), NotAVideo),
        "sound": (sound.read_bytes(), NotAVideo),
        "header only": (data[:1000], TruncatedVideo),
        "no index": (data[: len(data) // 2], TruncatedVideo),
        "matroska of nothing": (b"\x1a\x45\xdf\xa3" + bytes(1000), TruncatedVideo),
        "too wide": (wide.read_bytes(), VideoTooLarge),
        "encrypted": (clips.write(folder / "e.mp4", images[:10], container_options=KEY).read_bytes(), EncryptedVideo),
        "unusual": (
            clips.write(folder / "u.mkv", images[:3], codec="ffv1", options={"level": "1"}).read_bytes(),
            UnsupportedVideo,
        ),
    }
    for name, (content, _) in files.items():
        (folder / name).write_bytes(content)
    return {folder / name: error for name, (_, error) in files.items()} | {folder / "none.mp4": UnreadableFile}


def test_every_bad_file_has_its_own_sentence_and_the_rest_goes_on(bad, film, capfd):
    answers = list(videos_of([*bad, film], jobs=1))
    assert [type(answer) for answer in answers[:-1]] == list(bad.values())
    assert answers[-1] == video_signals(film)
    assert capfd.readouterr().err == ""


def test_a_crew_takes_the_bytes_and_gives_up_in_time(film):
    crew = video_crew(1)
    try:
        data = film.read_bytes()
        assert crew.ask(data, 60.0) == video_signals(film)
        assert isinstance(crew.ask(data, 0.0), DecoderStopped)
        assert crew.ask(data, 60.0) == video_signals(film)
    finally:
        crew.end()


@pytest.mark.parametrize("seed", range(6))
def test_a_spoilt_video_is_frames_or_an_error_of_ours(film, seed):
    chance = random.Random(seed)
    spoilt = bytearray(film.read_bytes())
    for _ in range(1 + 40 * seed):
        spoilt[chance.randrange(8, len(spoilt))] = chance.randrange(256)
    try:
        frames = read_frames(bytes(spoilt))
    except SignalError:
        return
    assert not frames or parse_frames(frames_text(frames)) == frames


def test_views_come_out_of_another_process_as_they_were_made(images, tmp_path):
    beside = clips.COPIES["side by side"](images, images[::-1])
    film = clips.write(tmp_path / "beside.mp4", beside)
    made = read_views(film)
    assert [view.turn for view in made[:8]] == list(TURNS)
    assert {(view.kind, view.turn) for view in made[8:]} == {("part", "original"), ("part", "flipy")}
    assert next(viewed_videos_of([film], jobs=1)) == tuple(
        dataclasses.replace(view, frames=tuple(parse_all_frames(frames_text(view.frames)))) for view in made
    )


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "another"},
        {"turn": "sideways"},
        {"boxes": [[1, 0, 0, 600, 512]]},
        {"boxes": [[5, 0, 0, 256, 512]]},
        {"boxes": []},
        {"kind": "whole"},
    ],
)
def test_what_is_no_view_is_not_taken_from_a_decoder(change):
    whole = {"kind": "whole", "frames": [], "boxes": []}
    part = {"kind": "part", "turn": "flipy", "frames": [f"0,90,{'5a' * 32},0.000"], "boxes": [[1, 0, 0, 256, 512]]}
    views = [{**whole, "turn": turn} for turn in TURNS]
    assert len(video_views.views_in({"views": [*views, part]})) == 9
    for wrong in ([*views, {**part, **change}], views[1:], [*views, *[part] * 100]):
        with pytest.raises(ValueError, match=r"^$|to unpack"):
            video_views.views_in({"views": wrong})


def test_an_hour_of_frames_is_not_looked_into_everywhere(monkeypatch):
    looked = []
    monkeypatch.setattr(video_views, "_EACH_WINDOW", 2)
    monkeypatch.setattr(video_views, "layout", lambda squares: looked.append(len(squares)) or NO_LAYOUT)
    monkeypatch.setattr(video_views, "pdq_of_turns", lambda luma: dict.fromkeys(TURNS, ("5a" * 32, 90)))
    views = video_views._Views()
    for number in range(16 * 10):
        views.take(Frame(number, 90, "5a" * 32, float(number)), np.zeros((512, 512), np.uint8))
    assert [len(view.frames) for view in views.finish()] == [160] * 8
    assert looked == [16] * 4, "the first two, the fourth and the eighth"
