"""Attacks by way of edited copies: to have something act that nobody looked at, or to bury people in work."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from PIL import Image, ImageOps
from pytest_django import Settings

from reclaim.adapters.review_site import _answer as read_answer
from reclaim.adapters.standing import Standing
from reclaim.client import Change, ExtraType
from reclaim.platform.inbox.models import Match, Rules, Upload
from reclaim.platform.inbox.services import make_upload_key
from reclaim.platform.subscription.index_files import update_index_files
from reclaim.platform.subscription.models import KnownSignal
from reclaim.sitekit.permissions import Role
from tests.members import OWN_PAGE, signed_in
from tests.site.platform.test_by_parts import CheckingBank, World, cropped, described, send
from tests.site.platform.world import ASTRONAUT, CAT, PlatformApi, bank_has, edited, pdq

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> World:
    settings.DATA, settings.UPLOADS, settings.BANK_FILE = tmp_path, tmp_path / "uploads", tmp_path / "bank.json"
    settings.ROOT_URLCONF = "reclaim.platform.urls"
    Rules.objects.create(pk=1, sources=True, review_distance=60)
    return World(CheckingBank(), PlatformApi(make_upload_key()))


def saved(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


def collage(image: Image.Image) -> Image.Image:
    with Image.open(CAT) as other:
        both = Image.new("RGB", (2 * image.width, image.height))
        both.paste(image, (0, 0))
        both.paste(other.convert("RGB").resize(image.size), (image.width, 0))
    return both


EDITS: list[Callable[[Image.Image], Image.Image]] = [
    ImageOps.mirror,
    ImageOps.flip,
    lambda image: image.transpose(Image.Transpose.ROTATE_90),
    lambda image: ImageOps.expand(image, (0, image.height // 4), "black"),
    collage,
]


def test_only_the_very_file_and_what_looks_the_same_as_it_lies_is_kept_back_before_a_person_has_looked(
    world: World,
) -> None:
    bank_has(ASTRONAUT)
    assert world.uploaded(edited(ASTRONAUT))["status"] == "held"
    with Image.open(ASTRONAUT) as image:
        copies = [saved(edit(image.convert("RGB"))) for edit in EDITS]
    for copy in copies:
        upload = world.uploaded(copy)
        assert (upload["status"], upload["under_review"]) == ("clear", True)
        # What adapters make of it: nothing is done to the file, and it is asked about again.
        answer = read_answer(json.dumps(upload).encode())
        assert (answer.standing, answer.matched, answer.under_review) == (Standing.CLEAR, True, True)
    KnownSignal.objects.all().delete()
    world.described(ASTRONAUT)
    send(Change(ExtraType.SOURCE, pdq(ASTRONAUT), review_only=True))
    for data in (ASTRONAUT.read_bytes(), cropped(ASTRONAUT)):
        upload = world.uploaded(data, "true")
        world.asks()
        assert (world.again(upload)["status"], world.again(upload)["under_review"]) == ("clear", True)
    assert {match["of_a_source"] for match in world.again(upload)["matches"]} == {False}


@pytest.mark.parametrize(
    "match",
    [
        {"turn": "flipy", "distance": 3},
        {"turn": "original", "distance": 32},
        {"turn": "original", "unchecked": True},
        {"turn": "original", "distance": 0, "of_a_source": True},
    ],
)
def test_the_database_refuses_a_match_that_would_keep_anything_else_back(match: dict[str, object]) -> None:
    upload = Upload.objects.create(status="held", quality=100, poor=False)
    with pytest.raises(IntegrityError, match="platform_only_the_same_holds"), transaction.atomic():
        Match.objects.create(upload=upload, quality=100, holds=True, **match)


def test_a_bank_cannot_make_descriptors_or_a_source_act_by_calling_them_anything_else(world: World) -> None:
    name = world.described(ASTRONAUT)
    KnownSignal.objects.filter(value=name).update(review_only=False)
    upload = world.uploaded(cropped(ASTRONAUT))
    world.asks()
    assert world.again(upload)["status"] == "clear"
    assert not Match.objects.get().holds


def test_what_is_looked_for_is_set_by_an_admin_within_what_may_be_set(world: World) -> None:
    form = {"views": "on", "review_distance": "45", "partly_altered": "label"}
    lead, admin = Client(headers=OWN_PAGE), Client(headers=OWN_PAGE)
    signed_in(lead, Role.LEAD, name="Lea")
    signed_in(admin, Role.ADMIN, name="Cleo")
    assert lead.post("/rules/matching/", form).status_code == 403
    for wrong in ({"review_distance": "30"}, {"review_distance": "61"}, {"partly_altered": "hold"}):
        assert admin.post("/rules/matching/", form | wrong).status_code == 400, wrong
    assert admin.post("/rules/matching/", form).status_code == 302
    rules = Rules.objects.get()
    assert (rules.views, rules.review_distance, rules.partly_altered, rules.sources) == (True, 45, "label", False)
    assert "What is looked for" in admin.get("/rules/matching/").content.decode()


def test_who_blocks_one_match_has_not_said_that_the_upload_is_a_fake_of_a_clothed_original(world: World) -> None:
    bank_has(ASTRONAUT)
    send(Change(ExtraType.SOURCE, pdq(ASTRONAUT), review_only=True))
    upload = world.uploaded(ASTRONAUT.read_bytes(), "true")
    plain, source = sorted(upload["matches"], key=lambda match: match["of_a_source"])
    assert world.api.decide(source["match"], "blocked").status_code == 409
    assert world.api.decide(plain["match"], "blocked").status_code == 200
    stands = {match["match"]: match["status"] for match in world.again(upload)["matches"]}
    assert stands == {plain["match"]: "blocked", source["match"]: "open"}


def test_an_upload_like_many_pictures_asks_the_bank_no_more_than_three_questions(world: World) -> None:
    values = described(ASTRONAUT).values.tobytes()
    send(*(Change(ExtraType.DESCRIPTORS, f"{number:064x}", descriptors=values) for number in range(9)))
    update_index_files()
    world.uploaded(cropped(ASTRONAUT))
    world.asks()
    assert world.bank.asked == 3
