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
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from django.conf import settings
from PIL import Image

from reclaim.signals.video import Still

SHORT_SIDE, LONG_SIDE, LEAST_SIDE = 512, 1024, 16
BLURRED_SIDE = 12
"""Pixels along the long side before a blurred picture is blown up again: what is not sent cannot be sharpened."""
_ORPHAN_AGE = 600
_NAME = re.compile(r"([0-9a-f]{32})\.[1-9][0-9]?\.jpg")


class PictureGoneError(Exception):
    """There is no review copy: its upload has been decided."""


def review_copy(luma: npt.NDArray[np.uint8], sides: tuple[int, int]) -> bytes:
    """The copy to keep, a JPEG, from the luma square of ``read_luma`` and the shape of the file it was read from."""
    return _stretched(luma, *sides)


def still_copy(still: Still) -> bytes:
    """The copy to keep of one still of a video, a JPEG."""
    return _stretched(still.luma, still.width, still.height)


def _stretched(luma: npt.NDArray[np.uint8], width: int, height: int) -> bytes:
    scale = min(SHORT_SIDE / min(width, height), LONG_SIDE / max(width, height))
    size = (max(LEAST_SIDE, round(width * scale)), max(LEAST_SIDE, round(height * scale)))
    return _jpeg(Image.fromarray(luma).resize(size, Image.Resampling.BICUBIC))


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


def _folder() -> Path:
    folder: Path = settings.UPLOADS
    return folder


def _path(upload: uuid.UUID, still: int) -> Path:
    # The name is made from the number we gave, never from anything that came in.
    return _folder() / f"{upload.hex}.{still}.jpg"


def store(upload: uuid.UUID, copies: Sequence[bytes]) -> None:
    """Write the review copies of an upload, at most 99, mode 0600; they are on the disk when this returns."""
    for still, copy in enumerate(copies, start=1):
        path = _path(upload, still)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(copy)
            file.flush()
            os.fsync(file.fileno())


def delete(upload: uuid.UUID) -> None:
    """Delete the review copies of an upload; again is harmless."""
    for path in _folder().glob(f"{upload.hex}.*.jpg"):
        path.unlink(missing_ok=True)


def stills(upload: uuid.UUID) -> int:
    """How many copies there are: one of a picture, several of a video, none of what cannot be decoded."""
    return sum(1 for _ in _folder().glob(f"{upload.hex}.*.jpg"))


def shown(upload: uuid.UUID, still: int = 1, short_side: int = SHORT_SIDE) -> bytes:
    """A review copy, with at most so many pixels along its short side, a JPEG. Raises ``PictureGoneError``."""
    with _opened(_read(upload, still)) as image:
        return _jpeg(image.resize(_scaled(image, short_side)))


def blurred(upload: uuid.UUID, still: int = 1, short_side: int = SHORT_SIDE, side: int = BLURRED_SIDE) -> bytes:
    """The same with no more than ``side`` x ``side`` values left of it, a JPEG. Raises ``PictureGoneError``."""
    with _opened(_read(upload, still)) as image:
        size = _scaled(image, short_side)
        few = image.copy()
    few.thumbnail((side, side), Image.Resampling.BOX, reducing_gap=None)
    return _jpeg(few.resize(size, Image.Resampling.BICUBIC))


def _scaled(image: Image.Image, short_side: int) -> tuple[int, int]:
    scale = min(1.0, short_side / SHORT_SIDE)
    return max(1, round(image.width * scale)), max(1, round(image.height * scale))


def _opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content), formats=["JPEG"])


def _read(upload: uuid.UUID, still: int) -> bytes:
    try:
        return _path(upload, still).read_bytes()
    except FileNotFoundError:
        raise PictureGoneError from None


def stored() -> set[uuid.UUID]:
    """Uploads that have had review copies for ten minutes: younger ones may belong to a write that is under way."""
    folder = _folder()
    if not folder.is_dir():
        return set()
    old = time.time() - _ORPHAN_AGE
    ours = ((path, _NAME.fullmatch(path.name)) for path in folder.glob("*.jpg"))
    return {uuid.UUID(hex=name[1]) for path, name in ours if name and path.stat().st_mtime < old}
