"""The canonical preprocessing: any picture file to one luma square of 512 x 512. docs/signals.md says why.

Decode (a JPEG at the smallest of its scales that keeps both sides at 512 or more), lay it over white, make
luma, resize along the rows and then along the columns, turn as EXIF says. The browser does the same.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from reclaim.signals import _pdq
from reclaim.signals.containers import open_picture
from reclaim.signals.errors import NotAPicture, PictureTooLarge, SignalError, TruncatedPicture
from reclaim.signals.pdq import Luma, turns
from reclaim.signals.sources import read_bytes

SIDE = 512
"""Pixels along each side of the luma square."""

_STRIP_PIXELS = 1 << 20

_COLOUR = {"P", "RGB", "RGBX", "CMYK", "YCbCr", "LAB"}
_ALPHA = {"PA", "LA", "La", "RGBA", "RGBa"}
_GREY = {"1", "L"}
_GREY_16 = {"I;16", "I;16L", "I;16B", "I;16N"}

# What an EXIF orientation asks for, by the name of the turn that does it.
_UPRIGHT = {
    2: "flipy",
    3: "rotate180",
    4: "flipx",
    5: "flipplus1",
    6: "rotate270",
    7: "flipminus1",
    8: "rotate90",
}
_ON_ITS_SIDE = {5, 6, 7, 8}


class Picture(NamedTuple):
    """A picture as it is read."""

    luma: Luma
    """512 x 512, upright."""
    width: int
    """Pixels of the picture itself, upright."""
    height: int


def read_picture(source: bytes | Path) -> Picture:
    """As `read_luma`, with the shape that the square does not have."""
    return picture_of_bytes(read_bytes(source))


def read_luma(source: bytes | Path) -> Luma:
    """The picture as uint8 luma of 512 x 512, upright; the first frame of an animation.

    Raises UnreadableFile, EmptyFile, NotAPicture, TruncatedPicture, PictureTooLarge.
    """
    return luma_of_bytes(read_bytes(source))


def luma_of_bytes(data: bytes) -> Luma:
    """As `read_luma`, of bytes that are known to be within the limits of a file."""
    return picture_of_bytes(data).luma


def picture_of_bytes(data: bytes) -> Picture:
    """As `read_picture`, of bytes that are known to be within the limits of a file."""
    with open_picture(data) as image:
        try:
            width, height = image.size  # before a JPEG is asked for a smaller one
            orientation = orientation_of(image)
            if orientation in _ON_ITS_SIDE:
                width, height = height, width
            return Picture(_upright(square(_decoded(image)), orientation), width, height)
        except SignalError:
            raise
        except (MemoryError, Image.DecompressionBombError):
            raise PictureTooLarge from None
        except Exception:  # decoders raise whatever a hostile file leads them into
            raise TruncatedPicture from None


def _decoded(image: ImageFile) -> ImageFile:
    if isinstance(image, JpegImageFile):
        image.draft("L", (SIDE, SIDE))
    load_pixels(image)
    return image


def load_pixels(image: ImageFile) -> None:
    """Decode, if the mode is one that `over_white` takes. Raises NotAPicture, and whatever the decoder raises."""
    if image.mode not in _COLOUR | _ALPHA | _GREY | _GREY_16:
        raise NotAPicture
    image.load()


def square(image: Image.Image) -> Luma:
    """512 x 512, read-only: over white, made luma and resized, rows first."""
    return squared(lambda top, bottom: _luma(image, top, bottom), image.width, image.height)


def squared(strip: Callable[[int, int], Luma], width: int, height: int) -> Luma:
    """512 x 512, read-only: luma of so many pixels resized, rows first.

    `strip` gives the rows from one to before another, C-contiguous; so no second full copy of the picture exists. The
    kernel's resize equals Pillow's, one side at a time, byte for byte.
    """
    rows = max(1, _STRIP_PIXELS // width)
    narrow = b"".join(_pdq.resize_rows(strip(top, min(top + rows, height)), SIDE) for top in range(0, height, rows))
    columns = np.frombuffer(narrow, np.uint8).reshape(height, SIDE)
    return np.frombuffer(_pdq.resize_columns(columns, SIDE), np.uint8).reshape(SIDE, SIDE)


def _luma(image: Image.Image, top: int, bottom: int) -> Luma:
    """The rows from `top` to before `bottom` as luma over white."""
    strip = image.crop((0, top, image.width, bottom)) if bottom - top < image.height else image
    if strip.mode != "L" or strip.has_transparency_data:
        strip = over_white(strip).convert("L")
    return np.asarray(strip)


def over_white(strip: Image.Image) -> Image.Image:
    """The strip over white where it is see-through: mode RGB, or L or 1 if it is grey."""
    if strip.mode in _GREY_16:
        return _grey_16(strip)
    if strip.has_transparency_data:
        alpha = strip.convert("RGBA")
        strip = Image.new("RGB", strip.size, (255, 255, 255))
        strip.paste(alpha.convert("RGB"), mask=alpha.getchannel("A"))
    elif strip.mode in _COLOUR:
        strip = strip.convert("RGB")
    return strip


def _grey_16(strip: Image.Image) -> Image.Image:
    """16-bit grey by its high bytes; Pillow's own conversion would clip at 255."""
    values = np.asarray(strip)
    grey = (values >> 8).astype(np.uint8)
    clear = strip.info.get("transparency")
    if isinstance(clear, int):
        grey[values == clear] = 255
    return Image.fromarray(grey)


def orientation_of(image: ImageFile) -> int:
    """The EXIF orientation, 1 to 8; 1 is upright, as HEIC and TIFF always are: their readers have turned them."""
    entry = image.info.get("exif")
    if not isinstance(entry, bytes):
        return 1
    exif = Image.Exif()
    try:
        exif.load(entry)
        orientation = exif.get(ExifTags.Base.Orientation)
    except Exception:  # a picture with broken metadata is still a picture
        return 1
    return orientation if isinstance(orientation, int) and orientation in _UPRIGHT else 1


def _upright(square: Luma, orientation: int) -> Luma:
    turn = _UPRIGHT.get(orientation)
    return np.ascontiguousarray(turns(square)[turn]) if turn else square
