"""Real photographs, turned and edited, against an index that holds their signals."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reclaim.index import HammingIndex
from reclaim.matching import match_picture
from reclaim.matching.pictures import look_up
from reclaim.signals import NotAPicture, fingerprint
from reclaim.signals.views import read_views

PHOTOS = Path(__file__).parents[2] / "photos"
NAMES = ["astronaut.jpg", "cat.jpg", "coffee.jpg", "dogs.jpg", "rocket.jpg"]


@pytest.fixture(scope="module")
def index() -> HammingIndex:
    codes = b"".join(bytes.fromhex(fingerprint(PHOTOS / name).pdq) for name in NAMES)
    return HammingIndex(np.frombuffer(codes, np.uint8).reshape(-1, 32), range(len(NAMES)))


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=quality)
    return out.getvalue()


@pytest.mark.parametrize(("position", "name"), list(enumerate(NAMES)))
def test_the_picture_itself_is_found_at_no_distance(index: HammingIndex, position: int, name: str) -> None:
    result = match_picture(PHOTOS / name, index)
    assert [(match.signal_id, match.distance, match.turn) for match in result.matches] == [(position, 0, "original")]
    assert not result.poor
    assert result.quality >= 50


@pytest.mark.parametrize(
    ("edit", "turn"),
    [
        (Image.Transpose.ROTATE_90, "rotate270"),
        (Image.Transpose.ROTATE_180, "rotate180"),
        (Image.Transpose.ROTATE_270, "rotate90"),
        (Image.Transpose.FLIP_LEFT_RIGHT, "flipy"),
        (Image.Transpose.FLIP_TOP_BOTTOM, "flipx"),
        (Image.Transpose.TRANSPOSE, "flipplus1"),
        (Image.Transpose.TRANSVERSE, "flipminus1"),
    ],
)
def test_a_turned_or_mirrored_copy_is_found_at_the_turn_that_undoes_it(
    index: HammingIndex, edit: Image.Transpose, turn: str
) -> None:
    with Image.open(PHOTOS / "astronaut.jpg") as image:
        matches = match_picture(jpeg(image.transpose(edit)), index).matches
    assert [(match.signal_id, match.turn) for match in matches] == [(0, turn)]
    assert matches[0].distance <= 10


def test_a_small_copy_of_poor_jpeg_quality_is_found(index: HammingIndex) -> None:
    with Image.open(PHOTOS / "cat.jpg") as image:
        matches = match_picture(jpeg(image.resize((200, 133)), quality=30), index).matches
    assert [match.signal_id for match in matches] == [1]


def test_another_photograph_is_not_found(index: HammingIndex) -> None:
    assert match_picture(PHOTOS / "galaxies.jpg", index).matches == []


def test_a_signal_that_several_turns_reach_is_named_once_at_its_nearest() -> None:
    # Symmetrical about its middle, so that the mirrored turn comes as near as the picture itself.
    left = np.asarray(Image.open(PHOTOS / "coffee.jpg").convert("L").resize((256, 512)))
    data = jpeg(Image.fromarray(np.hstack([left, left[:, ::-1]])))
    code = bytes.fromhex(fingerprint(data).pdq)
    matches = match_picture(data, HammingIndex(np.frombuffer(code, np.uint8).reshape(1, 32), [5])).matches
    assert [(match.signal_id, match.distance, match.turn) for match in matches] == [(5, 0, "original")]


def test_a_picture_of_poor_quality_is_matched_and_marked() -> None:
    code = bytes.fromhex(fingerprint(PHOTOS / "blurred-clock.jpg").pdq)
    index = HammingIndex(np.frombuffer(code, np.uint8).reshape(1, 32), [9])
    result = match_picture(PHOTOS / "blurred-clock.jpg", index)
    assert result.poor
    assert result.quality < 50
    assert [match.signal_id for match in result.matches] == [9]
    assert result.matches[0].quality < 50


def test_what_is_no_picture_is_refused(index: HammingIndex) -> None:
    with pytest.raises(NotAPicture):
        match_picture(b"<html>not a picture</html>", index)


def test_a_radius_out_of_range_is_refused(index: HammingIndex) -> None:
    with pytest.raises(ValueError, match="radius"):
        look_up([read_views(PHOTOS / "cat.jpg")], index, 65)
