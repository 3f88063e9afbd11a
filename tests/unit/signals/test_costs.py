"""No picture that is accepted takes more than the memory that is promised, and telephones' pictures are accepted."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from reclaim.signals import PictureTooLarge
from reclaim.signals.containers import MAX_MEMORY, open_picture

from .test_formats import encoded

SMALL = Image.new("RGB", (64, 64), (90, 120, 30))


def boxed(form, size, mode="RGB", **options):
    """An AVIF or HEIC whose header says that it is as large as that."""
    picture = SMALL.convert(mode)
    if mode == "RGBA":
        picture.putalpha(128)
    file = bytearray(encoded(picture, form, **options))
    at = file.find(b"ispe")
    while at >= 0:
        file[at + 8 : at + 16] = struct.pack(">II", *size)
        at = file.find(b"ispe", at + 4)
    return bytes(file)


def webp(size):
    """A WebP whose header says so."""
    file = bytearray(encoded(SMALL, "WEBP", lossless=True))
    bits = int.from_bytes(file[21:25], "little") & ~0xFFFFFFF
    file[21:25] = (bits | size[0] - 1 | size[1] - 1 << 14).to_bytes(4, "little")
    return bytes(file)


def jpeg(size, mode="RGB", **options):
    """A progressive JPEG whose header says so."""
    file = bytearray(encoded(SMALL.convert(mode), "JPEG", progressive=True, **options))
    start = file.index(b"\xff\xc2")
    file[start + 5 : start + 9] = struct.pack(">HH", *size[::-1])
    return bytes(file)


def tiff(size, strip_rows, compression=5):
    """A TIFF in colour of eight bits whose header says so."""
    tags = {256: size[0], 257: size[1], 258: 8, 259: compression, 262: 2, 273: 8, 277: 3, 278: strip_rows, 279: 100}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", 108) + bytes(100) + directory


@pytest.mark.parametrize(
    "file",
    [
        boxed("HEIF", (8064, 6048)),
        boxed("HEIF", (8160, 6120)),
        boxed("AVIF", (8160, 6120)),
        webp((8000, 5700)),
        jpeg((12000, 9000), subsampling=2),
        tiff((12000, 9000), 16),
        tiff((12000, 9000), 9000, compression=1),
    ],
    ids=["HEIC 48", "HEIC 50", "AVIF 50", "WebP 45", "JPEG 108", "TIFF 108", "TIFF 108 uncompressed"],
)
def test_large_pictures_as_cameras_make_them_are_opened(file):
    with open_picture(file) as image:
        assert image.width * image.height > 45_000_000


@pytest.mark.parametrize(
    "file",
    [
        boxed("AVIF", (10_900, 10_900)),
        boxed("AVIF", (7000, 7000), "RGBA"),
        boxed("HEIF", (10_900, 10_900)),
        boxed("HEIF", (9000, 9000), chroma=444),
        boxed("HEIF", (8000, 8000), "RGBA"),
        webp((10_900, 10_900)),
        webp((6800, 6800)),
        jpeg((10_400, 10_400), subsampling=0),
        jpeg((7600, 7600), "CMYK"),
        tiff((10_000, 10_000), 10_000),
    ],
    ids=[
        "flat AVIF",
        "see-through AVIF",
        "flat HEIC",
        "HEIC of full colour",
        "see-through HEIC",
        "flat WebP",
        "WebP",
        "JPEG of full colour",
        "JPEG of four colours",
        "TIFF in one strip",
    ],
)
def test_a_small_file_that_would_take_much_memory_is_refused_by_its_header(file):
    assert len(file) < 20_000
    with pytest.raises(PictureTooLarge):
        open_picture(file)


_PEAK = """
import re, sys
from pathlib import Path
from reclaim.signals import read_luma
def peak(): return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
before = peak()
read_luma(Path(sys.argv[1]))
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says how much memory was taken")
@pytest.mark.parametrize(
    ("form", "mode", "size"),
    [("WEBP", "RGBA", (6700, 6700)), ("AVIF", "RGB", (8064, 6048)), ("PNG", "RGBA", (10_900, 10_900))],
)
def test_the_dearest_pictures_that_are_accepted_stay_within_the_memory(form, mode, size, tmp_path):
    options = {"WEBP": {"lossless": True, "method": 0}, "AVIF": {"speed": 10}, "PNG": {"compress_level": 1}}[form]
    path = tmp_path / "large"
    path.write_bytes(encoded(Image.new(mode, size, (90, 120, 30, 128)[: len(mode)]), form, **options))
    taken = subprocess.run([sys.executable, "-c", _PEAK, str(path)], capture_output=True, text=True, check=True)
    assert 100 * 2**20 < int(taken.stdout) < MAX_MEMORY + 30 * 2**20
