"""On the same file the browser's fingerprint is Python's, within what two decoders differ by."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from reclaim.signals import fingerprint
from tests.browser.hashing.conftest import Device
from tests.browser.hashing.reference import TURNS, distance, encoded, signal

PHOTOS = sorted((Path(__file__).resolve().parents[2] / "photos").glob("*.jpg"))
FARTHEST = 10

KINDS = {
    "JPEG": {"quality": 85},
    "PNG": {"compress_level": 1},
    "WEBP": {"quality": 85, "method": 0},
    "GIF": {},
    "AVIF": {"quality": 70, "speed": 10},
    "HEIF": {"quality": 80, "enc_params": {"preset": "ultrafast"}},
}
LOSSLESS = ("PNG", "GIF")

pillow_heif.register_heif_opener()


def oriented(picture: Image.Image, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture, "JPEG", quality=90, exif=exif)


def display_p3() -> bytes:
    """A colour profile with the wide primaries that telephones write into their photographs."""

    def number(value: float) -> bytes:
        return round(value * 65536).to_bytes(4, "big", signed=True)

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(number, values))

    curve = b"curv\0\0\0\0" + (1).to_bytes(4, "big") + (round(2.2 * 256)).to_bytes(2, "big") + b"\0\0"
    name = b"desc\0\0\0\0" + (3).to_bytes(4, "big") + b"P3\0" + b"\0" * 82
    tags = {
        b"desc": name,
        b"cprt": b"text\0\0\0\0none",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.51512, 0.2412, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.1571, 0.06657, 0.78407),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, body = len(tags).to_bytes(4, "big"), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        content += b"\0" * (-len(content) % 4)
        table += tag + (start + len(body)).to_bytes(4, "big") + len(content).to_bytes(4, "big")
        body += content
    head = (start + len(body)).to_bytes(4, "big") + b"none" + b"\x04\x30\0\0" + b"mntrRGB XYZ "
    head += b"\x07\xe6\0\x01\0\x01\0\0\0\0\0\0acspAPPL" + b"\0" * 24
    head += b"".join(map(number, (0.9642, 1.0, 0.8249))) + b"\0" * 48
    return head + table + body


@pytest.mark.parametrize("kind", KINDS)
def test_photographs_have_pythons_fingerprint_within_ten_bits(
    kind: str, device: Device, record_property: Callable[[str, object], None]
) -> None:
    files = {}
    for path in PHOTOS[:: 1 if kind == "JPEG" else 3]:
        if kind == "JPEG":
            files[path.stem] = path.read_bytes()
        with Image.open(path) as photo:
            files[f"{path.stem}-{kind}"] = encoded(photo.convert("RGB"), kind, **KINDS[kind])
    files = {name: content for name, content in files.items() if not fingerprint(content).poor}
    found = device.pdqs(files)
    distances, to_python = {}, {}
    for name, content in files.items():
        value, quality = signal(content)
        assert abs(found[name]["quality"] - quality) <= 2, name
        distances[name] = distance(found[name]["value"], value)
        from_python = fingerprint(content)
        assert abs(found[name]["quality"] - from_python.quality) <= 2, name
        to_python[name] = distance(found[name]["value"], from_python.pdq)
    record_property("distances_to_full_decode", sorted(distances.values()))
    record_property("distances_to_python", sorted(to_python.values()))
    far = {name: bits for name, bits in [*distances.items(), *to_python.items()] if bits > FARTHEST}
    assert far == {}
    if kind in LOSSLESS:
        assert set(distances.values()) == {0}
    if kind == "JPEG":
        # None of these is so large that Python decodes it at a reduced scale; both read the brightness that is stored.
        assert set(to_python.values()) == {0}


def test_each_of_the_eight_exif_orientations_is_honoured(
    device: Device, record_property: Callable[[str, object], None]
) -> None:
    with Image.open(PHOTOS[0].with_name("coffee.jpg")) as photo:
        files = {str(turn): oriented(photo.convert("RGB"), turn) for turn in range(1, 9)}
    found = device.pdqs(files)
    distances = [distance(found[turn]["value"], fingerprint(content).pdq) for turn, content in files.items()]
    record_property("distances", distances)
    assert max(distances) <= FARTHEST
    assert len({result["value"] for result in found.values()}) == len(TURNS) + 1


def test_large_photographs_that_python_decodes_at_a_reduced_scale_are_within_ten_bits(
    device: Device, record_property: Callable[[str, object], None]
) -> None:
    files: dict[str, bytes] = {}
    for path, size in zip(PHOTOS[::4], itertools.cycle([(1100, 1100), (2000, 1500), (3264, 2448)]), strict=False):
        with Image.open(path) as photo:
            enlarged = np.asarray(photo.convert("RGB").resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
        grain = np.random.default_rng(len(files)).normal(0, 8, enlarged.shape[:2])[..., None]
        grained = np.clip(enlarged + grain, 0, 255).astype(np.uint8)
        files[path.stem] = encoded(Image.fromarray(grained), "JPEG", quality=88)
    found = device.pdqs(files)
    distances = [distance(found[name]["value"], fingerprint(content).pdq) for name, content in files.items()]
    record_property("distances", sorted(distances))
    assert max(distances) <= FARTHEST


def test_a_colour_profile_changes_nothing(device: Device) -> None:
    with Image.open(PHOTOS[0].with_name("fig.jpg")) as photo:
        picture = photo.convert("RGB")
    plain = encoded(picture, "PNG", compress_level=1)
    profiled = encoded(picture, "PNG", compress_level=1, icc_profile=display_p3())
    found = device.pdqs({"plain": plain, "profiled": profiled})
    assert found["plain"]["value"] == found["profiled"]["value"] == signal(profiled)[0]


def test_see_through_parts_are_laid_over_white(device: Device) -> None:
    with Image.open(PHOTOS[0].with_name("fig.jpg")) as photo:
        picture = photo.convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    content = encoded(picture, "PNG", compress_level=1)
    found = device.pdqs({"faded": content})["faded"]
    assert (found["value"], found["quality"]) == signal(content)


def test_the_first_frame_of_an_animation_counts(device: Device) -> None:
    frames = []
    for path in PHOTOS[:3]:
        with Image.open(path) as photo:
            frames.append(photo.convert("RGB").resize((320, 240)))
    options = {"save_all": True, "append_images": frames[1:]}
    files = {
        "gif": encoded(frames[0], "GIF", **options),
        "webp": encoded(frames[0], "WEBP", lossless=True, **options),
        "png": encoded(frames[0], "PNG", **options),
    }
    found = device.pdqs(files)
    for name, content in files.items():
        assert distance(found[name]["value"], signal(content)[0]) <= FARTHEST, name


def test_sixteen_bit_grey_palette_and_cmyk_pictures_are_taken(device: Device) -> None:
    with Image.open(PHOTOS[0].with_name("fig.jpg")) as photo:
        picture = photo.convert("RGB")
    plain = signal(encoded(picture, "PNG"))[0]
    sixteen = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    files = {
        "grey": encoded(picture.convert("L"), "PNG"),
        "palette": encoded(picture.quantize(256), "PNG"),
        "sixteen": encoded(sixteen, "PNG"),
        "cmyk": encoded(picture.convert("CMYK"), "JPEG", quality=92),
        "bmp": encoded(picture, "BMP"),
    }
    found = device.pdqs(files)
    distances = {name: distance(result["value"], plain) for name, result in found.items()}
    assert distances["grey"] == distances["bmp"] == 0
    assert max(distances.values()) <= FARTHEST, distances
