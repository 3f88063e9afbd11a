"""Write src/reclaim/bank/screening/data/harmless.json: PDQ values of pictures that any device shows, drawn here.

Every picture is drawn by the formulas below, so the values carry no rights of anybody's. Each is hashed in all eight
turns; values that no picture with detail gives (``is_degenerate``) are left out, as the bank refuses them anyway.

    python tools/make_harmless.py
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from reclaim.signals import is_degenerate, pdq_of_turns
from reclaim.signals.luma import square

TARGET = Path(__file__).parents[1] / "src" / "reclaim" / "bank" / "screening" / "data" / "harmless.json"
SIDE = 1024
PHONE = (1080, 2340)
DESK = (1920, 1080)
LEAST_APART = 9
"""Turns of one picture nearer than this to one another are one value."""

Picture = Image.Image
Grey = npt.NDArray[np.float64]
TEXT = (
    "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and "
    "should act towards one another in a spirit of brotherhood. Everyone is entitled to all the rights and freedoms "
    "set forth in this Declaration, without distinction of any kind. "
)


def _axes(width: int = SIDE, height: int = SIDE) -> tuple[Grey, Grey]:
    down, across = np.mgrid[0:height, 0:width].astype(np.float64)
    return across / (width - 1), down / (height - 1)


def _grey(plane: npt.NDArray[Any]) -> Picture:
    return Image.fromarray(np.clip(plane * 255, 0, 255).round().astype(np.uint8))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _page(size: tuple[int, int] = (1240, 1754), paper: str = "white") -> tuple[Picture, ImageDraw.ImageDraw]:
    page = Image.new("RGB", size, paper)
    return page, ImageDraw.Draw(page)


def gradients() -> Iterator[tuple[str, Picture]]:
    """Wallpapers of two colours."""
    x, y = _axes()
    far = np.hypot(x - 0.5, y - 0.5)
    yield "wallpaper: gradient from side to side", _grey(x)
    yield "wallpaper: gradient from corner to corner", _grey((x + y) / 2)
    yield "wallpaper: gradient from side to side, dark in the middle", _grey(np.abs(2 * x - 1))
    yield "wallpaper: gradient from corner to corner, dark in the middle", _grey(np.abs(x + y - 1))
    yield "wallpaper: glow from the middle", _grey(1 - far * 1.41)
    yield "wallpaper: glow from a corner", _grey(1 - np.hypot(x, y) / 1.41)
    yield "wallpaper: glow from a side", _grey(1 - np.hypot(x - 0.5, y) / 1.2)
    yield "wallpaper: a turn of the colour wheel", _grey((np.arctan2(y - 0.5, x - 0.5) / np.pi + 1) / 2)
    yield "wallpaper: gradient with a dark rim", _grey(x * (1 - far))
    for waves in (1, 2, 3, 5, 8):
        yield f"wallpaper: {waves} soft waves", _grey(0.5 + 0.5 * np.sin(2 * np.pi * waves * x))
        yield f"wallpaper: {waves} soft waves, slanting", _grey(0.5 + 0.5 * np.sin(np.pi * waves * (x + y)))
    for blobs in (2, 3, 4):
        plane = np.zeros_like(x)
        for blob in range(blobs):
            turn = 2 * np.pi * blob / blobs
            plane += np.exp(-((x - 0.5 - 0.3 * np.cos(turn)) ** 2 + (y - 0.5 - 0.3 * np.sin(turn)) ** 2) / 0.03)
        yield f"wallpaper: {blobs} soft spots", _grey(plane)


def patterns() -> Iterator[tuple[str, Picture]]:
    """Chessboards, stripes, rings, dots."""
    x, y = _axes()
    far = np.hypot(x - 0.5, y - 0.5)
    for count in (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 32):
        yield f"chessboard of {count} by {count}", _grey((np.floor(x * count) + np.floor(y * count)) % 2 * 0.999)
    for count in (2, 3, 4, 5, 6, 8, 10, 16, 24):
        yield f"{count} stripes", _grey(np.floor(x * 0.9999 * count) % 2)
        yield f"{count} slanting stripes", _grey(np.floor((x + y) * 0.4999 * count) % 2)
    for count in (2, 3, 5, 8, 12):
        yield f"{count} rings", _grey(np.floor(far * 2 * count) % 2)
        yield f"star of {count * 4} rays", _grey(np.floor((np.arctan2(y - 0.5, x - 0.5) / np.pi + 1) * count * 2) % 2)
    for count in (4, 8, 12, 20):
        dots = np.hypot(x * count % 1 - 0.5, y * count % 1 - 0.5) < 0.3
        yield f"dots, {count} by {count}", _grey(dots.astype(np.float64))
        lines = (x * count % 1 < 0.06) | (y * count % 1 < 0.06)
        yield f"grid of {count} by {count}", _grey(1 - lines)
    bricks = ((y * 12 % 1) < 0.08) | (((x * 6 + np.floor(y * 12) % 2 / 2) % 1) < 0.04)
    yield "bricks", _grey(1 - bricks * 0.6)


def test_cards() -> Iterator[tuple[str, Picture]]:
    """What broadcasters and screen makers show."""
    bars = ["#c0c0c0", "#c0c000", "#00c0c0", "#00c000", "#c000c0", "#c00000", "#0000c0"]
    for name, colours in (
        ("colour bars, seven", bars),
        (
            "colour bars, eight",
            ["#ffffff", "#ffff00", "#00ffff", "#00ff00", "#ff00ff", "#ff0000", "#0000ff", "#000000"],
        ),
        ("grey steps, eleven", [f"#{step * 25:02x}{step * 25:02x}{step * 25:02x}" for step in range(11)]),
    ):
        card, draw = _page(DESK)
        wide = DESK[0] / len(colours)
        for place, colour in enumerate(colours):
            draw.rectangle((place * wide, 0, (place + 1) * wide, DESK[1]), fill=colour)
        yield f"test card: {name}", card
    card, draw = _page(DESK)
    wide = DESK[0] / 7
    for place, colour in enumerate(bars):
        draw.rectangle((place * wide, 0, (place + 1) * wide, DESK[1] * 2 / 3), fill=colour)
        draw.rectangle(
            (place * wide, DESK[1] * 2 / 3, (place + 1) * wide, DESK[1] * 3 / 4),
            fill=bars[6 - place] if place % 2 == 0 else "#131313",
        )
    for place, colour in enumerate(["#00214c", "#ffffff", "#32006a", "#131313", "#090909", "#131313", "#1d1d1d"]):
        draw.rectangle((place * wide, DESK[1] * 3 / 4, (place + 1) * wide, DESK[1]), fill=colour)
    yield "test card: colour bars in three rows", card
    card, draw = _page(DESK, "#808080")
    for step in range(0, DESK[0], 80):
        draw.line((step, 0, step, DESK[1]), fill="white", width=4)
    for step in range(0, DESK[1], 80):
        draw.line((0, step, DESK[0], step), fill="white", width=4)
    yield "test card: cross-hatch", card.copy()
    middle = (DESK[0] // 2, DESK[1] // 2)
    draw.ellipse((middle[0] - 500, middle[1] - 500, middle[0] + 500, middle[1] + 500), outline="white", width=8)
    for place, colour in enumerate(bars):
        draw.rectangle((560 + place * 115, 340, 675 + place * 115, 540), fill=colour)
    for step in range(8):
        draw.rectangle(
            (560 + step * 100, 540, 660 + step * 100, 740), fill=f"#{step * 36:02x}{step * 36:02x}{step * 36:02x}"
        )
    yield "test card: cross-hatch with a circle and bars", card
    card, draw = _page(DESK, "#1020c0")
    draw.text((560, 480), "NO SIGNAL", fill="white", font=_font(140))
    yield "screen: no signal", card


def _module_grid(modules: int, seed: int) -> Picture:
    draw = random.Random(seed)
    cells = np.array([[draw.random() < 0.5 for _ in range(modules)] for _ in range(modules)])
    for top, left in ((0, 0), (0, modules - 7), (modules - 7, 0)):
        cells[max(top - 1, 0) : top + 8, max(left - 1, 0) : left + 8] = False
        cells[top : top + 7, left : left + 7] = True
        cells[top + 1 : top + 6, left + 1 : left + 6] = False
        cells[top + 2 : top + 5, left + 2 : left + 5] = True
    quiet = np.pad(cells, 4)
    return Image.fromarray(np.where(quiet, 0, 255).astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.NEAREST)


def codes() -> Iterator[tuple[str, Picture]]:
    """Square codes and bar codes, as drawn without any content."""
    for modules in (21, 25, 29, 33):
        for seed in (1, 2):
            yield f"square code of {modules} modules, drawn {seed}", _module_grid(modules, seed)
    blank = _module_grid(29, 1)
    ImageDraw.Draw(blank).rectangle((320, 320, 720, 720), fill=255)
    yield "square code with a blank middle", blank
    bars, draw = _page((1200, 800))
    stripes = random.Random(3)
    left = 80
    while left < 1120:
        wide = stripes.choice((6, 12, 18, 24))
        draw.rectangle((left, 60, left + wide, 640), fill="black")
        left += wide + stripes.choice((6, 12, 18, 24))
    draw.text((300, 660), "0 123456 789012", fill="black", font=_font(80))
    yield "bar code", bars


def documents() -> Iterator[tuple[str, Picture]]:
    """Paper and plain text."""
    for name, gap in (("narrow", 60), ("wide", 110)):
        page, draw = _page()
        for line in range(160, 1700, gap):
            draw.line((0, line, 1240, line), fill="#6080c0", width=3)
        yield f"paper: ruled, {name}", page.copy()
        draw.line((150, 0, 150, 1754), fill="#c06060", width=3)
        yield f"paper: ruled, {name}, with a margin", page
    page, draw = _page()
    for across in range(0, 1240, 62):
        draw.line((across, 0, across, 1754), fill="#8090b0", width=2)
    for down in range(0, 1754, 62):
        draw.line((0, down, 1240, down), fill="#8090b0", width=2)
    yield "paper: squared", page
    page, draw = _page()
    for staff in range(150, 1650, 220):
        for line in range(5):
            draw.line((90, staff + line * 24, 1150, staff + line * 24), fill="black", width=3)
    yield "paper: music", page
    page, draw = _page()
    for week in range(6):
        for day in range(7):
            draw.rectangle(
                (70 + day * 157, 350 + week * 215, 227 + day * 157, 565 + week * 215), outline="black", width=4
            )
            if 1 <= (number := week * 7 + day - 1) <= 31:
                draw.text((90 + day * 157, 365 + week * 215), str(number), fill="black", font=_font(60))
    draw.text((430, 140), "MONTH", fill="black", font=_font(120))
    yield "paper: month", page
    page, draw = _page(DESK)
    for across in range(0, 1920, 160):
        draw.line((across, 0, across, 1080), fill="#a0a0a0", width=2)
    for down in range(0, 1080, 45):
        draw.line((0, down, 1920, down), fill="#a0a0a0", width=2)
    draw.rectangle((0, 0, 1920, 45), fill="#d0d0d0")
    yield "screen: empty table", page
    for name, size, paper, ink, letters in (
        ("page of small text", (1240, 1754), "white", "black", 30),
        ("page of large text", (1240, 1754), "white", "black", 60),
        ("phone, text, light", PHONE, "white", "#202020", 48),
        ("phone, text, dark", PHONE, "#101014", "#e8e8e8", 48),
        ("desk, text, light", DESK, "white", "#202020", 32),
        ("desk, text, dark", DESK, "#101014", "#e8e8e8", 32),
    ):
        page, draw = _page(size, paper)
        per_line = int((size[0] - 160) / (letters * 0.5))
        words = (TEXT * 60)[: per_line * int((size[1] - 240) / (letters * 1.4))]
        for line in range(0, len(words), per_line):
            draw.text(
                (80, 120 + line // per_line * letters * 1.4),
                words[line : line + per_line],
                fill=ink,
                font=_font(letters),
            )
        yield f"text: {name}", page


def screens() -> Iterator[tuple[str, Picture]]:
    """What phones and computers show when something is missing or wrong."""
    for tone, paper, card, ink in (("light", "#f2f2f2", "white", "#202020"), ("dark", "#101014", "#26262c", "#e8e8e8")):
        for title, words in (
            ("Something went wrong", "Please try again later."),
            ("No connection", "Check your network and try again."),
            ("Page not found", "404"),
            ("Storage almost full", "Free some space in Settings."),
        ):
            page, draw = _page(PHONE, paper)
            draw.rounded_rectangle((120, 900, 960, 1440), 48, fill=card)
            draw.text((190, 980), title, fill=ink, font=_font(72))
            draw.text((190, 1100), words, fill=ink, font=_font(44))
            draw.rounded_rectangle((620, 1280, 900, 1380), 40, fill="#3060e0")
            draw.text((700, 1300), "OK", fill="white", font=_font(54))
            yield f"phone, {tone}: {title}", page
        page, draw = _page(PHONE, paper)
        draw.arc((390, 1020, 690, 1320), 30, 330, fill="#3060e0", width=36)
        yield f"phone, {tone}: waiting", page
        page, draw = _page(PHONE, paper)
        draw.text((250, 500), "12:00", fill=ink, font=_font(240))
        draw.text((330, 800), "Monday, 1 January", fill=ink, font=_font(54))
        draw.rounded_rectangle((420, 2240, 660, 2256), 8, fill=ink)
        yield f"phone, {tone}: locked", page
        page, draw = _page(PHONE, paper)
        for row in range(6):
            for place in range(4):
                draw.rounded_rectangle(
                    (90 + place * 240, 220 + row * 300, 270 + place * 240, 400 + row * 300), 44, fill="#3060e0"
                )
        yield f"phone, {tone}: a page of apps", page
        page, draw = _page(PHONE, paper)
        for row in range(9):
            left = 90 if row % 2 else 400
            draw.rounded_rectangle(
                (left, 240 + row * 200, left + 590, 400 + row * 200), 60, fill="#3060e0" if row % 2 else card
            )
        yield f"phone, {tone}: a chat without words", page
        page, draw = _page(PHONE, paper)
        for row in range(4):
            for place in range(10 - row % 2):
                draw.rounded_rectangle(
                    (
                        20 + place * 106 + row % 2 * 53,
                        1560 + row * 180,
                        112 + place * 106 + row % 2 * 53,
                        1710 + row * 180,
                    ),
                    16,
                    fill=card,
                )
        yield f"phone, {tone}: a keyboard", page
    page, draw = _page(DESK, "#0a3a9a")
    draw.text((200, 160), ":(", fill="white", font=_font(220))
    for line, words in enumerate(
        ("Your device ran into a problem and needs to restart.", "We will restart for you.", "20% complete")
    ):
        draw.text((200, 480 + line * 90), words, fill="white", font=_font(56))
    yield "desk: the system stopped", page
    page, draw = _page(DESK, "black")
    for line in range(24):
        draw.text(
            (20, 20 + line * 44), f"[ {line / 7:.6f}] starting service {line} ... ok", fill="#c0c0c0", font=_font(34)
        )
    yield "desk: the system starts", page
    page, draw = _page(DESK, "white")
    draw.rectangle((0, 0, 1920, 120), fill="#e0e0e0")
    draw.rounded_rectangle((200, 30, 1700, 90), 30, fill="white")
    draw.text((400, 420), "This site cannot be reached", fill="#303030", font=_font(84))
    yield "desk: a site cannot be reached", page


def placeholders() -> Iterator[tuple[str, Picture]]:
    """What stands where a picture is not."""
    for tone, paper, ink in (("light", "#e4e4e4", "#9a9a9a"), ("dark", "#303030", "#808080")):
        page, draw = _page((SIDE, SIDE), paper)
        draw.ellipse((352, 200, 672, 520), fill=ink)
        draw.ellipse((192, 600, 832, 1240), fill=ink)
        yield f"placeholder, {tone}: a person", page
        page, draw = _page((SIDE, SIDE), paper)
        draw.rectangle((192, 256, 832, 768), outline=ink, width=40)
        draw.ellipse((620, 330, 740, 450), fill=ink)
        draw.polygon([(232, 728), (440, 430), (600, 620), (680, 540), (792, 728)], fill=ink)
        yield f"placeholder, {tone}: a picture", page
        page, draw = _page((1280, 720), paper)
        draw.ellipse((490, 210, 790, 510), fill=ink)
        draw.polygon([(590, 280), (590, 440), (720, 360)], fill=paper)
        yield f"placeholder, {tone}: play", page
        page, draw = _page((SIDE, SIDE), paper)
        draw.rounded_rectangle((192, 320, 832, 760), 60, fill=ink)
        draw.rectangle((400, 260, 620, 330), fill=ink)
        draw.ellipse((380, 400, 640, 660), fill=paper)
        yield f"placeholder, {tone}: a camera", page
        page, draw = _page((SIDE, SIDE), paper)
        draw.text((150, 460), "Image not available", fill=ink, font=_font(80))
        yield f"placeholder, {tone}: not available", page
        page, draw = _page((SIDE, SIDE), paper)
        draw.ellipse((312, 200, 712, 600), fill=ink)
        draw.polygon([(330, 480), (694, 480), (512, 860)], fill=ink)
        draw.ellipse((432, 320, 592, 480), fill=paper)
        yield f"placeholder, {tone}: a place on a map", page


def flags() -> Iterator[tuple[str, Picture]]:
    """Layouts that many flags share."""
    x, y = _axes(1500, 1000)
    third = np.floor(x * 2.999)
    for name, order in (
        ("dark, light, middle", (0.2, 1.0, 0.5)),
        ("middle, light, dark", (0.5, 1.0, 0.2)),
        ("dark, middle, light", (0.2, 0.5, 1.0)),
    ):
        yield (
            f"flag: three bands, {name}",
            _grey(np.choose(third.astype(int), [np.full_like(x, tone) for tone in order])),
        )
    yield "flag: two bands", _grey(np.where(y < 0.5, 1.0, 0.3))
    yield "flag: a disc", _grey(np.where(np.hypot((x - 0.5) * 1.5, y - 0.5) < 0.3, 0.35, 1.0))
    yield "flag: a cross", _grey(np.where((np.abs(x - 0.36) < 0.06) | (np.abs(y - 0.5) < 0.09), 0.9, 0.3))
    yield "flag: an upright cross", _grey(np.where((np.abs(x - 0.5) < 0.07) | (np.abs(y - 0.5) < 0.1), 0.9, 0.35))
    yield "flag: a slanting cross", _grey(np.where((np.abs(x - y) < 0.1) | (np.abs(x + y - 1) < 0.1), 0.95, 0.3))


GROUPS: tuple[Callable[[], Iterator[tuple[str, Picture]]], ...] = (
    gradients,
    patterns,
    test_cards,
    codes,
    documents,
    screens,
    placeholders,
    flags,
)


def _apart(a: str, b: str) -> int:
    return (int(a, 16) ^ int(b, 16)).bit_count()


def values_of(picture: Picture) -> list[str]:
    """The values of a picture in its turns, without those that are nearly one another's."""
    values: list[str] = []
    for turn in pdq_of_turns(square(picture)).values():
        if not is_degenerate(turn.value) and all(_apart(turn.value, other) >= LEAST_APART for other in values):
            values.append(turn.value)
    return values


def main() -> None:
    """Draw, hash, write."""
    entries = []
    for group in GROUPS:
        for what, picture in group():
            if values := values_of(picture):
                entries.append(
                    {"type": "pdq", "what": what, "made": f"{Path(__file__).name}: {group.__name__}", "values": values}
                )
    empty = hashlib.md5(b"", usedforsecurity=False).hexdigest()
    entries.append(
        {"type": "md5", "what": "an empty file", "made": f"{Path(__file__).name}: MD5 of no bytes", "values": [empty]}
    )
    head = {
        "about": "Pictures that many people have and that harm nobody, each in all turns; by tools/make_harmless.py.",
        "licence": "Apache-2.0; every picture was drawn by that tool.",
    }
    lines = ",\n".join(f"  {json.dumps(entry)}" for entry in entries)
    TARGET.write_text(
        json.dumps(head)[:-1].replace('", "', '",\n "') + f',\n "values": [\n{lines}\n ]}}\n', encoding="utf-8"
    )
    print(f"{len(entries)} pictures, {sum(len(entry['values']) for entry in entries)} values")


if __name__ == "__main__":
    main()
