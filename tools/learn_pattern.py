"""Learn the 256 tests of local descriptors from photographs, and write them for the kernel and the browser.

    python -m tools.learn_pattern [--photographs bench/corpus] [--write]

Another pattern makes another kind of signal: every descriptor that a bank holds would be lost. So nothing is written
unless it is asked for. docs/descriptors.md says from which photographs the pattern in use was learnt.

Of every fourth photograph of the folder (the others measure what was learnt) those without people are taken: patterns
learnt from portraits on a plain ground tell other portraits apart less well. Patches about the corners of each
and about the same corners of edited copies (cropped, made smaller, tilted, saved badly, blurred with noise) tell of
every possible test how often it turns over though the patch is the same. The steadiest come first; one is taken if it
is balanced over all patches and tells little that a test taken before does not: how little is loosened until there
are 256. That is the greedy search of the paper on ORB (Rublee and others, 2011), with steadiness for its order.
"""

from __future__ import annotations

import argparse
import io
import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from reclaim.signals.descriptors import describe_upload
from reclaim.signals.luma import square
from tools import descriptors_reference as reference

ROOT = Path(__file__).parents[1]
HEADER = ROOT / "src" / "reclaim" / "signals" / "_descriptors_pattern.h"
MODULE = ROOT / "src" / "reclaim" / "web" / "hashing" / "descriptors_pattern.js"
TESTS = 256
SEED = 20
EVERY = 4
SCENES = ("animal-", "place-", "room-", "sea-")
SPACING = 2
NEAREST = 3
UNBALANCED = 0.2
LOOSER = 0.02
FIRST_LIMIT = 0.5
PAIRS_OF_A_COPY = 40

Matrix = npt.NDArray[np.float64]
Point = npt.NDArray[np.int64]


class Patches:
    """A picture's corners, and the smoothed shades at every point of each patch, turned upright."""

    def __init__(self, picture: Image.Image, points: Point, *, person: bool) -> None:
        luma, frame = square(picture.convert("L")), reference.frame_of(*picture.size)
        kept = describe_upload(luma, *picture.size).places.tolist()
        if person:
            kept = [place for place in kept if place[2] in reference.PERSON_LEVELS]
        places: list[tuple[float, ...]] = []
        shades: list[npt.NDArray[np.uint16]] = []
        for level in sorted({place[2] for place in kept}):
            width, height = reference.level_size(frame, level)
            smooth = reference.smoothed(reference.resized(luma, width, height))
            for left, top, _, angle in (place for place in kept if place[2] == level):
                x, y = (2 * left + 1) * width // (2 * frame[0]), (2 * top + 1) * height // (2 * frame[1])
                ends = reference.turned(points, angle) + np.array([x, y])
                shades.append(smooth[ends[:, 1], ends[:, 0]].astype(np.uint16))
                places.append(((x + 0.5) * frame[0] / width, (y + 0.5) * frame[1] / height, level, angle))
        self.places = np.array(places, np.float64).reshape(-1, 4)
        self.shades = np.array(shades, np.uint16).reshape(-1, len(points))


def copies(picture: Image.Image, generator: np.random.Generator) -> Iterator[tuple[Image.Image, Matrix]]:
    """Edited copies, each with the 3 x 3 matrix from the picture's pixels to its own."""
    width, height = picture.size
    for kept in (0.85, 0.6):
        wide, high = round(width * kept), round(height * kept)
        x, y = int(generator.integers(0, width - wide + 1)), int(generator.integers(0, height - high + 1))
        yield picture.crop((x, y, x + wide, y + high)), np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1.0]])
    for degrees in (-10, 25):
        turn = math.radians(degrees)
        c, s, across, down = math.cos(turn), math.sin(turn), width / 2, height / 2
        shift = (across - c * across - s * down, down + s * across - c * down)
        matrix = np.array([[c, s, shift[0]], [-s, c, shift[1]], [0, 0, 1.0]])
        yield picture.rotate(degrees, Image.Resampling.BICUBIC), matrix
    small = picture.resize((max(1, round(width * 0.55)), max(1, round(height * 0.55))), Image.Resampling.LANCZOS)
    yield saved(small, 60), np.diag([small.width / width, small.height / height, 1.0])
    noise = generator.normal(0, 6, (height, width, 3))
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(max(width, height) / 700)), np.float64) + noise
    yield saved(Image.fromarray(np.clip(soft, 0, 255).astype(np.uint8)), 85), np.eye(3)


def saved(picture: Image.Image, quality: int) -> Image.Image:
    """As it comes back from a JPEG file."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def same_patches(one: Patches, other: Patches, matrix: Matrix) -> list[tuple[int, int]]:
    """Pairs of corners that lie at the same spot of the scene, alike in size and turn."""
    if not len(one.places) or not len(other.places):
        return []
    scale = math.sqrt(abs(np.linalg.det(matrix)))
    turn = math.atan2(matrix[1, 0], matrix[0, 0]) / (2 * math.pi) * reference.ANGLES
    spots = np.c_[one.places[:, :2], np.ones(len(one.places))] @ matrix.T
    size = 1.2 ** other.places[None, :, 2]
    away = np.hypot(spots[:, None, 0] - other.places[None, :, 0], spots[:, None, 1] - other.places[None, :, 1]) / size
    grown = np.abs(np.log(size / 1.2 ** one.places[:, None, 2] / scale))
    half = reference.ANGLES // 2
    turned = np.abs((other.places[None, :, 3] - one.places[:, None, 3] - turn + half) % reference.ANGLES - half)
    cost = np.where((away <= 2) & (grown < math.log(1.25)) & (turned <= 4), away + 8 * grown, math.inf)
    best = cost.argmin(axis=1)
    return [(i, int(best[i])) for i in range(len(best)) if cost[i, best[i]] < math.inf]


def gather(files: list[Path], points: Point) -> tuple[npt.NDArray[np.uint16], Point]:
    """Shades of all patches (n x points); which pairs are the same patch, in the whole picture and in a copy."""
    generator = np.random.default_rng(SEED)
    shades: list[npt.NDArray[np.uint16]] = []
    pairs: list[tuple[int, int]] = []
    count = 0
    for file in files:
        with Image.open(file) as opened:
            picture = opened.convert("RGB")
        whole = Patches(picture, points, person=True)
        start = count
        shades.append(whole.shades)
        count += len(whole.shades)
        for copy, matrix in copies(picture, generator):
            other = Patches(copy, points, person=False)
            to_frame = np.diag([512 / max(copy.size), 512 / max(copy.size), 1.0])
            from_frame = np.diag([max(picture.size) / 512, max(picture.size) / 512, 1.0])
            found = same_patches(whole, other, to_frame @ matrix @ from_frame)
            for i in generator.permutation(len(found))[:PAIRS_OF_A_COPY]:
                pairs.append((start + found[i][0], count))
                shades.append(other.shades[[found[i][1]]])
                count += 1
    return np.concatenate(shades), np.array(pairs)


def learn(shades: npt.NDArray[np.uint16], pairs: Point, points: Point) -> tuple[Point, float]:
    """TESTS x 4, and how alike two of them may be at most (the absolute correlation)."""
    ends = np.array(
        [
            (i, j)
            for i, j in itertools.combinations(range(len(points)), 2)
            if ((points[i] - points[j]) ** 2).sum() >= NEAREST**2
        ]
    )
    first = np.unique(pairs[:, 0])
    bits = shades[:, ends[:, 0]] < shades[:, ends[:, 1]]
    share = bits[first].mean(axis=0)
    turned_over = (bits[pairs[:, 0]] != bits[pairs[:, 1]]).mean(axis=0)
    restless = (turned_over + 0.01) / np.maximum(2 * share * (1 - share), 0.001)
    order = [int(o) for o in np.argsort(restless, kind="stable") if abs(share[o] - 0.5) <= UNBALANCED]
    spread = np.ascontiguousarray(bits[first].T, np.float32) - share[:, None].astype(np.float32)
    spread /= np.maximum(np.linalg.norm(spread, axis=1, keepdims=True), 1e-6)
    limit: float = FIRST_LIMIT
    while True:
        taken: list[int] = []
        rows = np.zeros((TESTS, len(first)), np.float32)
        for each in order:
            if len(taken) < TESTS and np.abs(rows[: len(taken)] @ spread[each]).max(initial=0) < limit:
                rows[len(taken)] = spread[each]
                taken.append(each)
        if len(taken) == TESTS:
            return np.concatenate([points[ends[taken, 0]], points[ends[taken, 1]]], axis=1), limit
        limit += LOOSER


def lines(items: list[str], count: int) -> str:
    """So many items on a line."""
    return "\n".join("  " + " ".join(items[at : at + count]) for at in range(0, len(items), count))


def write(tests: Point) -> None:
    """Both files, with the same numbers."""
    about = "Written by tools/learn_pattern.py; docs/descriptors.md says how."
    directions = reference.directions().tolist()
    pattern = tests.tolist()
    HEADER.write_text(
        f"/* {about} */\n#ifndef RECLAIM_DESCRIPTORS_PATTERN_H\n#define RECLAIM_DESCRIPTORS_PATTERN_H\n\n"
        f"#include <stdint.h>\n\nenum {{ ANGLES = {reference.ANGLES} }};\n\n"
        "/* A whole turn, from the right towards the bottom, in 16384ths. */\n"
        "static const int16_t DIRECTION[ANGLES][2] = {\n"
        f"{lines([f'{{{x}, {y}}},' for x, y in directions], 6)}\n}};\n\n"
        "/* Each test: x and y of the one end, x and y of the other. */\n"
        f"static const int8_t PATTERN[{TESTS}][4] = {{\n"
        f"{lines([f'{{{a}, {b}, {c}, {d}}},' for a, b, c, d in pattern], 6)}\n}};\n\n#endif\n"
    )
    MODULE.write_text(
        f"// {about}\n\n// A whole turn, from the right towards the bottom, in 16384ths: x and y of each angle.\n"
        "export const DIRECTIONS = Int32Array.of(\n"
        f"{lines([f'{x}, {y},' for x, y in directions], 6)}\n);\n\n"
        "// Each test: x and y of the one end, x and y of the other.\n"
        "export const PATTERN = Int8Array.of(\n"
        f"{lines([f'{a}, {b}, {c}, {d},' for a, b, c, d in pattern], 6)}\n);\n"
    )


def main() -> None:
    """Learn, write, say how alike the tests are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=Path, default=ROOT / "bench" / "corpus")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    files = sorted(options.photographs.glob("*.jpg"))[::EVERY]
    files = [file for file in files if file.name.startswith(SCENES)]
    side = range(-reference.REACH, reference.REACH + 1)
    points = np.array(
        [
            (x, y)
            for y in side
            for x in side
            if x % SPACING == 0 and y % SPACING == 0 and x * x + y * y <= reference.REACH**2
        ]
    )
    shades, pairs = gather(files, points)
    tests, limit = learn(shades, pairs, points)
    if options.write:
        write(tests)
    print(f"{len(files)} photographs, {len(shades)} patches, {len(pairs)} pairs; correlation under {limit:.2f}")


if __name__ == "__main__":
    main()
