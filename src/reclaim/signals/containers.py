"""From bytes to an opened Pillow picture whose cost to decode is bounded. No pixel is decoded here.

The format is told by the first bytes and only that format's reader is called, by its class. Pillow's registry
is never asked, and so no reader that runs another program or that some other library registered.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable
from io import BytesIO

from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile
from pillow_heif.as_plugin import HeifImageFile

from reclaim.signals.costs import held_jpeg_bytes, peak_bytes
from reclaim.signals.errors import NotAPicture, PictureTooLarge, SignalError, TruncatedPicture

MAX_MEMORY = 700 * 2**20
"""Bytes that decoding may take, besides those of the file. `costs` tells them from the header."""

MAX_PIXELS = 120_000_000
"""Pixels of a picture that has to be decoded in full, where the memory would do for more."""

MAX_PIXELS_SCALED = 200_000_000
"""Pixels of a JPEG decoded row by row at a reduced scale, as the largest telephone cameras make them."""

MAX_SIDE = 65_535
"""Pixels along one side: all a JPEG can say."""

MAX_SCANNED_PIXELS = 20 * MAX_PIXELS
"""Pixels times passes of a progressive JPEG. Ten passes are usual; a small file can ask for thousands."""

_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}

# At level DEBUG, Pillow logs the metadata of the pictures it opens: cameras, places, names.
logging.getLogger("PIL").setLevel(logging.WARNING)

# Swapping the process's warning filters is not safe for two threads at once.
_quiet = threading.Lock()


def _sniff(data: bytes) -> Callable[[BytesIO], ImageFile] | None:
    """The reader for what the first bytes say."""
    if data.startswith(b"\xff\xd8\xff"):
        return JpegImageFile
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PngImageFile
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return WebPImageFile
    if data.startswith((b"GIF87a", b"GIF89a")):
        return GifImageFile
    if data[4:8] == b"ftyp":
        return _sniff_brands(data)
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return TiffImageFile
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return BmpImageFile
    return None


def _sniff_brands(data: bytes) -> Callable[[BytesIO], ImageFile] | None:
    """AVIF or HEIC by the brands of an ISO base media file; None for films and the rest of that family."""
    length = min(int.from_bytes(data[:4], "big"), 4096)
    brands = {data[i : i + 4] for i in range(8, length, 4) if i != 12}
    if brands & {b"avif", b"avis"}:
        return AvifImageFile
    if brands & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}:
        return HeifImageFile
    return None


def is_picture(data: bytes) -> bool:
    """Whether the first bytes are those of a picture format that is read."""
    return _sniff(data) is not None


def open_picture(data: bytes) -> ImageFile:
    """The picture behind the bytes, its header read and judged.

    Raises NotAPicture, TruncatedPicture (a header that cannot be read), PictureTooLarge.
    """
    reader = _sniff(data)
    if reader is None:
        raise NotAPicture
    try:
        with _quiet, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = reader(BytesIO(data))
    except (Image.DecompressionBombError, MemoryError):
        raise PictureTooLarge from None
    except Exception:  # readers raise whatever a hostile header leads them into
        raise TruncatedPicture from None
    try:
        _judge(image, data)
    except SignalError:
        image.close()
        raise
    return image


def _judge(image: ImageFile, data: bytes) -> None:
    """Refuse what would cost too much to decode."""
    width, height = image.size
    limit = MAX_PIXELS
    if width < 1 or height < 1:
        raise TruncatedPicture
    if isinstance(image, JpegImageFile):
        scans, sampling = _jpeg_scans(data)
        if scans == 0:
            limit, memory = MAX_PIXELS_SCALED, 0.0
        else:
            memory = held_jpeg_bytes(width, height, sampling)
            if width * height * scans > MAX_SCANNED_PIXELS:
                raise PictureTooLarge
    else:
        memory = peak_bytes(image)
    if memory > MAX_MEMORY or width * height > limit or max(width, height) > MAX_SIDE:
        raise PictureTooLarge


def _jpeg_scans(data: bytes) -> tuple[int, list[tuple[int, int]]]:
    """In how many scans a JPEG comes whose coefficients the decoder has to hold all at once; 0 for the usual one.

    One scan of all components, not progressive, is decoded row by row. Everything else is held whole. With it, the
    sampling factors of each component, across and down.
    """
    progressive, at = False, 2
    sampling: list[tuple[int, int]] = []
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            at += 1
            continue
        marker = data[at + 1]
        if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD9:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == 0xDA:
            if not progressive and data[at + 4] >= len(sampling):
                return 0, sampling
            # Within the compressed data these two bytes stand for nothing but the start of another scan.
            return data.count(b"\xff\xda", at), sampling
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and at + 9 < len(data):
            progressive = marker in (0xC2, 0xC6, 0xCA, 0xCE)
            factors = data[at + 11 : at + 10 + 3 * data[at + 9] : 3]
            sampling = [(each >> 4, each & 15) for each in factors]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise TruncatedPicture
