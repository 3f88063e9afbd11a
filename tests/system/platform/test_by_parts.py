"""A cropped copy, from a person's descriptors to the words on her page: a bank and a platform over a socket."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from bench import clips
from reclaim.signals import fingerprint, read_luma
from reclaim.signals.descriptors import Descriptors, describe
from reclaim.signals.frames import frames_text
from reclaim.signals.video import read_frames
from reclaim.signals.video_views import describe_video
from tests.system.platform.site import Platform
from tests.system.platform.test_with_a_bank import ASTRONAUT, PHOTOS, case_page
from tests.system.site_process import Bank

_MAKE_A_CASE = """
from reclaim.bank.cases.numbers import shown
from reclaim.bank.cases.services import NewItem, NewSignal, PictureSignals, create_case, descriptors_signal
from reclaim.signals.descriptors import parse_placement
from reclaim.signals.frames import name_of_frames
(sent,) = arguments
def placement(frame, places):
    return parse_placement(frame, places, len(places))
if "frames" in sent:
    frames = NewSignal("vpdq", name_of_frames(sent["frames"]), tuple(sent["frames"]))
    stills = (descriptors_signal(text, placement(**placed)) for text, placed in sent["stills"])
    item = NewItem(1, "video", (frames, *stills))
else:
    item = NewItem(1, "picture", PictureSignals(**{**sent, "placement": placement(**sent["placement"])}).signals())
made = create_case([item])
say({"case_number": shown(made.number), "pin": made.pin})
"""


def as_sent(known: Descriptors) -> dict[str, Any]:
    """A placement, as a page sends it."""
    return {"frame": known.placement.frame, "places": known.placement.places.tolist()}


def cropped(photo: Path) -> bytes:
    out = io.BytesIO()
    with Image.open(photo) as image:
        wide, high = image.size
        image.crop((wide // 5, high // 6, wide, high)).save(out, "JPEG", quality=70)
    return out.getvalue()


def test_a_cropped_copy_is_found_by_its_parts_checked_by_the_bank_decided_by_a_person_and_forgotten_on_withdrawal(
    tmp_path: Path, new_database_url: Callable[[], str], fresh_bank: Bank, new_name: Callable[[], str]
) -> None:
    with Image.open(ASTRONAUT) as image:
        known = describe(read_luma(ASTRONAUT), *image.size)
    picture = fingerprint(ASTRONAUT)
    sent = {
        "pdq": picture.pdq,
        "quality": picture.quality,
        "descriptors": known.text,
        "placement": as_sent(known),
    }
    [case] = fresh_bank.run(_MAKE_A_CASE, sent)

    name, copy = new_name(), tmp_path / "copy.jpg"
    copy.write_bytes(cropped(ASTRONAUT))
    keys = fresh_bank.add_platform(name)
    scopes = [word for scope in ("fetch", "descriptors", "sources") for word in ("--scope", scope)]
    extra = json.loads(fresh_bank.command("platform", "key", "add", name, *scopes, "--json").stdout)
    platform = Platform(tmp_path / "platform", new_database_url())
    asked = ["init", "--bank", fresh_bank.url.removesuffix("/v1"), "--keys", "-", "--extra", "descriptors"]
    try:
        refused = platform.run(*asked, stdin=json.dumps(keys))
        assert (refused.returncode, "does not let this key" in refused.stderr) == (33, True)
        platform.command(*asked, stdin=json.dumps({**keys, "descriptors_key": extra["key"]}))
        assert platform.json("sync")["held"] == 2

        upload = platform.json("match", copy)
        assert (upload["status"], upload["under_review"], upload["matches"]) == ("clear", True, [])
        platform.command("tick")
        match = platform.json("matches")
        assert (match["relation"]["how"], match["unchecked"]) == ("parts", False)
        assert "ropped to about" in match["relation"]["sentence"]
        platform.command("tick")
        assert name in case_page(fresh_bank, case)

        assert platform.json("decide", match["match"], "blocked", "--by", "Ada")["bank_told"] is True
        assert 'data-what="removed"' in case_page(fresh_bank, case)

        # What is followed no longer is deleted, and the word on a withdrawal is given all the same.
        platform.command(*[word for word in asked if word not in ("--extra", "descriptors")], stdin=json.dumps(keys))
        assert platform.json("sync")["held"] == 1
        fresh_bank.withdraw(case)
        assert platform.json("sync")["held"] == 0
        assert not fresh_bank.holds(known.name)
        assert platform.json("match", copy)["under_review"] is False
    finally:
        platform.stop()


def test_a_cropped_video_is_found_by_what_it_shows_at_a_moment_and_forgotten_on_withdrawal(
    tmp_path: Path, new_database_url: Callable[[], str], fresh_bank: Bank, new_name: Callable[[], str]
) -> None:
    film = clips.write(tmp_path / "film.mp4", clips.film([ASTRONAUT, PHOTOS / "coffee.jpg"], 6.0, seed=3))
    stills = describe_video(film)
    sent = {
        "frames": frames_text(read_frames(film)),
        "stills": [(still.text, as_sent(still)) for still in stills],
    }
    [case] = fresh_bank.run(_MAKE_A_CASE, sent)
    name = new_name()
    scopes = [word for scope in ("fetch", "descriptors") for word in ("--scope", scope)]
    keys = fresh_bank.add_platform(name)
    extra = json.loads(fresh_bank.command("platform", "key", "add", name, *scopes, "--json").stdout)
    platform = Platform(tmp_path / "platform", new_database_url())
    try:
        joining = ["init", "--bank", fresh_bank.url.removesuffix("/v1"), "--keys", "-", "--extra", "descriptors"]
        platform.command(*joining, stdin=json.dumps({**keys, "descriptors_key": extra["key"]}))
        assert platform.json("sync")["held"] == 1 + len(stills)
        edited = clips.COPIES["cropped by 20 %"](clips.read(film), [])
        copy = clips.write(tmp_path / "copy.mp4", edited, options=clips.COPY_OPTIONS)
        upload = platform.json("match", copy)
        assert (upload["kind"], upload["status"], upload["under_review"]) == ("video", "clear", True)
        platform.command("tick")
        match, *_ = map(json.loads, platform.command("matches", "--json").splitlines())
        assert (match["relation"]["how"], match["unchecked"]) == ("parts", False)
        assert match["relation"]["sentence"].startswith("At 0:0")
        assert platform.json("decide", match["match"], "blocked", "--by", "Ada")["bank_told"] is True
        assert 'data-what="removed"' in case_page(fresh_bank, case)
        fresh_bank.withdraw(case)
        assert platform.json("sync")["held"] == 0
        assert not any(fresh_bank.holds(still.name) for still in stills)
        assert platform.json("match", copy)["under_review"] is False
    finally:
        platform.stop()
