"""Back catalogues to scan, made of the photographs the project carries."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from reclaim.index import ExactIndex, HammingIndex
from reclaim.signals import fingerprint, md5_of

PHOTOS = sorted((Path(__file__).parents[2] / "photos").glob("*.jpg"))
KNOWN = {100 + number: photo for number, photo in enumerate(PHOTOS[:12])}
"""Signal ids, and the photographs they are of."""


def jpeg(number: int) -> bytes:
    """One of many pictures: the photographs in turn, each time cut a little otherwise, some turned."""
    with Image.open(PHOTOS[number % len(PHOTOS)]) as photo:
        small = photo.convert("RGB").resize((320 + number % 7, 240 + number % 5))
    if number % 3 == 1:
        small = small.transpose(Image.Transpose.ROTATE_90)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=80 + number % 10)
    return file.getvalue()


def make_catalogue(folder: Path, count: int) -> Path:
    """So many pictures in folders, and three files that are none."""
    for number in range(count):
        path = folder / f"{number % 4}" / f"{number:04}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(number))
    (folder / "letter.txt").write_text("no picture")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "half.jpg").write_bytes(jpeg(1)[:3000])
    return folder


def make_index(path: Path) -> Path:
    """A snapshot that knows the first photographs."""
    codes = b"".join(bytes.fromhex(fingerprint(photo).pdq) for photo in KNOWN.values())
    HammingIndex(np.frombuffer(codes, np.uint8).reshape(-1, 32), list(KNOWN)).save(path)
    return path


def make_md5_index(path: Path, known: dict[int, bytes]) -> None:
    """A snapshot of the MD5 of these files, by their ids."""
    digests = b"".join(bytes.fromhex(md5_of(data)) for data in known.values())
    made = ExactIndex.build([(np.frombuffer(digests, np.uint8).reshape(-1, 16), list(known))])
    assert isinstance(made.index, HammingIndex)
    made.index.save(path)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """All rows of a scan's results, by name."""
    rows: list[dict[str, Any]] = pq.read_table(folder / "results").to_pylist()
    return sorted(rows, key=lambda row: (row["name"], row["raw_name"] or b""))
