"""The kernel against the reference implementation's own C++, through the `pdqhash` package.

Every kind of code that this processor can run is held to it: `kernel` names the kinds one after the other.
"""

from __future__ import annotations

import sys
import threading

import numpy as np
import pdqhash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from reclaim.signals import Pdq, _pdq, hamming, pdq_of_luma, pdq_of_rgb, pdq_of_turns, turns

side = st.one_of(st.integers(5, 140), st.sampled_from([63, 64, 65, 127, 128, 129, 255, 256, 257, 384, 512]))


@pytest.fixture(params=_pdq.kernels())
def kernel(request):
    _pdq.use(request.param)
    yield request.param
    _pdq.use(_pdq.kernels()[0])


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
    grey = np.ascontiguousarray(pixels[:, :, 0])
    told, told_of_grey = reference(pixels), reference(np.repeat(grey[:, :, np.newaxis], 3, axis=2))
    for name in _pdq.kernels():
        _pdq.use(name)
        assert pdq_of_rgb(pixels) == told, name
        assert pdq_of_luma(grey) == told_of_grey, name
    _pdq.use(_pdq.kernels()[0])


@settings(deadline=None, max_examples=100)
@given(
    height=side, width=side, new=st.sampled_from([1, 2, 17, 64, 512, 700]), hard=st.booleans(), seed=st.integers(0, 99)
)
def test_a_resize_equals_pillow_s_one_side_at_a_time(height, width, new, hard, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    if hard:
        pixels = np.where(pixels > 127, np.uint8(255), np.uint8(0))
    image = Image.fromarray(pixels)
    rows = np.asarray(image.resize((new, height), Image.Resampling.BILINEAR))
    columns = np.asarray(image.resize((width, new), Image.Resampling.BILINEAR))
    for name in _pdq.kernels():
        _pdq.use(name)
        assert _pdq.resize_rows(pixels, new) == rows.tobytes(), name
        assert _pdq.resize_columns(pixels, new) == columns.tobytes(), name
        assert _pdq.transpose(pixels) == pixels.T.tobytes(), name
    _pdq.use(_pdq.kernels()[0])


@pytest.mark.parametrize(("height", "width"), [(1, 65535), (65535, 1), (3, 40000), (3000, 4000)])
def test_a_resize_equals_pillow_s_at_far_sizes(kernel, height, width):
    pixels = np.random.default_rng(height).integers(0, 256, (height, width), dtype=np.uint8)
    pixels[-1, -1] = 255
    image = Image.fromarray(pixels)
    assert _pdq.resize_rows(pixels, 512) == image.resize((512, height), Image.Resampling.BILINEAR).tobytes()
    assert _pdq.resize_columns(pixels, 512) == image.resize((width, 512), Image.Resampling.BILINEAR).tobytes()


def test_white_stays_white_however_many_pixels_are_weighed(kernel):
    white = np.full((2, 1 << 20), 255, np.uint8)
    for new in (1, 3, 512):
        assert set(_pdq.resize_rows(white, new)) == {255}


@pytest.mark.parametrize(("height", "width"), [(5, 5), (5, 3000), (3000, 5), (1000, 700), (1031, 1999), (64, 63)])
def test_value_and_quality_equal_the_reference_at_far_sizes(kernel, height, width):
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


WORK = {
    "compute": lambda luma: _pdq.compute(luma),
    "resize_rows": lambda luma: _pdq.resize_rows(luma, 512),
    "resize_columns": lambda luma: _pdq.resize_columns(luma, 512),
    "transpose": lambda luma: _pdq.transpose(luma),
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
def test_another_thread_runs_while_the_kernel_works(work):
    luma = np.zeros((512, 512), np.uint8)
    ready, gate, ran = threading.Semaphore(0), threading.Lock(), []

    def other():
        ready.release()
        with gate:
            ran.append(True)

    before = sys.getswitchinterval()
    # From here on a thread gives the lock away of its own accord or not at all, so who runs was let in by the kernel.
    sys.setswitchinterval(1000)
    try:
        with gate:
            thread = threading.Thread(target=other)
            thread.start()
            ready.acquire()
        tries = 0
        while not ran and tries < 3000:
            work(luma)
            tries += 1
        alone = not ran
    finally:
        sys.setswitchinterval(before)
    thread.join()
    assert not alone


def test_this_processor_s_best_kernel_is_in_use_and_an_unknown_one_is_refused():
    assert _pdq.kernels()[-1] == "plain"
    with pytest.raises(ValueError, match="no such kernel"):
        _pdq.use("avx1024")


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


@pytest.mark.parametrize("length", [0, -1, (1 << 20) + 1])
def test_a_side_that_cannot_be_made_is_refused(length):
    for resize in (_pdq.resize_rows, _pdq.resize_columns):
        with pytest.raises(ValueError, match="cannot be made"):
            resize(np.zeros((8, 8), np.uint8), length)


@pytest.mark.parametrize("wrong", [np.zeros((8, 8), np.float32), np.zeros(8, np.uint8), np.zeros((8, 8), np.int8)])
def test_only_bytes_are_resized_and_turned(wrong):
    for work in (lambda luma: _pdq.resize_rows(luma, 9), lambda luma: _pdq.resize_columns(luma, 9), _pdq.transpose):
        with pytest.raises(TypeError, match="uint8"):
            work(wrong)
        with pytest.raises(ValueError, match="at least 1 x 1"):
            work(np.zeros((0, 5), np.uint8))


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
    small = np.random.default_rng(7).integers(0, 256, (40, 40), dtype=np.uint8)
    luma = np.asarray(Image.fromarray(small).resize((512, 512), Image.Resampling.BICUBIC))
    assert len({plane.tobytes() for plane in turns(luma).values()}) == 8
    told, _ = pdqhash.compute_dihedral(np.repeat(luma[:, :, np.newaxis], 3, axis=2))
    for (name, ours), theirs in zip(pdq_of_turns(luma).items(), told, strict=True):
        # The reference turns the transform, not the pixels: near, where another turn would be about 128 away.
        assert hamming(ours.value, np.packbits(theirs.astype(np.uint8)).tobytes().hex()) < 64, name
