"""What a limited process says of a video, and what of its answer is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import clips
from reclaim.matching import seen
from reclaim.matching.seen import BOTH_STAGES, VIEWS_ALONE, SeenVideo, moments_task, seen_video_crew
from reclaim.signals.descriptors import BYTES
from reclaim.signals.frames import DESCRIBED_STILLS
from reclaim.signals.video_views import MOST_MOMENTS, MOST_STILLS, describe_video, read_views

SHAPES = ((BYTES, np.uint8), (BYTES, np.uint8), (4, np.int16))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four seconds over as many photographs."""
    photos = clips.photographs()[:12] * 2
    return clips.write(tmp_path_factory.mktemp("film") / "film.mp4", clips.film(photos, 24.0, size=(320, 180)))


def test_a_video_is_described_at_many_moments_and_shown_at_few_all_over_it(film: Path) -> None:
    crew = seen_video_crew(1)
    try:
        both, alone = crew.ask(BOTH_STAGES + film.read_bytes(), 60), crew.ask(VIEWS_ALONE + film.read_bytes(), 60)
        some = crew.ask(moments_task([20.0, 1.0, 0.5], film.read_bytes()), 60)
    finally:
        crew.end()
    assert isinstance(both, SeenVideo)
    assert isinstance(alone, SeenVideo)
    assert both.views == alone.views == read_views(film)
    moments = sorted({each.at for each in both.described if each.at is not None})
    assert 2 * MOST_STILLS < len(moments) <= MOST_MOMENTS
    assert moments[-1] > 20
    assert MOST_STILLS / 2 < len(both.stills) == len(alone.stills) <= MOST_STILLS
    shown = [each.seconds for each in both.stills]
    assert (shown[0], shown) == (0, sorted(shown))
    assert shown[-1] > 15
    assert alone.described == []
    assert isinstance(some, SeenVideo)
    assert [each.seconds for each in some.stills] == [1.0, 20.0], "no frame is at half a second"


def test_what_looks_the_same_is_described_once(film: Path, tmp_path: Path) -> None:
    frames = clips.read(film)
    assert DESCRIBED_STILLS / 2 < len(describe_video(film)) <= DESCRIBED_STILLS
    still = clips.write(tmp_path / "still.mp4", (frames[2 + at // 10 % 2] for at in range(100)))
    assert len(describe_video(still)) == 1
    once, twice = (clips.write(tmp_path / f"{times}.mp4", frames[:40] * times) for times in (1, 2))
    assert len(describe_video(twice)) == len(describe_video(once)) > 2


def _too_many(described: list[Any]) -> list[Any]:
    """As many as a picture has, at one moment of a video."""
    values, mirrored, places = (seen._text(np.zeros((800, width), kind)) for width, kind in SHAPES)
    return [values, mirrored, places, *described[3:]]


def _answer(film: Path) -> dict[str, Any]:
    return seen._video_fields(BOTH_STAGES + film.read_bytes())


@pytest.mark.parametrize(
    "wrong",
    [
        lambda fields: fields.update(stills=fields["stills"] * 3),
        lambda fields: fields.update(views=fields["views"] * 9),
        lambda fields: fields["views"][0].update(
            kind="part", boxes=[[len(fields["views"][0]["frames"]), 0, 0, 9, 9]] * 2
        ),
        lambda fields: fields["stills"][0].update(seconds=-1.0),
        lambda fields: fields.update(described=[_too_many(fields["described"][0])]),
        lambda fields: fields.update(described=fields["described"] * 20),
        lambda fields: fields["described"][0].__setitem__(6, -1.0),
        lambda fields: fields["described"][0].__setitem__(6, float("nan")),
        lambda fields: fields["described"][0].__setitem__(5, [0.5, 0, 0.4, 1]),
        lambda fields: fields["described"][0].__setitem__(3, 4),
        lambda fields: fields["stills"][0].update(size=[0, 4]),
        lambda fields: fields["stills"][0].update(luma="AAAA"),
        lambda fields: fields.pop("views"),
    ],
)
def test_an_answer_that_no_honest_process_gives_is_none(film: Path, wrong: Any) -> None:
    fields = _answer(film)
    assert isinstance(seen._seen_video(fields), SeenVideo)
    wrong(fields)
    with pytest.raises((ValueError, TypeError, KeyError)):
        seen._seen_video(fields)
