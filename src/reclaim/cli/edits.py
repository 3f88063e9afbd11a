"""The edits that ``reclaim loop`` can make to a picture before it is «uploaded», as somebody sharing it might."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

from reclaim.signals import read_display


def _warm(picture: Image.Image) -> Image.Image:
    toned = ImageOps.colorize(picture.convert("L"), "#201008", "#fff4e0")
    mixed = Image.blend(picture, toned, 0.35)
    return ImageEnhance.Contrast(ImageEnhance.Brightness(mixed).enhance(1.1)).enhance(1.15)


def _crop(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    return picture.crop((width // 20, height // 20, width - width // 20, height - height // 20))


_EDITS: dict[str, tuple[Callable[[Image.Image], Image.Image], int]] = {
    "jpeg30": (lambda picture: picture, 30),
    "resize": (lambda picture: picture.resize((max(1, picture.width // 2), max(1, picture.height // 2))), 85),
    "filter": (_warm, 85),
    "flip": (ImageOps.mirror, 85),
    "rotate90": (lambda picture: picture.transpose(Image.Transpose.ROTATE_90), 85),
    "crop10": (_crop, 85),
}

EDITS = tuple(_EDITS)


def edited_copy(source: Path, edit: str) -> bytes:
    """A JPEG of the picture after one edit. ``crop10`` leaves the middle 90 % of each side.

    Raises what ``reclaim.signals.read_display`` raises.
    """
    change, quality = _EDITS[edit]
    out = io.BytesIO()
    change(read_display(source).convert("RGB")).save(out, "JPEG", quality=quality)
    return out.getvalue()
