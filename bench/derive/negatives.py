"""Hard negatives: pictures that share much with a known one and do not show it.

Of each kind some pictures are known and others are uploads; any two of a kind that show different photographs are a
pair that must not match. The known ones show photographs of which no upload is an edit, so nothing else in the bank
shows what an edited copy does.
Bursts are not made here: the corpus has photographs of one place or event, see `corpus.Photograph.scene`. What is
made is `background`: the same photograph with another in its middle, seen from a little further left. Those share most
of their pixels, as a partly altered copy does with its original, so nothing that finds such copies can tell them apart.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter

from bench.derive.chrome import DARK, HELD, LIGHT, NAMES, OPEN, WORDS, Making, font
from bench.derive.corpus import Part, Photograph
from bench.derive.edits import caption, jpeg

KINDS = ("template", "meme", "screenshot", "document", "form", "burst", "background")
"""Of pairs that are not unrelated."""

_OF_EACH = 12
_TITLES = ("GRAND OPENING", "SUMMER SALE -30 %", "TONIGHT AT 8")
_MEMES = (
    ["when the meeting could", "have been an email"],
    ["nobody:", "me at three in the morning"],
    ["I said what I said"],
)


@dataclass(frozen=True, slots=True)
class Hard:
    """A picture of a kind."""

    kind: str
    name: str
    shows: tuple[str, ...]
    """The photographs in it, or the document that it is."""
    data: bytes
    """The file, a JPEG."""
    behind: str = ""
    """The photograph that is its background, for the kind of that name."""


def hard(part: Part, photographs: list[Photograph], of_each: int = _OF_EACH, *, known: bool = False) -> Iterator[Hard]:
    """Those of a part of the corpus, made of these photographs. Held-out apps' screens are only in that part."""
    chance = random.Random(f"hard negatives, {part}")
    alone = [photograph for photograph in photographs if not photograph.scene]

    def some() -> list[Photograph]:
        return chance.sample(alone, min(of_each, len(alone)))

    for number, title in enumerate(_TITLES):
        for photograph in some():
            made = _template(photograph.read(), number, title)
            yield Hard("template", f"template{number} {photograph.name}", (photograph.name,), jpeg(made))
    for number, words in enumerate(_MEMES):
        for photograph in some():
            made = caption(photograph.read(), words, below=number == 1, dark=number == 2)
            yield Hard("meme", f"meme{number} {photograph.name}", (photograph.name,), jpeg(made))
    for name, chrome in (OPEN if part == "open" else OPEN | HELD).items():
        for photograph in some():
            # The same chance for all: the same conversation, page or comments around another photograph.
            making = Making(random.Random(f"{part} {name}"), alone)
            made = chrome(photograph.read(), making, DARK if chance.random() < 0.5 else LIGHT)
            yield Hard("screenshot", f"{name} {photograph.name}", (photograph.name, *making.used), jpeg(made))
    for number in range(3 * of_each):
        name = f"document{number} {part} {'known' if known else 'asked'}"
        kind = "form" if number % 3 == 2 else "document"
        yield Hard(kind, name, (name,), jpeg(_document(number % 3, random.Random(name))))
    if known:
        return  # of these the photograph itself is what is known
    for photograph in some()[: max(2, of_each // 3)]:
        others = [one for one in alone if one is not photograph]
        for other in chance.sample(others, min(3, len(others))):
            made = _moved(photograph.read(), other.read(), chance)
            name = f"{photograph.name} behind {other.name}"
            yield Hard("background", name, (other.name,), jpeg(made), photograph.name)


def _template(picture: Image.Image, number: int, title: str) -> Image.Image:
    """A flyer around a photograph."""
    ground, ink = (("#f2c14e", "#1b1b3a"), ("#d1495b", "white"), ("#17324d", "#f7f7f2"))[number]
    made = Image.new("RGB", (720, 900), ground)
    draw = ImageDraw.Draw(made)
    for stripe in range(-900, 720, 60):
        draw.line((stripe, 900, stripe + 900, 0), ink if stripe % 120 else ground, 2)
    shown = picture.resize((560, 420), Image.Resampling.BICUBIC)
    draw.rectangle((60, 150, 660, 610), "white")
    made.paste(shown, (80, 170))
    draw.rectangle((0, 30, 720, 120), ink)
    draw.text((360, 75), title, ground, font(58), anchor="mm")
    for line in range(4):
        draw.text((360, 660 + 40 * line), WORDS[(number * 3 + line) % len(WORDS)], ink, font(30), anchor="mm")
    draw.ellipse((560, 520, 700, 660), ink, "white", 6)
    draw.text((630, 590), ("NEW", "-30 %", "FREE")[number], ground, font(38), anchor="mm")
    return made


def _document(form: int, chance: random.Random) -> Image.Image:
    """A page of text, a receipt or a form, filled in otherwise each time."""
    if form == 1:
        made = Image.new("RGB", (480, 960), "#fbfaf5")
        draw = ImageDraw.Draw(made)
        draw.text((240, 50), "CORNER SHOP", "black", font(40), anchor="mm")
        draw.text((240, 96), "12 Harbour Street, open daily", "black", font(20), anchor="mm")
        y, total = 150, 0
        for _ in range(chance.randrange(8, 18)):
            price = chance.randrange(40, 2900)
            total += price
            draw.text(
                (30, y), chance.choice(("milk", "bread", "rice", "apples", "soap", "tea", "eggs")), "black", font(24)
            )
            draw.text((450, y), f"{price / 100:.2f}", "black", font(24), anchor="ra")
            y += 36
        draw.line((30, y + 6, 450, y + 6), "black", 2)
        draw.text((30, y + 16), "TOTAL", "black", font(30))
        draw.text((450, y + 16), f"{total / 100:.2f}", "black", font(30), anchor="ra")
        draw.text((240, 920), "Thank you, come again!", "black", font(22), anchor="mm")
        return made
    made = Image.new("RGB", (700, 900), "white")
    draw = ImageDraw.Draw(made)
    if form == 0:
        draw.text((60, 50), f"{chance.choice(WORDS).capitalize()}", "black", font(34))
        for y in range(120, 850, 26):
            if chance.random() < 0.9:
                line = ", ".join(chance.choice(WORDS) for _ in range(3))
                draw.text((60, y), line[: chance.randrange(40, 62)], "black", font(19))
        return made
    draw.rectangle((40, 40, 660, 860), outline="black", width=3)
    draw.text((350, 80), "APPLICATION FOR A PERMIT", "black", font(34), anchor="mm")
    labels = (
        "Family name",
        "First name",
        "Date of birth",
        "Street",
        "Town",
        "Telephone",
        "Kind of permit",
        "From",
        "Until",
    )
    for row, label in enumerate(labels):
        y = 140 + 72 * row
        draw.rectangle((60, y, 640, y + 60), outline="black")
        draw.text((70, y + 4), label, "#444444", font(16))
        filled = f"{chance.choice(NAMES)} {chance.randrange(1, 2000)}"
        draw.text((90, y + 24), filled, "#1b2a6b", font(26))
    draw.text((60, 812), "I declare that what is said above is true.", "black", font(20))
    return made


def _moved(picture: Image.Image, other: Image.Image, chance: random.Random) -> Image.Image:
    """The picture from a little beside, and another over its middle: an ellipse over half of the area."""
    width, height = picture.size
    lean = 0.04 * width * chance.uniform(0.5, 1)
    corners = (lean, 0, 0, height, width, height - lean, width - lean, lean)
    made = picture.transform(picture.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC)
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).ellipse((0.1 * width, 0.1 * height, 0.9 * width, 0.9 * height), 255)
    return Image.composite(other.resize(picture.size), made, mask.filter(ImageFilter.GaussianBlur(3)))
