"""The browser gives a picture the same descriptors, to the bit, as the kernel does."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reclaim.signals import descriptors, read_luma
from tests.browser.hashing.conftest import Device

PHOTOS = Path(__file__).resolve().parents[2] / "photos"
SIZES = {"astronaut": (512, 512), "coffee": (600, 400), "dogs": (301, 1000), "moose": (1037, 611), "hills": (2000, 500)}

DESCRIBE = """async ({ path, sizes }) => {
  const { describe } = await import('/static/hashing/descriptors.js');
  const all = new Uint8Array(await (await fetch(path)).arrayBuffer());
  const found = sizes.map(([width, height], i) => describe(all.subarray(i << 18, (i + 1) << 18), width, height));
  return found.map((of) => of && { ...of, values: of.values.map((value) => Array.from(value)) });
}"""


def test_the_browser_gives_the_descriptors_that_the_kernel_gives(device: Device) -> None:
    squares = [read_luma(PHOTOS / f"{name}.jpg") for name in SIZES] + [np.full((512, 512), 90, np.uint8)]
    sizes = [*SIZES.values(), (512, 512)]
    path = device.site.put("squares", b"".join(square.tobytes() for square in squares))
    found = device.page.evaluate(DESCRIBE, {"path": path, "sizes": sizes})
    assert found.pop() is None  # a flat picture has none
    for square, size, got in zip(squares, sizes, found, strict=False):
        expected = descriptors.describe(square, *size)
        assert got["text"] == expected.text
        assert got["values"] == expected.values.tolist()
        assert got["placement"]["places"] == expected.placement.places.tolist()
        assert tuple(got["placement"]["frame"]) == expected.placement.frame
