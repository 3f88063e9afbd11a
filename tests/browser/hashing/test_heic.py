"""HEIC, as telephones make it, in a browser that cannot decode it: the same values as Python's."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from reclaim.signals import fingerprint
from tests.browser.hashing.conftest import FINGERPRINT, Device
from tests.browser.hashing.reference import distance, encoded
from tests.browser.hashing.server import WEB
from tests.browser.hashing.test_same_file import FARTHEST, PHOTOS

pillow_heif.register_heif_opener()


def photo(name: str = "coffee", size: tuple[int, int] = (400, 266)) -> Image.Image:
    with Image.open(PHOTOS[0].with_name(f"{name}.jpg")) as picture:
        return picture.convert("RGB").resize(size)


def heic(picture: Image.Image, **options: Any) -> bytes:
    return encoded(picture, "HEIF", quality=80, enc_params={"preset": "ultrafast"}, **options)


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return heic(photo(), exif=exif.tobytes())


def ten_bits(picture: Image.Image) -> bytes:
    deep = np.asarray(picture).astype("<u2") * 257
    buffer = io.BytesIO()
    pillow_heif.from_bytes("RGB;16", picture.size, deep.tobytes()).save(buffer, quality=80)
    return buffer.getvalue()


def see_through(picture: Image.Image) -> bytes:
    faded = picture.convert("RGBA")
    faded.putalpha(Image.linear_gradient("L").resize(picture.size))
    return heic(faded)


def several() -> bytes:
    first, second, third = (photo(name, (320, 240)) for name in ("fig", "cat", "moose"))
    return heic(first, save_all=True, append_images=[second, third], primary_index=1)


def test_turned_deep_tiled_see_through_and_several_heic_pictures_have_pythons_value(device: Device) -> None:
    large = photo(size=(1200, 800))
    files = {f"turned {orientation}": turned(orientation) for orientation in range(1, 9)}
    files |= {
        "ten bits": ten_bits(photo("fig")),
        "tiled": heic(large, tile_size=512),
        "full colour": heic(photo("citrus"), subsampling="4:4:4"),
        "other colours": heic(photo("bee"), matrix_coefficients=1, full_range_flag=0),
        "grey": heic(photo("tower").convert("L")),
        "see-through": see_through(photo("hills")),
        "several": several(),
    }
    assert pillow_heif.open_heif(files["ten bits"], convert_hdr_to_8bit=False).info["bit_depth"] == 10
    assert b"grid" in files["tiled"]
    found = device.pdqs(files)
    distances = {name: distance(found[name]["value"], fingerprint(body).pdq) for name, body in files.items()}
    assert {name: bits for name, bits in distances.items() if bits > FARTHEST} == {}
    assert len({found[f"turned {orientation}"]["value"] for orientation in range(1, 9)}) == 8


def test_the_size_of_a_heic_is_said_as_it_is_shown(device: Device) -> None:
    found = device.signals({"lying": turned(1), "standing": turned(6)})
    assert {name: (r["about"]["width"], r["about"]["height"]) for name, r in found.items()} == {
        "lying": (400, 266),
        "standing": (266, 400),
    }
    assert {r["about"]["format"] for r in found.values()} == {"heic"}


def test_a_heic_that_is_cut_damaged_or_of_another_kind_has_its_reason(device: Device) -> None:
    whole = turned(1)
    damaged = bytearray(whole)
    at = whole.index(b"mdat") + 40
    damaged[at : at + 400] = bytes(400)
    unknown = whole.replace(b"hvc1", b"zzz1")
    huge = bytearray(whole)
    sizes = whole.index(b"ispe") + 8
    huge[sizes : sizes + 8] = (60000).to_bytes(4, "big") * 2
    files = {
        "whole": whole,
        "cut": whole[:-50],
        "early": whole[:300],
        "damaged": bytes(damaged),
        "unknown": unknown,
        "huge": bytes(huge),
        "whole again": whole,
    }
    found = {name: result.get("reason", "ok") for name, result in device.signals(files).items()}
    # What a damaged frame gives is the decoder's business, as long as the next picture is right.
    assert found.pop("damaged") in ("ok", "unreadable")
    assert found == {
        "whole": "ok",
        "cut": "truncated",
        "early": "truncated",
        "unknown": "unsupported",
        "huge": "too-large",
        "whole again": "ok",
    }


def test_the_decoder_is_asked_for_with_the_first_heic_and_nothing_is_asked_elsewhere(device: Device) -> None:
    said: list[str] = []
    asked: list[str] = []
    device.page.on("console", lambda message: said.append(message.text))
    device.page.context.on("request", lambda request: asked.append(request.url))
    paths = {
        name: device.site.put(name, body) for name, body in (("jpeg", encoded(photo(), "JPEG")), ("heic", turned(1)))
    }
    decoder = {f"{device.site.origin}/static/vendor/libheif/{name}" for name in ("libheif.js", "libheif.wasm")}

    def fingerprinted(name: str) -> dict[str, Any]:
        answer: dict[str, Any] = device.page.evaluate(FINGERPRINT, {"files": [paths[name]], "workers": 1})
        return answer

    assert fingerprinted("jpeg")["results"][0]["ok"]
    assert not decoder & set(asked)
    answer = fingerprinted("heic")
    assert answer["inWorker"]
    assert answer["results"][0]["ok"]
    assert decoder <= set(asked)
    assert all(url.startswith(device.site.origin) or url.startswith("blob:") for url in asked)
    assert [line for line in said if "404" not in line] == []


def test_a_sound_file_whose_program_cannot_be_had_is_not_called_damaged(device: Device) -> None:
    film = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42" + bytes(100)
    device.page.context.route("**/libheif.wasm", lambda route: route.abort())
    device.page.context.route("**/hashing/video.js", lambda route: route.abort())
    device.open()
    found = device.signals({"heic": turned(1), "film": film})
    assert {name: result["reason"] for name, result in found.items()} == {"heic": "not-fetched", "film": "not-fetched"}


@pytest.mark.parametrize("lack", ["delete globalThis.WebAssembly;", "globalThis.Worker = undefined;"])
def test_without_webassembly_it_says_unsupported_and_without_workers_the_page_does_it(
    lack: str, device: Device
) -> None:
    device.page.add_init_script("delete globalThis.Worker;" + lack)
    device.open()
    [result] = device.fingerprint({"heic": turned(1)})["results"]
    if "WebAssembly" in lack:
        assert result["reason"] == "unsupported"
    else:
        assert result["ok"]


def test_the_vendored_decoder_is_loaded_by_nothing_that_every_visit_loads() -> None:
    for file in (WEB / "hashing").iterdir():
        if file.name != "heif.js":
            assert "libheif/" not in file.read_text(), file.name
