"""Videos made out of photographs, for tests and figures: panned, zoomed, cross-faded; and copies of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image, ImageOps

PHOTOS = Path(__file__).parent.parent / "tests" / "photos"
SIZE = (640, 360)
RATE = 10
"""Frames a second."""

Frames = Iterable[Image.Image]


def photographs() -> list[Path]:
    """The test photographs, by name."""
    return sorted(PHOTOS.glob("*.jpg"))


def film(
    photos: Sequence[Path], seconds: float, *, seed: int = 0, size: tuple[int, int] = SIZE
) -> Iterator[Image.Image]:
    """Each photograph for an equal part of the time, the camera moving over it, faded into the next."""
    chance = random.Random(seed)
    pictures = [ImageOps.exif_transpose(Image.open(photo)).convert("RGB") for photo in photos]
    moves = [(_window(chance), _window(chance)) for _ in pictures]
    count = round(seconds * RATE)
    each = count / len(pictures)
    fade = each / 5
    for number in range(count):
        at = min(int(number / each), len(pictures) - 1)
        part = number / each - at
        shown = _view(pictures[at], moves[at], part, size)
        left = (1 - part) * each
        if at + 1 < len(pictures) and left < fade:
            shown = Image.blend(_view(pictures[at + 1], moves[at + 1], 0.0, size), shown, left / fade)
        yield shown


def _window(chance: random.Random) -> tuple[float, float, float]:
    """Left, top and width of what the camera sees, as parts of the picture's width and height."""
    width = chance.uniform(0.55, 0.95)
    return chance.uniform(0, 1 - width), chance.uniform(0, 1 - width), width


def _view(
    picture: Image.Image,
    move: tuple[tuple[float, float, float], tuple[float, float, float]],
    part: float,
    size: tuple[int, int],
) -> Image.Image:
    left, top, width = (start + (end - start) * part for start, end in zip(*move, strict=True))
    box = (
        left * picture.width,
        top * picture.height,
        (left + width) * picture.width,
        (top + width) * picture.height,
    )
    return picture.resize(size, Image.Resampling.BILINEAR, box)


def write(
    path: Path,
    frames: Frames,
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    rotation: int = 0,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Encode to a file, whose name's end says the format; ``rotation`` is what a player has to turn it by."""
    images = iter(frames)
    image = next(images)
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=RATE, options=options or {"crf": "23", "preset": "veryfast"})
        if not isinstance(stream, VideoStream):
            raise TypeError("No codec of videos.")
        stream.width, stream.height = image.size
        stream.pix_fmt = pix_fmt
        if rotation:
            stream.set_display_rotation(rotation)
        for number, shown in enumerate(chain([image], images)):
            frame = VideoFrame.from_ndarray(np.asarray(shown))
            frame.pts = number
            frame.time_base = Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read(path: Path) -> list[Image.Image]:
    """Every frame of a file that ``write`` made."""
    with av.open(str(path)) as container:
        return [Image.fromarray(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def _resized(frames: list[Image.Image]) -> list[Image.Image]:
    return [frame.resize((320, 180), Image.Resampling.BICUBIC) for frame in frames]


def _letterboxed(frames: list[Image.Image]) -> list[Image.Image]:
    return [ImageOps.expand(frame, (0, frame.height // 8), "black") for frame in frames]


def _trimmed_front(frames: list[Image.Image]) -> list[Image.Image]:
    # Not a whole second: the copy is sampled at other moments.
    return frames[len(frames) // 3 + 4 :]


def _trimmed_end(frames: list[Image.Image]) -> list[Image.Image]:
    return frames[: len(frames) - len(frames) // 3]


def _mirrored(frames: list[Image.Image]) -> list[Image.Image]:
    return [ImageOps.mirror(frame) for frame in frames]


def _combined(frames: list[Image.Image]) -> list[Image.Image]:
    return _trimmed_front(_resized(frames))


COPIES: dict[str, Callable[[list[Image.Image]], list[Image.Image]]] = {
    "re-encoded": list,
    "resized to a quarter": _resized,
    "first third cut": _trimmed_front,
    "last third cut": _trimmed_end,
    "letterboxed": _letterboxed,
    "mirrored": _mirrored,
    "cut, resized, re-encoded": _combined,
}
"""What copies are made, by name; each is re-encoded at ``COPY_OPTIONS``."""

COPY_OPTIONS = {"crf": "35", "preset": "veryfast"}
