"""A file that has no fingerprint gets a reason; the files beside it get their fingerprints."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import Browser

from reclaim.signals import fingerprint
from tests.browser.hashing.conftest import Device, prepend
from tests.browser.hashing.reference import distance, encoded, signal

pillow_heif.register_heif_opener()

PHOTOS = Path(__file__).resolve().parents[2] / "photos"


def photo() -> Image.Image:
    with Image.open(PHOTOS / "coffee.jpg") as picture:
        return picture.convert("RGB")


def reasons(device: Device, files: dict[str, bytes]) -> dict[str, str]:
    return {name: result.get("reason", "fingerprinted") for name, result in device.signals(files).items()}


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that declares this many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 4096)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def jpeg_bomb(width: int, height: int) -> bytes:
    """A real JPEG whose frame header declares another size."""
    content = bytearray(encoded(photo().resize((64, 64)), "JPEG"))
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def test_each_kind_of_bad_file_has_its_reason_and_the_rest_goes_on(device: Device) -> None:
    good = encoded(photo(), "JPEG")
    files = {
        "good": good,
        "nothing": b"",
        "text": b"Dear diary, today I went to the sea.\n" * 40,
        "few bytes": b"\xff\xd8",
        "film": b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + b"\0" * 400,
        "wrong name": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        "bomb": bomb(30000, 30000),
        "jpeg bomb": jpeg_bomb(65000, 65000),
        "good again": encoded(photo(), "PNG"),
    }
    answer = device.fingerprint(files, workers=2)
    assert [result["number"] for result in answer["results"]] == list(range(1, len(files) + 1))
    assert [step["done"] for step in answer["progress"]] == list(range(len(files) + 1))
    assert {step["total"] for step in answer["progress"]} == {len(files)}
    found = dict(zip(files, answer["results"], strict=True))
    # To the last bit: both read the brightness that the file holds.
    expected = fingerprint(good)
    assert found["good"]["signals"] == [{"type": "pdq", "value": expected.pdq, "quality": expected.quality}]
    assert {key: found["good"][key] for key in ("number", "ok", "kind")} == {"number": 1, "ok": True, "kind": "picture"}
    about = found["good"]["about"]
    assert (about["format"], about["bytes"]) == ("jpeg", len(good))
    assert (about["width"], about["height"]) == photo().size
    assert found["good again"]["ok"]
    assert {name: result["reason"] for name, result in found.items() if not result["ok"]} == {
        "nothing": "empty",
        "text": "not-a-picture",
        "few bytes": "not-a-picture",
        "film": "truncated",
        "wrong name": "not-a-picture",
        "bomb": "too-large",
        "jpeg bomb": "too-large",
    }


@pytest.mark.parametrize("kind", ["JPEG", "PROGRESSIVE", "PNG", "WEBP", "GIF", "AVIF", "HEIF", "BMP"])
def test_a_file_that_was_cut_short_is_refused(kind: str, device: Device) -> None:
    picture = photo()
    whole = encoded(picture, "JPEG", progressive=True) if kind == "PROGRESSIVE" else encoded(picture, kind)
    files = {"whole": whole, "most": whole[: len(whole) * 9 // 10], "half": whole[: len(whole) // 2]}
    assert reasons(device, files) == {"whole": "fingerprinted", "most": "truncated", "half": "truncated"}


def test_a_cut_jpeg_is_recognised_before_a_lenient_browser_could_draw_half_of_it(device: Device) -> None:
    thumbnail = encoded(photo().resize((64, 48)), "JPEG")
    note = b"Exif\0\0" + thumbnail
    whole = encoded(photo(), "JPEG")
    noted = whole[:2] + b"\xff\xe1" + struct.pack(">H", len(note) + 2) + note + whole[2:]
    png = encoded(photo(), "PNG")
    files = {
        "whole": whole,
        "noted": noted,
        "something behind": noted + b"\0\0 a short film in the same file",
        "fill bytes": whole.replace(b"\xff\xda", b"\xff\xff\xff\xda", 1),
        "noted, cut": noted[: len(noted) * 2 // 3],
        "cut in the thumbnail": noted[:900],
        "png": png,
        "png, something behind": png + b"trailing",
        "png, cut": png[:-200],
    }
    paths = {name: device.site.put(name.replace(" ", "-").replace(",", ""), body) for name, body in files.items()}
    found = device.page.evaluate(
        """async (paths) => {
          const { readHeader } = await import('/static/hashing/header.js');
          const found = {};
          for (const [name, path] of Object.entries(paths)) {
            const { width, height, complete } = await readHeader(await (await fetch(path)).blob());
            found[name] = [width, height, complete];
          }
          return found;
        }""",
        paths,
    )
    size = list(photo().size)
    cut = {"noted, cut", "cut in the thumbnail", "png, cut"}
    assert {name: complete for name, (_, _, complete) in found.items()} == {name: name not in cut for name in files}
    assert {tuple(f[:2]) for name, f in found.items() if name != "cut in the thumbnail"} == {tuple(size)}


@pytest.mark.parametrize(("kind", "options"), [("WEBP", {}), ("WEBP", {"lossless": True}), ("GIF", {}), ("BMP", {})])
def test_the_size_is_known_before_decoding(kind: str, options: dict[str, bool], device: Device) -> None:
    see_through = photo().resize((333, 77)).convert("RGBA")
    see_through.putalpha(120)
    files = [encoded(photo().resize((333, 77)), kind, **options)]
    if kind == "WEBP":
        files.append(encoded(see_through, kind, exif=Image.Exif(), **options))
    for number, content in enumerate(files):
        path = device.site.put(f"sized{number}", content)
        found = device.page.evaluate(
            """async (path) => {
              const { readHeader } = await import('/static/hashing/header.js');
              return readHeader(await (await fetch(path)).blob());
            }""",
            path,
        )
        assert {key: found[key] for key in ("format", "width", "height", "complete")} == {
            "format": kind.lower(),
            "width": 333,
            "height": 77,
            "complete": True,
        }


def most_memory(browser: Browser) -> dict[int, int]:
    """The most bytes that each of the browser's processes has held so far."""
    session = browser.new_browser_cdp_session()
    found = {}
    for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        status = Path(f"/proc/{process['id']}/status").read_text()
        found[process["id"]] = 1024 * int(status.split("VmHWM:")[1].split()[0])
    session.detach()
    return found


def test_a_hundred_megapixels_take_a_quarter_of_a_gigabyte(device: Device, browser: Browser) -> None:
    content = encoded(photo().resize((12_000, 8_400), Image.Resampling.NEAREST), "JPEG", quality=80)
    # In a browser process that holds nothing yet, so that the most it ever held is what this picture took.
    context = browser.new_context()
    large = Device(device.site, context.new_page())
    large.page.goto(device.site.origin.replace("127.0.0.1", "localhost") + "/")
    before = most_memory(browser)
    found = large.pdqs({"large": content})["large"]
    took = max(most - before.get(process, 0) for process, most in most_memory(browser).items())
    context.close()
    from_python = fingerprint(content)
    assert distance(found["value"], from_python.pdq) <= 10
    assert took < 400 * 2**20


def test_a_picture_for_which_the_device_has_too_little_memory_is_refused(device: Device) -> None:
    prepend(device, "Object.defineProperty(navigator, 'deviceMemory', { value: 0.5 });")
    files = {"small": encoded(photo(), "PNG"), "jpeg": jpeg_bomb(8000, 8000), "png": bomb(8000, 8000)}
    files["heic"] = encoded(photo(), "HEIF").replace(struct.pack(">II", *photo().size), struct.pack(">II", 8000, 8000))
    found = reasons(device, files)
    # The JPEG would fit, being decoded to brightness and halved colour alone; what is in it does not reach so far.
    assert found == {"small": "fingerprinted", "jpeg": "fingerprinted", "png": "too-large", "heic": "too-large"}


def test_a_very_wide_picture_is_read_in_tiles(device: Device) -> None:
    rng = np.random.default_rng(61)
    cells = Image.fromarray(rng.integers(0, 256, (7, 31, 3), dtype=np.uint8))
    content = encoded(cells.resize((9001, 301), Image.Resampling.BICUBIC), "PNG", compress_level=1)
    found = device.pdqs({"wide": content})["wide"]
    assert (found["value"], found["quality"]) == signal(content)
