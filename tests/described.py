"""Pictures with descriptors, made up, and a platform that was let have them."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reclaim.bank.cases.services import NewCase, NewItem, PictureSignals, create_case
from reclaim.bank.platforms.services import add_key
from reclaim.signals.descriptors import ANGLES, BYTES, MOST, Placement, name_of
from tests.personas import ActingPlatform, pdq_value
from tests.v2 import Native

FRAME = (512, 384)


def values_of(seed: int, count: int = MOST) -> np.ndarray:
    """Descriptors as a picture's, count x 32; the same seed gives the same ones."""
    drawn = np.random.default_rng(seed).integers(0, 256, (count, BYTES), dtype=np.uint8)
    return np.array(sorted(map(bytes, drawn))).view(np.uint8).reshape(count, BYTES)


def places_of(seed: int, count: int = MOST) -> np.ndarray:
    """Where they lie, count x 4: all over a picture of 512 x 384."""
    ranges = ((24, 488), (24, 360), (2, 7), (0, ANGLES))
    chance = np.random.default_rng(seed + 1_000_000)
    return np.stack([chance.integers(*between, count) for between in ranges], axis=1).astype(np.int16)


def placement_of(seed: int, count: int = MOST) -> Placement:
    """Their placement."""
    return Placement(FRAME, places_of(seed, count))


def sent_placement(seed: int) -> dict[str, Any]:
    """The same as a person's page sends it."""
    return {"frame": [*FRAME], "places": places_of(seed).tolist()}


def text_of(seed: int, count: int = MOST) -> str:
    """The same descriptors as they are sent."""
    return base64.b64encode(values_of(seed, count).tobytes()).decode()


def name(seed: int, count: int = MOST) -> str:
    """What names them."""
    return name_of(values_of(seed, count))


def described(seed: int, **more: Any) -> PictureSignals:
    """A picture of which descriptors are given."""
    return PictureSignals(pdq_value(seed), 90, descriptors=text_of(seed), placement=placement_of(seed), **more)


def a_described_case(*seeds: int, **more: Any) -> NewCase:
    """A person's case with such pictures."""
    return create_case([NewItem.picture(number, described(seed, **more)) for number, seed in enumerate(seeds, 1)])


def pairs_of(seed: int, count: int = 20) -> list[list[int]]:
    """What a platform that has the very picture finds of it: the first of its descriptors, each in its place."""
    return [[slot, *map(int, place), 0] for slot, place in enumerate(places_of(seed)[:count])]


@dataclass
class Follower(Native):
    """A platform with a key of its own for descriptors and source photographs, which follows them alone."""

    key: str = ""
    types: str = "descriptors,source"
    ordinary: Native = field(init=False)
    """The same platform, as it follows everything else."""

    @classmethod
    def let_have(cls, name: str = "Example", *scopes: str, acting: ActingPlatform | None = None) -> Follower:
        """A new platform, or one that is there, and a key with these scopes beside what all have; without any, both."""
        acting = acting or ActingPlatform.vetted(name)
        opens = ["fetch", "feedback", *(scopes or ("descriptors", "sources"))]
        made = cls(acting, key=add_key(acting.platform, opens, actor="operator", grants=True)[1])
        made.ordinary = Native(acting)
        return made

    def headers(self, use: str) -> dict[str, str]:
        """Its one key opens all that it asks for here."""
        return {"Authorization": f"Bearer {self.key}"}

    def follows(self) -> list[Any]:
        """Fetch and store everything of the extra types since the last time; what came."""
        return self.sync(types=self.types)

    def asks(self, seed: int, pairs: list[list[int]] | None = None, **more: Any) -> Any:
        """Whether an upload shows a picture; the raw answer."""
        body = {"value": name(seed), "frame": list(FRAME), "pairs": pairs or pairs_of(seed), **more}
        return self.post("placements/check", body)
