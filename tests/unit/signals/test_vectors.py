"""The shared vectors: the formulas still give the pixels, and the pixels give the values."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reclaim.signals import fingerprint, pdq_of_luma, pdq_of_turns, read_luma

ROOT = Path(__file__).parents[3]
VECTORS = json.loads((ROOT / "conformance" / "vectors" / "pdq.json").read_text("utf-8"))["cases"]


@pytest.fixture(scope="module")
def maker():
    """tools/make_vectors.py, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("make_vectors", ROOT / "tools" / "make_vectors.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=VECTORS, ids=lambda vector: vector["name"])
def vector(request):
    return request.param


def test_a_picture_by_formula_gives_the_vector_s_values(vector, maker):
    pixels = maker.pixels(vector["width"], vector["height"], vector["channels"], vector["pixels"])
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == vector["pixels_sha256"]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")

    luma = read_luma(file.getvalue())
    assert hashlib.sha256(luma.tobytes()).hexdigest() == vector["luma512_sha256"]
    assert pdq_of_luma(luma) == (vector["pdq"], vector["quality"])
    assert {name: pdq.value for name, pdq in pdq_of_turns(luma).items()} == vector["turns"]
    signals = fingerprint(file.getvalue())
    assert (signals.pdq, signals.quality) == (vector["pdq"], vector["quality"])
    assert signals.md5 == hashlib.md5(file.getvalue(), usedforsecurity=False).hexdigest()


def test_the_kernel_alone_gives_the_vector_s_value_at_its_own_size(vector, maker):
    pixels = maker.pixels(vector["width"], vector["height"], vector["channels"], vector["pixels"])
    luma = np.asarray(maker.luma_of(pixels))
    if vector["unscaled_pdq"] is None:
        with pytest.raises(ValueError, match="at least"):
            pdq_of_luma(luma)
    else:
        assert pdq_of_luma(luma) == (vector["unscaled_pdq"], vector["unscaled_quality"])


def test_the_vectors_are_what_the_tool_writes(maker):
    assert maker.cases() == VECTORS
