"""Every format and mode gives the picture's signal."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from pillow_heif.as_plugin import HeifImageFile
from threatexchange.signal_type.pdq.signal import PdqSignal

from reclaim.signals import MATCH_DISTANCE, NotAPicture, fingerprint, hamming, pdq_of_rgb, read_luma

PHOTOS = sorted((Path(__file__).parents[2] / "photos").glob("*.jpg"))
CAT = next(photo for photo in PHOTOS if photo.name == "cat.jpg")


def encoded(image, form, **options):
    """The picture as a file of that format."""
    file = io.BytesIO()
    if form == "HEIF":
        pillow_heif.from_pillow(image).save(file, **options)
    else:
        image.save(file, form, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def cat():
    with Image.open(CAT) as image:
        return image.convert("RGB")


@pytest.fixture(scope="module")
def plain(cat):
    return fingerprint(encoded(cat, "PNG"))


@pytest.mark.parametrize(
    ("form", "options", "bits"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("TIFF", {"compression": "tiff_deflate"}, 0),
        ("TIFF", {"compression": "jpeg"}, 10),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {}, 10),
        ("GIF", {}, 10),
        ("AVIF", {}, 10),
        ("HEIF", {}, 10),
        ("JPEG", {"quality": 95}, 10),
        ("JPEG", {"quality": 85, "progressive": True}, 10),
        ("JPEG", {"quality": 85, "subsampling": 0}, 10),
        ("JPEG", {"quality": 90, "keep_rgb": True}, 10),
    ],
)
def test_a_format_gives_the_picture_s_signal(cat, plain, form, options, bits):
    again = fingerprint(encoded(cat, form, **options))
    assert hamming(again.pdq, plain.pdq) <= bits
    assert again.quality == 100


@pytest.mark.parametrize(
    ("mode", "form", "bits"),
    [
        ("L", "PNG", 2),
        ("LA", "PNG", 2),
        ("RGBA", "PNG", 0),
        ("RGBA", "WEBP", 10),
        ("RGBA", "AVIF", 10),
        ("P", "PNG", 10),
        ("P", "GIF", 10),
        ("1", "PNG", 24),
        ("1", "TIFF", 24),
        ("L", "JPEG", 6),
        ("CMYK", "JPEG", 6),
        ("CMYK", "TIFF", 4),
        ("YCbCr", "TIFF", 4),
    ],
)
def test_a_mode_gives_the_picture_s_signal(cat, plain, mode, form, bits):
    options = {"lossless": True} if form == "WEBP" else {}
    assert hamming(fingerprint(encoded(cat.convert(mode), form, **options)).pdq, plain.pdq) <= bits


@pytest.mark.parametrize(("form", "mode"), [("PNG", "I;16"), ("TIFF", "I;16"), ("TIFF", "I;16B")])
def test_sixteen_bit_grey_is_taken_by_its_high_bytes(cat, form, mode):
    grey = np.asarray(cat.convert("L"))
    deep = (grey.astype(np.uint16) << 8) | 0x37
    image = Image.fromarray(deep)
    if mode == "I;16B":
        image = Image.frombytes("I;16B", cat.size, deep.astype(">u2").tobytes())
    assert np.array_equal(read_luma(encoded(image, form)), read_luma(encoded(cat.convert("L"), "PNG")))


@pytest.mark.parametrize("mode", ["I", "F"])
def test_a_scientific_tiff_is_refused_and_not_guessed(mode):
    image = Image.fromarray(np.full((64, 64), 0.5, np.float32)).convert(mode)
    with pytest.raises(NotAPicture):
        fingerprint(encoded(image, "TIFF"))


def test_what_is_clear_is_white(cat):
    hole = cat.convert("RGBA")
    hole.paste((10, 20, 30, 0), (100, 50, 300, 200))
    filled = cat.copy()
    filled.paste((255, 255, 255), (100, 50, 300, 200))
    assert np.array_equal(read_luma(encoded(hole, "PNG")), read_luma(encoded(filled, "PNG")))


def test_clear_colours_of_a_palette_and_clear_greys_are_white():
    stripes = np.repeat(np.arange(256, dtype=np.uint8)[np.newaxis, :], 256, axis=0)
    grey = Image.fromarray(stripes)
    white = Image.fromarray(np.where(stripes == 7, 255, stripes).astype(np.uint8))
    expected = read_luma(encoded(white, "PNG"))
    assert np.array_equal(read_luma(encoded(grey, "PNG", transparency=7)), expected)

    palette = Image.frombytes("P", grey.size, stripes.tobytes())
    palette.putpalette([level for level in range(256) for _ in range(3)])
    assert np.array_equal(read_luma(encoded(palette, "PNG", transparency=7)), expected)
    assert np.array_equal(read_luma(encoded(palette, "GIF", transparency=7)), expected)
    half = bytes(0 if level == 7 else 255 for level in range(256))
    assert np.array_equal(read_luma(encoded(palette, "PNG", transparency=half)), expected)

    deep = Image.fromarray(stripes.astype(np.uint16) << 8)
    assert np.array_equal(read_luma(encoded(deep, "PNG", transparency=7 << 8)), expected)


def test_an_animation_is_its_first_frame(cat, plain):
    other = Image.new("RGB", cat.size, "red")
    for form, options in (("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {}), ("TIFF", {}), ("AVIF", {})):
        file = encoded(cat, form, save_all=True, append_images=[other, other], **options)
        assert hamming(fingerprint(file).pdq, plain.pdq) <= 10, form


TRANSPOSE = Image.Transpose
UNDO = {
    1: None,
    2: TRANSPOSE.FLIP_LEFT_RIGHT,
    3: TRANSPOSE.ROTATE_180,
    4: TRANSPOSE.FLIP_TOP_BOTTOM,
    5: TRANSPOSE.TRANSPOSE,
    6: TRANSPOSE.ROTATE_90,
    7: TRANSPOSE.TRANSVERSE,
    8: TRANSPOSE.ROTATE_270,
}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stored_turned_gives_the_signal_of_the_upright_one(cat, plain, form, orientation):
    stored = cat if UNDO[orientation] is None else cat.transpose(UNDO[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = encoded(stored, form, exif=exif.tobytes())
    assert hamming(fingerprint(file).pdq, plain.pdq) <= 10
    if form != "TIFF":  # its reader turns the pixels before they are resized
        undone = encoded(stored, form)
        assert (fingerprint(file).pdq == fingerprint(undone).pdq) == (orientation == 1)


@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
def test_an_orientation_that_does_not_exist_is_left_alone(cat, plain, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert fingerprint(encoded(cat, "PNG", exif=exif.tobytes())).pdq == plain.pdq


def test_broken_metadata_costs_a_picture_nothing_and_makes_no_noise(cat, plain):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        file = encoded(cat, "PNG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 9)
        assert fingerprint(file).pdq == plain.pdq


def test_a_camera_s_second_picture_behind_the_first_is_ignored(cat):
    first = encoded(cat, "JPEG")
    assert fingerprint(first + encoded(Image.new("RGB", (900, 900), "red"), "JPEG")).pdq == fingerprint(first).pdq


def test_a_jpeg_is_decoded_at_a_scale_that_leaves_512_on_both_sides(cat):
    for size in ((4096, 512), (4096, 1024), (1023, 4000), (2050, 2050), (511, 3000)):
        file = encoded(cat.resize(size), "JPEG", quality=92)
        with Image.open(io.BytesIO(file)) as image:
            full = np.asarray(image.convert("RGB"))
        lossless = fingerprint(encoded(Image.fromarray(full), "PNG"))
        assert hamming(fingerprint(file).pdq, lossless.pdq) <= 10, size


def test_heic_holds_what_its_reader_says(cat):
    file = encoded(cat, "HEIF", quality=-1)
    with HeifImageFile(io.BytesIO(file)) as image:
        expected = fingerprint(encoded(image.convert("RGB"), "PNG"))
    assert fingerprint(file).pdq == expected.pdq


@pytest.mark.parametrize("photo", PHOTOS, ids=lambda photo: photo.stem)
def test_a_photograph_s_pixels_give_what_the_field_s_client_gives(photo):
    with Image.open(photo) as image:
        ours = pdq_of_rgb(np.asarray(image.convert("RGB")))
    # The field's client answers nothing below its quality threshold.
    assert PdqSignal.hash_from_bytes(photo.read_bytes()) == ("" if ours.poor else ours.value)


@pytest.mark.parametrize("photo", PHOTOS, ids=lambda photo: photo.stem)
def test_a_photograph_s_signal_matches_the_full_size_one(photo):
    with Image.open(photo) as image:
        full = pdq_of_rgb(np.asarray(image.convert("RGB")))
    assert hamming(fingerprint(photo).pdq, full.value) <= MATCH_DISTANCE
