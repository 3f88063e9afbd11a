"""Pictures of a large bank, by their descriptors, and uploads that show some of its pictures or none.

There are not a million photographs to measure with. A made-up picture is drawn from a real photograph of the corpus:
64 of its descriptors, each crossed with one of those that are nearest to it on other photographs (where the two differ,
either one's bit by chance). So the bits depend on one another as real ones do, what is often on photographs is often in
the bank, and one picture's descriptors belong together. What a search costs hangs on how many descriptors lie near an
upload's; `near_shares` measures that on made-up and on real pictures, and the bench reports both.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.derive.corpus import few, photographs
from bench.derive.edits import EDITS, jpeg, upload
from reclaim.index import HammingIndex
from reclaim.index.codes import Codes
from reclaim.signals import PoorSignal
from reclaim.signals.descriptors import MOST, Descriptors, UploadDescriptors, describe, describe_upload
from reclaim.signals.luma import luma_of_bytes

ASKED = 60
"""Photographs that uploads are made of, each in every one of ``EDITED``. Half of them are in the bank."""
EDITED = ("crop20", "sticker3", "screenshot-feed-dark", "flip+collage2x2", "centre30+crop15")

_LEVELS = range(2, 8)  # those of a person's descriptors
_NEIGHBOURS = 16
_PICTURES_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload, described."""

    of: int | None
    """The picture in the bank that it shows; None if it shows none."""
    descriptors: UploadDescriptors


@dataclass(frozen=True, slots=True)
class Material:
    """What banks and uploads are made of. No photograph in an upload is among those that pictures are drawn from."""

    planted: list[Descriptors]
    """Real pictures of the bank, numbered from 0."""
    uploads: list[Upload]
    pools: list[Codes]
    """Of each photograph that pictures are drawn from: descriptors, n x 32."""
    real: list[Codes]
    """Of each of the same: its descriptors as a person gives them."""
    mates: list[npt.NDArray[np.int64]]
    """For each row of each pool: the rows, in all pools end to end, that are nearest to it on others; n x k."""


def material() -> Material:
    """From the corpus, the same every time."""
    everything = photographs()
    alone = few([photograph for photograph in everything if not photograph.scene], 2 * ASKED)
    asked, beside = alone[::2], alone[1::2]
    names = {photograph.name for photograph in alone}
    others = [photograph for photograph in everything if photograph.name not in names]
    planted: list[Descriptors] = []
    uploads: list[Upload] = []
    for number, photograph in enumerate(asked):
        of = None
        if number % 2 == 0:
            try:
                planted.append(describe(*_square(jpeg(photograph.read()))))
            except PoorSignal:
                continue
            of = len(planted) - 1
        for edit in EDITED:
            data = upload(EDITS[edit], photograph, beside).data
            uploads.append(Upload(of, describe_upload(*_square(data))))
    pools: list[Codes] = []
    real: list[Codes] = []
    for photograph in others:
        square = _square(jpeg(photograph.read()))
        described = describe_upload(*square)
        middle = np.isin(described.places[:, 2], _LEVELS)
        try:
            persons = describe(*square)
        except PoorSignal:
            continue
        if middle.sum() >= MOST:
            pools.append(described.values[middle])
            real.append(persons.values)
    return Material(planted, uploads, pools, real, _mates(pools))


def _square(data: bytes) -> tuple[npt.NDArray[np.uint8], int, int]:
    with Image.open(io.BytesIO(data)) as image:
        return luma_of_bytes(data), *image.size


def _mates(pools: list[Codes]) -> list[npt.NDArray[np.int64]]:
    """The nearest of other photographs, by a search that widens until each has some."""
    rows = np.concatenate(pools)
    of = np.repeat(np.arange(len(pools)), [len(pool) for pool in pools])
    index = HammingIndex(rows, np.arange(len(rows)))
    mates = np.repeat(np.arange(len(rows))[:, None], _NEIGHBOURS, axis=1)
    waiting = np.arange(len(rows))
    for radius in (32, 44, 54, 64):
        still = []
        for start in range(0, len(waiting), 2048):
            part = waiting[start : start + 2048]
            for row, hits in zip(part.tolist(), index.query_batch(rows[part], radius), strict=True):
                found = hits.ids[of[hits.ids] != of[row]][:_NEIGHBOURS]
                if len(found) == _NEIGHBOURS:
                    mates[row] = found
                else:
                    mates[row, : len(found)] = found
                    still.append(row)
        waiting = np.array(still, np.int64)
    firsts = np.cumsum([0, *(len(pool) for pool in pools)])
    return [mates[first:last] for first, last in pairwise(firsts.tolist())]


def made_up(made_of: Material, count: int, seed: int) -> Iterator[Codes]:
    """So many made-up pictures, a few thousand at a time: shape (pictures, 64, 32)."""
    generator = np.random.default_rng(seed)
    rows = np.concatenate(made_of.pools)
    for start in range(0, count, _PICTURES_AT_ONCE):
        pictures = min(_PICTURES_AT_ONCE, count - start)
        ours = np.empty((pictures, MOST, 32), np.uint8)
        theirs = np.empty_like(ours)
        for number in range(pictures):
            which = int(generator.integers(len(made_of.pools)))
            chosen = generator.permutation(len(made_of.pools[which]))[:MOST]
            ours[number] = made_of.pools[which][chosen]
            theirs[number] = rows[made_of.mates[which][chosen, generator.integers(0, _NEIGHBOURS, MOST)]]
        mask = generator.integers(0, 256, ours.shape, np.uint8)
        yield (ours & mask) | (theirs & ~mask)


def near_shares(pictures: Codes, asked: list[Upload], radii: tuple[int, ...]) -> list[float]:
    """Of all pairs of one of these descriptors (n x 32) and one of an upload's, the share within each radius.

    Only of uploads that show nothing of the bank, so that all of them are chance.
    """
    index = HammingIndex(pictures, np.arange(len(pictures)))
    values = [one.descriptors.values for one in asked if one.of is None]
    codes = np.concatenate(values)
    distances = index.query_many(codes, max(radii)).distances
    return [float((distances <= radius).sum()) / (len(codes) * len(pictures)) for radius in radii]
