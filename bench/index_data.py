"""Codes to measure the index on: uniform ones, and ones skewed as PDQ values are.

A PDQ value says of 256 frequencies which lie above their median. So the PDQ-like codes are drawn as frequencies are:
256 normal numbers a code, correlated as the bits are in PDQ values of many crops of the photographs in tests/photos
(the normal correlation that gives the bits' own is sin(pi/2 * r)), and cut at each code's median. Like PDQ values they
have exactly 128 bits set. Their bits depend on one another as much as those of crops of the same few photographs do,
which is more than those of unrelated pictures, so the figures rather understate than flatter. One code in twenty is
then a near copy of another, 0 to 20 bits away: banks hold many copies of the same picture.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from reclaim.signals import POOR_QUALITY, pdq_of_luma

Codes = npt.NDArray[np.uint8]

PHOTOS = Path(__file__).parents[1] / "tests" / "photos"
CROPS = 120
_CHUNK = 50_000
_SIDE = 128


def uniform(count: int, generator: np.random.Generator) -> Codes:
    """Codes of independent fair bits, shape (count, 32)."""
    return generator.integers(0, 256, (count, 32), np.uint8)


def crops_of_photos(generator: np.random.Generator, crops: int = CROPS) -> Codes:
    """PDQ values of so many random crops of each photograph the project carries, half of them mirrored.

    Those of poor quality are left out.
    """
    return np.concatenate(crops_of_each_photo(generator, crops))


def crops_of_each_photo(generator: np.random.Generator, crops: int) -> list[Codes]:
    """The same, of each photograph by itself."""
    photos = []
    for path in sorted(PHOTOS.glob("*.jpg")):
        values = []
        with Image.open(path) as photo:
            luma = np.asarray(photo.convert("L"))
        height, width = luma.shape
        for _ in range(crops):
            share = generator.uniform(0.25, 0.8)
            rows = int(height * share)
            columns = min(width, int(width * share * generator.uniform(0.8, 1.25)))
            top, left = generator.integers(0, height - rows + 1), generator.integers(0, width - columns + 1)
            crop = Image.fromarray(luma[top : top + rows, left : left + columns])
            small = np.asarray(crop.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR))
            pdq = pdq_of_luma(np.ascontiguousarray(small[:, ::-1] if generator.random() < 0.5 else small))
            if pdq.quality >= POOR_QUALITY:
                values.append(bytes.fromhex(pdq.value))
        photos.append(np.frombuffer(b"".join(values), np.uint8).reshape(-1, 32))
    return photos


def flipped(codes: Codes, bits: npt.NDArray[np.int64], generator: np.random.Generator) -> Codes:
    """Copies of the codes, each with its number of distinct bits flipped."""
    order = generator.random((len(codes), 256), np.float32).argsort(axis=1)
    mask = order < bits[:, np.newaxis]
    return codes ^ np.packbits(mask, axis=1)


class PdqLike:
    """A source of codes skewed as PDQ values are."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        bits = np.unpackbits(crops_of_photos(generator), axis=1).astype(np.float64)
        correlation = np.sin(np.pi / 2 * np.corrcoef(bits, rowvar=False))
        values, vectors = np.linalg.eigh(correlation)
        self._factor = (vectors * np.sqrt(np.clip(values, 0, None))).T.astype(np.float32)

    def draw(self, count: int) -> Codes:
        """So many codes, shape (count, 32)."""
        codes = np.empty((count, 32), np.uint8)
        for start in range(0, count, _CHUNK):
            part = codes[start : start + _CHUNK]
            levels = self._generator.standard_normal((len(part), 256), np.float32) @ self._factor
            median = np.partition(levels, 127, axis=1)[:, 127:128]
            part[:] = np.packbits(levels > median, axis=1)
        copies = self._generator.permutation(count)[: count // 20]
        of = self._generator.integers(0, count, len(copies))
        for start in range(0, len(copies), _CHUNK):
            here = slice(start, start + _CHUNK)
            bits = self._generator.integers(0, 21, len(copies[here]))
            codes[copies[here]] = flipped(codes[of[here]], bits, self._generator)
        return codes


def queries(codes: Codes, fresh: Codes, generator: np.random.Generator) -> Codes:
    """As many as ``fresh``: one in ten a copy of a code in the bank, 0 to 40 bits away, the others fresh."""
    asked = fresh.copy()
    known = generator.permutation(len(asked))[: len(asked) // 10]
    of = codes[generator.integers(0, len(codes), len(known))]
    asked[known] = flipped(of, generator.integers(0, 41, len(known)), generator)
    return asked
