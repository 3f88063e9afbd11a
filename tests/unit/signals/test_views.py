"""An upload is looked up whole, turned, trimmed, in parts and untilted: what is found so, and what that may cost."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from reclaim.signals import Pdq, _pdq, hamming, pdq_of_luma, pdq_of_turns, read_luma
from reclaim.signals.drawn import is_drawn
from reclaim.signals.luma import Picture, picture_of_bytes, read_picture
from reclaim.signals.parts import MOST_PARTS, parts_of
from reclaim.signals.pdq import TURNS
from reclaim.signals.views import MOST_CODES, MOST_VIEWS, Views, fields_of, plain_of, views_in, views_of, whole_of

PHOTOS = Path(__file__).parents[2] / "photos"
CAT, COFFEE, DOGS, MOOSE = (PHOTOS / f"{name}.jpg" for name in ("cat", "coffee", "dogs", "moose"))
CODES = ("cat", "moose")


def photo(path: Path, size: tuple[int, int] = (450, 300)) -> Image.Image:
    with Image.open(path) as image:
        return ImageOps.fit(image.convert("RGB"), size)


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def nearest(data: bytes, wanted: Pdq) -> tuple[str, str, int]:
    """The kind of view, the turn and the distance at which an upload comes nearest to a known picture."""
    views = views_of(picture_of_bytes(data))
    found = [
        (hamming(code.tobytes().hex(), wanted.value), view.kind, turn)
        for code, (view, turn) in zip(views.codes, views.origins(), strict=True)
    ]
    distance, kind, turn = min(found)
    return kind, turn, distance


def framed(image: Image.Image) -> Image.Image:
    return ImageOps.expand(image, border=(0, 120), fill="black")


def in_a_collage(image: Image.Image) -> Image.Image:
    made = Image.new("RGB", (908, 608), "white")
    for at, each in zip(((0, 0), (458, 0), (0, 308)), map(photo, (COFFEE, DOGS, MOOSE)), strict=True):
        made.paste(each, at)
    made.paste(image, (458, 308))
    return made


def in_a_row(image: Image.Image) -> Image.Image:
    made = Image.new("RGB", (750, 300))
    made.paste(image, (0, 0))
    made.paste(photo(COFFEE, (300, 300)), (450, 0))
    return made


def inset(image: Image.Image) -> Image.Image:
    made = photo(MOOSE, (1000, 700))
    made.paste(ImageOps.expand(image.resize((330, 220)), 4, "white"), (20, 30))
    return made


def page() -> Image.Image:
    made = Image.new("RGB", (700, 900), "white")
    draw = ImageDraw.Draw(made)
    for y in range(40, 860, 26):
        draw.text((60, y), "a page of text like any other, line after line", "black", ImageFont.load_default(19))
    return made


def test_of_a_page_of_text_nothing_but_all_of_it_is_looked_up() -> None:
    views = views_of(picture_of_bytes(jpeg(page()))).views
    assert [view.kind for view in views] == ["whole"]


def test_a_photograph_on_a_page_of_text_is_still_looked_up_by_itself() -> None:
    made = page()
    made.paste(photo(CAT), (125, 300))
    kind, turn, distance = nearest(jpeg(made), pdq_of_luma(picture_of_bytes(jpeg(photo(CAT))).luma))
    assert (kind, turn) == ("inset", "original")
    assert distance <= 31


@pytest.mark.parametrize("light", [1, 0.3])
def test_a_photograph_is_not_drawn_however_dark(light: float) -> None:
    luma = (read_luma(MOOSE) * light).astype(np.uint8)
    assert not is_drawn(luma)


@pytest.mark.parametrize(
    ("edit", "kinds"),
    [
        (framed, {"trimmed", "part"}),
        (in_a_collage, {"part"}),
        (in_a_row, {"part"}),
        (inset, {"inset"}),
        (lambda image: image.rotate(3, Image.Resampling.BICUBIC), {"tilted"}),
        (lambda image: image.rotate(-5, Image.Resampling.BICUBIC), {"tilted"}),
    ],
)
def test_an_edited_copy_is_found_in_the_view_that_undoes_the_edit(
    edit: Callable[[Image.Image], Image.Image], kinds: set[str]
) -> None:
    wanted = pdq_of_luma(picture_of_bytes(jpeg(photo(CAT))).luma)
    kind, turn, distance = nearest(jpeg(edit(photo(CAT))), wanted)
    assert kind in kinds
    assert (turn, distance <= 31) == ("original", True)


def test_a_mirrored_picture_within_bars_is_found() -> None:
    wanted = pdq_of_luma(picture_of_bytes(jpeg(photo(CAT))).luma)
    kind, turn, distance = nearest(jpeg(framed(ImageOps.mirror(photo(CAT)))), wanted)
    assert (kind in {"trimmed", "part"}, turn, distance <= 31) == (True, "flipy", True)


@pytest.mark.parametrize("name", CODES)
def test_the_turns_of_a_whole_picture_are_as_if_its_pixels_were_turned_to_a_few_bits(name: str) -> None:
    luma = read_luma(PHOTOS / f"{name}.jpg")
    exact = pdq_of_turns(luma)
    whole = whole_of(luma)
    assert whole.original == exact["original"]
    made = dict(zip(TURNS, whole.codes, strict=True))
    assert max(hamming(made[turn].tobytes().hex(), exact[turn].value) for turn in TURNS) <= 6
    assert plain_of(luma).codes.tolist() == whole.codes[:1].tolist()


def test_every_kind_of_code_gives_the_same_views_to_a_few_bits() -> None:
    luma = read_luma(CAT)
    places = np.array([[0, 0, 512, 0, 0, 512], [3.5, 9, 200, 0, 0, 140], [-20, 10, 510, 30, -30, 510]], np.float64)
    made = []
    try:
        for kernel in _pdq.kernels():
            _pdq.use(kernel)
            made.append(np.frombuffer(_pdq.views(luma, places), np.uint8).reshape(3, 257))
    finally:
        _pdq.use(_pdq.kernels()[0])
    for other in made[1:]:
        assert np.bitwise_count(made[0] ^ other)[:, :256].reshape(3, 8, 32).sum(axis=2).max() <= 2


def squares() -> dict[str, np.ndarray[Any, np.dtype[np.uint8]]]:
    """What a hostile upload may show, to make as many parts of it as can be."""
    rng = np.random.default_rng(3)
    rows = np.arange(512)
    stripes = np.where(rows % 46 < 23, 40, 200).astype(np.uint8)
    grid = (stripes[:, None] ^ stripes[None, :]) + rng.integers(0, 40, (512, 512), np.uint8)
    tiles = np.kron(rng.integers(0, 255, (10, 10), np.uint8), np.ones((52, 52), np.uint8))[:512, :512]
    return {
        "noise": rng.integers(0, 256, (512, 512), np.uint8),
        "grid": grid.astype(np.uint8),
        "tiles": np.ascontiguousarray(tiles),
        "stripes": np.ascontiguousarray(np.broadcast_to(stripes, (512, 512))),
    }


@pytest.mark.parametrize("name", ["noise", "grid", "tiles", "stripes"])
def test_no_upload_has_more_views_than_are_said(name: str) -> None:
    luma = squares()[name]
    assert len(parts_of(luma)) <= MOST_PARTS
    views = views_of(Picture(luma, 65_535, 1))
    assert len(views.views) <= MOST_VIEWS
    assert len(views.codes) <= MOST_CODES


def test_what_has_no_detail_is_looked_up_whole_and_nothing_else() -> None:
    for shade in (0, 128, 255):
        views = views_of(Picture(np.full((512, 512), shade, np.uint8), 512, 512))
        assert [view.kind for view in views.views] == ["whole"]
        assert views.original.poor


@pytest.mark.parametrize(
    "place",
    [
        [0, 0, 4, 0, 0, 200],
        [500, 0, 20, 0, 0, 20],
        [-1, 0, 100, 0, 0, 100],
        [float("nan"), 0, 100, 0, 0, 100],
        [0, 0, float("inf"), 1, 1, 100],
        [0, 0, 1e9, 1, 1, 100],
        [0, 0, -100, 1, 1, 100],
    ],
)
def test_a_part_outside_the_picture_is_refused(place: list[float]) -> None:
    with pytest.raises(ValueError, match="part"):
        _pdq.views(np.zeros((512, 512), np.uint8), np.array([place], np.float64))


def test_parts_askew_are_continued_by_the_picture_s_edge() -> None:
    luma = read_luma(CAT)
    raw = _pdq.views(luma, np.array([[-700, -700, 2000, 5, 5, 2000]], np.float64))
    assert len(raw) == 257


def test_what_a_crew_s_process_answers_is_read_whole_or_not_at_all() -> None:
    fields = json.loads(json.dumps(fields_of(views_of(read_picture(CAT)))))
    assert views_in(fields) == views_of(read_picture(CAT))
    whole = fields["views"][0]
    spoiled: list[Any] = [
        [],
        [whole] * (MOST_VIEWS + 1),
        [["part", [0, 0, 1, 1], 0.0, 90, whole[4]]],
        [["whole", None, 0.0, 101, whole[4]]],
        [["whole", None, 0.0, 90, whole[4][:-2]]],
        [["whole", None, 0.0, 90, whole[4][:64]]],
        [whole, ["part", [0.5, 0, 0.4, 1], 0.0, 90, whole[4]]],
        [whole, ["part", [0, 0, float("nan"), 1], 0.0, 90, whole[4]]],
        [whole, ["huge", None, 0.0, 90, whole[4]]],
        [whole, ["tilted", None, 1e9, 90, whole[4][:64]]],
        [whole, ["tilted", None, "1", 90, whole[4][:64]]],
    ]
    for views in spoiled:
        with pytest.raises((ValueError, TypeError, KeyError)):
            views_in({"views": views})


def test_no_view_but_the_whole_is_poor() -> None:
    views: Views = views_of(read_picture(PHOTOS / "pale-sky.jpg"))
    assert all(view.quality >= 50 for view in views.views[1:])
