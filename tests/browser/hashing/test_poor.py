"""A picture that a signal would not tell from others gives its exact hash, and says why."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from reclaim.signals import fingerprint
from tests.browser.hashing.conftest import Device
from tests.browser.hashing.reference import encoded
from tests.browser.hashing.test_same_file import PHOTOS

WORDS = (Path(__file__).resolve().parents[3] / "README.md").read_text().split()
LIGHT, DARK = (255, 255, 255), (12, 12, 14)


def line(drawing: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont, width: float, chance: random.Random) -> str:
    text = chance.choice(WORDS)
    while drawing.textlength(text, font) < width:
        text += " " + chance.choice(WORDS)
    return text.rsplit(" ", 1)[0]


def letter(size: tuple[int, int], ground: tuple[int, int, int], height: int) -> Image.Image:
    """A screen full of lines of text."""
    picture, chance = Image.new("RGB", size, ground), random.Random(height)
    drawing, font = ImageDraw.Draw(picture), ImageFont.load_default(height)
    for y in range(height, size[1] - height, height * 3 // 2):
        ink = (20, 20, 20) if ground == LIGHT else (235, 235, 235)
        drawing.text((height, y), line(drawing, font, size[0] - 3 * height, chance), ink, font)
    return picture


def chat(size: tuple[int, int], ground: tuple[int, int, int], height: int) -> Image.Image:
    """Bubbles of text, left and right."""
    picture, chance = Image.new("RGB", size, ground), random.Random(height)
    drawing, font = ImageDraw.Draw(picture), ImageFont.load_default(height)
    y = height
    while y < size[1] - 5 * height:
        lines, width, mine = chance.randint(1, 4), int(size[0] * chance.uniform(0.3, 0.7)), chance.random() < 0.5
        x = size[0] - width - height if mine else height
        bubble = (10, 110, 230) if mine else (225, 225, 230) if ground == LIGHT else (44, 44, 48)
        drawing.rounded_rectangle((x, y, x + width, y + lines * height * 1.4 + height), height, bubble)
        ink = (255, 255, 255) if mine or ground == DARK else (0, 0, 0)
        for number in range(lines):
            text = line(drawing, font, width - 2 * height, chance)
            drawing.text((x + height * 0.7, y + height * (0.5 + 1.4 * number)), text, ink, font)
        y += int(lines * height * 1.4) + 2 * height
    return picture


def shown_on_a_screen(picture: Image.Image, ground: tuple[int, int, int], share: float) -> Image.Image:
    """The picture in an app: on an even ground, with the time above it and words below."""
    screen = Image.new("RGB", (540, 1100), ground)
    drawing, font = ImageDraw.Draw(screen), ImageFont.load_default(20)
    height = int(1100 * share)
    screen.paste(picture.resize((540, height)), (0, (1100 - height) // 2))
    drawing.text((30, 15), "12:30", (128, 128, 128), font)
    drawing.text((30, 1040), " ".join(WORDS[:8]), (128, 128, 128), font)
    return screen


def test_screens_of_text_are_named_text_however_they_are_stored(device: Device) -> None:
    screens = [
        make(size, ground, height)
        for make, height in ((letter, 26), (letter, 40), (chat, 34))
        for size in ((1080, 1600), (1400, 900))
        for ground in (LIGHT, DARK)
    ]
    files = {}
    for number, screen in enumerate(screens):
        files[f"{number} png"] = encoded(screen, "PNG", compress_level=1)
        files[f"{number} jpeg"] = encoded(screen, "JPEG", quality=75)
    assert all(fingerprint(content).quality >= 50 for content in list(files.values())[:4])
    found = device.signals(files)
    assert {name: result.get("why") for name, result in found.items()} == dict.fromkeys(files, "text")


def test_no_photograph_is_named_text_not_even_a_small_one_in_an_app(device: Device) -> None:
    files = {}
    for number, path in enumerate(PHOTOS):
        with Image.open(path) as opened:
            photo = opened.convert("RGB")
        files[path.stem] = path.read_bytes()
        ground, share = (LIGHT, DARK)[number % 2], (0.2, 0.35, 0.6)[number % 3]
        files[f"{path.stem} on a screen"] = encoded(shown_on_a_screen(photo, ground, share), "JPEG", quality=80)
    found = device.signals(files)
    assert {name for name, result in found.items() if result.get("why") == "text"} == set()


@pytest.mark.parametrize("why", ["flat", "small", "text"])
def test_a_poor_picture_has_no_signal_but_the_md5_of_its_file(why: str, device: Device) -> None:
    with Image.open(PHOTOS[4]) as photo:
        small = photo.convert("RGB").resize((63, 200))
    made = {
        "flat": encoded(Image.new("RGB", (600, 400), (128, 128, 128)), "PNG"),
        "small": encoded(small, "PNG"),
        "text": encoded(letter((900, 900), LIGHT, 30), "PNG"),
    }[why]
    result = device.signals({why: made})[why]
    assert {key: result[key] for key in ("ok", "kind", "poor", "why", "signals", "exact")} == {
        "ok": True,
        "kind": "picture",
        "poor": True,
        "why": why,
        "signals": [],
        "exact": {"type": "md5", "value": hashlib.md5(made, usedforsecurity=False).hexdigest()},
    }


def test_a_picture_of_sixty_four_pixels_is_large_enough(device: Device) -> None:
    with Image.open(PHOTOS[4]) as photo:
        content = encoded(photo.convert("RGB").resize((64, 200)), "PNG")
    assert device.pdqs({"narrow": content})["narrow"]["quality"] >= 50


def test_what_python_calls_poor_is_poor_in_the_browser_too(device: Device) -> None:
    files = {path.stem: path.read_bytes() for path in PHOTOS}
    found = device.signals(files)
    poor = {name for name, content in files.items() if fingerprint(content).poor}
    assert {name for name, result in found.items() if result.get("poor")} == poor
