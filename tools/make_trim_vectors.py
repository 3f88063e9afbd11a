"""Write conformance/vectors/trim.json: squares laid together from formulas, and where the picture in each lies.

The first cases are known by how they are made: the picture is a layer, and the tool stops if it is not what is found.
The others are layers at random, for what an implementation does where nothing is clear.

    python -m tools.make_trim_vectors
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np

from reclaim.signals.trim import trim
from tools.make_vectors import FORMULAS, Plane, sha256

TARGET = Path(__file__).parents[1] / "conformance" / "vectors" / "trim.json"
SIDE = 512
RANDOM_CASES = 40

Box = tuple[int, int, int, int]
WHOLE: Box = (0, 0, SIDE, SIDE)


def layer(box: Box, formula: str, **parameters: int) -> dict[str, Any]:
    """A rectangle (left, top, right, bottom, the last two not in it) filled by a formula of `tools.make_vectors`."""
    return {"box": list(box), "pixels": {"formula": formula, **parameters}}


def square_of(layers: list[dict[str, Any]]) -> Plane:
    """The layers, each over those before it."""
    square = np.zeros((SIDE, SIDE), np.uint8)
    for each in layers:
        left, top, right, bottom = each["box"]
        parameters = {key: value for key, value in each["pixels"].items() if key != "formula"}
        make = FORMULAS[each["pixels"]["formula"]]
        square[top:bottom, left:right] = make(right - left, bottom - top, **parameters)
    return square


def case(name: str, layers: list[dict[str, Any]]) -> dict[str, Any]:
    """One vector."""
    square = square_of(layers)
    found = trim(square)
    return {
        "name": name,
        "layers": layers,
        "pixels_sha256": sha256(square),
        "trimmed": None if found is None else list(found),
    }


def picture(box: Box, seed: int) -> dict[str, Any]:
    """A layer like a photograph."""
    return layer(box, "landscape", seed=seed, cell=60)


def text(box: Box, seed: int, lines: int = 1) -> list[dict[str, Any]]:
    """Lines like writing upon what is there, eight pixels high and twelve apart, from the box's top."""
    left, top, right, _ = box
    return [
        layer((left, top + 12 * number, right, top + 12 * number + 8), "blocks", seed=seed + number, cell=2)
        for number in range(lines)
    ]


def known() -> list[tuple[str, list[dict[str, Any]], Box | None]]:
    """Cases of which it is known what must be found."""
    white = layer(WHOLE, "flat", value=255)
    black = layer(WHOLE, "flat", value=0)
    dark = layer(WHOLE, "flat", value=24)
    inside = (40, 150, 472, 330)
    bubble = (130, 100, 500, 320)
    return [
        ("all picture", [picture(WHOLE, 1)], None),
        ("nothing at all", [white], None),
        ("black bars above and below", [black, picture((0, 60, 512, 452), 2)], (0, 60, 512, 452)),
        ("white bars left and right", [white, picture((97, 0, 415, 512), 3)], (97, 0, 415, 512)),
        ("a frame", [dark, picture((9, 14, 503, 498), 4)], (9, 14, 503, 498)),
        ("a bar too thin to matter", [white, picture((0, 0, 512, 510), 5)], None),
        ("one bar", [layer(WHOLE, "flat", value=128), picture((0, 0, 512, 401), 6)], (0, 0, 512, 401)),
        ("a caption above", [white, *text((20, 12, 490, 0), 7, 3), picture((0, 60, 512, 512), 7)], (0, 60, 512, 512)),
        (
            "a screen of an app",
            [
                white,
                layer((0, 0, 512, 30), "flat", value=90),
                *text((20, 8, 480, 0), 8),
                *text((60, 60, 300, 0), 9, 2),
                picture(inside, 8),
                *text((40, 350, 480, 0), 10, 10),
            ],
            inside,
        ),
        (
            "a bubble of a chat",
            [
                dark,
                *text((30, 20, 200, 0), 11, 2),
                layer((122, 92, 508, 328), "flat", value=70),
                picture(bubble, 9),
                *text((30, 380, 300, 0), 12, 4),
            ],
            bubble,
        ),
        ("a line of text alone", [white, *text((20, 240, 490, 0), 13, 1)], None),
        ("too small to be a picture", [white, picture((200, 200, 240, 300), 11)], None),
    ]


def cases() -> list[dict[str, Any]]:
    """Every vector."""
    made = []
    for name, layers, expected in known():
        vector = case(name, layers)
        if vector["trimmed"] != (None if expected is None else list(expected)):
            raise SystemExit(f"{name}: found {vector['trimmed']}, expected {expected}.")
        made.append(vector)
    chance = random.Random(20)
    for number in range(RANDOM_CASES):
        layers = [layer(WHOLE, "flat", value=chance.randrange(256))]
        for _ in range(chance.randint(1, 5)):
            left, top = chance.randrange(400), chance.randrange(400)
            box = (left, top, chance.randint(left + 20, SIDE), chance.randint(top + 10, SIDE))
            seed, cell = chance.randrange(1000), chance.randint(3, 90)
            kind = chance.choice(["landscape", "clouds", "blocks", "flat", "gradient", "noise"])
            parameters = {
                "flat": {"value": chance.randrange(256)},
                "gradient": {"across": chance.randrange(3), "down": chance.randrange(3), "over": chance.randint(1, 9)},
                "noise": {"seed": seed},
            }.get(kind, {"seed": seed, "cell": cell})
            layers.append(layer(box, kind, **parameters))
        made.append(case(f"layers at random, {number + 1}", layers))
    return made


def main() -> None:
    """Write the file."""
    document = {
        "about": "Where the picture in a square lies; see README.md beside this file",
        "provenance": {"written_by": "tools/make_trim_vectors.py"},
        "cases": cases(),
    }
    TARGET.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
