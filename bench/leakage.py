"""What a stolen bank tells of the pictures in it, with and without descriptors. docs/leakage.md says what it shows.

    python -m bench.leakage [--pictures 20] [--plot docs/images] [--json]

A thief knows the algorithms, learns on the open part of the corpus what bits mean, and draws the held-out photographs
from what was stolen. Pictures are held against the originals in brightness, as squares of 128 x 128.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from rich.console import Console
from rich.table import Table
from scipy import fft, ndimage, sparse
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier

from bench import leakage_films
from bench.derive.corpus import Photograph, few, photographs
from bench.leakage_films import REACH
from reclaim.signals import PoorSignal, pdq_of_luma, read_luma
from reclaim.signals.descriptors import ANGLES, FRAME, MOST, Descriptors, describe, describe_upload

Plane = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int16]

SIDE = 64
"""Pixels of each side of what a PDQ is turned into: four times as fine as what a PDQ knows."""
JUDGED = 128
PATCH = 32
"""Pixels of a level that a patch is drawn in."""
DRAWN = 256
"""Pixels of the longer side of a picture that is put together."""
COUNTS = (16, 32, MOST)
LEVELS = range(2, 9)  # those of a person's descriptors
PUZZLED = 40
"""Photographs that are put together without their placement, which takes long."""
LINKED = 24
NEAR = 32
"""Pixels of the frame within which a patch counts as put where it belongs: two thirds of the width of most."""

_CROPS = 24
_PATCHES_A_PHOTOGRAPH = 120
_RIDGE = 300.0
_HOLD = 0.01
_ELSEWHERE = 0.05
_PUZZLE = 64  # pixels of the longer side of the picture that patches are tried on
_PUZZLE_LEVELS = (2, 4, 6, 8)
_PUZZLE_ANGLES = range(0, ANGLES, 4)
_LINK_PATCHES = 16
_SEED = 5

SHOWN = ("animal-035", "animal-049", "place-015", "room-004")
"""Photographs of the contact sheet. Nobody can be recognised in them: what is drawn of people is not shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Victim:
    """A photograph as it is, and what a bank has of it."""

    photograph: Photograph
    square: npt.NDArray[np.uint8]
    """Its luma, 512 x 512."""
    frame: tuple[int, int]
    """Width and height of its frame."""
    pdq: Plane
    """256 bits, each -1 or 1."""
    descriptors: Descriptors | None

    @property
    def people(self) -> bool:
        """Whether it is of people."""
        return self.photograph.name.startswith(("people", "portrait"))


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """A linear map from bits (-1 or 1) to pixels: what ridge regression learnt."""

    weights: Plane
    mean: Plane

    def __call__(self, bits: Plane) -> Plane:
        """n x 256 bits to n x pixels."""
        made: Plane = bits @ self.weights + self.mean
        return made


@dataclass(frozen=True, slots=True, eq=False)
class Thief:
    """What a thief learnt from photographs of others."""

    plane: Map
    """From a PDQ to SIDE x SIDE pixels, in grey levels."""
    patch: Map
    """From a descriptor to PATCH x PATCH pixels of a patch turned upright; mean 0, deviation about 1."""
    contrast: dict[int, float]
    """For each level, how far a patch's pixels usually are from their mean, in grey levels."""
    known: list[Victim]
    """The photographs, the nearest of which may stand for a stolen one."""


def victim(photograph: Photograph) -> Victim:
    """Everything that is measured of a photograph."""
    square = read_luma(photograph.path)
    width, height = photograph.read().size
    longer = max(width, height)
    frame = max(1, round(width * FRAME / longer)), max(1, round(height * FRAME / longer))
    try:
        descriptors = describe(square, width, height)
    except PoorSignal:
        descriptors = None
    return Victim(photograph, square, frame, pdq_bits(square), descriptors)


def signs(values: npt.NDArray[np.uint8]) -> Plane:
    """The bits of n x 32 bytes, each -1 or 1: n x 256."""
    return np.unpackbits(values, axis=1).astype(np.float32) * 2 - 1


def pdq_bits(square: npt.NDArray[np.uint8]) -> Plane:
    """The 256 bits of a square's PDQ, each -1 or 1."""
    bits: Plane = signs(np.frombuffer(bytes.fromhex(pdq_of_luma(square).value), np.uint8).reshape(1, 32))[0]
    return bits


def resized(plane: npt.NDArray[Any], size: tuple[int, int]) -> Plane:
    """A plane with another width and height."""
    image = Image.fromarray(np.asarray(plane, np.float32))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR), np.float32)


def learnt(bits: Plane, pixels: Plane) -> Map:
    """Ridge regression of n x pixels on n x 256 bits."""
    mean = pixels.mean(axis=0)
    weights = np.linalg.solve(
        bits.T @ bits + _RIDGE * np.eye(bits.shape[1], dtype=np.float32), bits.T @ (pixels - mean)
    )
    return Map(weights.astype(np.float32), mean)


def learn(known: list[Victim]) -> Thief:
    """What the photographs tell about bits: their crops about PDQs, their patches about descriptors."""
    chance = np.random.default_rng(_SEED)
    bits, planes, codes, patches = [], [], [], []
    spread: dict[int, list[float]] = {level: [] for level in LEVELS}
    for each in known:
        for crop in _crops(each.square, chance):
            bits.append(pdq_bits(crop))
            planes.append(resized(crop, (SIDE, SIDE)).ravel())
        upload = describe_upload(each.square, *each.frame)
        ours = np.flatnonzero(np.isin(upload.places[:, 2], LEVELS))
        ours = chance.permutation(ours)[:_PATCHES_A_PHOTOGRAPH]
        if not len(ours):
            continue
        cut, deviation = patches_at(each, upload.places[ours])
        codes.append(upload.values[ours])
        patches.append(cut.reshape(len(ours), -1))
        for level, how_far in zip(upload.places[ours, 2].tolist(), deviation.tolist(), strict=True):
            spread[level].append(how_far)
    return Thief(
        learnt(np.array(bits), np.array(planes)),
        learnt(signs(np.concatenate(codes)), np.concatenate(patches)),
        {level: float(np.mean(found)) if found else 0.0 for level, found in spread.items()},
        known,
    )


def _crops(square: npt.NDArray[np.uint8], chance: np.random.Generator) -> list[npt.NDArray[np.uint8]]:
    """Squares that are like the picture: parts of it, mirrored or not."""
    found = []
    for number in range(_CROPS):
        side = FRAME if number < 2 else int(chance.integers(FRAME // 2, FRAME))
        top, left = chance.integers(0, FRAME - side + 1, 2)
        part = square[top : top + side, left : left + side]
        part = part[:, ::-1] if number % 2 else part
        image = Image.fromarray(np.ascontiguousarray(part)).resize((FRAME, FRAME), Image.Resampling.BILINEAR)
        found.append(np.asarray(image))
    return found


def patches_at(of: Victim, places: Places) -> tuple[Plane, Plane]:
    """The true patches of a photograph, turned upright, and their deviations: n x PATCH x PATCH, and n.

    The patches are given with mean 0 and deviation 1; the deviations are in grey levels.
    """
    down, across = np.mgrid[:PATCH, :PATCH] - (PATCH - 1) / 2
    levels: dict[int, Plane] = {}
    cut = np.empty((len(places), PATCH, PATCH), np.float32)
    for number, (x, y, level, angle) in enumerate(places.tolist()):
        scale = (5 / 6) ** level
        if level not in levels:
            levels[level] = resized(of.square, (round(of.frame[0] * scale), round(of.frame[1] * scale)))
        cos, sin = np.cos(2 * np.pi * angle / ANGLES), np.sin(2 * np.pi * angle / ANGLES)
        at = [
            (y + 0.5) * scale - 0.5 + across * sin + down * cos,
            (x + 0.5) * scale - 0.5 + across * cos - down * sin,
        ]
        cut[number] = ndimage.map_coordinates(levels[level], at, order=1, mode="nearest")
    cut -= cut.mean(axis=(1, 2), keepdims=True)
    deviation: Plane = np.maximum(cut.std(axis=(1, 2)), 1e-3)
    return cut / deviation[:, None, None], deviation


def sketched_patches(thief: Thief, values: npt.NDArray[np.uint8]) -> Plane:
    """What a thief draws of n x 32 bytes: n x PATCH x PATCH, upright."""
    return thief.patch(signs(values)).reshape(-1, PATCH, PATCH)


def drawn_plane(thief: Thief, pdq: Plane) -> Plane:
    """What a thief draws of a PDQ: SIDE x SIDE."""
    return thief.plane(pdq[None]).reshape(SIDE, SIDE)


def nearest(thief: Thief, pdq: Plane) -> Plane:
    """The known photograph with the nearest PDQ, 512 x 512."""
    return max(thief.known, key=lambda each: float(each.pdq @ pdq)).square.astype(np.float32)


def drawn_size(frame: tuple[int, int], longer: int = DRAWN) -> tuple[int, int]:
    """Width and height of a picture that is put together, of a frame."""
    return max(1, frame[0] * longer // FRAME), max(1, frame[1] * longer // FRAME)


def covered(places: Places, frame: tuple[int, int]) -> Mask:
    """Where in the picture, made DRAWN pixels long, a descriptor's tests lie."""
    width, height = drawn_size(frame)
    down, across = np.mgrid[:height, :width]
    found = np.zeros((height, width), np.bool_)
    for x, y, level, _ in (places * [DRAWN / FRAME, DRAWN / FRAME, 1, 1]).tolist():
        found |= (across - x) ** 2 + (down - y) ** 2 <= (REACH * 1.2**level * DRAWN / FRAME) ** 2
    return found


def put_together(
    thief: Thief, under: Plane, values: npt.NDArray[np.uint8], places: Places, size: tuple[int, int]
) -> Plane:
    """Drawn patches at their places over another picture: what has the patches' slopes and the other's brightness.

    `under` may have any size; the result has `size`, width and height.
    """
    width, height = size
    base = resized(under, size)
    slopes = [np.zeros((height, width - 1)), np.zeros((height - 1, width))]
    weights = [np.full_like(slope, 1e-9) for slope in slopes]
    for patch, place in zip(sketched_patches(thief, values), places.tolist(), strict=True):
        _lay(patch * thief.contrast[place[2]], place, size, slopes, weights)
    grid = np.arange(width * height).reshape(height, width)
    system = _HOLD * sparse.identity(width * height, format="csr")
    wanted = _HOLD * base.ravel()
    for axis, ends in ((0, (grid[:, :-1], grid[:, 1:])), (1, (grid[:-1], grid[1:]))):
        one, other = (end.ravel() for end in ends)
        weight = weights[axis].ravel()
        slope = slopes[axis].ravel() / weight
        weight = np.minimum(weight, 1)
        # Where no patch lies, the picture below keeps its own slopes, weakly.
        bare = weight < 1e-6
        slope[bare] = (base.ravel()[other] - base.ravel()[one])[bare]
        weight = np.where(bare, _ELSEWHERE, weight)
        rows = np.arange(len(one))
        differ = sparse.csr_matrix(
            (np.concatenate([-np.ones(len(one)), np.ones(len(one))]), (np.tile(rows, 2), np.concatenate([one, other]))),
            shape=(len(one), width * height),
        )
        system = system + differ.T @ sparse.diags(weight) @ differ
        wanted = wanted + differ.T @ (weight * slope)
    found, _ = sparse.linalg.cg(system, wanted, x0=base.ravel(), rtol=1e-3, maxiter=300)
    return np.asarray(found.reshape(height, width), np.float32)


def _lay(
    patch: Plane,
    place: Sequence[int],
    size: tuple[int, int],
    slopes: list[npt.NDArray[np.float64]],
    weights: list[npt.NDArray[np.float64]],
) -> None:
    """Add a patch's slopes across and down where it lies, finer patches with more weight."""
    x, y, level, angle = place
    zoom = max(size) / FRAME
    scale = 1.2**level * zoom
    reach = REACH * scale
    left, top = max(0, int(x * zoom - reach)), max(0, int(y * zoom - reach))
    right, bottom = min(size[0], int(x * zoom + reach) + 2), min(size[1], int(y * zoom + reach) + 2)
    down, across = np.mgrid[top:bottom, left:right].astype(np.float32)
    across, down = (across - x * zoom) / scale, (down - y * zoom) / scale
    cos, sin = np.cos(2 * np.pi * angle / ANGLES), np.sin(2 * np.pi * angle / ANGLES)
    middle = (PATCH - 1) / 2
    at = [middle - across * sin + down * cos, middle + across * cos + down * sin]
    values = ndimage.map_coordinates(patch, at, order=1, mode="nearest")
    inside = across**2 + down**2 <= REACH**2
    for axis, (one, other) in enumerate(
        (((slice(None), slice(None, -1)), (slice(None), slice(1, None))), ((slice(None, -1),), (slice(1, None),)))
    ):
        both = (inside[one] & inside[other]) / scale
        where = slice(top, bottom - axis), slice(left, right - 1 + axis)
        slopes[axis][where] += both * (values[other] - values[one])
        weights[axis][where] += both


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Drawn patches in all turns and some sizes, ready to be tried on a picture: their transforms."""

    transforms: list[npt.NDArray[np.complex64]]
    """For each level: patches x angles x the transform's shape."""
    masks: list[tuple[Plane, int]]
    """For each level: what a patch covers, and its side."""

    @classmethod
    def of(cls, drawn: Plane) -> Pieces:
        """Of n x PATCH x PATCH."""
        transforms, masks = [], []
        for level in _PUZZLE_LEVELS:
            scale = 1.2**level * _PUZZLE / FRAME
            side = 2 * int(REACH * scale) + 1
            down, across = np.mgrid[:side, :side] - side // 2
            mask = (across**2 + down**2 <= (REACH * scale) ** 2).astype(np.float32)
            turned = np.empty((len(drawn), len(_PUZZLE_ANGLES), side, side), np.float32)
            for number, angle in enumerate(_PUZZLE_ANGLES):
                cos, sin = np.cos(2 * np.pi * angle / ANGLES) / scale, np.sin(2 * np.pi * angle / ANGLES) / scale
                middle = (PATCH - 1) / 2
                at = np.array([middle - across * sin + down * cos, middle + across * cos + down * sin])
                smooth = ndimage.gaussian_filter(drawn, (0, 0.4 / scale, 0.4 / scale))
                for which, patch in enumerate(smooth):
                    turned[which, number] = ndimage.map_coordinates(patch, at, order=1, mode="nearest")
            turned -= (turned * mask).sum(axis=(2, 3), keepdims=True) / mask.sum()
            turned *= mask
            turned /= np.sqrt((turned**2).sum(axis=(2, 3), keepdims=True)) + 1e-6
            transforms.append(np.conj(fft.rfft2(turned, (_PUZZLE, _PUZZLE))))
            masks.append((mask, side))
        return cls(transforms, masks)


def tried(pieces: Pieces, under: Plane, frame: tuple[int, int]) -> tuple[Places, Plane]:
    """Where each patch is most like the picture below, whose shape is known; and how like it is there, -1 to 1.

    The places are n x 4, as a Place each; the likeness is n.
    """
    width, height = drawn_size(frame, _PUZZLE)
    small = resized(under, (width, height))
    small = small - small.mean()
    picture = fft.rfft2(small, (_PUZZLE, _PUZZLE))
    square = fft.rfft2(small**2, (_PUZZLE, _PUZZLE))
    count = len(pieces.transforms[0])
    best = np.full(count, -2, np.float32)
    places = np.zeros((count, 4), np.int16)
    for level, transforms, (mask, side) in zip(_PUZZLE_LEVELS, pieces.transforms, pieces.masks, strict=True):
        if side > min(width, height):
            continue
        over = np.conj(fft.rfft2(mask, (_PUZZLE, _PUZZLE)))
        mean = fft.irfft2(picture * over, (_PUZZLE, _PUZZLE)) / mask.sum()
        energy = fft.irfft2(square * over, (_PUZZLE, _PUZZLE)) - mask.sum() * mean**2
        fits = fft.irfft2(picture * transforms, (_PUZZLE, _PUZZLE)) / np.sqrt(np.maximum(energy, 1.0))
        # A place is within the picture: what would lie over its edge does not count.
        fits = fits[..., : height - side + 1, : width - side + 1]
        flat = fits.reshape(count, -1)
        where = flat.argmax(axis=1)
        value = flat[np.arange(count), where]
        turn, top, left = np.unravel_index(where, fits.shape[1:])
        better = value > best
        found = np.stack(
            [
                (left + side / 2) * FRAME / _PUZZLE,
                (top + side / 2) * FRAME / _PUZZLE,
                np.full(count, level),
                np.array(_PUZZLE_ANGLES)[turn],
            ],
            axis=1,
        )
        best[better] = value[better]
        places[better] = found[better].astype(np.int16)
    return places, best


def correlation(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    """Of two arrays of one shape, -1 to 1; 0 where one of them is flat."""
    first, second = one - one.mean(), other - other.mean()
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / size if size > 1e-6 else 0.0


def likeness(one: Plane, other: Plane) -> Plane:
    """SSIM at each pixel (Wang and others, 2004), of planes in grey levels from 0 to 255."""

    def mean(plane: Plane) -> Plane:
        return np.asarray(ndimage.gaussian_filter(plane, 1.5, truncate=3.5), np.float32)

    here, there = mean(one), mean(other)
    spread_here, spread_there = mean(one**2) - here**2, mean(other**2) - there**2
    both = mean(one * other) - here * there
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    above = (2 * here * there + c1) * (2 * both + c2)
    return np.asarray(above / ((here**2 + there**2 + c1) * (spread_here + spread_there + c2)), np.float32)


def _judged(plane: npt.NDArray[Any]) -> Plane:
    return resized(plane, (JUDGED, JUDGED))


class Judge:
    """Holds drawn pictures against the held-out photographs."""

    def __init__(self, victims: list[Victim]) -> None:
        self.originals = {each.photograph.name: _judged(each.square) for each in victims}
        self.people = {each.photograph.name for each in victims if each.people}

    def row(self, who: str, pictures: dict[str, Plane], areas: dict[str, Mask] | None = None) -> dict[str, Any]:
        """Means over the pictures, by their photographs' names. Areas are where patches lie."""
        alike, ssim, inside, first, first_of_people = [], [], [], [], []
        for name, picture in pictures.items():
            made = _judged(np.clip(picture, 0, 255))
            fits = {each: correlation(made, original) for each, original in self.originals.items()}
            alike.append(fits[name])
            each_pixel = likeness(made, self.originals[name])
            ssim.append(float(each_pixel.mean()))
            if areas is not None:
                inside.append(float(each_pixel[_judged(areas[name]) > 0.5].mean()))
            first.append(max(fits, key=fits.__getitem__) == name)
            if name in self.people:
                first_of_people.append(max(self.people, key=fits.__getitem__) == name)
        return {
            "who": who,
            "pictures": len(pictures),
            "correlation": float(np.mean(alike)),
            "ssim": float(np.mean(ssim)),
            "ssim_where_patches_lie": float(np.mean(inside)) if inside else None,
            "picked_out": float(np.mean(first)),
            "picked_out_of_people": float(np.mean(first_of_people)) if first_of_people else None,
            "coverage": float(np.mean([area.mean() for area in areas.values()])) if areas is not None else None,
        }


def _placed(thief: Thief, of: Victim, under: Plane, count: int, coarse: bool = False) -> tuple[Plane, Mask]:
    """The picture from so many of its descriptors with their places, and where these lie."""
    assert of.descriptors is not None
    # By value they lie in no order that means anything: the first ones are any of them.
    values, places = of.descriptors.values[:count], of.descriptors.placement.places[:count]
    if coarse:
        places = places.copy()
        places[:, :2] = places[:, :2] // NEAR * NEAR + NEAR // 2
    return put_together(thief, under, values, places, drawn_size(of.frame)), covered(places, of.frame)


def _puzzles(thief: Thief, victims: list[Victim]) -> tuple[dict[str, Plane], dict[str, float]]:
    """Pictures put together without placements, and how many patches came near where they belong."""
    chance = np.random.default_rng(_SEED)
    pictures, near, near_by_chance = {}, [], []
    for each in victims:
        assert each.descriptors is not None
        under = drawn_plane(thief, each.pdq)
        places, _ = tried(Pieces.of(sketched_patches(thief, each.descriptors.values)), under, each.frame)
        true = each.descriptors.placement.places[:, :2].astype(float)
        near.append(np.hypot(*(places[:, :2] - true).T) <= NEAR)
        order = chance.permutation(len(true))  # each at another's place
        near_by_chance.append(np.hypot(*(true[order] - true[np.roll(order, 1)]).T) <= NEAR)
        size = drawn_size(each.frame)
        pictures[each.photograph.name] = put_together(thief, under, each.descriptors.values, places, size)
    shares = {"near": float(np.concatenate(near).mean()), "by_chance": float(np.concatenate(near_by_chance).mean())}
    return pictures, shares


def _neighbours(known: list[Victim], victims: list[Victim]) -> dict[str, float]:
    """How well a small network tells from two descriptors whether their patches lie near each other: area under ROC.

    Whoever can tell that can begin to put the pieces together without their placement. 0.5 is by chance.
    """
    chance = np.random.default_rng(_SEED)
    bits, near = _pairs(known, chance)
    network = MLPClassifier((256, 64), alpha=3e-3, early_stopping=True, n_iter_no_change=3, random_state=_SEED)
    network.fit(np.vstack([bits, np.roll(bits, bits.shape[1] // 2, axis=1)]), np.tile(near, 2))
    bits, near = _pairs(victims, chance)
    return {
        "pairs": len(near),
        "network": float(roc_auc_score(near, network.predict_proba(bits)[:, 1])),
        "distance": float(roc_auc_score(near, (bits[:, :256] * bits[:, 256:]).sum(axis=1))),
    }


def _pairs(victims: list[Victim], chance: np.random.Generator) -> tuple[Plane, Mask]:
    """Pairs of a picture's descriptors, n x 512 bits, and whether they lie near each other: half of them do."""
    bits, near = [], []
    for each in victims:
        if each.descriptors is None:
            continue
        own = signs(each.descriptors.values)
        one, other = np.triu_indices(len(own), 1)
        places = each.descriptors.placement.places.astype(float)
        apart = np.hypot(*(places[one, :2] - places[other, :2]).T)
        close, far = np.flatnonzero(apart <= NEAR), np.flatnonzero(apart > NEAR)
        taken = np.concatenate([close, chance.permutation(far)[: len(close)]])
        bits.append(np.hstack([own[one[taken]], own[other[taken]]]))
        near.append(apart[taken] <= NEAR)
    return np.concatenate(bits), np.concatenate(near)


def _linked(thief: Thief, victims: list[Victim]) -> dict[str, float]:
    """How often a picture's descriptors fit its own PDQ best, of the PDQs of all these."""
    under = [drawn_plane(thief, each.pdq) for each in victims]
    scores = np.empty((len(victims), len(victims)))
    for number, each in enumerate(victims):
        assert each.descriptors is not None
        pieces = Pieces.of(sketched_patches(thief, each.descriptors.values[:_LINK_PATCHES]))
        for other, (plane, candidate) in enumerate(zip(under, victims, strict=True)):
            scores[number, other] = tried(pieces, plane, candidate.frame)[1].mean()
    # Some PDQs fit everything well: what counts is how much better than it fits others.
    scores -= scores.mean(axis=0)
    right = float((scores.argmax(axis=1) == np.arange(len(victims))).mean())
    return {"pictures": len(victims), "right": right, "by_chance": 1 / len(victims)}


def run(pictures: int | None = None, plot: Path | None = None) -> dict[str, Any]:
    """Measure, with so many photographs of each part or all; the contact sheet goes into the folder `plot`."""
    every = photographs()
    parts = {part: [each for each in every if each.part == part] for part in ("open", "held")}
    if pictures is not None:
        parts = {part: few(found, pictures) for part, found in parts.items()}
    thief = learn([victim(each) for each in parts["open"]])
    held = [victim(each) for each in parts["held"]]
    described = [each for each in held if each.descriptors is not None]
    by_name = {each.photograph.name: each for each in described}

    def spread(count: int) -> list[Victim]:
        return [by_name[each.name] for each in few([each.photograph for each in described], count)]

    judge = Judge(held)
    planes = {each.photograph.name: drawn_plane(thief, each.pdq) for each in held}
    grey = thief.plane.mean.reshape(SIDE, SIDE)
    rows = [
        judge.row("nothing: the mean photograph", dict.fromkeys(planes, grey)),
        judge.row(
            "PDQ: the nearest known photograph", {each.photograph.name: nearest(thief, each.pdq) for each in held}
        ),
        judge.row("PDQ: learnt map", planes),
    ]
    put, shares = _puzzles(thief, spread(PUZZLED))
    rows.append(judge.row("PDQ, for the pictures of the next line", {name: planes[name] for name in put}))
    rows.append(judge.row("PDQ and descriptors, places guessed", put))
    ways: list[tuple[str, int, bool, bool]] = [
        *((f"PDQ and {count} descriptors with placement", count, True, False) for count in COUNTS),
        (f"the same, places rounded to {NEAR} pixels", MOST, True, True),
        ("descriptors with placement, no PDQ", MOST, False, False),
    ]
    areas: dict[str, Mask] = {}
    for who, count, with_pdq, coarse in ways:
        made = {}
        for each in described:
            name = each.photograph.name
            made[name], areas[name] = _placed(thief, each, planes[name] if with_pdq else grey, count, coarse)
        rows.append(judge.row(who, made, areas))
    rows.append(judge.row("PDQ alone, where those patches lie", {name: planes[name] for name in areas}, areas))
    if plot is not None:
        sheet(thief).save(plot / "leakage.jpg", quality=80)
    return {
        "learnt_on": len(thief.known),
        "held_out": len(held),
        "described": len(described),
        "people": len(judge.people),
        "patches": _patches(thief, described),
        "rows": rows,
        "puzzle": shares,
        "linked": _linked(thief, spread(LINKED)),
        "neighbours": _neighbours(thief.known, described),
        "films": leakage_films.run([each.photograph.path for each in spread(leakage_films.FILMS)]),
    }


def _patches(thief: Thief, victims: list[Victim]) -> dict[str, float]:
    """How like their originals drawn patches are, one by one; and one and the same mean patch for all."""
    own, mean, count = [], [], []
    for each in victims:
        assert each.descriptors is not None
        true, _ = patches_at(each, each.descriptors.placement.places)
        drawn = sketched_patches(thief, each.descriptors.values)
        own += [correlation(one, other) for one, other in zip(drawn, true, strict=True)]
        mean += [correlation(thief.patch.mean, one.ravel()) for one in true]
        count.append(len(true))
    return {
        "of_a_picture": float(np.mean(count)),
        "correlation": float(np.mean(own)),
        "mean_patch": float(np.mean(mean)),
    }


def sheet(thief: Thief, names: Sequence[str] = SHOWN, side: int = 200) -> Image.Image:
    """Pictures in rows: the photograph; from its PDQ; patches; places guessed; placed alone; placed over the PDQ."""
    by_name = {each.name: each for each in photographs()}
    heads = ("photograph", "from its PDQ", "patches, no placement", "places guessed", "with placement", "… and PDQ")
    page = Image.new("L", (len(heads) * (side + 6), len(names) * (side + 6) + 16), 255)
    pen = ImageDraw.Draw(page)
    for column, head in enumerate(heads):
        pen.text((column * (side + 6) + 3, 3), head.replace("…", "..."), fill=0)
    for row, name in enumerate(names):
        for column, plane in enumerate(_shown(thief, victim(by_name[name]))):
            height, width = plane.shape
            size = round(width * side / max(plane.shape)), round(height * side / max(plane.shape))
            image = Image.fromarray(np.clip(resized(plane, size), 0, 255).astype(np.uint8))
            page.paste(image, (column * (side + 6) + 3, row * (side + 6) + 19))
    return page


def _shown(thief: Thief, of: Victim) -> list[Plane]:
    assert of.descriptors is not None
    size = drawn_size(of.frame)
    pdq = drawn_plane(thief, of.pdq)
    drawn = sketched_patches(thief, of.descriptors.values)
    places, _ = tried(Pieces.of(drawn), pdq, of.frame)
    tiles = np.full((8 * (PATCH + 2), 8 * (PATCH + 2)), 255, np.float32)
    for number, patch in enumerate(drawn):
        top, left = (at * (PATCH + 2) for at in divmod(number, 8))
        tiles[top : top + PATCH, left : left + PATCH] = 128 + 50 * patch
    grey = thief.plane.mean.reshape(SIDE, SIDE)
    return [
        resized(of.square, size),
        resized(pdq, size),
        tiles,
        put_together(thief, pdq, of.descriptors.values, places, size),
        _placed(thief, of, grey, len(drawn))[0],
        _placed(thief, of, pdq, len(drawn))[0],
    ]


def table(found: dict[str, Any]) -> Table:
    """The figures for people."""
    shown = Table(
        title=f"What a stolen bank tells: {found['held_out']} photographs, learnt on {found['learnt_on']} others"
    )
    for column in ("thief has", "pictures", "correlation", "SSIM", "SSIM there", "coverage", "picked out", "of people"):
        shown.add_column(column, justify="left" if column == "thief has" else "right")
    for row in found["rows"]:
        there, area, people = row["ssim_where_patches_lie"], row["coverage"], row["picked_out_of_people"]
        shown.add_row(
            row["who"],
            str(row["pictures"]),
            f"{row['correlation']:.2f}",
            f"{row['ssim']:.2f}",
            "" if there is None else f"{there:.2f}",
            "" if area is None else f"{area:.0%}",
            f"{row['picked_out']:.0%}",
            "" if people is None else f"{people:.0%}",
        )
    patches, puzzle, linked = found["patches"], found["puzzle"], found["linked"]
    for what, value, chance in (
        ("one patch and its original: correlation (mean patch)", patches["correlation"], patches["mean_patch"]),
        ("patches put near their place without placement (chance)", puzzle["near"], puzzle["by_chance"]),
        ("two descriptors told to be neighbours, area under ROC (chance)", found["neighbours"]["network"], 0.5),
        (f"descriptors told by their PDQ, of {linked['pictures']} (chance)", linked["right"], linked["by_chance"]),
    ):
        shown.add_row(what, "", f"{value:.2f} ({chance:.2f})")
    for way, told in found["films"].items():
        what = f"a film's {told['stills']:.1f} stills ({way}): share of one that all reach (its own patches)"
        shown.add_row(what, "", f"{told['together']:.0%} ({told['alone']:.0%})")
    return shown


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = run(arguments.pictures, arguments.plot)
    if arguments.json:
        print(json.dumps(found))
    else:
        Console(width=160).print(table(found))


if __name__ == "__main__":
    main()
