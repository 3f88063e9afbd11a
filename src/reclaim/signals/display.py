"""A picture to look at or to change, decoded by the same readers and within the same limits as its signals are."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from reclaim.signals.containers import open_picture
from reclaim.signals.errors import PictureTooLarge, SignalError, TruncatedPicture
from reclaim.signals.luma import load_pixels, orientation_of, over_white
from reclaim.signals.sources import read_bytes

LONGEST_SIDE = 4096
"""Pixels. A larger picture is made smaller by a whole factor."""

_STRIP_PIXELS = 1 << 20

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_display(source: bytes | Path) -> Image.Image:
    """The picture as 8-bit RGB or L, over white, upright; the first frame of an animation.

    Neither side is longer than LONGEST_SIDE: a larger picture comes at a half, a third and so on. Raises
    UnreadableFile, EmptyFile, NotAPicture, TruncatedPicture, PictureTooLarge, as `read_luma` does.
    """
    with open_picture(read_bytes(source)) as image:
        try:
            turn = _UPRIGHT.get(orientation_of(image))
            flat = _flat(image)
            return flat.transpose(turn) if turn is not None else flat
        except SignalError:
            raise
        except (MemoryError, Image.DecompressionBombError):
            raise PictureTooLarge from None
        except Exception:  # decoders raise whatever a hostile file leads them into
            raise TruncatedPicture from None


def _flat(image: ImageFile) -> Image.Image:
    if isinstance(image, JpegImageFile):
        factor = _factor(image)
        image.draft(None, (max(1, image.width // factor), max(1, image.height // factor)))
    load_pixels(image)
    factor = _factor(image)
    rows = max(1, _STRIP_PIXELS // (image.width * factor)) * factor
    flat = None
    # Strip by strip, so that no second copy at full size exists.
    for top in range(0, image.height, rows):
        strip = over_white(image.crop((0, top, image.width, min(top + rows, image.height))))
        part = strip.convert("RGB" if strip.mode == "RGB" else "L").reduce(factor)
        if flat is None:
            flat = Image.new(part.mode, (part.width, -(-image.height // factor)))
        flat.paste(part, (0, top // factor))
    if flat is None:
        raise TruncatedPicture
    return flat


def _factor(image: ImageFile) -> int:
    return -(-max(image.size) // LONGEST_SIDE)
