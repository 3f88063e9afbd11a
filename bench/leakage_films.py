"""How much more of a film's scene its stills tell together than one of them.

The share of a still that patches of all of them reach, with and without the rule that of what looks alike there is one
still. A film here is one photograph over which the camera moves: a scene in which nothing else happens, so that every
patch of every still can be laid where it belongs.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from bench import clips
from bench.clips import Window
from reclaim.signals.crew import usable_processors
from reclaim.signals.descriptors import FRAME, describe
from reclaim.signals.errors import PoorSignal
from reclaim.signals.frames import ALIKE, DESCRIBED_STILLS, Spread
from reclaim.signals.video import Still, kept_frames

SECONDS = 24.0
REACH = 15
"""Pixels of its level about its middle that the tests of a descriptor reach."""
FILMS = 12
WAYS = {"camera moves": 1.0, "camera hardly moves": 0.25}
"""By how much of the way that `clips.film` takes."""

Mask = npt.NDArray[np.bool_]


class Told(NamedTuple):
    """What the stills of one film tell."""

    stills: int
    alone: float
    """Share of a still that its own patches reach, on average."""
    together: float
    """Share of a still that patches of all of them reach."""


def _reached(places: npt.NDArray[np.int16], seen: Window, onto: Window, mask: Mask) -> None:
    """Mark what these patches of one still reach in another one, by what the camera saw in each."""
    height, width = mask.shape
    for x, y, level, _ in places.tolist():
        across = (seen[0] + seen[2] * x / width - onto[0]) / onto[2] * width
        down = (seen[1] + seen[2] * y / height - onto[1]) / onto[2] * height
        reach = REACH * 1.2**level * seen[2] / onto[2]
        rows, columns = np.ogrid[:height, :width]
        mask |= (rows - down) ** 2 + (columns - across) ** 2 <= reach**2


def _told(film: Path, move: tuple[Window, Window], alike: int) -> Told | None:
    chosen: Spread[tuple[float, Still]] = Spread(DESCRIBED_STILLS, alike)
    for frame, still in kept_frames(film):
        chosen.take(frame.pdq, (frame.seconds / SECONDS, still))
    described = []
    for part, still in chosen.kept:
        try:
            placement = describe(still.luma, still.width, still.height).placement
        except PoorSignal:
            continue
        described.append((clips.moved(move, part), placement.places))
    if not described:
        return None
    width, height = clips.SIZE
    shares = []
    for onto, own in described:
        alone, together = (np.zeros((round(FRAME * height / width), FRAME), bool) for _ in range(2))
        _reached(own, onto, onto, alone)
        for seen, places in described:
            _reached(places, seen, onto, together)
        shares.append((alone.mean(), together.mean()))
    alone_share, together_share = np.mean(shares, axis=0).tolist()
    return Told(len(described), alone_share, together_share)


def _of_one(photo: Path, number: int) -> dict[str, Told | None]:
    picture = ImageOps.exif_transpose(Image.open(photo)).convert("RGB")
    chance = random.Random(number)
    start, far = clips.window(chance), clips.window(chance)
    found = {}
    with tempfile.TemporaryDirectory(prefix="reclaim-bench-") as scratch:
        for way, share in WAYS.items():
            move = start, clips.moved((start, far), share)
            count = round(SECONDS * clips.RATE)
            frames = (clips.view(picture, move, at / count, clips.SIZE) for at in range(count))
            film = clips.write(Path(scratch) / "film.mp4", frames)
            for rule, alike in (("", ALIKE), (", alike ones too", 0)):
                found[way + rule] = _told(film, move, alike)
    return found


def run(photos: Sequence[Path]) -> dict[str, dict[str, float]]:
    """By the way the camera moves, with and without the rule: the means of `Told` over films of these photographs."""
    with ProcessPoolExecutor(usable_processors()) as pool:
        films = list(pool.map(_of_one, photos, range(len(photos))))
    found = {}
    for way in films[0]:
        told = [film[way] for film in films]
        stills, alone, together = np.mean([each for each in told if each is not None], axis=0).tolist()
        found[way] = {"stills": stills, "alone": alone, "together": together}
    return found
