"""Pictures and files that the tests' services know or do not know."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

from PIL import Image

from reclaim.signals import fingerprint

PHOTOS = Path(__file__).parents[2] / "photos"
ASTRONAUT, CAT, COFFEE, GALAXIES = (PHOTOS / f"{name}.jpg" for name in ("astronaut", "cat", "coffee", "galaxies"))
FILM = b"a film that this project cannot decode"


@lru_cache
def pdq(photo: Path) -> str:
    """The PDQ value of a photograph."""
    return fingerprint(photo).pdq


def mirrored(photo: Path) -> bytes:
    """A mirrored copy, saved again."""
    out = io.BytesIO()
    with Image.open(photo) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(out, "JPEG", quality=85)
    return out.getvalue()
