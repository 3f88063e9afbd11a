"""How far a photograph's PDQ moves when it is decoded, scaled, stored or resized otherwise: docs/signals.md's tables.

python -m bench.drift                      the photographs the project carries
python -m bench.drift FOLDER [--json]      pictures of your own (JPEG, PNG, …); nothing of them is printed
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

from reclaim.signals import MATCH_DISTANCE, fingerprint, hamming, pdq_of_luma, pdq_of_rgb, read_luma

PHOTOS = Path(__file__).parents[1] / "tests" / "photos"
ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".tiff", ".bmp"}
ENLARGED = (4000, 3000)


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    if form == "HEIF":
        pillow_heif.from_pillow(image).save(file, **options)
    else:
        image.save(file, form, **options)
    return file.getvalue()


def canonical(image: Image.Image) -> str:
    """The canonical PDQ of pixels, by way of a lossless file."""
    return fingerprint(encoded(image, "PNG")).pdq


def full_size(image: Image.Image) -> str:
    """PDQ of the pixels at their own size, as the reference makes it."""
    return pdq_of_rgb(np.asarray(image)).value


def shrunk(image: Image.Image, longest: int) -> Image.Image:
    """A copy whose longer side is that many pixels, as a website would make it."""
    copy = image.copy()
    copy.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return copy


def one_call_resize(image: Image.Image) -> str:
    """The canonical way, but both sides of the resize in one call, whose order Pillow chooses."""
    luma = image.convert("L").resize((512, 512), Image.Resampling.BILINEAR)
    return pdq_of_luma(np.asarray(luma)).value


def transform_turned(image: Image.Image) -> int:
    """Bits between the PDQ of the mirrored pixels and what the reference's `dihedral` says of the unmirrored."""
    import pdqhash

    luma = read_luma(encoded(image, "PNG"))
    told, _ = pdqhash.compute_dihedral(np.repeat(luma[:, :, np.newaxis], 3, axis=2))
    mirrored = pdq_of_luma(luma[:, ::-1]).value
    return hamming(mirrored, np.packbits(told[5].astype(np.uint8)).tobytes().hex())


Measure = Callable[[Image.Image], int]


def measures() -> Iterator[tuple[str, Measure]]:
    """Each row of the table: its name and the bits it measures on one picture."""
    yield "full size in place of 512 first", lambda p: hamming(full_size(p), canonical(p))
    yield "512 first, resized in one call", lambda p: hamming(one_call_resize(p), canonical(p))
    yield "12-megapixel JPEG: scaled decode against full decode", scaled_decode
    yield "12-megapixel JPEG: full size against 512 first", enlarged_full_size
    for name, form, options in (
        ("PNG", "PNG", {}),
        ("JPEG quality 90", "JPEG", {"quality": 90}),
        ("JPEG quality 75", "JPEG", {"quality": 75}),
        ("JPEG quality 30", "JPEG", {"quality": 30}),
        ("WebP quality 80", "WEBP", {"quality": 80}),
        ("AVIF quality 75", "AVIF", {}),
        ("HEIC quality 80", "HEIF", {"quality": 80}),
        ("GIF, 256 colours", "GIF", {}),
    ):
        yield f"stored anew as {name}", stored_as(form, options)
    for longest in (1024, 640, 320, 160, 96):
        yield f"longer side {longest}", smaller(longest)
    yield "grey", lambda p: hamming(canonical(p.convert("L")), canonical(p))
    yield "turning the transform, not the pixels (mirror)", transform_turned


def stored_as(form: str, options: dict[str, Any]) -> Measure:
    """Bits after a round through that format."""
    return lambda picture: hamming(fingerprint(encoded(picture, form, **options)).pdq, canonical(picture))


def smaller(longest: int) -> Measure:
    """Bits after resizing to that longer side."""
    return lambda picture: hamming(canonical(shrunk(picture, longest)), canonical(picture))


def enlarged(picture: Image.Image) -> bytes:
    """A 12-megapixel JPEG made of the picture."""
    return encoded(picture.resize(ENLARGED, Image.Resampling.BICUBIC), "JPEG", quality=90)


def scaled_decode(picture: Image.Image) -> int:
    """Bits between the JPEG read at a quarter of its size and its fully decoded pixels."""
    file = enlarged(picture)
    with Image.open(io.BytesIO(file)) as image:
        return hamming(fingerprint(file).pdq, one_side_at_a_time(image.convert("L")))


def one_side_at_a_time(luma: Image.Image) -> str:
    """The canonical resize of a luma plane, and its PDQ."""
    rows = luma.resize((512, luma.height), Image.Resampling.BILINEAR)
    return pdq_of_luma(np.asarray(rows.resize((512, 512), Image.Resampling.BILINEAR))).value


def enlarged_full_size(picture: Image.Image) -> int:
    """Bits between 12 megapixels hashed as they are and the canonical way."""
    file = enlarged(picture)
    with Image.open(io.BytesIO(file)) as image:
        return hamming(fingerprint(file).pdq, full_size(image.convert("RGB")))


def usable(folder: Path) -> list[Image.Image]:
    """The pictures of the folder whose signal is of use, as RGB."""
    pictures = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in ENDINGS and not fingerprint(path).poor:
            with Image.open(path) as image:
                pictures.append(image.convert("RGB"))
    return pictures


def row(name: str, measure: Measure, pictures: list[Image.Image]) -> dict[str, Any]:
    """What one measure says over all pictures."""
    bits = sorted(measure(picture) for picture in pictures)
    return {
        "change": name,
        "pictures": len(bits),
        "median": statistics.median(bits),
        "ninety_percent_within": bits[-(-len(bits) * 9 // 10) - 1],
        "most": bits[-1],
        "beyond_match_distance": sum(each > MATCH_DISTANCE for each in bits),
    }


def main() -> None:
    """Print the table as Markdown, or each row as JSON."""
    parser = argparse.ArgumentParser(description="How far PDQ drifts on photographs.")
    parser.add_argument("folder", nargs="?", type=Path, default=PHOTOS)
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    options = parser.parse_args()
    pictures = usable(options.folder)
    if not options.json:
        print(f"{len(pictures)} photographs of usable quality; bits of 256\n")
        print("| change | median | 90 % within | most | beyond 31 |\n| --- | --- | --- | --- | --- |")
    for name, measure in measures():
        result = row(name, measure, pictures)
        if options.json:
            print(json.dumps(result), flush=True)
        else:
            cells = [name, f"{result['median']:g}", *(str(value) for value in list(result.values())[3:])]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
