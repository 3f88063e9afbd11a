"""Write conformance/vectors/pdq.json: pictures by formula and the values any implementation must give.

The oracles are independent of this project's kernel: Pillow composes, makes luma and resizes; the
`pdqhash` package (the reference implementation's C++ behind a Python binding) computes PDQ. The formulas are
written out in conformance/vectors/README.md.

    python tools/make_vectors.py
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pdqhash
from PIL import Image

Plane = npt.NDArray[np.uint8]
Wide = npt.NDArray[np.uint64]

TARGET = Path(__file__).parents[1] / "conformance" / "vectors" / "pdq.json"
MASK = np.uint64(0xFFFFFFFF)
CHANNELS = {"grey": 1, "rgb": 3, "rgba": 4}
SEED_STEP = 101


def scramble(x: Wide, y: Wide, seed: int) -> Wide:
    """An integer 0 to 255 for a lattice point; every product is taken modulo 2**32."""
    mixed = ((x * np.uint64(73856093)) & MASK) ^ ((y * np.uint64(19349663)) & MASK)
    mixed ^= np.uint64((seed * 83492791) & 0xFFFFFFFF)
    mixed ^= mixed >> np.uint64(15)
    mixed = (mixed * np.uint64(2654435761)) & MASK
    mixed ^= mixed >> np.uint64(13)
    return ((mixed * np.uint64(1540483477)) & MASK) >> np.uint64(24)


def grid(width: int, height: int) -> tuple[Wide, Wide]:
    """The coordinates of every pixel: x and y, each height x width."""
    y, x = np.mgrid[0:height, 0:width].astype(np.uint64)
    return x, y


def noise(width: int, height: int, seed: int) -> Plane:
    """The high bytes of a linear congruential generator, row by row."""
    state = seed
    values = bytearray()
    for _ in range(width * height):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append(state >> 24)
    return np.frombuffer(bytes(values), np.uint8).reshape(height, width)


def blocks(width: int, height: int, seed: int, cell: int) -> Plane:
    """Squares of `cell` pixels, each of one value."""
    x, y = grid(width, height)
    return scramble(x // np.uint64(cell), y // np.uint64(cell), seed).astype(np.uint8)


def clouds(width: int, height: int, seed: int, cell: int) -> Plane:
    """Lattice points `cell` pixels apart, interpolated in integers: soft shapes, like a photograph's."""
    x, y = grid(width, height)
    side = np.uint64(cell)
    one = np.uint64(1)
    left, top, right, low = x // side, y // side, x % side, y % side
    upper = scramble(left, top, seed) * (side - right) + scramble(left + one, top, seed) * right
    lower = scramble(left, top + one, seed) * (side - right) + scramble(left + one, top + one, seed) * right
    area = side * side
    value: Wide = (upper * (side - low) + lower * low + area // np.uint64(2)) // area
    return value.astype(np.uint8)


def landscape(width: int, height: int, seed: int, cell: int) -> Plane:
    """Broad clouds with finer ones upon them."""
    broad = clouds(width, height, seed, cell).astype(np.uint64)
    fine = clouds(width, height, seed + 1, max(cell // 8, 1)).astype(np.uint64)
    return ((broad * np.uint64(3) + fine) // np.uint64(4)).astype(np.uint8)


def gradient(width: int, height: int, across: int, down: int, over: int) -> Plane:
    """A slope that starts again at 256."""
    x, y = grid(width, height)
    return (((x * np.uint64(across) + y * np.uint64(down)) // np.uint64(over)) % np.uint64(256)).astype(np.uint8)


def checkers(width: int, height: int, cell: int) -> Plane:
    """Black and white squares."""
    x, y = grid(width, height)
    side = np.uint64(cell)
    return (((x // side + y // side) % np.uint64(2)) * np.uint64(255)).astype(np.uint8)


def flat(width: int, height: int, value: int) -> Plane:
    """One grey everywhere."""
    return np.full((height, width), value, np.uint8)


FORMULAS: dict[str, Callable[..., Plane]] = {
    "noise": noise,
    "blocks": blocks,
    "clouds": clouds,
    "landscape": landscape,
    "gradient": gradient,
    "checkers": checkers,
    "flat": flat,
}


def pixels(width: int, height: int, channels: str, formula: dict[str, Any]) -> Plane:
    """Height x width for grey, height x width x 3 or 4 otherwise, channel c made with seed + 101 c."""
    parameters = {key: value for key, value in formula.items() if key != "formula"}
    make = FORMULAS[formula["formula"]]
    count = CHANNELS[channels]
    if count == 1:
        return make(width, height, **parameters)
    seed = parameters.pop("seed")
    planes = [make(width, height, seed=seed + SEED_STEP * c, **parameters) for c in range(count)]
    return np.stack(planes, axis=2)


def luma_of(picture: Plane) -> Image.Image:
    """Pillow's luma of the picture over white."""
    image = Image.fromarray(picture)
    if image.mode == "RGBA":
        white = Image.new("RGB", image.size, (255, 255, 255))
        white.paste(image.convert("RGB"), mask=image.getchannel("A"))
        image = white
    return image.convert("L")


def square_of(luma: Image.Image) -> Plane:
    """512x512, along the rows first: asked for both sides at once, Pillow 13 picks the order by the shape."""
    rows = luma.resize((512, luma.height), Image.Resampling.BILINEAR)
    return np.asarray(rows.resize((512, 512), Image.Resampling.BILINEAR))


def oracle(luma: Plane) -> tuple[str, int]:
    """The reference implementation's value and quality of a luma plane."""
    bits, quality = pdqhash.compute(np.repeat(luma[:, :, np.newaxis], 3, axis=2))
    return np.packbits(bits.astype(np.uint8)).tobytes().hex(), quality


def turned(luma: Plane) -> dict[str, Plane]:
    """The eight ways a square can lie, named as the reference does (quarter turns anticlockwise)."""
    # Written out again on purpose, although reclaim.signals.pdq has the same: what the vectors judge must not be what
    # makes them.
    return {
        "original": luma,
        "rotate90": np.rot90(luma, 1),
        "rotate180": np.rot90(luma, 2),
        "rotate270": np.rot90(luma, 3),
        "flipx": luma[::-1, :],
        "flipy": luma[:, ::-1],
        "flipplus1": luma.T,
        "flipminus1": luma[::-1, ::-1].T,
    }


def sha256(plane: Plane) -> str:
    """Hex digest of the pixel bytes, row by row, channels side by side."""
    return hashlib.sha256(np.ascontiguousarray(plane).tobytes()).hexdigest()


def case(name: str, width: int, height: int, channels: str, **formula: Any) -> dict[str, Any]:
    """One vector."""
    picture = pixels(width, height, channels, formula)
    luma = luma_of(picture)
    square = square_of(luma)
    value, quality = oracle(square)
    full = oracle(np.asarray(luma)) if min(width, height) >= 5 else (None, None)
    return {
        "name": name,
        "width": width,
        "height": height,
        "channels": channels,
        "pixels": formula,
        "pixels_sha256": sha256(picture),
        "luma_sha256": sha256(np.asarray(luma)),
        "luma512_sha256": sha256(square),
        "pdq": value,
        "quality": quality,
        "turns": {turn: oracle(np.ascontiguousarray(plane))[0] for turn, plane in turned(square).items()},
        "unscaled_pdq": full[0],
        "unscaled_quality": full[1],
    }


def cases() -> list[dict[str, Any]]:
    """Every vector, small ones first."""
    return [
        case("one pixel", 1, 1, "grey", formula="flat", value=90),
        case("too small for the kernel, not for a file", 3, 9, "grey", formula="noise", seed=11),
        case("smallest the kernel takes", 5, 5, "grey", formula="noise", seed=5),
        case("a line of pixels", 700, 1, "grey", formula="noise", seed=77),
        case("the grid itself", 64, 64, "grey", formula="clouds", seed=64, cell=9),
        case("odd and small", 63, 80, "grey", formula="clouds", seed=6380, cell=11),
        case("flat grey", 512, 512, "grey", formula="flat", value=128),
        case("white", 300, 200, "grey", formula="flat", value=255),
        case("black", 300, 200, "grey", formula="flat", value=0),
        case("checkers", 512, 512, "grey", formula="checkers", cell=32),
        case("checkers that alias", 513, 511, "grey", formula="checkers", cell=1),
        case("slope", 512, 512, "grey", formula="gradient", across=1, down=0, over=2),
        case("slope that starts again", 640, 480, "grey", formula="gradient", across=3, down=5, over=4),
        case("noise", 512, 512, "grey", formula="noise", seed=1),
        case("blocks", 256, 256, "grey", formula="blocks", seed=3, cell=16),
        case("clouds at 512", 512, 512, "grey", formula="clouds", seed=512, cell=73),
        case("landscape at 512", 512, 512, "grey", formula="landscape", seed=40, cell=96),
        case("landscape, wide", 1000, 700, "grey", formula="landscape", seed=41, cell=160),
        case("landscape, tall", 511, 1400, "grey", formula="landscape", seed=42, cell=140),
        case(
            "landscape, reduced and enlarged",
            1537,
            130,
            "grey",
            formula="landscape",
            seed=43,
            cell=90,
        ),
        case("colour noise", 200, 150, "rgb", formula="noise", seed=9),
        case("colour landscape", 1000, 700, "rgb", formula="landscape", seed=44, cell=160),
        case("colour landscape, small", 320, 240, "rgb", formula="landscape", seed=45, cell=60),
        case("colour clouds, prime sides", 997, 613, "rgb", formula="clouds", seed=46, cell=101),
        case("see-through noise", 100, 120, "rgba", formula="noise", seed=21),
        case("see-through landscape", 640, 427, "rgba", formula="landscape", seed=47, cell=120),
        case("see-through blocks", 512, 512, "rgba", formula="blocks", seed=48, cell=40),
    ]


def main() -> None:
    """Write the file."""
    document = {
        "about": "PDQ of pictures made by formula; see README.md beside this file",
        "provenance": {
            "written_by": "tools/make_vectors.py",
            "luma_and_resize": f"Pillow {version('pillow')}",
            "pdq": f"pdqhash {version('pdqhash')}",
        },
        "cases": cases(),
    }
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
