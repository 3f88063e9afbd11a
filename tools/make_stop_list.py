"""Make the stop list of descriptors, and the order in which the index keeps their bits.

    python -m tools.make_stop_list

Both come from the open part of ``bench/corpus`` and from drawings: captions in several fonts, apps' screens around
nothing, documents. An entry is what is on several drawings or photographs that have nothing else in common. The list's
version is one more than that of the list it replaces, unless it is the same list.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from bench.derive.chrome import DARK, LIGHT, OPEN, Making
from bench.derive.corpus import Photograph, photographs
from bench.derive.edits import jpeg
from bench.derive.negatives import hard
from reclaim.index import HammingIndex
from reclaim.matching import bits
from reclaim.matching.stop_list import FILE, RADIUS, StopList
from reclaim.signals.descriptors import BYTES, describe_upload
from reclaim.signals.luma import luma_of_bytes

DATA = Path(__file__).parents[1] / "src" / "reclaim" / "matching" / "data"
SEED = 7
DRAWN = 160
"""Drawings with captions, and of each app's screen a tenth of that."""
IN_DRAWINGS, IN_PHOTOGRAPHS = 3, 5
"""So many of them, unrelated to one another, have a descriptor within RADIUS of an entry, itself counted."""
MOST = 3072
"""Entries of each of the four kinds, so all of them are 384 KiB at most."""
_SENTENCES = (
    "when you see it", "TOP TEXT", "BOTTOM TEXT", "nobody: me:", "wait for it", "follow for more", "link in bio",
    "LIMITED OFFER", "breaking news", "good morning everyone", "@someone", "#throwback", "2 new messages", "17:45",
    "Like  Comment  Share", "Reply", "Send message", "View all 24 comments", "posted 3 hours ago", "Sponsored",
    "0123456789", "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG", "the quick brown fox jumps over the lazy dog",
)  # fmt: skip
_FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf", "NotoSans-Bold.ttf")

Codes = npt.NDArray[np.uint8]


def described(picture: Image.Image) -> Codes:
    """All of its descriptors, as it lies and mirrored."""
    found = describe_upload(luma_of_bytes(jpeg(picture)), *picture.size)
    return np.concatenate([found.values, found.mirrored])


def _shade(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """A ground without corners."""
    one, other = (Image.new("L", size, chance.randrange(256)) for _ in range(2))
    return Image.composite(one, other, Image.linear_gradient("L").resize(size)).convert("RGB")


def captions(chance: random.Random) -> Iterator[Image.Image]:
    """Sentences in several fonts and sizes, on grounds without corners."""
    for number in range(DRAWN):
        picture = _shade((640, chance.choice((360, 480, 800))), chance)
        draw = ImageDraw.Draw(picture)
        name = _FONTS[number % (len(_FONTS) + 1) - 1] if number % (len(_FONTS) + 1) else None
        y = chance.randrange(8, 60)
        while y < picture.height - 40:
            size = chance.choice((18, 22, 28, 36, 48, 64))
            font = ImageFont.truetype(name, size) if name else ImageFont.load_default(size)
            ink, rim = chance.choice((("white", "black"), ("black", "white"), ("white", None), ("black", None)))
            words = chance.choice(_SENTENCES)
            draw.text(
                (chance.randrange(8, 60), y), words, ink, font, stroke_width=size // 14 if rim else 0, stroke_fill=rim
            )
            y += round(size * chance.uniform(1.3, 2.2))
        yield picture


def screens(chance: random.Random) -> Iterator[Image.Image]:
    """The apps' screens that are open to whoever builds a method, around a ground without corners."""
    for chrome in OPEN.values():
        for number in range(DRAWN // 10):
            picture = _shade(chance.choice(((800, 600), (600, 800), (720, 720))), chance)
            yield chrome(picture, Making(chance, []), DARK if number % 2 else LIGHT)


def recurrent(groups: list[Codes], least: int) -> tuple[Codes, npt.NDArray[np.int64]]:
    """Of all descriptors those that are in so many groups, and in how many each is."""
    rows = np.concatenate(groups)
    of = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    index = HammingIndex(bits.laid(rows), np.arange(len(rows)))
    counts = np.zeros(len(rows), np.int64)
    for start in range(0, len(rows), 4096):
        hits = index.query_many(bits.laid(rows[start : start + 4096]), RADIUS)
        asked = np.repeat(np.arange(len(hits.starts) - 1), np.diff(hits.starts))
        pairs = np.unique(asked * len(groups) + of[hits.ids])
        part = np.bincount(pairs // len(groups), minlength=len(hits.starts) - 1)
        counts[start : start + len(part)] = part
    often = np.flatnonzero(counts >= least)
    return rows[often], counts[often]


def thinned(rows: Codes, counts: npt.NDArray[np.int64]) -> Codes:
    """Those that are most often there, none within half of RADIUS of another."""
    kept = HammingIndex(mode="compact")
    for row in np.lexsort((*rows.T[::-1], -counts)).tolist():
        if not len(kept.query(rows[row], RADIUS // 2).ids):
            kept.add(len(kept), rows[row])
            if len(kept) == MOST:
                break
    return (
        np.array(sorted(kept.code_of(number) for number in range(len(kept))), "S32").view(np.uint8).reshape(-1, BYTES)
    )


def bit_order(rows: Codes) -> npt.NDArray[np.uint8]:
    """The bits, sixteen of each band in turn, so that those of one band are as little alike as can be."""
    alike: npt.NDArray[np.float64] = np.asarray(np.corrcoef(np.unpackbits(rows, axis=1), rowvar=False)) ** 2
    np.fill_diagonal(alike, 0)
    band = np.repeat(np.arange(16), 16)[np.argsort(np.argsort(-alike.sum(axis=0), kind="stable") % 16, kind="stable")]
    chance = np.random.default_rng(SEED)
    for one, other in chance.integers(0, 256, (60_000, 2)):
        first, second = band == band[one], band == band[other]
        if band[one] != band[other]:
            gain = alike[one, first].sum() + alike[other, second].sum()
            loss = alike[one, second].sum() + alike[other, first].sum() - 2 * alike[one, other]
            if loss < gain:
                band[one], band[other] = band[other], band[one]
    return np.argsort(band, kind="stable").astype(np.uint8)


def main() -> None:
    """Make both and write them where the package has them."""
    chance = random.Random(SEED)
    alone: dict[str, Photograph] = {}
    for photograph in photographs():
        if photograph.part == "open":
            alone.setdefault(photograph.scene or photograph.name, photograph)
    of_photographs = [described(photograph.read()) for photograph in alone.values()]
    order = bit_order(np.concatenate([each[: len(each) // 2] for each in of_photographs]))
    (DATA / bits.FILE).write_bytes(order.tobytes())
    bits.read_anew()
    papers = [one for one in hard("open", list(alone.values())) if one.kind == "document"]
    kinds = [
        ([described(picture) for picture in captions(chance)], IN_DRAWINGS),
        ([described(picture) for picture in screens(chance)], IN_DRAWINGS),
        ([described(Image.open(io.BytesIO(one.data)).convert("RGB")) for one in papers], IN_DRAWINGS),
        (of_photographs, IN_PHOTOGRAPHS),
    ]
    entries = np.unique(np.concatenate([thinned(*recurrent(groups, least)) for groups, least in kinds]), axis=0)
    path = DATA / FILE
    before = StopList.parse(path.read_bytes()) if path.is_file() else StopList.empty()
    same = np.array_equal(before.entries, entries)
    made = StopList(entries, before.version + (not same))
    path.write_bytes(made.written())
    dropped = np.mean([made.mask(each).mean() for each in of_photographs])
    print(f"version {made.version}: {len(entries)} entries; {100 * dropped:.1f} % of a photograph's own are like one")


if __name__ == "__main__":
    main()
