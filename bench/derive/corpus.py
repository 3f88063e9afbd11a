"""The photographs that are edited, those of the tests among them, and in which part each is."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from PIL import Image

HERE = Path(__file__).parent.parent / "corpus"
TESTS = Path(__file__).parents[2] / "tests" / "photos"

Part = Literal["open", "held"]


@dataclass(frozen=True, slots=True)
class Photograph:
    """One photograph of the corpus."""

    path: Path
    scene: str
    """Photographs of one place or event have the same; it is empty where there is no other."""
    part: Part
    """``open``: methods may be built and thresholds learnt on it; ``held``: only measured."""

    @property
    def name(self) -> str:
        return self.path.stem

    def read(self) -> Image.Image:
        """Its pixels, RGB."""
        return _read(self.path)


@lru_cache(maxsize=400)
def _read(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def photographs() -> list[Photograph]:
    """All of them, by name. A third of them, whole scenes of it, is held out; the tests' own are all open."""
    with (HERE / "pictures.tsv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    alone = Counter(row["scene"] for row in rows)
    found = [
        Photograph(
            HERE / row["file"], row["scene"] if alone[row["scene"]] > 1 else "", _part(row["scene"] or row["file"])
        )
        for row in rows
    ]
    found += [Photograph(path, "", "open") for path in TESTS.glob("*.jpg")]
    return sorted(found, key=lambda photograph: photograph.name)


def _part(key: str) -> Part:
    return "held" if hashlib.sha256(key.encode()).digest()[0] % 3 == 0 else "open"


def few(found: list[Photograph], count: int) -> list[Photograph]:
    """So many of them, spread over all kinds: every nth by name."""
    if count >= len(found):
        return found
    return [found[number * len(found) // count] for number in range(count)]
