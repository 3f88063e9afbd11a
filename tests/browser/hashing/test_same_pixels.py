"""On the same pixels the browser and the reference implementations give the same bytes."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reclaim.signals.trim import trim
from tests.browser.hashing.conftest import Device
from tests.browser.hashing.reference import encoded, float_luma, pdq_of_luma, pdq_of_rgb, resized, square
from tests.browser.hashing.vectors import pixels
from tests.browser.person.pictures import screenshot
from tools.make_trim_vectors import square_of

VECTORS = Path(__file__).resolve().parents[3] / "conformance" / "vectors" / "pdq.json"

PDQ = """async ({ path, shapes }) => {
  const { pdq } = await import('/static/hashing/pdq.js');
  const bytes = await (await fetch(path)).arrayBuffer();
  let at = 0;
  return shapes.map(([kind, rows, cols]) => {
    const luma = new (kind === 'float' ? Float32Array : Uint8Array)(bytes, at, rows * cols);
    at += Math.ceil(luma.byteLength / 4) * 4;
    const { value, quality } = pdq(luma, rows, cols);
    return [value, quality];
  });
}"""

RESIZE = """async ({ path, sizes }) => {
  const { lumaFromRgba } = await import('/static/hashing/luma.js');
  const { SquareResizer } = await import('/static/hashing/resize.js');
  const bytes = new Uint8Array(await (await fetch(path)).arrayBuffer());
  let at = 0;
  return sizes.map(([width, height, out]) => {
    const resizer = new SquareResizer(width, height, out);
    for (let row = 0; row < height; ) {
      const rows = Math.min(7, height - row);
      const luma = new Uint8Array(rows * width);
      lumaFromRgba(bytes, at / 4, rows * width, luma, 0);
      resizer.add(luma, rows);
      row += rows;
      at += rows * width * 4;
    }
    const square = resizer.finish();
    let text = '';
    for (let i = 0; i < square.length; i += 4096) text += String.fromCharCode(...square.subarray(i, i + 4096));
    return btoa(text);
  });
}"""

SQUARES = """async (paths) => {
  const { readSquare, SIDE } = await import('/static/hashing/picture.js');
  const { pdq } = await import('/static/hashing/pdq.js');
  const results = [];
  for (const path of paths) {
    const { square } = await readSquare(await (await fetch(path)).blob());
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', square));
    const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
    results.push({ sha256, ...pdq(square, SIDE, SIDE) });
  }
  return results;
}"""

Bytes = NDArray[np.uint8]


def structured(kind: int, rows: int, cols: int, rng: np.random.Generator) -> Bytes:
    """One of six kinds of picture, rows x cols x 3: noise, slopes, blocks, stripes, flat, waves under noise."""
    y, x = np.mgrid[0:rows, 0:cols]
    if kind == 0:
        return rng.integers(0, 256, (rows, cols, 3), dtype=np.uint8)
    if kind == 1:
        plane = x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1)
        return np.stack([(plane * (c + 1)) % 256 for c in range(3)], axis=-1).astype(np.uint8)
    if kind == 2:
        cells = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
        return np.asarray(cells[y * 9 // rows, x * 9 // cols])
    if kind == 3:
        stripes = ((x // int(rng.integers(1, 9)) + y // int(rng.integers(1, 9))) % 2 * 255).astype(np.uint8)
        return np.stack([stripes] * 3, axis=-1)
    if kind == 4:
        return np.full((rows, cols, 3), rng.integers(0, 256, 3), dtype=np.uint8)
    waves = 128 + 90 * np.sin(x * rng.uniform(0, 0.2) + 1) * np.cos(y * rng.uniform(0, 0.2))
    noisy = waves[..., None] + rng.normal(0, 12, (rows, cols, 3))
    return np.asarray(np.clip(noisy, 0, 255), dtype=np.uint8)


def test_the_fingerprint_and_its_quality_are_the_reference_programs_to_the_last_bit(device: Device) -> None:
    rng = np.random.default_rng(2024)
    big = [(512, 512)] * 12 + [(700, 1000)] * 3 + [(1000, 700), (511, 513), (640, 128), (129, 640), (1, 9), (4, 400)]
    small = [(5, 5), (64, 64), (63, 80), (65, 64), (128, 128), (127, 129), (5, 300), (257, 6), (193, 200)]
    ranged = [tuple(int(side) for side in rng.integers(5, 330, 2)) for _ in range(100)]
    sizes = big + small * 6 + ranged
    parts, shapes, expected = [], [], []
    for number, (rows, cols) in enumerate(sizes):
        rgb = structured(number % 6, rows, cols, rng)
        luma = float_luma(rgb)
        parts.append(luma.tobytes())
        shapes.append(("float", rows, cols))
        expected.append(pdq_of_rgb(rgb))
        grey = np.ascontiguousarray(rgb[:, :, 1])
        parts.append(grey.tobytes() + b"\0" * (-grey.size % 4))
        shapes.append(("bytes", rows, cols))
        expected.append(pdq_of_luma(grey))
    path = device.site.put("lumas", b"".join(parts))
    found = device.page.evaluate(PDQ, {"path": path, "shapes": shapes})
    assert len(found) >= 300
    wrong = [(shape, got, want) for shape, got, want in zip(shapes, found, expected, strict=True) if tuple(got) != want]
    assert wrong == []
    assert len({value for value, _ in expected}) > 200


def test_a_gradient_that_only_single_precision_rounds_up_counts_as_the_reference_counts_it(device: Device) -> None:
    halves = np.zeros((64, 64, 3), dtype=np.uint8)
    halves[:, :32], halves[:, 32:] = (242, 55, 67), (89, 16, 177)
    luma = float_luma(halves)
    edge = float(luma[0, 31] - luma[0, 32])
    in_double, in_single = int(edge * 100 / 255), pdq_of_rgb(halves)[1]
    assert in_double * 64 // 90 != in_single
    path = device.site.put("halves", luma.tobytes())
    found = device.page.evaluate(PDQ, {"path": path, "shapes": [("float", 64, 64)]})
    assert tuple(found[0]) == pdq_of_rgb(halves)


def test_luma_and_resize_are_pillows_byte_for_byte(device: Device) -> None:
    rng = np.random.default_rng(7)
    sizes = [(1, 1, 512), (2, 3, 512), (5, 5, 512), (64, 64, 512), (511, 513, 512), (512, 512, 512), (512, 300, 512)]
    sizes += [(300, 512, 512), (1000, 700, 512), (1024, 1024, 512), (1537, 11, 512), (13, 2049, 512), (4097, 61, 512)]
    sizes += [(int(w), int(h), int(out)) for w, h, out in rng.integers(1, 400, (60, 3))]
    parts, expected = [], []
    for number, (width, height, out) in enumerate(sizes):
        rgb = structured(number % 6, height, width, rng)
        opaque = np.full((height, width, 1), 255, dtype=np.uint8)
        parts.append(np.concatenate([rgb, opaque], axis=-1).tobytes())
        expected.append(resized(Image.fromarray(rgb).convert("L"), out).tobytes())
    path = device.site.put("pixels", b"".join(parts))
    found = device.page.evaluate(RESIZE, {"path": path, "sizes": sizes})
    wrong = [s for s, got, want in zip(sizes, found, expected, strict=True) if base64.b64decode(got) != want]
    assert wrong == []


def test_every_colour_has_pillows_luma(device: Device) -> None:
    steps = np.array([0, 1, 2, 3, 127, 128, 129, 191, 252, 253, 254, 255, *range(5, 250, 10)], dtype=np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    rgba = np.concatenate([colours, np.full((*colours.shape[:2], 1), 255, dtype=np.uint8)], axis=-1)
    path = device.site.put("colours", rgba.tobytes())
    found = device.page.evaluate(
        """async (path) => {
          const { lumaFromRgba } = await import('/static/hashing/luma.js');
          const rgba = new Uint8Array(await (await fetch(path)).arrayBuffer());
          const luma = new Uint8Array(rgba.length / 4);
          lumaFromRgba(rgba, 0, luma.length, luma, 0);
          return Array.from(luma);
        }""",
        path,
    )
    assert bytes(found) == Image.fromarray(colours).convert("L").tobytes()


def test_the_cosines_do_not_depend_on_the_last_bit_of_a_browsers_cosine(device: Device) -> None:
    found = device.page.evaluate(
        "async () => Array.from((await import('/static/hashing/pdq.js')).COSINES)",
    )
    scale = float(np.float32(math.sqrt(2 / 64)))
    exact = [scale * math.cos((math.pi / 2 / 64) * (i + 1) * (2 * j + 1)) for i in range(16) for j in range(64)]
    slack = 8 * scale * np.finfo(np.float64).eps
    for got, value in zip(found, exact, strict=True):
        assert {float(np.float32(value - slack)), float(np.float32(value + slack))} == {got}


def test_the_shared_vectors_give_the_shared_values_from_a_file(device: Device) -> None:
    cases = json.loads(VECTORS.read_text())["cases"]
    paths: list[str] = []
    for number, case in enumerate(cases):
        made = pixels(case)
        assert hashlib.sha256(made.tobytes()).hexdigest() == case["pixels_sha256"], case["name"]
        picture = Image.fromarray(made)
        paths.append(device.site.put(f"vector{number}", encoded(picture, "PNG", compress_level=1)))
    found = device.page.evaluate(SQUARES, paths)
    wrong = [
        case["name"]
        for case, got in zip(cases, found, strict=True)
        if (got["sha256"], got["value"], got["quality"]) != (case["luma512_sha256"], case["pdq"], case["quality"])
    ]
    assert len(cases) > 10
    assert wrong == []


def test_the_shared_vectors_give_the_shared_values_at_their_own_size(device: Device) -> None:
    cases = [case for case in json.loads(VECTORS.read_text())["cases"] if case["channels"] == "grey"]
    cases = [case for case in cases if case["unscaled_pdq"] is not None]
    made = [pixels(case).tobytes() for case in cases]
    path = device.site.put("unscaled", b"".join(plane + b"\0" * (-len(plane) % 4) for plane in made))
    shapes = [("bytes", case["height"], case["width"]) for case in cases]
    found = device.page.evaluate(PDQ, {"path": path, "shapes": shapes})
    assert found == [[case["unscaled_pdq"], case["unscaled_quality"]] for case in cases]


def test_the_shared_squares_are_trimmed_alike(device: Device) -> None:
    cases = json.loads(VECTORS.with_name("trim.json").read_text())["cases"]
    path = device.site.put("squares", b"".join(square_of(case["layers"]).tobytes() for case in cases))
    found = device.page.evaluate(
        """async (path) => {
          const { trim } = await import('/static/hashing/trim.js');
          const all = new Uint8Array(await (await fetch(path)).arrayBuffer());
          const each = 512 * 512;
          const squares = Array.from({ length: all.length / each }, (_, i) => all.subarray(i * each, (i + 1) * each));
          return squares.map(trim).map((box) => box && [box.left, box.top, box.right, box.bottom]);
        }""",
        path,
    )
    assert found == [case["trimmed"] for case in cases]


def test_the_part_inside_a_screenshot_has_pythons_signal(device: Device) -> None:
    file = screenshot()["buffer"]
    [found] = device.signals({"screen": file}).values()
    whole = square(file)
    box = trim(whole)
    assert box is not None
    inside = Image.fromarray(whole[box.top : box.bottom, box.left : box.right])
    value, quality = pdq_of_luma(np.asarray(resized(inside)))
    shares = {"left": box.left, "top": box.top, "width": box.right - box.left, "height": box.bottom - box.top}
    assert found["trimmed"] == {
        "value": value,
        "quality": quality,
        "box": {name: pixels / 512 for name, pixels in shares.items()},
    }
