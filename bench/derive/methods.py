"""What is compared: each method's answer to how far an upload is from each known picture. Smaller is nearer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.fft import dctn

from reclaim.matching.by_parts import Described, described, may_show
from reclaim.matching.candidates import DescriptorIndex
from reclaim.signals import PoorSignal
from reclaim.signals.descriptors import Descriptors, Placement, describe
from reclaim.signals.geometry import check
from reclaim.signals.luma import SIDE, picture_of_bytes
from reclaim.signals.pdq import Luma, pdq_of_luma, turns
from reclaim.signals.trim import trim
from reclaim.signals.views import CODE_BYTES, Views, views_of

FAR = 999
"""Of a known picture that a method does not name at all."""

Bits = npt.NDArray[np.uint8]
Distances = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Known:
    """What a bank has of one picture."""

    pdq: Bits
    """32 bytes."""
    trimmed: Bits | None
    """The PDQ of its trimmed picture, where it lies within bars or the like."""
    phash: Bits
    """8 bytes."""
    descriptors: Descriptors | None
    """None where it has too few."""


@dataclass(slots=True)
class Times:
    """Milliseconds of one core that each stage of one upload took."""

    spent: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        began = time.process_time()
        yield
        self.spent[stage] = self.spent.get(stage, 0.0) + 1000 * (time.process_time() - began)


def known(data: bytes) -> Known:
    """Of a picture's file, as a person's device makes it: descriptors of the part inside, where there is one."""
    picture = picture_of_bytes(data)
    square, width, height = picture.luma, picture.width, picture.height
    inner = trim(square)
    trimmed = None
    if inner is not None:
        found = [view for view in views_of(picture).views if view.kind == "trimmed"]
        trimmed = _bits(found[0].codes[:CODE_BYTES].hex()) if found else None
        left, top, right, bottom = inner
        width = max(1, round(width * (right - left) / SIDE))
        height = max(1, round(height * (bottom - top) / SIDE))
        square = square[top:bottom, left:right]
    try:
        descriptors = describe(square, width, height)
    except PoorSignal:
        descriptors = None
    return Known(_bits(pdq_of_luma(picture.luma).value), trimmed, phash(picture.luma), descriptors)


def _bits(value: str) -> Bits:
    return np.frombuffer(bytes.fromhex(value), np.uint8)


def phash(square: Luma) -> Bits:
    """64 bits: the signs of the 8 x 8 lowest frequencies of 32 x 32 pixels against their median, without the mean."""
    small = np.asarray(Image.fromarray(square).resize((32, 32), Image.Resampling.LANCZOS), np.float64)
    lowest = dctn(small, norm="ortho")[:8, :8].ravel()
    return np.packbits(lowest > np.median(lowest[1:]))


def apart(known: Bits, asked: Bits) -> Distances:
    """Hamming distances, n x m, of n x bytes to m x bytes."""
    bits: Distances = np.bitwise_count(known[:, None, :] ^ asked[None, :, :]).sum(axis=2, dtype=np.int16)
    return bits


class Placed(NamedTuple):
    """Descriptors and where they lie."""

    descriptors: DescriptorIndex
    placements: dict[int, Placement]

    @classmethod
    def of(cls, pictures: Sequence[tuple[int, Descriptors]], step: int) -> Placed:
        """Every such descriptor of pictures by their numbers; descriptors lie in no order that means anything."""
        return cls(
            DescriptorIndex.build((number, descriptors.values[::step]) for number, descriptors in pictures),
            {
                number: descriptors.placement._replace(places=descriptors.placement.places[::step])
                for number, descriptors in pictures
            },
        )


class Bank:
    """All known pictures, ready to be compared with."""

    def __init__(self, pictures: Sequence[Known]) -> None:
        self.pictures = pictures
        self.pdq = np.stack([picture.pdq for picture in pictures])
        self.phash = np.stack([picture.phash for picture in pictures])
        trimmed = [(number, picture.trimmed) for number, picture in enumerate(pictures) if picture.trimmed is not None]
        self.signals = np.stack([*self.pdq, *(bits for _, bits in trimmed)])
        """Of stage one: each picture's PDQ, then those of the trimmed ones."""
        self.owners = np.array([*range(len(pictures)), *(number for number, _ in trimmed)])
        with_descriptors = [
            (number, picture.descriptors) for number, picture in enumerate(pictures) if picture.descriptors is not None
        ]
        self.whole = Placed.of(with_descriptors, 1)
        self.half = Placed.of(with_descriptors, 2)

    def nearest(self, asked: Bits) -> Distances:
        """The distance of each known picture's nearest signal to the nearest of those asked, m x 32."""
        found = np.full(len(self.pictures), FAR, np.int16)
        if len(asked):
            np.minimum.at(found, self.owners, apart(self.signals, asked).min(axis=1))
        return found


METHODS = ("pdq", "turns", "phash", "views", "parts")
"""PDQ alone, PDQ in eight turns, pHash, stage one and stage two."""

PARTS_WITHOUT = ("parts", "parts, not trimmed", "parts, 32 of 64")
"""Stage two, and for the ablation without one idea each."""


class Answer(NamedTuple):
    """Of one upload."""

    distances: dict[str, Distances]
    """By method, how far it is from each known picture. Of stage two it is the number of descriptors that lie right,
    negative, so that smaller is nearer there too."""
    times: dict[str, float]
    """Milliseconds of one core by stage."""
    codes: Bits | None
    """What stage one looks up, n x 32."""


def answers(data: bytes, bank: Bank, methods: Sequence[str]) -> Answer:
    """What each method says of an upload's file."""
    codes = None
    found: dict[str, Distances] = {}
    times = Times()
    with times.of("decode"):
        picture = picture_of_bytes(data)
    square = picture.luma
    if "pdq" in methods:
        with times.of("pdq"):
            value = pdq_of_luma(square).value
        found["pdq"] = apart(bank.pdq, _bits(value)[None]).min(axis=1)
    if "turns" in methods:
        with times.of("turns"):
            lying = np.stack([_bits(pdq_of_luma(plane).value) for plane in turns(square).values()])
        found["turns"] = apart(bank.pdq, lying).min(axis=1)
    if "phash" in methods:
        found["phash"] = apart(bank.phash, phash(square)[None]).min(axis=1)
    if "views" in methods:
        with times.of("views"):
            views = views_of(picture)
        found |= _by_views(views, bank)
        codes = views.codes
    wanted = [method for method in PARTS_WITHOUT if method in methods]
    if wanted:
        with times.of("describe"):
            parts = described(square, picture.width, picture.height)
        for method in wanted:
            found[method] = _by_parts(
                parts[:1] if method == "parts, not trimmed" else parts,
                bank.half if method == "parts, 32 of 64" else bank.whole,
                len(bank.pictures),
                times if method == "parts" else Times(),
            )
    return Answer(found, times.spent, codes)


WITHOUT: dict[str, Callable[[str, str], bool]] = {
    "views": lambda kind, turn: True,
    "views, not trimmed": lambda kind, turn: kind != "trimmed",
    "views, not split": lambda kind, turn: kind not in ("part", "inset"),
    "views, not tilted": lambda kind, turn: kind != "tilted",
    "views, not turned": lambda kind, turn: turn == "original",
}
"""Which views are looked up, by the kind of view and the turn: all, and for the ablation without one idea each."""


def _by_views(views: Views, bank: Bank) -> dict[str, Distances]:
    codes, origins = views.codes, list(views.origins())
    found = {}
    for name, looked_up in WITHOUT.items():
        chosen = [number for number, (view, turn) in enumerate(origins) if looked_up(view.kind, turn)]
        found[name] = bank.nearest(codes[chosen])
    return found


def _by_parts(parts: Sequence[Described], index: Placed, count: int, times: Times) -> Distances:
    found = np.full(count, FAR, np.int16)
    with times.of("candidates"):
        candidates = may_show(parts, index.descriptors)
    with times.of("check"):
        for candidate in candidates:
            geometry = check(index.placements[candidate.id], candidate.pairs, candidate.frame)
            if geometry is not None:
                found[candidate.id] = -geometry.inliers
    return found
