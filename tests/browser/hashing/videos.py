"""Short films of photographs that pan and zoom, in the containers and codecs that phones and browsers make."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

PHOTOS = sorted((Path(__file__).resolve().parents[2] / "photos").glob("*.jpg"))
CODECS = {"mp4": "libx264", "mov": "libx264", "webm": "libvpx-vp9", "matroska": "libvpx"}
FAST = {
    "libx264": {"preset": "ultrafast", "crf": "20"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "20", "b": "0"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8", "crf": "10", "b": "2M"},
    "mpeg4": {"b": "4M"},
    "libsvtav1": {"preset": "12", "crf": "20"},
}
Frame = NDArray[np.uint8]


def film(
    seconds: float = 4,
    rate: int = 10,
    size: tuple[int, int] = (320, 240),
    photos: Sequence[int] = (0, 5, 9),
    zoom: float = 0.25,
) -> Iterator[Frame]:
    """RGB frames that move over one photograph after another, each for an equal part of the time.

    zoom: how much nearer a photograph has come when the next one follows.
    """
    count = round(seconds * rate)
    opened = [Image.open(PHOTOS[number]).convert("RGB") for number in photos]
    for number in range(count):
        place = number * len(opened) / count
        photo, part = opened[int(place)], place % 1
        width, height = photo.size
        across, down = width * (0.9 - zoom * part), height * (0.9 - zoom * part)
        left, top = (width - across) / 2 + zoom * width * part / 4, (height - down) / 2
        box = (left, top, left + across, top + down)
        yield np.asarray(photo.resize(size, Image.Resampling.BILINEAR, box=box))


def encoded(
    frames: Iterator[Frame],
    container: str = "mp4",
    codec: str | None = None,
    rate: int = 10,
    container_options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    sample_aspect_ratio: Fraction = Fraction(1),
    **options: str,
) -> bytes:
    """The frames as a file of this container (mp4, mov, webm or matroska), in its usual codec or the given one."""
    codec = codec or CODECS[container]
    with TemporaryDirectory() as folder:
        # A file that has a name, as an index that goes to the front makes FFmpeg read it again.
        path = Path(folder) / "film"
        with av.open(path, "w", format=container, options=container_options or {}) as output:
            stream = cast(VideoStream, output.add_stream(codec, rate=rate, options={**FAST.get(codec, {}), **options}))
            stream.pix_fmt = pix_fmt
            stream.sample_aspect_ratio = sample_aspect_ratio
            for number, rgb in enumerate(frames):
                if number == 0:
                    stream.height, stream.width = rgb.shape[:2]
                frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
                frame.pts = number
                frame.time_base = Fraction(1, rate)
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        return path.read_bytes()


def rotated(mp4: bytes, degrees: int) -> bytes:
    """The same MP4 with the note that it is to be shown turned clockwise by 90, 180 or 270 degrees."""
    a, b, c, d = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees]
    one = 1 << 16
    at = mp4.index(b"tkhd") + 44
    matrix = struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    return mp4[:at] + matrix + mp4[at + len(matrix) :]


def encrypted_webm(webm: bytes) -> bytes:
    """The same WebM with the note that its frames are encrypted (they are not, but nobody may look)."""
    note = bytes.fromhex("6d808a 624087 503584 47e18105")
    made = bytearray(webm)
    segment = made.index(b"\x18\x53\x80\x67\x01") + 5
    made[segment : segment + 7] = (int.from_bytes(made[segment : segment + 7], "big") + len(note)).to_bytes(7, "big")
    # The tracks have a length of one byte, and the one track in them a length of eight.
    tracks = next(at for at in range(len(made)) if made[at : at + 4] == b"\x16\x54\xae\x6b" and made[at + 5] == 0xAE)
    made[tracks + 4] += len(note)
    made[tracks + 13] += len(note)
    end = tracks + 5 + (made[tracks + 4] & 0x7F) - len(note)
    made[end:end] = note
    return bytes(made)


def sound() -> bytes:
    """An MP4 with a second of noise and no picture."""
    buffer = io.BytesIO()
    rng = np.random.default_rng(7)
    with av.open(buffer, "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=44100)
        for number in range(43):
            samples = rng.normal(0, 0.1, (1, 1024)).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.rate, frame.pts = 44100, number * 1024
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def empty_film(container: str) -> bytes:
    """A file that announces a film and has no frame."""
    buffer = io.BytesIO()
    with av.open(
        buffer, "w", format=container, options={"movflags": "empty_moov"} if container == "mp4" else {}
    ) as output:
        stream = cast(VideoStream, output.add_stream(CODECS[container], rate=10))
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        output.start_encoding()
    return buffer.getvalue()


def noise(count: int) -> bytes:
    return bytes(np.random.default_rng(1).integers(0, 256, count, dtype=np.uint8))
