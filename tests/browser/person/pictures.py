"""Pictures that a person chooses in these tests."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from tests.browser.hashing.credentials import signed

PHOTOS = Path(__file__).parents[2] / "photos"
PHOTO = PHOTOS / "coffee.jpg"
OTHER_PHOTO = PHOTOS / "astronaut.jpg"
POOR_PHOTO = PHOTOS / "blurred-clock.jpg"

EXIF_MARKER = "EXIF-MARKER-5471-at-home"
FILE_NAME = "secret-holiday-name-8812.jpg"

NOT_A_PICTURE = {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"these are words and no picture" * 20}
EMPTY = {"name": "empty.jpg", "mimeType": "image/jpeg", "buffer": b""}


def photo_with_exif() -> dict[str, Any]:
    """A real photograph under a telling name, with a place in its EXIF data."""
    exif = Image.Exif()
    exif[0x010E] = EXIF_MARKER
    content = io.BytesIO()
    with Image.open(PHOTO) as photo:
        photo.save(content, "JPEG", quality=90, exif=exif)
    return {"name": FILE_NAME, "mimeType": "image/jpeg", "buffer": content.getvalue()}


def screenshot() -> dict[str, Any]:
    """A photograph on a telephone's screen, with the app's bar above and white around."""
    screen = Image.new("RGB", (540, 1170), "white")
    ImageDraw.Draw(screen).rectangle((0, 0, 540, 60), fill=(30, 30, 30))
    with Image.open(PHOTO) as photo:
        screen.paste(photo.convert("RGB").resize((540, 360)), (0, 330))
    content = io.BytesIO()
    screen.save(content, "PNG")
    return {"name": "screen.png", "mimeType": "image/png", "buffer": content.getvalue()}


def says_that_it_was_made_with_ai() -> dict[str, Any]:
    """A photograph with credentials that say so, signed by nobody that anybody knows."""
    content = signed((PHOTOS / "fig.jpg").read_bytes(), "trainedAlgorithmicMedia")
    return {"name": "made.jpg", "mimeType": "image/jpeg", "buffer": content}


def as_payload(file: Path | dict[str, Any]) -> Any:
    """A file as Playwright takes it beside others that are made up."""
    if isinstance(file, Path):
        return {"name": file.name, "mimeType": "image/jpeg", "buffer": file.read_bytes()}
    return file
