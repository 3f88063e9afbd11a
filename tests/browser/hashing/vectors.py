"""The pixels of the shared vectors, rebuilt from the formulas in their README."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.int64]
LOW32 = 0xFFFFFFFF


def _scramble(x: Plane, y: Plane, seed: int) -> Plane:
    h = (x * 73856093 & LOW32) ^ (y * 19349663 & LOW32) ^ (seed * 83492791 & LOW32)
    h = h ^ (h >> 15)
    h = _times(h, 2654435761)
    h = h ^ (h >> 13)
    return _times(h, 1540483477) >> 24


def _times(h: Plane, factor: int) -> Plane:
    return np.asarray((h.astype(np.uint64) * np.uint64(factor)) & np.uint64(LOW32)).astype(np.int64)


def _clouds(x: Plane, y: Plane, seed: int, cell: int) -> Plane:
    left, top, u, v = x // cell, y // cell, x % cell, y % cell
    upper = _scramble(left, top, seed) * (cell - u) + _scramble(left + 1, top, seed) * u
    lower = _scramble(left, top + 1, seed) * (cell - u) + _scramble(left + 1, top + 1, seed) * u
    return np.asarray((upper * (cell - v) + lower * v + (cell * cell) // 2) // (cell * cell), dtype=np.int64)


def _noise(count: int, seed: int) -> Plane:
    values = np.empty(count, dtype=np.int64)
    for i in range(count):
        seed = (seed * 1664525 + 1013904223) & LOW32
        values[i] = seed >> 24
    return values


def _plane(formula: str, width: int, height: int, p: dict[str, int]) -> Plane:
    y: Plane
    x: Plane
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    if formula == "flat":
        return np.full((height, width), p["value"], dtype=np.int64)
    if formula == "gradient":
        return ((x * p["across"] + y * p["down"]) // p["over"]) % 256
    if formula == "checkers":
        return ((x // p["cell"] + y // p["cell"]) % 2) * 255
    if formula == "noise":
        return _noise(width * height, p["seed"]).reshape(height, width)
    if formula == "blocks":
        return _scramble(x // p["cell"], y // p["cell"], p["seed"])
    if formula == "clouds":
        return _clouds(x, y, p["seed"], p["cell"])
    if formula == "landscape":
        fine = _clouds(x, y, p["seed"] + 1, max(p["cell"] // 8, 1))
        return (3 * _clouds(x, y, p["seed"], p["cell"]) + fine) // 4
    raise ValueError(f"the vectors use a formula that this test does not know: {formula}")


def pixels(case: dict[str, Any]) -> NDArray[np.uint8]:
    """The bytes of one case: height x width for grey, else height x width x channels."""
    parameters = dict(case["pixels"])
    formula = parameters.pop("formula")
    planes = []
    for channel in range({"grey": 1, "rgb": 3, "rgba": 4}[case["channels"]]):
        own = {**parameters, "seed": parameters["seed"] + 101 * channel} if "seed" in parameters else parameters
        planes.append(_plane(formula, case["width"], case["height"], own).astype(np.uint8))
    return planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)
