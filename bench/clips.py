"""Videos made out of photographs, for tests and figures: panned, zoomed, cross-faded; and copies of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, cycle
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image, ImageDraw, ImageFilter, ImageOps

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
    moves = [(window(chance), window(chance)) for _ in pictures]
    count = round(seconds * RATE)
    each = count / len(pictures)
    fade = each / 5
    for number in range(count):
        at = min(int(number / each), len(pictures) - 1)
        part = number / each - at
        shown = view(pictures[at], moves[at], part, size)
        left = (1 - part) * each
        if at + 1 < len(pictures) and left < fade:
            shown = Image.blend(view(pictures[at + 1], moves[at + 1], 0.0, size), shown, left / fade)
        yield shown


Window = tuple[float, float, float]


def window(chance: random.Random) -> Window:
    """Left, top and width of what the camera sees, as parts of the picture's width and height."""
    width = chance.uniform(0.55, 0.95)
    return chance.uniform(0, 1 - width), chance.uniform(0, 1 - width), width


def moved(move: tuple[Window, Window], part: float) -> Window:
    """What the camera sees when so much of its move is done."""
    left, top, width = (start + (end - start) * part for start, end in zip(*move, strict=True))
    return left, top, width


def view(
    picture: Image.Image,
    move: tuple[Window, Window],
    part: float,
    size: tuple[int, int],
) -> Image.Image:
    """That, as a picture of this size."""
    left, top, width = moved(move, part)
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


Film = list[Image.Image]
Edit = Callable[[Film, Film], Film]
"""From a clip, and another one that nothing is known of, to the edited copy."""


def _resized(frames: Film, _: Film) -> Film:
    return [frame.resize((320, 180), Image.Resampling.BICUBIC) for frame in frames]


def _letterboxed(frames: Film, _: Film) -> Film:
    return [ImageOps.expand(frame, (0, frame.height // 8), "black") for frame in frames]


def _captioned(frames: Film, _: Film) -> Film:
    return [_laid_on(_caption(frame), frame, (0, 90)) for frame in frames]


def _caption(frame: Image.Image) -> Image.Image:
    ground = Image.new("RGB", (frame.width, frame.height + 90), "white")
    ImageDraw.Draw(ground).text((20, 22), "nobody expected what comes next", "black", font_size=36)
    return ground


def _in_an_app(frames: Film, _: Film) -> Film:
    """A telephone's screen, recorded: a bar above, names and buttons below, a line that shows how far it has come."""
    screens = []
    for number, frame in enumerate(frames):
        screen = Image.new("RGB", (400, 720), (18, 18, 20))
        drawn = ImageDraw.Draw(screen)
        drawn.text((14, 10), "9:41", "white", font_size=18)
        drawn.text((14, 44), "@somebody . 3 h", (200, 200, 200), font_size=20)
        for at, words in enumerate(("Great video, must see", "412 likes    38 comments", "Add a comment ...")):
            drawn.text((14, 340 + 60 * at), words, (230, 230, 230), font_size=22)
        drawn.rectangle((0, 310, 400 * number // len(frames), 313), (220, 40, 40))
        screens.append(_laid_on(screen, frame.resize((400, 225), Image.Resampling.BICUBIC), (0, 80)))
    return screens


def _blurred_around(frames: Film, _: Film) -> Film:
    """Made upright: the film across, and the same blurred above and below it."""
    return [
        _laid_on(
            frame.resize((360, 640)).filter(ImageFilter.GaussianBlur(16)),
            frame.resize((360, 202), Image.Resampling.BICUBIC),
            (0, 219),
        )
        for frame in frames
    ]


def _mirrored(frames: Film, _: Film) -> Film:
    return [ImageOps.mirror(frame) for frame in frames]


def _turned(frames: Film, _: Film) -> Film:
    return [frame.transpose(Image.Transpose.ROTATE_90) for frame in frames]


def _tilted(frames: Film, _: Film) -> Film:
    width, height = SIZE
    return [
        frame.rotate(2, Image.Resampling.BICUBIC).crop((13, 13, width - 13, height - 13)).resize(SIZE)
        for frame in frames
    ]


def _cropped(share: float) -> Edit:
    """So much of the width and height cut away."""

    def crop(frames: Film, _: Film) -> Film:
        across, down = round(SIZE[0] * share / 2), round(SIZE[1] * share / 2)
        return [frame.crop((across, down, SIZE[0] - across, SIZE[1] - down)) for frame in frames]

    return crop


def _with_words(frames: Film, _: Film) -> Film:
    """Words and an emoji's worth of colour over it."""
    copies = []
    for frame in frames:
        copy = frame.copy()
        drawn = ImageDraw.Draw(copy)
        drawn.text((60, 270), "wait for it!!", "white", font_size=54, stroke_width=3, stroke_fill="black")
        drawn.ellipse((470, 40, 570, 140), (250, 200, 40))
        copies.append(copy)
    return copies


def _picture_in_picture(frames: Film, others: Film) -> Film:
    """Small, in a corner of another film that moves."""
    small = (256, 144)
    return [
        _laid_on(other, frame.resize(small, Image.Resampling.BICUBIC), (360, 24))
        for frame, other in _both(frames, others)
    ]


def _over_a_still(frames: Film, others: Film) -> Film:
    """Within a picture that stays, at two thirds of its width."""
    ground = others[0].resize((720, 720))
    return [_laid_on(ground, frame.resize((480, 270), Image.Resampling.BICUBIC), (120, 200)) for frame in frames]


def _side_by_side(frames: Film, others: Film) -> Film:
    return [
        _laid_on(_laid_on(Image.new("RGB", (1280, 360)), frame, (0, 0)), other, (640, 0)).resize((960, 270))
        for frame, other in _both(frames, others)
    ]


def _cut(frames: Film, _: Film) -> Film:
    """A part out of the middle, that begins between two seconds."""
    return frames[len(frames) // 3 + 4 : len(frames) - len(frames) // 4]


def _last_third_cut(frames: Film, _: Film) -> Film:
    return frames[: len(frames) - len(frames) // 3]


def _in_a_compilation(frames: Film, others: Film) -> Film:
    """Six seconds of it, after and before others."""
    begin = len(frames) // 3 + 4
    return [*others, *frames[begin : begin + 6 * RATE], *others[::-1]]


def _at_speed(speed: float) -> Edit:
    """Played so many times as fast, at as many frames a second."""

    def change(frames: Film, _: Film) -> Film:
        return [frames[int(number * speed)] for number in range(int(len(frames) / speed))]

    return change


def _all_at_once(frames: Film, others: Film) -> Film:
    return _captioned(_mirrored(_at_speed(1.25)(_cut(frames, others), others), others), others)


def _both(frames: Film, others: Film) -> Iterator[tuple[Image.Image, Image.Image]]:
    return zip(frames, cycle(others))


def _laid_on(ground: Image.Image, frame: Image.Image, place: tuple[int, int]) -> Image.Image:
    made = ground.copy()
    made.paste(frame, place)
    return made


COPIES: dict[str, Edit] = {
    "encoded anew": lambda frames, _: frames,
    "a quarter of the size": _resized,
    "letterboxed": _letterboxed,
    "caption bar": _captioned,
    "recorded in an app": _in_an_app,
    "blurred above and below": _blurred_around,
    "mirrored": _mirrored,
    "turned by a quarter": _turned,
    "tilted by 2 degrees": _tilted,
    "words and a sticker": _with_words,
    "cropped by 5 %": _cropped(0.05),
    "cropped by 10 %": _cropped(0.10),
    "cropped by 20 %": _cropped(0.20),
    "cropped by 30 %": _cropped(0.30),
    "cropped by 50 %": _cropped(0.50),
    "picture-in-picture": _picture_in_picture,
    "over a still picture": _over_a_still,
    "side by side": _side_by_side,
    "a part from the middle": _cut,
    "the last third cut away": _last_third_cut,
    "6 seconds in a compilation": _in_a_compilation,
    "1.25 times as fast": _at_speed(1.25),
    "1.5 times as fast": _at_speed(1.5),
    "twice as fast": _at_speed(2),
    "slowed to 0.75": _at_speed(0.75),
    "part, 1.25, mirrored, caption": _all_at_once,
}
"""What copies are made, by name; each is encoded anew at ``COPY_OPTIONS``."""

COPY_OPTIONS = {"crf": "35", "preset": "veryfast"}
