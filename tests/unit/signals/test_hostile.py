"""Files that are no pictures, half pictures, or pictures made to cost too much.

Warnings are errors in these tests, so a warning of Pillow's that leaks fails them too.
"""

from __future__ import annotations

import contextlib
import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from reclaim.signals import (
    EmptyFile,
    NotAPicture,
    PictureTooLarge,
    SignalError,
    TruncatedPicture,
    UnreadableFile,
    errors,
    fingerprint,
    md5_of,
    read_luma,
    sources,
)

from .test_formats import CAT, encoded

FORMS = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("PNG", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("GIF", {}),
    ("AVIF", {}),
    ("HEIF", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("BMP", {}),
]


@pytest.fixture(scope="module")
def cat():
    with Image.open(CAT) as image:
        return image.convert("RGB")


def png(width, height, data=b""):
    """A PNG of any claimed size, with whatever compressed data."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def refused_cheaply(kind, data):
    """That error, with little memory taken besides the file."""
    tracemalloc.start()
    try:
        with pytest.raises(kind):
            fingerprint(data)
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20 + 4 * len(data)
    finally:
        tracemalloc.stop()


def test_a_png_bomb_is_refused_by_its_header():
    refused_cheaply(PictureTooLarge, png(30_000, 30_000, zlib.compress(bytes(30_000 * 3 + 1) * 200)))
    refused_cheaply(PictureTooLarge, png(2**31 - 1, 2**31 - 1))
    refused_cheaply(PictureTooLarge, png(70_000, 1))


def test_a_jpeg_bomb_is_refused_by_its_header(cat):
    for progressive, side in ((False, 20_000), (True, 11_500)):
        file = bytearray(encoded(cat, "JPEG", progressive=progressive))
        start = file.index(b"\xff\xc2" if progressive else b"\xff\xc0")
        file[start + 5 : start + 9] = struct.pack(">HH", side, side)
        refused_cheaply(PictureTooLarge, bytes(file))


def test_a_jpeg_of_a_thousand_scans_is_refused(cat):
    file = encoded(cat.resize((3000, 2000)), "JPEG", progressive=True)
    scan = file.rindex(b"\xff\xda")
    refused_cheaply(PictureTooLarge, file[:scan] + file[scan:-2] * 1000 + b"\xff\xd9")


def test_bombs_in_other_containers_are_refused_by_their_headers(cat):
    bmp = bytearray(encoded(cat, "BMP"))
    bmp[18:26] = struct.pack("<ii", 30_000, 30_000)
    refused_cheaply(PictureTooLarge, bytes(bmp))

    gif = bytearray(encoded(cat, "GIF"))
    gif[6:10] = struct.pack("<HH", 60_000, 60_000)
    refused_cheaply(PictureTooLarge, bytes(gif))


@pytest.mark.parametrize(
    "tags",
    [
        {256: 30_000, 257: 30_000, 278: 30_000},
        {256: 64, 257: 64, 322: 65_536, 323: 65_536},
    ],
    ids=["huge picture in one strip", "huge tile of a small picture"],
)
def test_a_tiff_bomb_is_refused_by_its_header(tags):
    tiled = 322 in tags
    tags = {
        **tags,
        258: 8,
        259: 8,
        262: 1,
        277: 1,
        (324 if tiled else 273): 8,
        (325 if tiled else 279): 100,
    }
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    refused_cheaply(PictureTooLarge, b"II*\0" + struct.pack("<I", 108) + bytes(100) + directory)


def test_a_gif_frame_larger_than_its_screen_is_refused(cat):
    gif = bytearray(encoded(cat, "GIF"))
    descriptor = gif.index(b"\x2c\0\0\0\0", 13)
    gif[descriptor + 5 : descriptor + 9] = struct.pack("<HH", 65_000, 65_000)
    refused_cheaply(PictureTooLarge, bytes(gif))


@pytest.mark.parametrize(("form", "options"), FORMS)
@pytest.mark.parametrize("percent", [1, 10, 50, 90, 97])
def test_half_a_picture_is_no_picture(cat, form, options, percent):
    whole = encoded(cat, form, **options)
    with pytest.raises(TruncatedPicture):
        fingerprint(whole[: max(40, len(whole) * percent // 100)])


@settings(deadline=None, max_examples=200)
@given(form=st.sampled_from(FORMS), data=st.data())
def test_damage_anywhere_gives_a_signal_or_one_clear_error(form, data):
    small = Image.fromarray(np.random.default_rng(1).integers(0, 256, (24, 31, 3), dtype=np.uint8))
    file = bytearray(encoded(small, form[0], **form[1]))
    for _ in range(data.draw(st.integers(1, 6))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(SignalError):  # any other error fails the test
        luma = read_luma(bytes(file))
        assert luma.shape == (512, 512)
        assert luma.dtype == np.uint8


@given(st.binary(min_size=1, max_size=300))
def test_random_bytes_are_not_a_picture(data):
    with pytest.raises((NotAPicture, TruncatedPicture)):
        fingerprint(data)


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"BM, and then a letter to a friend",
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(64),
        b"\0\0\0\x14ftypM4A \0\0\0\0M4A " + bytes(64),
        b"P6 5 5 255 " + bytes(75),
        b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0\x68\4\0\0\x16\0\0\0",
        b"\x7fELF",
        b"x",
    ],
)
def test_formats_outside_the_list_are_never_opened(data):
    with pytest.raises(NotAPicture):
        fingerprint(data)


def test_an_empty_file_is_said_to_be_empty(tmp_path):
    path = tmp_path / "empty.jpg"
    path.touch()
    for source in (b"", path):
        with pytest.raises(EmptyFile):
            fingerprint(source)
        with pytest.raises(EmptyFile):
            md5_of(source)


def test_what_is_no_readable_file_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("missing", "pipe", "folder", "a\0b", "n" * 5000):
        for read in (fingerprint, md5_of):
            with pytest.raises(UnreadableFile):
                read(tmp_path / name)


def test_a_file_over_the_limit_is_refused_unread_but_still_has_an_md5(tmp_path):
    path = tmp_path / "sparse.jpg"
    with path.open("wb") as file:
        file.truncate(sources.MAX_BYTES + 1)
    with pytest.raises(PictureTooLarge):
        fingerprint(path)
    assert len(md5_of(path)) == 32


def test_no_sentence_names_the_file(tmp_path):
    path = tmp_path / "secretname.jpg"
    path.write_bytes(CAT.read_bytes()[:5000])
    with pytest.raises(TruncatedPicture) as caught:
        fingerprint(path)
    assert "secretname" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_every_error_is_one_sentence_that_says_what_to_do():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SignalError)]
    assert len(kinds) == 13
    for kind in kinds:
        sentence = str(kind())
        assert sentence.endswith(".")
        assert sentence.count(".") == 1
        assert ":" in sentence


def test_pillow_s_metadata_never_reaches_a_log(cat, caplog):
    exif = Image.Exif()
    exif[0x010F] = "canary camera"
    with caplog.at_level("DEBUG"):
        for form in ("JPEG", "PNG", "TIFF", "WEBP", "AVIF"):
            fingerprint(encoded(cat, form, exif=exif.tobytes()))
    assert "canary" not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith("PIL")]
