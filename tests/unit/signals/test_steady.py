"""Where in a video another lies, told by what stays while the picture moves."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bench import clips
from reclaim.signals.luma import square
from reclaim.signals.steady import NO_LAYOUT, Plane, layout

FILM = [frame.convert("L") for frame in clips.film(clips.photographs()[:2], 0.8, seed=1)]
OTHER = [frame.convert("L") for frame in clips.film(clips.photographs()[4:6], 0.8, seed=2)]
# Where the film lies in a square of 512: left, top, right, bottom.
WHERE = {
    "nowhere": None,
    "under a caption": (0, 128, 512, 512),
    "in a still picture": (64, 144, 400, 336),
    "in another film": (300, 40, 480, 140),
    "beside another film": (0, 0, 256, 512),
}


def squares(kind: str) -> list[Plane]:
    made = []
    for frame, other in zip(FILM, OTHER, strict=True):
        where = WHERE[kind] or (0, 0, 512, 512)
        ground = (OTHER[0] if "still" in kind else other).resize((512, 512))
        if "caption" in kind:
            ground = Image.new("L", (512, 512), 250)
            ImageDraw.Draw(ground).text((30, 40), "wait for the end", 0, font_size=40)
        ground.paste(frame.resize((where[2] - where[0], where[3] - where[1])), where[:2])
        made.append(square(ground))
    return made


@pytest.mark.parametrize("kind", WHERE)
def test_a_film_is_found_where_it_lies(kind: str) -> None:
    found = layout(squares(kind))
    boxes = [box for box in (found.trimmed, *found.parts) if box is not None]
    where = WHERE[kind]
    if where is None:
        assert boxes == []
    else:
        assert min(np.abs(np.subtract(box, where)).max() for box in boxes) <= 4


def test_too_few_frames_tell_nothing_of_what_moves() -> None:
    assert layout([]) == NO_LAYOUT
    assert layout(squares("in another film")[:2]).parts == ()


def test_what_is_all_noise_or_all_still_gives_few_boxes_or_none() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (16, 512, 512), np.uint8)
    assert layout(list(noise)) == NO_LAYOUT
    assert layout([noise[0]] * 16) == NO_LAYOUT
    stripes = np.zeros((16, 512, 512), np.uint8)
    stripes[::2, ::16], stripes[1::2, :, ::16] = 255, 255
    assert len(layout(list(stripes)).parts) <= 4
