"""Apps' screens around a photograph, drawn: what a phone's screenshot of it looks like.

`OPEN` are for whoever builds a method; `HELD` are only measured, so that nothing is fitted to them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFont, ImageOps

from bench.derive.corpus import Photograph

WIDTH, HEIGHT = 540, 1170
"""Pixels of a phone's screen here."""

NAMES = ("Mara", "deniz_84", "old.harbour", "Juno K.", "northbound", "Tomas", "lila.and.co", "Ferry Lane")
WORDS = (
    "look who was there", "see you on Friday then", "no way!", "who took this one?", "from last summer", "ok, thanks",
    "the weather was lovely", "more of these please", "what a day", "sent from the train", "I did not know that",
)  # fmt: skip


@dataclass
class Making:
    """What one edit is made with: chance, and other photographs, of which it says which it took."""

    chance: random.Random
    others: list[Photograph]
    used: list[str] = field(default_factory=list)

    def other(self, size: tuple[int, int]) -> Image.Image:
        """The pixels of another photograph, cut to fill a size."""
        photograph = self.chance.choice(self.others)
        self.used.append(photograph.name)
        return ImageOps.fit(photograph.read(), size, Image.Resampling.BICUBIC)

    def name(self) -> str:
        return self.chance.choice(NAMES)

    def words(self) -> str:
        return self.chance.choice(WORDS)


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own, so that every machine draws the same."""
    return ImageFont.load_default(size)


@dataclass(frozen=True, slots=True)
class Colours:
    """Of a screen."""

    ground: str
    ink: str
    faint: str
    panel: str
    strong: str = "#2f7de1"


LIGHT = Colours("#ffffff", "#111111", "#8a8a8e", "#ececf0")
DARK = Colours("#000000", "#f4f4f4", "#8d8d93", "#1f1f23")


def _screen(colours: Colours, making: Making) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An empty screen with its status bar, 40 pixels."""
    screen = Image.new("RGB", (WIDTH, HEIGHT), colours.ground)
    draw = ImageDraw.Draw(screen)
    draw.text((28, 12), f"{making.chance.randrange(24)}:{making.chance.randrange(60):02}", colours.ink, font(17))
    for bar in range(4):
        draw.rectangle((410 + 8 * bar, 24 - 3 * bar, 415 + 8 * bar, 28), colours.ink)
    draw.rounded_rectangle((470, 13, 508, 29), 4, outline=colours.ink, width=2)
    draw.rectangle((474, 17, 474 + making.chance.randrange(8, 31), 25), colours.ink)
    return screen, draw


def _wide(picture: Image.Image, width: int, most: int) -> Image.Image:
    """As wide as that, or as high as most."""
    scale = min(width / picture.width, most / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.BICUBIC)


def _icons(draw: ImageDraw.ImageDraw, y: int, colours: Colours, count: int, left: int, step: int) -> None:
    for number in range(count):
        x = left + step * number
        match number % 4:
            case 0:
                draw.polygon(
                    ((x, y + 8), (x + 12, y + 22), (x + 24, y + 8), (x + 18, y), (x + 12, y + 6), (x + 6, y)),
                    colours.ink,
                )
            case 1:
                draw.ellipse((x, y, x + 22, y + 20), outline=colours.ink, width=3)
            case 2:
                draw.polygon(((x, y + 10), (x + 24, y), (x + 14, y + 22)), outline=colours.ink, width=3)
            case _:
                draw.rectangle((x + 3, y, x + 19, y + 22), outline=colours.ink, width=3)


def gallery(picture: Image.Image, making: Making, colours: Colours) -> Image.Image:
    """A phone's own photographs: a bar above, the picture in the middle, buttons below."""
    screen, draw = _screen(colours, making)
    draw.text((28, 62), "<  Recents", colours.strong, font(21))
    draw.text((440, 62), "Select", colours.strong, font(21))
    shown = _wide(picture, WIDTH, 900)
    screen.paste(shown, ((WIDTH - shown.width) // 2, 110 + (930 - shown.height) // 2))
    _icons(draw, 1085, colours, 4, 60, 130)
    draw.rounded_rectangle((180, 1152, 360, 1158), 3, colours.ink)
    return screen


def messages(picture: Image.Image, making: Making, colours: Colours) -> Image.Image:
    """A conversation: bubbles above and below the picture, which has margins."""
    screen, draw = _screen(colours, making)
    draw.rectangle((0, 44, WIDTH, 108), colours.panel)
    draw.ellipse((60, 52, 108, 100), colours.faint)
    draw.text((122, 62), making.name(), colours.ink, font(24))
    draw.text((20, 58), "<", colours.strong, font(30))
    y = 130
    for _ in range(making.chance.randrange(1, 4)):
        words = making.words()
        wide = round(draw.textlength(words, font(19))) + 36
        draw.rounded_rectangle((16, y, 16 + wide, y + 42), 18, colours.panel)
        draw.text((34, y + 9), words, colours.ink, font(19))
        y += 54
    shown = _wide(picture, WIDTH - 110, 560)
    screen.paste(shown, (WIDTH - 16 - shown.width, y))
    y += shown.height + 14
    while y < 1040:
        words = making.words()
        wide = round(draw.textlength(words, font(19))) + 36
        mine = making.chance.random() < 0.5
        left = WIDTH - 16 - wide if mine else 16
        draw.rounded_rectangle((left, y, left + wide, y + 42), 18, colours.strong if mine else colours.panel)
        draw.text((left + 18, y + 9), words, "#ffffff" if mine else colours.ink, font(19))
        y += 54
    draw.rounded_rectangle((60, 1098, 480, 1142), 20, outline=colours.faint, width=2)
    draw.text((80, 1108), "Message", colours.faint, font(19))
    return screen


def feed(picture: Image.Image, making: Making, colours: Colours) -> Image.Image:
    """A post of a social network: avatar, full-width picture, buttons, comments, tabs."""
    screen, draw = _screen(colours, making)
    draw.text((24, 54), "picto", colours.ink, font(32))
    draw.line((0, 104, WIDTH, 104), colours.panel, 2)
    draw.ellipse((18, 116, 66, 164), fill=colours.strong)
    draw.ellipse((22, 120, 62, 160), fill=colours.panel)
    draw.text((80, 126), making.name(), colours.ink, font(21))
    draw.text((500, 124), "...", colours.ink, font(24))
    shown = _wide(picture, WIDTH, 680)
    screen.paste(shown, ((WIDTH - shown.width) // 2, 178))
    y = 178 + shown.height + 16
    _icons(draw, y, colours, 3, 20, 48)
    draw.text((20, y + 38), f"{making.chance.randrange(2, 900)} likes", colours.ink, font(19))
    y += 72
    while y < 1060:
        draw.text((20, y), making.name(), colours.ink, font(18))
        draw.text((150, y), making.words(), colours.faint, font(18))
        y += 32
    draw.line((0, 1092, WIDTH, 1092), colours.panel, 2)
    _icons(draw, 1112, colours, 5, 40, 110)
    return screen


def page(picture: Image.Image, making: Making, colours: Colours) -> Image.Image:
    """A browser's page: address, headline, picture with margins, lines of text."""
    screen, draw = _screen(colours, making)
    draw.rounded_rectangle((20, 52, 520, 94), 12, colours.panel)
    draw.text((150, 62), "board.example/thread", colours.faint, font(19))
    y = 122
    for _ in range(2):
        draw.text((28, y), f"{making.words()} {making.name()}"[:34], colours.ink, font(28))
        y += 40
    shown = _wide(picture, WIDTH - 56, 620)
    y += 14
    screen.paste(shown, ((WIDTH - shown.width) // 2, y))
    y += shown.height + 22
    while y < 1080:
        draw.text((28, y), f"{making.words()}, {making.words()}"[:52], colours.ink, font(19))
        y += 28
    draw.rectangle((0, 1096, WIDTH, HEIGHT), colours.panel)
    _icons(draw, 1118, colours, 4, 70, 120)
    return screen


def album(picture: Image.Image, making: Making, colours: Colours) -> Image.Image:
    """Held out: a viewer with the picture high up, a strip of other small photographs and a date below."""
    screen, draw = _screen(colours, making)
    draw.text((190, 54), f"{making.chance.randrange(1, 29)} October", colours.ink, font(24))
    draw.text((212, 84), making.name(), colours.faint, font(16))
    shown = _wide(picture, WIDTH, 820)
    screen.paste(shown, ((WIDTH - shown.width) // 2, 124 + (820 - shown.height) // 3))
    for number in range(7):
        screen.paste(making.other((66, 88)), (10 + 76 * number, 972))
    draw.rounded_rectangle((24, 1082, 250, 1138), 26, colours.panel)
    draw.text((92, 1098), "Share", colours.ink, font(22))
    draw.rounded_rectangle((290, 1082, 516, 1138), 26, colours.panel)
    draw.text((362, 1098), "Edit", colours.ink, font(22))
    return screen


def desktop(picture: Image.Image, making: Making, colours: Colours) -> Image.Image:
    """Held out: a window on a computer, the picture at its left and comments at its right."""
    screen = Image.new("RGB", (1280, 800), colours.panel)
    draw = ImageDraw.Draw(screen)
    for number in range(3):
        draw.ellipse((16 + 26 * number, 14, 32 + 26 * number, 30), ("#ec6a5e", "#f4bf4f", "#61c554")[number])
    draw.rounded_rectangle((160, 8, 900, 36), 8, colours.ground)
    draw.text((180, 13), "https://pictures.example/view", colours.faint, font(16))
    draw.rectangle((0, 44, 880, 800), "#18181b")
    shown = _wide(picture, 860, 700)
    screen.paste(shown, ((880 - shown.width) // 2, 44 + (756 - shown.height) // 2))
    draw.rectangle((880, 44, 1280, 800), colours.ground)
    y = 70
    while y < 700:
        draw.ellipse((900, y, 936, y + 36), colours.faint)
        draw.text((950, y), making.name(), colours.ink, font(17))
        draw.text((950, y + 22), making.words(), colours.faint, font(16))
        y += 66
    draw.rounded_rectangle((900, 740, 1260, 780), 8, outline=colours.faint, width=2)
    draw.text((916, 750), "Write something", colours.faint, font(17))
    return screen


Chrome = Callable[[Image.Image, Making, Colours], Image.Image]

OPEN: dict[str, Chrome] = {"gallery": gallery, "messages": messages, "feed": feed, "page": page}
HELD: dict[str, Chrome] = {"album": album, "desktop": desktop}
