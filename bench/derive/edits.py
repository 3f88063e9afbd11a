"""The edits, each on real pixels and the same every time.

What the words mean here: a crop of n % cuts n % of the width and n % of the height away in all, off the middle by
chance, so that a crop of 50 % leaves a quarter of the picture. The share of a sticker, inset or bar is of the width or
height; the share of what is replaced is of the area. Every upload is saved as JPEG, at quality 85 where the edit
says nothing else.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from bench.derive.chrome import DARK, HELD, LIGHT, OPEN, Making, font
from bench.derive.corpus import Photograph

QUALITY = 85

Make = Callable[[Image.Image, Making], Image.Image]


@dataclass(frozen=True, slots=True)
class Edit:
    """One kind of edit."""

    name: str
    group: str
    make: Make
    quality: int = QUALITY


@dataclass(frozen=True, slots=True)
class Upload:
    """An edited copy."""

    of: str
    """The photograph it is made of."""
    edit: str
    shows: tuple[str, ...]
    """Other photographs of which something is in it."""
    data: bytes
    """The file, a JPEG."""


def upload(edit: Edit, photograph: Photograph, others: list[Photograph]) -> Upload:
    """The copy of the photograph that the edit makes, with others where it needs some; never with its own scene."""
    apart = [
        other
        for other in others
        if other.name != photograph.name and (not other.scene or other.scene != photograph.scene)
    ]
    making = Making(random.Random(f"{edit.name} of {photograph.name}"), apart)
    made = edit.make(photograph.read(), making)
    return Upload(photograph.name, edit.name, tuple(making.used), jpeg(made, edit.quality))


def jpeg(picture: Image.Image, quality: int = QUALITY) -> bytes:
    """The file."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


# The same picture, otherwise.


def _factor(enhance: Callable[[Image.Image], ImageEnhance._Enhance], factor: float) -> Make:
    return lambda picture, _: enhance(picture).enhance(factor)


def _vivid(picture: Image.Image, _: Making) -> Image.Image:
    return ImageEnhance.Contrast(ImageEnhance.Color(picture).enhance(1.7)).enhance(1.15)


def _sepia(picture: Image.Image, _: Making) -> Image.Image:
    return ImageOps.colorize(ImageOps.grayscale(picture), "#2b1a06", "#fff0cf", mid="#a5815a")


def _faded(picture: Image.Image, _: Making) -> Image.Image:
    return Image.blend(ImageEnhance.Color(picture).enhance(0.7), Image.new("RGB", picture.size, "#cfc6d8"), 0.3)


def _smaller(picture: Image.Image, _: Making) -> Image.Image:
    return _scaled(picture, 320 / max(picture.size))


def _scaled(picture: Image.Image, scale: float) -> Image.Image:
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.BICUBIC)


# Text on it.


def _written(picture: Image.Image, making: Making, lines: int, height: float) -> Image.Image:
    made = picture.copy()
    draw = ImageDraw.Draw(made)
    size = max(9, round(picture.height * height))
    y = picture.height * (0.86 if lines == 1 else 0.12)
    for _ in range(lines):
        words = making.words() if lines == 1 else making.words().upper()
        while (wide := draw.textlength(words, font(size))) > 0.96 * picture.width and size > 9:
            size -= 1
        draw.text(
            ((picture.width - wide) / 2, y),
            words,
            "white",
            font(size),
            stroke_width=max(1, size // 12),
            stroke_fill="black",
        )
        y += picture.height * 0.8 / lines
    return made


def _watermark(picture: Image.Image, making: Making) -> Image.Image:
    mark = Image.new("L", (2 * picture.width, 2 * picture.height))
    draw = ImageDraw.Draw(mark)
    size = max(12, picture.width // 16)
    words = f"{making.name()} pictures"
    for row, y in enumerate(range(0, mark.height, 4 * size)):
        for x in range(-row % 2 * 4 * size, mark.width, round(draw.textlength(words, font(size))) + 4 * size):
            draw.text((x, y), words, 110, font(size))
    mark = mark.rotate(30, Image.Resampling.BICUBIC)
    left, top = picture.width // 2, picture.height // 2
    mark = mark.crop((left, top, left + picture.width, top + picture.height))
    return Image.composite(Image.new("RGB", picture.size, "white"), picture, mark)


# Cut, turned, tilted.


def crop(picture: Image.Image, making: Making, share: float) -> Image.Image:
    """A share of the width and of the height cut away, off the middle by chance."""
    width, height = round(picture.width * (1 - share)), round(picture.height * (1 - share))
    left = making.chance.randint(0, picture.width - width)
    top = making.chance.randint(0, picture.height - height)
    return picture.crop((left, top, left + width, top + height))


def _turn(how: Image.Transpose) -> Make:
    return lambda picture, _: picture.transpose(how)


def _tilt(degrees: float, inside: bool) -> Make:
    def make(picture: Image.Image, making: Making) -> Image.Image:
        angle = degrees if making.chance.random() < 0.5 else -degrees
        turned = picture.rotate(angle, Image.Resampling.BICUBIC)
        if not inside:
            return turned
        # The largest rectangle of the same shape without a black corner.
        tilt, long = math.radians(degrees), max(picture.size) / min(picture.size)
        scale = 1 / (math.cos(tilt) + long * math.sin(tilt))
        width, height = int(picture.width * scale), int(picture.height * scale)
        left, top = (picture.width - width) // 2, (picture.height - height) // 2
        return turned.crop((left, top, left + width, top + height))

    return make


# Something around it.


def _bars(picture: Image.Image, _: Making) -> Image.Image:
    return ImageOps.expand(picture, (0, round(picture.height * 0.04)), "black")


def _letterbox(picture: Image.Image, _: Making) -> Image.Image:
    return ImageOps.expand(picture, (0, round(picture.height * 0.2)), "black")


def _pillarbox(picture: Image.Image, _: Making) -> Image.Image:
    return ImageOps.expand(picture, (round(picture.width * 0.2), 0), "black")


def caption(picture: Image.Image, words: list[str], below: bool, dark: bool = False) -> Image.Image:
    """A bar with these lines of text beside the picture, a fifth as high as it."""
    high = round(picture.height * 0.2)
    ground, ink = ("#101010", "white") if dark else ("white", "black")
    made = Image.new("RGB", (picture.width, picture.height + high), ground)
    made.paste(picture, (0, 0 if below else high))
    draw = ImageDraw.Draw(made)
    size = max(9, high * 2 // (3 * len(words)))
    while max(draw.textlength(line, font(size)) for line in words) > 0.94 * picture.width and size > 8:
        size -= 1
    for number, line in enumerate(words):
        y = (picture.height if below else 0) + (number + 0.5) * high / len(words)
        draw.text((picture.width / 2, y), line, ink, font(size), anchor="mm")
    return made


def _captioned(below: bool) -> Make:
    def make(picture: Image.Image, making: Making) -> Image.Image:
        return caption(picture, [making.words() for _ in range(making.chance.randint(1, 2))], below)

    return make


def _screenshot(name: str, dark: bool) -> Make:
    chrome = (OPEN | HELD)[name]
    return lambda picture, making: chrome(picture, making, DARK if dark else LIGHT)


# Beside others.


def _collage(columns: int, rows: int) -> Make:
    def make(picture: Image.Image, making: Making) -> Image.Image:
        # Each cell has the picture's shape, and a thin white line between.
        cell = _scaled(picture, min(1.0, 1200 / (max(columns, rows) * max(picture.size))))
        gap = making.chance.choice((0, 0, 4, 8))
        made = Image.new("RGB", (columns * (cell.width + gap) - gap, rows * (cell.height + gap) - gap), "white")
        mine = making.chance.randrange(columns * rows)
        for number in range(columns * rows):
            part = cell if number == mine else making.other(cell.size)
            made.paste(part, (number % columns * (cell.width + gap), number // columns * (cell.height + gap)))
        return made

    return make


def _inset(share: float) -> Make:
    def make(picture: Image.Image, making: Making) -> Image.Image:
        made = making.other((960, 720))
        inset = _scaled(picture, min(share * 960 / picture.width, share * 1.6 * 720 / picture.height))
        if making.chance.random() < 0.5:
            inset = ImageOps.expand(inset, 4, "white")
        left = making.chance.choice((24, made.width - inset.width - 24))
        top = making.chance.choice((24, made.height - inset.height - 24))
        made.paste(inset, (left, top))
        return made

    return make


# Something on it, or in its place.


def _sticker(count: int) -> Make:
    def make(picture: Image.Image, making: Making) -> Image.Image:
        made = picture.copy()
        for _ in range(count):
            side = round(min(picture.size) * making.chance.uniform(0.2, 0.28))
            left = making.chance.randint(0, picture.width - side)
            top = making.chance.randint(0, picture.height - side)
            face = _face(side, making.chance)
            made.paste(face, (left, top), face)
        return made

    return make


def _face(side: int, chance: random.Random) -> Image.Image:
    """A round smiling sticker."""
    big = Image.new("RGBA", (4 * side, 4 * side))
    draw = ImageDraw.Draw(big)

    def box(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        return left * 4 * side, top * 4 * side, right * 4 * side, bottom * 4 * side

    draw.ellipse(box(0.01, 0.01, 0.99, 0.99), chance.choice(("#ffcc33", "#ff8a3c", "#7ec8ff")), "#a86b00", side // 12)
    draw.ellipse(box(0.26, 0.26, 0.4, 0.48), "#4a2c00")
    draw.ellipse(box(0.6, 0.26, 0.74, 0.48), "#4a2c00")
    draw.chord(box(0.22, 0.32, 0.78, 0.84), 10, 170, "#4a2c00")
    return big.resize((side, side), Image.Resampling.LANCZOS)


def _centre(picture: Image.Image, share: float) -> tuple[int, int, int, int]:
    side = math.sqrt(share)
    width, height = round(picture.width * side), round(picture.height * side)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return left, top, left + width, top + height


def _feathered(picture: Image.Image, patch: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """The patch over the box, an ellipse-free soft edge of a few pixels around it."""
    mask = Image.new("L", picture.size)
    mask.paste(255, box)
    over = picture.copy()
    over.paste(patch, box[:2])
    return Image.composite(over, picture, mask.filter(ImageFilter.GaussianBlur(3)))


def _replaced(share: float) -> Make:
    def make(picture: Image.Image, making: Making) -> Image.Image:
        box = _centre(picture, share)
        return _feathered(picture, making.other((box[2] - box[0], box[3] - box[1])), box)

    return make


def _waves(size: tuple[int, int], chance: random.Random, cells: int) -> npt.NDArray[np.float32]:
    """Smooth random values, -1 to 1, height x width: `cells` of them along a side."""
    coarse = np.random.default_rng(chance.getrandbits(32)).uniform(-1, 1, (cells, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))


def _patched(picture: Image.Image, making: Making) -> Image.Image:
    """A smooth patch of skin's colours over 35 % of the area: an ellipse in the middle, shaded, without detail."""
    tone = np.array(making.chance.choice(((224, 172, 140), (188, 128, 96), (120, 78, 56), (240, 200, 172))), np.float32)
    shade = 1 + 0.14 * _waves(picture.size, making.chance, 5) + 0.03 * _waves(picture.size, making.chance, 40)
    patch = Image.fromarray(np.clip(shade[..., None] * tone, 0, 255).astype(np.uint8))
    mask = Image.new("L", picture.size)
    # An ellipse fills pi / 4 of its box.
    ImageDraw.Draw(mask).ellipse(_centre(picture, 0.35 * 4 / math.pi), 255)
    return Image.composite(patch, picture, mask.filter(ImageFilter.GaussianBlur(4)))


def _regenerated(picture: Image.Image, making: Making) -> Image.Image:
    """What stands for a frame that a generative tool drew anew: smoothed, warped by about a pixel, with noise."""
    smooth = picture.filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.GaussianBlur(0.8))
    pixels = np.asarray(smooth)
    rows, columns = np.mgrid[0 : picture.height, 0 : picture.width]
    down, right = (1.4 * _waves(picture.size, making.chance, 9) for _ in range(2))
    y, x = np.clip(rows + down, 0, picture.height - 1.001), np.clip(columns + right, 0, picture.width - 1.001)
    top, left = y.astype(int), x.astype(int)
    fy, fx = (y - top)[..., None], (x - left)[..., None]
    below, beside = np.minimum(top + 1, picture.height - 1), np.minimum(left + 1, picture.width - 1)
    warped = (pixels[top, left] * (1 - fx) + pixels[top, beside] * fx) * (1 - fy)
    warped += (pixels[below, left] * (1 - fx) + pixels[below, beside] * fx) * fy
    noise = np.random.default_rng(making.chance.getrandbits(32)).normal(0, 3, pixels.shape)
    return Image.fromarray(np.clip(warped + noise, 0, 255).astype(np.uint8))


def _after(*makes: Make) -> Make:
    """One edit after another."""

    def make(picture: Image.Image, making: Making) -> Image.Image:
        for each in makes:
            picture = each(picture, making)
        return picture

    return make


def _crop(share: float) -> Make:
    return lambda picture, making: crop(picture, making, share)


def _same(picture: Image.Image, _: Making) -> Image.Image:
    return picture


_MIRROR = _turn(Image.Transpose.FLIP_LEFT_RIGHT)

EDITS: dict[str, Edit] = {
    edit.name: edit
    for edit in (
        Edit("jpeg30", "same", _same, 30),
        Edit("brighter", "same", _factor(ImageEnhance.Brightness, 1.35)),
        Edit("darker", "same", _factor(ImageEnhance.Brightness, 0.65)),
        Edit("contrast", "same", _factor(ImageEnhance.Contrast, 1.5)),
        Edit("blur", "same", lambda picture, _: picture.filter(ImageFilter.GaussianBlur(2))),
        Edit("grey", "same", lambda picture, _: ImageOps.grayscale(picture)),
        Edit("sepia", "same", _sepia),
        Edit("vivid", "same", _vivid),
        Edit("faded", "same", _faded),
        Edit("resized320", "same", _smaller),
        Edit("text-small", "text", lambda picture, making: _written(picture, making, 1, 0.07)),
        Edit("text-heavy", "text", lambda picture, making: _written(picture, making, 4, 0.13)),
        Edit("watermark", "text", _watermark),
        Edit("rotate90", "turn", _turn(Image.Transpose.ROTATE_90)),
        Edit("rotate180", "turn", _turn(Image.Transpose.ROTATE_180)),
        Edit("rotate270", "turn", _turn(Image.Transpose.ROTATE_270)),
        Edit("flip", "turn", _MIRROR),
        Edit("flip-down", "turn", _turn(Image.Transpose.FLIP_TOP_BOTTOM)),
        Edit("bars-thin", "bars", _bars),
        Edit("letterbox", "bars", _letterbox),
        Edit("pillarbox", "bars", _pillarbox),
        Edit("caption-above", "caption", _captioned(below=False)),
        Edit("caption-below", "caption", _captioned(below=True)),
        *(
            Edit(f"screenshot-{name}-{'dark' if dark else 'light'}", "screenshot", _screenshot(name, dark))
            for name in (*OPEN, *HELD)
            for dark in (False, True)
        ),
        Edit("collage2x1", "collage", _collage(2, 1)),
        Edit("collage1x2", "collage", _collage(1, 2)),
        Edit("collage2x2", "collage", _collage(2, 2)),
        Edit("collage3x3", "collage", _collage(3, 3)),
        Edit("inset30", "inset", _inset(0.3)),
        Edit("inset40", "inset", _inset(0.4)),
        *(Edit(f"crop{share}", "crop", _crop(share / 100)) for share in (5, 10, 20, 30, 50)),
        *(Edit(f"tilt{degrees}", "tilt", _tilt(degrees, inside=False)) for degrees in (1, 2, 3, 5)),
        *(Edit(f"tilt{degrees}-cut", "tilt", _tilt(degrees, inside=True)) for degrees in (1, 2, 3, 5)),
        Edit("sticker1", "sticker", _sticker(1)),
        Edit("sticker3", "sticker", _sticker(3)),
        Edit("centre30", "altered", _replaced(0.3)),
        Edit("centre50", "altered", _replaced(0.5)),
        Edit("patch35", "altered", _patched),
        Edit("centre30+crop15", "altered", _after(_replaced(0.3), _crop(0.15))),
        Edit("regenerated", "altered", _regenerated),
        Edit("regenerated+patch35", "altered", _after(_patched, _regenerated)),
        Edit("crop10+caption", "two", _after(_crop(0.1), _captioned(below=True))),
        Edit("flip+screenshot", "two", _after(_MIRROR, _screenshot("feed", dark=True))),
        Edit("tilt3+bars", "two", _after(_tilt(3, inside=True), _letterbox)),
        Edit("sticker1+crop20", "two", _after(_sticker(1), _crop(0.2))),
        Edit("text+rotate90", "two", _after(lambda p, m: _written(p, m, 2, 0.1), _turn(Image.Transpose.ROTATE_90))),
        Edit("flip+collage2x2", "two", _after(_MIRROR, _collage(2, 2))),
        Edit("crop20+screenshot", "two", _after(_crop(0.2), _screenshot("album", dark=False))),
        Edit("centre30+flip", "two", _after(_replaced(0.3), _MIRROR)),
    )
}
"""All of them, by name. Those with a chrome of `chrome.HELD` are only measured."""
