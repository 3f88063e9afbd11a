"""The kernel against the reference implementation's own C++, through the `pdqhash` package."""

from __future__ import annotations

import threading

import numpy as np
import pdqhash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reclaim.signals import Pdq, _pdq, hamming, pdq_of_luma, pdq_of_rgb, pdq_of_turns, turns

side = st.one_of(st.integers(5, 140), st.sampled_from([63, 64, 65, 127, 128, 129, 255, 256, 257, 384, 512]))


def reference(rgb):
    """What the `pdqhash` package says of height x width x 3 pixels."""
    bits, quality = pdqhash.compute(np.ascontiguousarray(rgb))
    return Pdq(np.packbits(bits.astype(np.uint8)).tobytes().hex(), quality)


def structured(kind, height, width, seed):
    """Pixels with the ties, the flat areas and the edges that noise never has."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    step = int(random.integers(1, 40))
    plane = {
        "noise": lambda: random.integers(0, 256, (height, width)),
        "flat": lambda: np.full((height, width), random.integers(0, 256)),
        "slope": lambda: (x * step + y * 3) // 7 % 256,
        "checkers": lambda: (x // step + y // step) % 2 * 255,
        "mirror": lambda: np.minimum(x, width - 1 - x) * step % 256,
        "dot": lambda: 255 * ((x == width // 2) & (y == height // 3)),
    }[kind]()
    tint = random.integers(0, 60, 3)
    return np.clip(plane[:, :, np.newaxis] + tint, 0, 255).astype(np.uint8)


@settings(deadline=None, max_examples=150)
@given(
    kind=st.sampled_from(["noise", "flat", "slope", "checkers", "mirror", "dot"]),
    height=side,
    width=side,
    seed=st.integers(0, 2**32 - 1),
)
def test_value_and_quality_equal_the_reference_on_any_pixels(kind, height, width, seed):
    pixels = structured(kind, height, width, seed)
    assert pdq_of_rgb(pixels) == reference(pixels)


@pytest.mark.parametrize(("height", "width"), [(5, 5), (5, 3000), (3000, 5), (1000, 700), (1031, 1999), (64, 63)])
def test_value_and_quality_equal_the_reference_at_far_sizes(height, width):
    pixels = np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert pdq_of_rgb(pixels) == reference(pixels)


def test_a_luma_in_whole_numbers_gives_the_same_as_in_floats():
    luma = np.random.default_rng(4).integers(0, 256, (200, 300), dtype=np.uint8)
    assert pdq_of_luma(luma) == pdq_of_luma(luma.astype(np.float32))
    assert pdq_of_luma(luma) == reference(np.repeat(luma[:, :, np.newaxis], 3, axis=2))


def test_a_flat_square_has_quality_nought():
    assert pdq_of_luma(np.full((512, 512), 128, np.uint8)).quality == 0


def test_rows_that_do_not_lie_side_by_side_are_read_as_the_pixels_they_show():
    wide = np.random.default_rng(5).integers(0, 256, (300, 600), dtype=np.uint8)
    assert pdq_of_luma(wide[:, ::2]) == pdq_of_luma(wide[:, ::2].copy())


def test_many_threads_get_what_one_thread_gets():
    luma = np.random.default_rng(6).integers(0, 256, (512, 512)).astype(np.float32)
    alone = pdq_of_luma(luma)
    heard = []
    threads = [threading.Thread(target=lambda: heard.extend(pdq_of_luma(luma) for _ in range(20))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == [alone] * 120


@pytest.mark.parametrize("shape", [(4, 5), (5, 4), (0, 0), (3, 900)])
def test_a_side_under_five_is_refused(shape):
    with pytest.raises(ValueError, match="at least 5 x 5"):
        pdq_of_luma(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.001, 255.1, 1e30])
def test_a_value_no_picture_holds_is_refused(value):
    luma = np.zeros((64, 64), np.float32)
    luma[63, 63] = value
    with pytest.raises(ValueError, match="between 0 and 255"):
        pdq_of_luma(luma)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((8, 8), np.float64),
        np.zeros((8, 8), np.int32),
        np.zeros((8, 8, 3), np.float32),
        np.zeros(64, np.float32),
        np.zeros((8, 8), np.dtype(">f4")),
        bytes(256),
    ],
    ids=["float64", "int32", "three dimensions", "one dimension", "big-endian", "bytes"],
)
def test_the_kernel_refuses_another_kind_of_buffer(wrong):
    with pytest.raises(TypeError):
        _pdq.compute(wrong)


def test_the_kernel_refuses_rows_with_gaps_and_things_without_a_buffer():
    with pytest.raises((BufferError, ValueError)):
        _pdq.compute(np.zeros((16, 16), np.float32)[:, ::2])
    with pytest.raises(TypeError):
        _pdq.compute([[0.0] * 8] * 8)


def test_the_kernel_refuses_sides_beyond_a_million_before_it_takes_memory():
    with pytest.raises(ValueError, match="too large"):
        _pdq.compute(np.zeros((5, (1 << 20) + 1), np.float32))


def test_pixels_of_another_shape_or_kind_are_refused():
    with pytest.raises(ValueError, match="x 3"):
        pdq_of_rgb(np.zeros((8, 8, 4), np.uint8))
    with pytest.raises(TypeError):
        pdq_of_rgb(np.zeros((8, 8, 3), np.float32))
    with pytest.raises(TypeError):
        pdq_of_luma(np.zeros((8, 8), np.int64))


def test_the_eight_turns_are_the_eight_and_lie_as_the_reference_names_them():
    from PIL import Image

    small = np.random.default_rng(7).integers(0, 256, (40, 40), dtype=np.uint8)
    luma = np.asarray(Image.fromarray(small).resize((512, 512), Image.Resampling.BICUBIC))
    assert len({plane.tobytes() for plane in turns(luma).values()}) == 8
    told, _ = pdqhash.compute_dihedral(np.repeat(luma[:, :, np.newaxis], 3, axis=2))
    for (name, ours), theirs in zip(pdq_of_turns(luma).items(), told, strict=True):
        # The reference turns the transform, not the pixels: near, where another turn would be about 128 away.
        assert hamming(ours.value, np.packbits(theirs.astype(np.uint8)).tobytes().hex()) < 64, name
