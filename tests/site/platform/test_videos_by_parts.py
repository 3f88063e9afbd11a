"""Videos that show a known video, or a known picture, by its parts alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from bench import clips
from reclaim.platform.inbox import pictures
from reclaim.platform.inbox.by_parts import PATIENCE, show_unchecked
from reclaim.platform.inbox.models import Candidate, Upload
from reclaim.signals.video import read_frames
from reclaim.signals.video_views import describe_video
from tests.site.platform.test_by_parts import World, told, world
from tests.site.platform.world import ASTRONAUT, COFFEE, PlatformApi, bank_sends, video_record

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["world"]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.write(tmp_path_factory.mktemp("film") / "film.mp4", clips.film([ASTRONAUT, COFFEE], 6.0, seed=3))


@pytest.fixture(scope="module")
def cropped(film: Path) -> bytes:
    """A fifth of its width and height is cut away."""
    frames = clips.COPIES["cropped by 20 %"](clips.read(film), [])
    return clips.write(film.with_name("cropped.mp4"), frames, options=clips.COPY_OPTIONS).read_bytes()


def test_a_cropped_video_is_found_by_what_it_shows_at_a_moment_and_waits_for_a_person_who_is_told_which(
    world: World, film: Path, cropped: bytes, reviewer: Client
) -> None:
    names = [world.knows(each) for each in describe_video(film)]
    bank_sends(video_record(read_frames(film)))
    upload = world.uploaded(cropped)
    assert (upload["kind"], upload["status"], upload["under_review"], upload["matches"]) == ("video", "clear", True, [])
    assert Candidate.objects.count() <= 3
    world.asks()
    matches = world.again(upload)["matches"]
    assert matches
    for match in matches:
        assert (match["relation"]["how"], match["unchecked"], match["video_percent"]) == ("parts", False, None)
        assert 0 <= match["relation"]["at"] < 6
        assert 0.5 <= match["relation"]["kept"] <= 0.8
        assert match["relation"]["sentence"].startswith(f"At 0:0{match['relation']['at']:.0f}: cropped to about")
    assert set(told().values()) == {"pending"}
    assert set(told()) <= set(names)
    page = reviewer.get(f"/matches/{matches[0]['match']}/").content.decode()
    assert matches[0]["relation"]["sentence"] in page
    assert "viewBox" in page.partition("What is known")[2]
    assert pictures.stills(Upload.objects.get().pk) >= 3
    # The stills that are shown say when they are, and the moments in question are among them.
    shown = re.findall(r'alt="The upload at (\d+:\d\d), blurred"', page)
    assert {f"0:0{match['relation']['at']:.0f}" for match in matches} <= set(shown)
    world.api.decide(matches[0]["match"], "blocked")
    assert (world.again(upload)["status"], set(told().values())) == ("blocked", {"blocked"})


def test_of_a_video_of_which_the_bank_says_that_it_is_another_nothing_is_kept(
    world: World, film: Path, cropped: bytes
) -> None:
    for each in describe_video(film):
        world.knows(each)
    world.uploaded(cropped)
    assert Upload.objects.get().moments
    world.bank.known.clear()
    world.asks()
    row = Upload.objects.get()
    assert (row.sha256, row.width, row.moments, pictures.stills(row.pk)) == ("", None, [], 0)


def test_a_picture_that_a_video_shows_is_found_in_it(world: World, tmp_path: Path) -> None:
    """The camera moves over a photograph, of which it sees two thirds."""
    name = world.described(COFFEE)
    with Image.open(COFFEE) as image:
        frames = [image.convert("RGB").crop((at, at, at + 480, at + 320)) for at in range(0, 60, 2)]
    upload = world.uploaded(clips.write(tmp_path / "film.mp4", frames, options=clips.COPY_OPTIONS).read_bytes())
    world.asks()
    (match,) = world.again(upload)["matches"]
    assert (match["relation"]["how"], told()) == ("parts", {name: "pending"})


@pytest.mark.parametrize("seconds", [6, 2])
def test_of_a_video_that_is_held_already_its_moments_say_nothing_new(world: World, film: Path, seconds: int) -> None:
    part = clips.write(film.with_name("part.mp4"), clips.read(film)[: seconds * clips.RATE])
    for each in describe_video(part):
        world.knows(each)
    bank_sends(video_record(read_frames(part)))
    upload = world.uploaded(part.read_bytes())
    assert upload["status"] == "held"
    assert world.asks() >= 1
    assert [match["relation"]["how"] for match in world.again(upload)["matches"]] == ["same"]


def test_what_a_video_shows_beside_what_it_is_held_for_is_found_too(world: World, film: Path, tmp_path: Path) -> None:
    bank_sends(video_record(read_frames(film)))
    name = world.described(COFFEE)
    with Image.open(COFFEE) as image:
        other = image.convert("RGB").crop((60, 50, 540, 320)).resize(clips.SIZE)
    upload = world.uploaded(clips.write(tmp_path / "both.mp4", [*clips.read(film), *[other] * 20]).read_bytes())
    world.asks()
    found = {match["relation"]["how"]: match["relation"]["at"] for match in world.again(upload)["matches"]}
    assert upload["status"] == "held"
    assert found["same"] is None
    assert found["parts"] >= 6
    assert told()[name] == "pending"


def test_of_a_video_that_the_bank_could_not_be_asked_about_people_are_told_when_to_look(
    world: World, film: Path, cropped: bytes, reviewer: Client
) -> None:
    for each in describe_video(film):
        world.knows(each)
    world.bank.down = True
    upload = world.uploaded(cropped)
    Candidate.objects.update(found_at=timezone.now() - 2 * PATIENCE)
    show_unchecked()
    for match in world.again(upload)["matches"]:
        assert match["unchecked"]
        page = reviewer.get(f"/matches/{match['match']}/").content.decode()
        assert f"It may be seen at 0:0{match['relation']['at']:.0f}." in page


def test_a_platform_that_may_have_no_descriptors_sees_videos_as_before(api: PlatformApi, cropped: bytes) -> None:
    upload = api.uploaded(cropped)
    assert (upload["status"], upload["under_review"], Upload.objects.get().sha256) == ("clear", False, "")
