"""A picture to look at: what was fingerprinted is what is shown, whatever the format."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from reclaim.signals import (
    NotAPicture,
    PictureTooLarge,
    TruncatedPicture,
    UnreadableFile,
    display,
    fingerprint,
    hamming,
    read_display,
)

from .test_formats import CAT, encoded
from .test_hostile import png


@pytest.fixture(scope="module")
def cat():
    with Image.open(CAT) as image:
        return image.convert("RGB")


def far(shown, cat):
    """By how many grey levels in the mean the two pictures differ."""
    return np.abs(np.asarray(shown.convert("RGB"), int) - np.asarray(cat, int)).mean()


@pytest.mark.parametrize(
    ("form", "mode", "options"),
    [
        ("PNG", "RGB", {}),
        ("PNG", "P", {}),
        ("JPEG", "RGB", {"quality": 95}),
        ("JPEG", "CMYK", {"quality": 95}),
        ("WEBP", "RGB", {}),
        ("AVIF", "RGB", {}),
        ("HEIF", "RGB", {}),
        ("TIFF", "CMYK", {}),
        ("GIF", "P", {}),
        ("BMP", "RGB", {}),
    ],
)
def test_each_format_is_shown_in_its_colours(cat, form, mode, options):
    picture = cat.quantize() if mode == "P" else cat.convert(mode)
    shown = read_display(encoded(picture, form, **options))
    assert (shown.mode, shown.size) == ("RGB", cat.size)
    assert far(shown, cat) < 12


@pytest.mark.parametrize("mode", ["L", "1", "I;16"])
def test_a_grey_picture_stays_grey_and_is_not_clipped(cat, mode):
    grey = cat.convert("L")
    picture = Image.fromarray(np.asarray(grey).astype(np.uint16) << 8) if mode == "I;16" else grey.convert(mode)
    shown = read_display(encoded(picture, "PNG"))
    assert (shown.mode, shown.size) == ("L", cat.size)
    assert np.array_equal(shown, picture.convert("L") if mode != "I;16" else grey)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_what_is_clear_is_shown_white(cat, form):
    hole = cat.convert("RGBA")
    hole.paste((10, 20, 30, 0), (0, 0, 300, 300))
    assert read_display(encoded(hole, form)).getpixel((150, 150)) == (255, 255, 255)


def test_a_clear_colour_of_a_palette_is_shown_white():
    picture = Image.new("P", (64, 64), 1)
    picture.putpalette([0, 0, 0, 200, 0, 0])
    assert read_display(encoded(picture, "PNG", transparency=1)).getpixel((9, 9)) == (255, 255, 255)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_is_shown_as_it_is_fingerprinted(cat, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = encoded(cat, "PNG", exif=exif.tobytes())
    shown = read_display(file)
    assert shown.size == (cat.size if orientation < 5 else cat.size[::-1])
    # Fingerprinted, the picture is turned after it was made square: the two ways differ by roundings.
    assert hamming(fingerprint(encoded(shown, "PNG")).pdq, fingerprint(file).pdq) <= 4


@pytest.mark.parametrize(
    ("size", "form", "expected"),
    [
        ((9000, 40), "PNG", (3000, 14)),
        ((9000, 40), "JPEG", (2250, 10)),
        ((40, 9001), "PNG", (14, 3001)),
        ((4096, 4096), "PNG", (4096, 4096)),
    ],
)
def test_a_large_picture_is_shown_smaller_and_whole(size, form, expected):
    along = Image.linear_gradient("L") if size[0] < size[1] else Image.linear_gradient("L").rotate(90)
    picture = along.resize(size).convert("RGB")
    shown = read_display(encoded(picture, form))
    assert max(shown.size) <= display.LONGEST_SIDE
    assert abs(shown.width / shown.height / (size[0] / size[1]) - 1) < 0.1
    assert shown.size == expected
    assert far(shown, picture.resize(shown.size, Image.Resampling.BOX)) < 3


def test_its_limits_and_errors_are_those_of_a_fingerprint(tmp_path):
    for kind, data in (
        (PictureTooLarge, png(30_000, 30_000)),
        (NotAPicture, b"a letter to a friend"),
        (TruncatedPicture, CAT.read_bytes()[:5000]),
    ):
        with pytest.raises(kind):
            read_display(data)
    with pytest.raises(UnreadableFile):
        read_display(tmp_path / "missing")
