"""Bars, captions and an app's screen are cut away from a luma square, to the bit as the vectors say."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from reclaim.signals import hamming, pdq_of_luma, read_luma
from reclaim.signals.luma import squared
from reclaim.signals.trim import trim
from reclaim.signals.views import CODE_BYTES, read_views
from tools import make_trim_vectors

ROOT = Path(__file__).parents[3]
PHOTOS = ROOT / "tests" / "photos"
VECTORS = json.loads((ROOT / "conformance" / "vectors" / "trim.json").read_text("utf-8"))["cases"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_square_by_formula_is_trimmed_as_the_vector_says(vector):
    square = make_trim_vectors.square_of(vector["layers"])
    assert hashlib.sha256(square.tobytes()).hexdigest() == vector["pixels_sha256"]
    found = trim(square)
    assert (None if found is None else list(found)) == vector["trimmed"]


def test_the_vectors_are_what_the_tool_writes():
    assert make_trim_vectors.cases() == VECTORS


@pytest.mark.parametrize("name", ["cat.jpg", "photographer.jpg", "hills.jpg"])
def test_a_photograph_in_a_frame_has_the_signal_it_had_without(name):
    with Image.open(PHOTOS / name) as photo:
        framed = ImageOps.expand(photo.convert("RGB"), border=(40, 90), fill="black")
    file = io.BytesIO()
    framed.save(file, "JPEG", quality=70)
    square = read_luma(file.getvalue())
    left, top, right, bottom = trim(square)
    part = np.ascontiguousarray(square[top:bottom, left:right])
    # As a browser makes it: the part resized to a square. A platform samples the part where it lies, see `views`.
    inside = pdq_of_luma(squared(lambda first, end: part[first:end], right - left, bottom - top))
    assert hamming(inside.value, pdq_of_luma(read_luma(PHOTOS / name)).value) <= 20
    [view] = [view for view in read_views(file.getvalue()).views if view.kind == "trimmed"]
    assert hamming(inside.value, view.codes[:CODE_BYTES].hex()) <= 4


@pytest.mark.parametrize("name", ["hills.jpg", "night-bridge.jpg", "pale-sky.jpg", "galaxies.jpg", "moose.jpg"])
def test_nothing_is_cut_off_a_photograph_s_own_sky(name):
    assert trim(read_luma(PHOTOS / name)) is None


def test_what_is_no_square_is_refused():
    with pytest.raises(ValueError, match="rows as columns"):
        trim(np.zeros((3, 4), np.uint8))
