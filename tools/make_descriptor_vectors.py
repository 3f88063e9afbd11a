"""Write conformance/vectors/descriptors.json: squares by formula and the descriptors any implementation must give.

The oracle is `tools/descriptors_reference.py`, which uses none of the product's code but the learnt tests.

    python -m tools.make_descriptor_vectors
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from tools import descriptors_reference as reference
from tools.learn_pattern import HEADER
from tools.make_vectors import pixels

TARGET = Path(__file__).parents[1] / "conformance" / "vectors" / "descriptors.json"
MOST_UPLOAD = 300

CASES: list[tuple[str, int, int, dict[str, Any]]] = [
    ("soft shapes", 1024, 768, {"formula": "landscape", "seed": 5, "cell": 48}),
    ("hard shapes", 600, 900, {"formula": "blocks", "seed": 8, "cell": 29}),
    ("noise, very wide", 3000, 500, {"formula": "noise", "seed": 11}),
    ("equal corners", 512, 512, {"formula": "checkers", "cell": 37}),
    ("too narrow for a patch", 8000, 200, {"formula": "landscape", "seed": 5, "cell": 48}),
    ("flat", 640, 480, {"formula": "flat", "value": 90}),
]


def tests() -> reference.Tests:
    """The learnt tests, 256 x 4, as the kernel has them."""
    found = re.findall(r"\{(-?\d+), (-?\d+), (-?\d+), (-?\d+)\}", HEADER.read_text())
    return np.array(found, np.int64)


def case(name: str, width: int, height: int, formula: dict[str, Any]) -> dict[str, Any]:
    """One case, worked out."""
    square = pixels(512, 512, "grey", formula)
    person = reference.describe(square, width, height, tests())
    upload = reference.describe_upload(square, width, height, MOST_UPLOAD, tests())
    values = b"".join(corner.value for corner in person)
    enough = len(person) >= reference.LEAST
    return {
        "name": name,
        "width": width,
        "height": height,
        "pixels": formula,
        "luma512_sha256": hashlib.sha256(square.tobytes()).hexdigest(),
        "descriptors": base64.b64encode(values).decode() if enough else None,
        "placement": [list(corner.place) for corner in person] if enough else None,
        "upload_count": len(upload),
        "upload_sha256": hashlib.sha256(b"".join(corner.value + corner.mirrored for corner in upload)).hexdigest(),
    }


def main() -> None:
    """Write the file."""
    vectors = {
        "about": "Descriptors of squares made by formula; see README.md beside this file",
        "provenance": {"written_by": "tools/make_descriptor_vectors.py", "numpy": np.__version__},
        "cases": [case(*each) for each in CASES],
    }
    text = json.dumps(vectors, indent=1)
    text = re.sub(r"\[\s+(\d+),\s+(\d+),\s+(\d+),\s+(\d+)\s+\]", r"[\1, \2, \3, \4]", text)
    TARGET.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
