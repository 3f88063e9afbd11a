"""What the browser is held to: Pillow and the pdqhash package, with none of this project's own code."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pdqhash
from numpy.typing import NDArray
from PIL import Image

SIDE = 512
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def pdq_of_rgb(rgb: NDArray[np.uint8]) -> tuple[str, int]:
    """Value and quality by the package, which makes its own (fractional) luma."""
    bits, quality = pdqhash.compute(np.ascontiguousarray(rgb))
    return np.packbits(bits.astype(np.uint8)).tobytes().hex(), int(quality)


def float_luma(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The luma that pdqhash.compute makes of the same pixels."""
    weighted = rgb[:, :, 0] * 0.299 + rgb[:, :, 1] * 0.587 + rgb[:, :, 2] * 0.114
    return np.asarray(weighted, dtype=np.float32)


def pdq_of_luma(luma: NDArray[np.uint8]) -> tuple[str, int]:
    return pdq_of_rgb(np.stack([luma] * 3, axis=-1))


def over_white(picture: Image.Image) -> Image.Image:
    """RGB or L, as it stands without a transparent part, else composed over white."""
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return picture if picture.mode == "L" else picture.convert("RGB")


def resized(luma: Image.Image, side: int = SIDE) -> Image.Image:
    """Rows first: asked for both at once, Pillow 13 picks the order by the shape."""
    rows = luma.resize((side, luma.height), Image.Resampling.BILINEAR)
    return rows.resize((side, side), Image.Resampling.BILINEAR)


def square(content: bytes) -> NDArray[np.uint8]:
    """The canonical 512 x 512 luma of a picture file, decoded in full."""
    with Image.open(io.BytesIO(content)) as picture:
        turn = TURNS.get(picture.getexif().get(0x0112, 1))
        luma = resized(over_white(picture).convert("L"))
    return np.asarray(luma.transpose(turn) if turn is not None else luma)


def signal(content: bytes) -> tuple[str, int]:
    return pdq_of_luma(square(content))


def distance(one: str, other: str) -> int:
    """Bits that differ between two values."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a file of this kind."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
