"""Local descriptors worked out slowly and plainly from docs/descriptors.md, with none of the product's own code.

The vectors are made with it and the pattern is learnt with it: it is what the kernel and the browser are held to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.int64]
Tests = npt.NDArray[np.int64]

FRAME = 512
LEVELS = 12
ANGLES = 64
REACH = 15
MARGIN = 16
TENT = (1, 2, 3, 4, 5, 4, 3, 2, 1)
WINDOW = 3
APART = 7
WEAKEST = 5000
MOST = 64
LEAST = 16
SPREAD = 8
GRID = 4
UPLOAD_GRID = 8
PERSON_LEVELS = range(2, 9)
PER_LEVEL = 64
LEAST_ONES = 48
SHADES = 50
DRAWN = 4


class Corner(NamedTuple):
    """One described corner."""

    strength: int
    level: int
    y: int
    x: int
    place: tuple[int, int, int, int]
    value: bytes
    mirrored: bytes


def directions() -> Plane:
    """ANGLES x 2: a whole turn, from the right towards the bottom, in 16384ths."""
    turn = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    return np.floor(np.stack([np.cos(turn), np.sin(turn)], axis=1) * 16384 + 0.5).astype(np.int64)


def halves_up(over: int, under: int) -> int:
    """over / under as the nearest whole number, halves up."""
    return (2 * over + under) // (2 * under)


def frame_of(width: int, height: int) -> tuple[int, int]:
    """The frame of a picture of so many pixels: width and height, the longer 512."""
    longer = max(width, height)
    return max(1, halves_up(width * FRAME, longer)), max(1, halves_up(height * FRAME, longer))


def level_size(frame: tuple[int, int], level: int) -> tuple[int, int]:
    """Width and height of a level of the frame's pyramid."""
    return halves_up(frame[0] * 5**level, 6**level), halves_up(frame[1] * 5**level, 6**level)


def weights(inputs: int, outputs: int) -> Plane:
    """outputs x inputs, in 16384ths."""
    reach = 2 * max(inputs, outputs)
    centre = (2 * np.arange(outputs)[:, None] + 1) * inputs
    share = np.maximum(0, reach - np.abs((2 * np.arange(inputs)[None] + 1) * outputs - centre)).astype(np.int64)
    total = share.sum(axis=1, keepdims=True)
    rounded: Plane = (2 * share * 16384 + total) // (2 * total)
    return rounded


def resized(plane: npt.NDArray[np.uint8], width: int, height: int) -> Plane:
    """The plane made so large, the columns first."""
    # Products of whole numbers below 2^53 are exact in doubles, and quicker there.
    narrow = (weights(plane.shape[0], height).astype(np.float64) @ plane).astype(np.int64) + 8192 >> 14
    across = weights(plane.shape[1], width).T.astype(np.float64)
    wide: Plane = (narrow.astype(np.float64) @ across).astype(np.int64) + 8192 >> 14
    return wide


def smoothed(pixels: Plane) -> Plane:
    """What the tests compare."""
    height, width = pixels.shape
    padded = np.pad(pixels, 4, mode="edge")
    across = np.sum([by * padded[:, k : k + width] for k, by in enumerate(TENT)], axis=0)
    both: Plane = np.sum([by * across[k : k + height] for k, by in enumerate(TENT)], axis=0)
    return both // 3


def _window(product: Plane) -> Plane:
    height, width = product.shape
    padded = np.pad(product, WINDOW)
    down = np.sum([padded[k : k + height] for k in range(2 * WINDOW + 1)], axis=0)
    both: Plane = np.sum([down[:, k : k + width] for k in range(2 * WINDOW + 1)], axis=0)
    return both


def strengths(pixels: Plane) -> Plane:
    """How much of a corner each pixel is; nought where the patch would leave the level."""
    height, width = pixels.shape
    p = np.pad(pixels, 1, mode="edge")
    right, left = p[:, 2:], p[:, :-2]
    slope_x = (right - left)[:-2] + 2 * (right - left)[1:-1] + (right - left)[2:]
    below, above = p[2:], p[:-2]
    slope_y = (below - above)[:, :-2] + 2 * (below - above)[:, 1:-1] + (below - above)[:, 2:]
    a, b, c = (_window(product) for product in (slope_x * slope_x, slope_x * slope_y, slope_y * slope_y))
    inside = np.zeros((height, width), np.int64)
    inner = (slice(MARGIN, height - MARGIN), slice(MARGIN, width - MARGIN))
    inside[inner] = ((a * c - b * b) // (a + c + 1))[inner]
    return inside


def corners(strength: Plane) -> list[tuple[int, int, int]]:
    """(strength, y, x) of each corner of a level, the strongest first."""
    side = 2 * APART + 1
    rows = np.max([np.pad(strength, ((APART, APART), (0, 0)))[k : k + len(strength)] for k in range(side)], axis=0)
    most = np.max([np.pad(rows, ((0, 0), (APART, APART)))[:, k : k + rows.shape[1]] for k in range(side)], axis=0)
    found = []
    for y, x in np.argwhere((strength == most) & (strength >= WEAKEST)).tolist():
        near = strength[y - APART : y + APART + 1, x - APART : x + APART + 1].ravel()
        if int(near.argmax()) == APART * side + APART:  # of equal ones, the first
            found.append((int(strength[y, x]), y, x))
    return sorted(found, key=lambda corner: (-corner[0], corner[1], corner[2]))


def cell(x: int, y: int, width: int, height: int, grid: int) -> int:
    """Which cell of the grid a pixel lies in."""
    return y * grid // height * grid + x * grid // width


def in_turn(found: Sequence[tuple[int, int, int]], width: int, height: int, grid: int) -> list[tuple[int, int, int]]:
    """The same corners: the strongest of each cell first, then the second of each, and so on."""
    ranks: dict[int, int] = {}
    ranked = []
    for strength, y, x in found:
        here = cell(x, y, width, height, grid)
        ranks[here] = ranks.get(here, -1) + 1
        ranked.append((ranks[here], -strength, y, x))
    return [(-strength, y, x) for _, strength, y, x in sorted(ranked)]


def drawn(pixels: Plane, x: int, y: int) -> bool:
    """Whether one shade fills more than a quarter of the patch."""
    j, i = np.mgrid[-REACH : REACH + 1, -REACH : REACH + 1]
    patch = pixels[y - REACH : y + REACH + 1, x - REACH : x + REACH + 1][i * i + j * j <= REACH * (REACH + 1)]
    wide = 1 + (patch.max() - patch.min()) // SHADES
    most = max(np.count_nonzero((patch >= shade) & (patch < shade + wide)) for shade in np.unique(patch))
    return bool(DRAWN * most > len(patch))


def angle_of(pixels: Plane, x: int, y: int) -> int:
    """The bin that the patch's brighter side points to."""
    j, i = np.mgrid[-REACH : REACH + 1, -REACH : REACH + 1]
    patch = pixels[y - REACH : y + REACH + 1, x - REACH : x + REACH + 1] * (i * i + j * j <= REACH * (REACH + 1))
    far = directions() @ np.array([(i * patch).sum(), (j * patch).sum()])
    return int(far.argmax())


def turned(points: Plane, angle: int, mirror: bool = False) -> Plane:
    """... x 2 points turned by a bin; those of the mirrored picture have their y turned over before."""
    c, s = directions()[angle]
    x, y = points[..., 0], -points[..., 1] if mirror else points[..., 1]
    return (np.stack([x * c - y * s, x * s + y * c], axis=-1) + 8192) >> 14


def compared(smooth: Plane, x: int, y: int, tests: Tests, angle: int, mirror: bool = False) -> bytes:
    """The 32 bytes of one patch. tests: 256 x 4."""
    ends = turned(tests.reshape(256, 2, 2), angle, mirror) + np.array([x, y])
    shades = smooth[ends[..., 1], ends[..., 0]]
    return np.packbits(shades[:, 0] < shades[:, 1]).tobytes()


def balanced(value: bytes) -> bool:
    """Whether a real patch could give this value."""
    return LEAST_ONES <= int.from_bytes(value).bit_count() <= 256 - LEAST_ONES


def described(
    plane: npt.NDArray[np.uint8],
    frame: tuple[int, int],
    level: int,
    quota: int,
    grid: int,
    tests: Tests,
    *,
    with_drawn: bool,
) -> list[Corner]:
    """The corners of a level, at most `quota` before those with an unbalanced value are left out."""
    width, height = level_size(frame, level)
    if width <= 2 * MARGIN or height <= 2 * MARGIN:
        return []
    pixels = resized(plane, width, height)
    smooth = smoothed(pixels)
    found = [(strength, y, x) for strength, y, x in corners(strengths(pixels)) if with_drawn or not drawn(pixels, x, y)]
    out = []
    for strength, y, x in in_turn(found, width, height, grid)[:quota]:
        angle = angle_of(pixels, x, y)
        place = ((2 * x + 1) * frame[0] // (2 * width), (2 * y + 1) * frame[1] // (2 * height), level, angle)
        value = compared(smooth, x, y, tests, angle)
        mirrored = compared(smooth, x, y, tests, angle, mirror=True)
        if balanced(value) and balanced(mirrored):
            out.append(Corner(strength, level, y, x, place, value, mirrored))
    return out


def describe(plane: npt.NDArray[np.uint8], width: int, height: int, tests: Tests) -> list[Corner]:
    """A person's descriptors, ascending by value; also where they are too few to be given."""
    frame = frame_of(width, height)
    left = [
        corner
        for level in PERSON_LEVELS
        for corner in described(plane, frame, level, PER_LEVEL, GRID, tests, with_drawn=False)
    ]
    left.sort(key=lambda corner: (-corner.strength, corner.level, corner.y, corner.x))
    chosen: list[Corner] = []
    taken: dict[int, int] = {}
    turn = 0
    while left and len(chosen) < MOST:
        turn += 1
        waiting = []
        for corner in left:
            x, y = corner.place[:2]
            here = cell(x, y, *frame, GRID)
            if taken.get(here, 0) >= turn or len(chosen) == MOST:
                waiting.append(corner)
            elif all(
                (o.place[0] - x) ** 2 + (o.place[1] - y) ** 2 >= SPREAD**2 and o.value != corner.value for o in chosen
            ):
                chosen.append(corner)
                taken[here] = taken.get(here, 0) + 1
        left = waiting
    return sorted(chosen, key=lambda corner: corner.value)


def describe_upload(plane: npt.NDArray[np.uint8], width: int, height: int, most: int, tests: Tests) -> list[Corner]:
    """An upload's descriptors, level by level."""
    frame = frame_of(width, height)
    parts = [5**level * 6 ** (LEVELS - 1 - level) for level in range(LEVELS)]
    return [
        corner
        for level, part in enumerate(parts)
        for corner in described(
            plane, frame, level, halves_up(most * part, sum(parts)), UPLOAD_GRID, tests, with_drawn=True
        )
    ]
