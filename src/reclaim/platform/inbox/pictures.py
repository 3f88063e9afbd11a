"""Review copies: what a reviewer sees of a held upload. The file that came in is never kept and never sent on.

A copy is made from the luma square that was matched, stretched back to the picture's shape: grey, 512 pixels along
its short side, without metadata. So a hostile file is decoded once, in ``reclaim.signals``, and a reviewer sees
just what the match was made of.
"""

from __future__ import annotations

import io
import os
import re
import time
import uuid
from pathlib import Path

import numpy as np
import numpy.typing as npt
from django.conf import settings
from PIL import ExifTags, Image

from reclaim.signals.containers import open_picture
from reclaim.signals.video import Still

SHORT_SIDE, LONG_SIDE, LEAST_SIDE = 512, 1024, 16
BLURRED_SIDE = 12
"""Pixels along the long side before a blurred picture is blown up again: what is not sent cannot be sharpened."""
_QUARTER_TURNED = range(5, 9)
_ORPHAN_AGE = 600
_NUMBER = re.compile("[0-9a-f]{32}")


class PictureGoneError(Exception):
    """There is no review copy: its upload has been decided."""


def _shape(data: bytes) -> tuple[int, int]:
    """Width and height in pixels, as the picture is meant to be seen."""
    with open_picture(data) as image:
        width, height = image.size
        exif = Image.Exif()
        try:
            exif.load(image.info.get("exif") or b"")
            turned = exif.get(ExifTags.Base.Orientation) in _QUARTER_TURNED
        except Exception:  # a picture with broken metadata is still a picture
            turned = False
    return (height, width) if turned else (width, height)


def review_copy(luma: npt.NDArray[np.uint8], data: bytes) -> bytes:
    """The copy to keep, a JPEG, from the luma square of ``read_luma`` and the file it was read from."""
    return _stretched(luma, *_shape(data))


def still_copy(still: Still) -> bytes:
    """The copy to keep of a video, a JPEG: one still."""
    return _stretched(still.luma, still.width, still.height)


def _stretched(luma: npt.NDArray[np.uint8], width: int, height: int) -> bytes:
    scale = min(SHORT_SIDE / min(width, height), LONG_SIDE / max(width, height))
    size = (max(LEAST_SIDE, round(width * scale)), max(LEAST_SIDE, round(height * scale)))
    return _jpeg(Image.fromarray(luma).resize(size, Image.Resampling.BICUBIC))


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


def _path(upload: uuid.UUID) -> Path:
    # The name is made from the number we gave, never from anything that came in.
    folder: Path = settings.UPLOADS
    return folder / f"{upload.hex}.jpg"


def store(upload: uuid.UUID, copy: bytes) -> None:
    """Write a review copy, mode 0600; it is on the disk when this returns."""
    path = _path(upload)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(copy)
        file.flush()
        os.fsync(file.fileno())


def delete(upload: uuid.UUID) -> None:
    """Delete a review copy; again is harmless."""
    _path(upload).unlink(missing_ok=True)


def is_stored(upload: uuid.UUID) -> bool:
    """Whether there is a review copy; of a video that cannot be decoded there is none."""
    return _path(upload).is_file()


def shown(upload: uuid.UUID) -> bytes:
    """The review copy as it is, a JPEG. Raises ``PictureGoneError``."""
    try:
        return _path(upload).read_bytes()
    except FileNotFoundError:
        raise PictureGoneError from None


def blurred(upload: uuid.UUID) -> bytes:
    """The review copy with no more than 12 x 12 values left of it, a JPEG. Raises ``PictureGoneError``."""
    with Image.open(io.BytesIO(shown(upload)), formats=["JPEG"]) as image:
        size = image.size
        few = image.copy()
    few.thumbnail((BLURRED_SIDE, BLURRED_SIDE), Image.Resampling.BOX, reducing_gap=None)
    return _jpeg(few.resize(size, Image.Resampling.BICUBIC))


def stored() -> list[uuid.UUID]:
    """Uploads that have had a review copy for ten minutes: younger ones may belong to a write that is under way."""
    folder: Path = settings.UPLOADS
    if not folder.is_dir():
        return []
    old = time.time() - _ORPHAN_AGE
    ours = (path for path in folder.glob("*.jpg") if _NUMBER.fullmatch(path.stem))
    return [uuid.UUID(hex=path.stem) for path in ours if path.stat().st_mtime < old]
