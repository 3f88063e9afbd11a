"""What a picture costs to decode, told from its header: bytes of memory at the dearest moment.

Seen with Pillow 13.0.0 and pillow-heif 1.8.1, over the whole way from a file to its luma square; docs/signals.md has
the figures. The bytes of the file itself are not counted.
"""

from __future__ import annotations

from PIL.AvifImagePlugin import AvifImageFile
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile
from pillow_heif.as_plugin import HeifImageFile

from reclaim.signals.errors import TruncatedPicture

_PILLOW = 4.0
"""Bytes a pixel of a picture in colour, as Pillow holds it."""

_USUAL = 5.5
"""The same with the luma plane and a strip in work: PNG, GIF, BMP and TIFF need no more."""

_WEBP = 16.0
"""The decoder keeps two canvases and hands over a copy of one."""

_AVIF, _AVIF_ALPHA = 14.0, 17.0
"""With 12 bits a sample and colour at full size: the header that Pillow reads does not say that there is less."""

_HEIC, _HEIC_FULL_COLOUR, _HEIC_DEEP_FULL_COLOUR, _HEIC_ALPHA = 8.0, 9.5, 15.5, 5.0
_HALVED_COLOUR = (420, 422)
_EIGHT_BITS = 8

_WIDTH, _HEIGHT, _BITS, _SAMPLES, _STRIP_ROWS, _TILE_WIDTH, _TILE_LENGTH = 256, 257, 258, 277, 278, 322, 323


def peak_bytes(image: ImageFile) -> float:
    """Bytes that decoding any picture but a JPEG takes at the most.

    Raises TruncatedPicture for a TIFF whose layout is not given in whole numbers.
    """
    pixels = image.width * image.height
    if isinstance(image, TiffImageFile):
        return max(pixels * _USUAL, pixels * _PILLOW + _tiff_piece(image))
    see_through = image.mode.endswith("A")
    if isinstance(image, WebPImageFile):
        return pixels * _WEBP
    if isinstance(image, AvifImageFile):
        return pixels * (_AVIF_ALPHA if see_through else _AVIF)
    if isinstance(image, HeifImageFile):
        return pixels * (_heic_colour(image) + (_HEIC_ALPHA if see_through else 0.0))
    return pixels * _USUAL


def _heic_colour(image: ImageFile) -> float:
    if image.mode.startswith("RGB") and image.info.get("chroma") not in _HALVED_COLOUR:
        return _HEIC_FULL_COLOUR if image.info.get("bit_depth") == _EIGHT_BITS else _HEIC_DEEP_FULL_COLOUR
    return _HEIC


def _tiff_piece(image: TiffImageFile) -> float:
    """Bytes of the tile or strip that is decompressed at once, however little of the picture it covers."""
    tags = image.tag_v2
    stored_width, stored_height = tags[_WIDTH], tags[_HEIGHT]
    tiled = _TILE_WIDTH in tags or _TILE_LENGTH in tags
    width = tags.get(_TILE_WIDTH, 1) if tiled else stored_width
    length = tags.get(_TILE_LENGTH, 1) if tiled else tags.get(_STRIP_ROWS, stored_height)
    bits = tags.get(_BITS, (1,))
    samples = tags.get(_SAMPLES, 1)
    if not all(isinstance(number, int) for number in (width, length, samples, *bits)):
        raise TruncatedPicture
    if not tiled:
        length = min(length, stored_height)
        if image.info.get("compression") == "raw":
            return 0.0
    a_pixel = sum(bits) if len(bits) > 1 else bits[0] * samples
    piece: float = width * length * max(a_pixel / 8, _PILLOW)
    return piece


def held_jpeg_bytes(width: int, height: int, sampling: list[tuple[int, int]]) -> float:
    """Bytes that a JPEG takes whose coefficients are held all at once, two each.

    `sampling` has a component's horizontal and vertical factor. Raises TruncatedPicture where there is none.
    """
    widest, tallest = (max((factors[axis] for factors in sampling), default=0) for axis in (0, 1))
    if not widest or not tallest:
        raise TruncatedPicture
    coefficients = sum(across * down for across, down in sampling) / (widest * tallest)
    # A narrow picture is decoded at its full size, in brightness alone unless it is CMYK.
    picture = _USUAL if len(sampling) > 3 else 1.0
    return width * height * (2 * coefficients + picture)
