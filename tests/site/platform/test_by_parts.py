"""Uploads that show a known picture by its parts alone: found, checked by the bank, looked at by people."""

from __future__ import annotations

import datetime
import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from reclaim.client import BankUnreachable, Change, Checkpoint, ExtraType
from reclaim.matching.parts import relation_of
from reclaim.platform.inbox import by_parts, pictures
from reclaim.platform.inbox.by_parts import ASKING_SECONDS, PATIENCE, ask_bank, show_unchecked
from reclaim.platform.inbox.models import Candidate, Match, Rules, Upload
from reclaim.platform.inbox.services import forget_clear_uploads
from reclaim.platform.inbox.store import DatabaseStore, ExtraStore, follow_extra_types, forget_extra_signals
from reclaim.platform.outcomes.models import Outcome
from reclaim.platform.subscription.index_files import update_index_files
from reclaim.platform.subscription.models import KnownSignal, PendingAcknowledgement
from reclaim.platform.subscription.services import locked_signals
from reclaim.protocol.native_v2 import PlacementAnswer, PlacementRelation
from reclaim.signals import read_luma
from reclaim.signals.descriptors import Descriptors, describe
from reclaim.signals.geometry import check
from tests.members import OWN_PAGE
from tests.site.platform.world import ASTRONAUT, CAT, COFFEE, PlatformApi, bank_has, pdq

pytestmark = pytest.mark.django_db


@lru_cache
def described(photo: Path) -> Descriptors:
    with Image.open(photo) as image:
        return describe(read_luma(photo), *image.size)


class CheckingBank:
    """What a bank does with a check, by the same code; ``down`` is one that does not answer."""

    def __init__(self) -> None:
        self.known: dict[str, Descriptors] = {}
        self.down = False
        self.asked = 0

    def check_placement(self, value: str, frame: tuple[int, int], pairs: Sequence[Sequence[int]]) -> PlacementAnswer:
        self.asked += 1
        if self.down:
            raise BankUnreachable("not now")
        found = check(self.known[value].placement, pairs, frame) if value in self.known else None
        if found is None:
            return PlacementAnswer(match=False)
        told = relation_of(found)
        relation = PlacementRelation(
            turn=told.turn, tilt=told.tilt, box=told.box, kept=told.kept or 0, altered=told.altered
        )
        return PlacementAnswer(match=True, relation=relation)


class World(NamedTuple):
    bank: CheckingBank
    api: PlatformApi

    def described(self, photo: Path, *labels: str) -> str:
        """The bank has the descriptors of this photograph, and this platform too; their name."""
        return self.knows(described(photo), *labels)

    def knows(self, known: Descriptors, *labels: str) -> str:
        """The same, of these."""
        self.bank.known[known.name] = known
        bytes_ = known.values.tobytes()
        send(Change(ExtraType.DESCRIPTORS, known.name, descriptors=bytes_, labels=[*labels], review_only=True))
        update_index_files()
        return known.name

    def asks(self) -> int:
        return ask_bank(self.bank)  # type: ignore[arg-type]

    def uploaded(self, data: bytes, adult: str = "") -> Any:
        path = f"/api/uploads{f'?adult={adult}' if adult else ''}"
        answer = self.api.client.post(path, data, content_type="image/jpeg", headers=self.api.headers)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def again(self, upload: Any) -> Any:
        return self.api.get(f"/api/uploads/{upload['upload']}")


@pytest.fixture
def world(api: PlatformApi, data_folder: Path, settings: Settings) -> World:
    settings.DATA = data_folder
    follow_extra_types([ExtraType.DESCRIPTORS, ExtraType.SOURCE])
    return World(CheckingBank(), api)


def send(*changes: Change) -> None:
    store = ExtraStore()
    before = store.load_checkpoint() or Checkpoint()
    store.apply(changes, before.to_store(), store.load_checkpoint())


@lru_cache
def cropped(photo: Path, *edits: str) -> bytes:
    """A good part of a photograph; ``turned`` a quarter to the left."""
    with Image.open(photo) as image:
        wide, high = image.size
        part = image.convert("RGB").crop((wide // 10, high // 10, wide * 9 // 10, high * 9 // 10))
    if "turned" in edits:
        part = part.transpose(Image.Transpose.ROTATE_90)
    out = io.BytesIO()
    part.save(out, "JPEG", quality=80)
    return out.getvalue()


def told() -> dict[str, str]:
    return {outcome.signal.value: outcome.decision for outcome in Outcome.objects.select_related("signal")}


def test_a_cropped_copy_is_public_while_the_bank_is_asked_and_then_waits_for_a_person_who_is_told_how_it_lies(
    world: World, reviewer: Client
) -> None:
    name = world.described(ASTRONAUT)
    upload = world.uploaded(cropped(ASTRONAUT, "turned"))
    assert (upload["status"], upload["under_review"], upload["matches"]) == ("clear", True, [])
    assert told() == {}, "nothing is said of what may be another picture"
    assert pictures.stills(Upload.objects.get().pk) == 1
    assert world.asks() >= 1
    (match,) = world.again(upload)["matches"]
    assert (match["relation"]["how"], match["turn"], match["unchecked"]) == ("parts", "rotate270", False)
    assert match["relation"]["sentence"].startswith("Turned a quarter to the left")
    assert (world.again(upload)["status"], told()) == ("clear", {name: "pending"})
    assert not Candidate.objects.exists()
    queue = reviewer.get("/?found=parts").content.decode()
    assert "only by parts" in queue
    assert "public meanwhile" in queue
    page = reviewer.get(f"/matches/{match['match']}/").content.decode()
    assert match["relation"]["sentence"].replace("%", "%") in page
    assert 'viewBox="-2 -2' in page
    assert "The reported picture fills the whole upload. Its top is to the left." in page
    answer = reviewer.post(f"/matches/{match['match']}/decision", {"decision": "blocked"}, headers=OWN_PAGE)
    assert answer.status_code == 302
    assert (world.again(upload)["status"], told()) == ("blocked", {name: "blocked"})


@pytest.mark.django_db(transaction=True)
def test_of_what_the_bank_says_is_another_picture_nothing_is_kept(world: World) -> None:
    name = world.described(ASTRONAUT)
    upload = world.uploaded(cropped(ASTRONAUT))
    del world.bank.known[name]
    world.asks()
    assert (world.again(upload)["under_review"], world.again(upload)["matches"], told()) == (False, [], {})
    row = Upload.objects.get()
    assert (pictures.stills(row.pk), row.sha256, row.width) == (0, "", None)
    Upload.objects.update(received_at=timezone.now() - datetime.timedelta(days=8))
    assert forget_clear_uploads() == 1


def test_while_the_bank_does_not_answer_people_are_told_that_it_was_not_checked_and_its_word_counts_when_it_comes(
    world: World, reviewer: Client
) -> None:
    name = world.described(ASTRONAUT)
    known = world.bank.known[name]
    world.bank.down = True
    upload = world.uploaded(cropped(ASTRONAUT))
    assert world.asks() == 0
    assert world.asks() == 0
    assert world.bank.asked == 1, "not again at once"
    assert (show_unchecked(), world.again(upload)["under_review"]) == (0, True), "it may answer in a moment"
    Candidate.objects.update(found_at=timezone.now() - 2 * PATIENCE, next_try_at=timezone.now())
    assert (show_unchecked(), show_unchecked()) == (1, 0)
    (match,) = world.again(upload)["matches"]
    assert (match["unchecked"], match["status"], told()) == (True, "open", {})
    assert "1 that the bank could not be asked about yet" in reviewer.get("/").content.decode()
    assert "not checked yet" in reviewer.get("/?found=unchecked").content.decode()
    page = reviewer.get(f"/matches/{match['match']}/").content.decode()
    assert "The bank could not be asked yet" in page
    assert "viewBox" not in page.partition("What is known")[2]
    world.bank.down = False
    world.bank.known.clear()
    assert world.asks() == 1
    assert world.again(upload)["matches"][0]["status"] == "not-confirmed"
    assert (world.again(upload)["under_review"], told()) == (False, {})
    assert "it is another picture" in reviewer.get(f"/matches/{match['match']}/").content.decode()
    # What the bank says of another file decides nothing about this one.
    world.bank.known[name] = known
    world.uploaded(cropped(ASTRONAUT, "turned"))
    world.asks()
    assert told() == {name: "pending"}


def test_a_bank_that_is_asked_no_more_leaves_the_match_with_people(world: World) -> None:
    world.described(ASTRONAUT)
    world.uploaded(cropped(ASTRONAUT))
    Candidate.objects.update(found_at=timezone.now() - datetime.timedelta(days=8))
    show_unchecked()
    assert not Candidate.objects.exists()
    assert Match.objects.get().status == Match.Status.OPEN


def test_the_same_file_again_is_not_asked_about_again(world: World) -> None:
    world.described(ASTRONAUT)
    for _ in range(2):
        world.uploaded(cropped(ASTRONAUT))
        world.asks()
    assert (world.bank.asked, Match.objects.count()) == (1, 2)


def test_a_second_known_picture_in_what_is_held_for_its_looks_is_found_too(
    world: World, data_folder: Path, reviewer: Client
) -> None:
    collage = data_folder / "collage.jpg"
    with Image.open(CAT) as left, Image.open(io.BytesIO(cropped(COFFEE))) as right:
        both = Image.new("RGB", (2 * right.width, right.height))
        both.paste(left.convert("RGB").resize(right.size), (0, 0))
        both.paste(right, (right.width, 0))
        both.save(collage, quality=90)
    bank_has(collage)
    name = world.described(COFFEE)
    upload = world.uploaded(collage.read_bytes())
    world.asks()
    found = {match["relation"]["how"]: match["status"] for match in world.again(upload)["matches"]}
    assert (upload["status"], found) == ("held", {"same": "open", "parts": "open"})
    assert told() == {pdq(collage): "pending", name: "pending"}
    held, other = world.again(upload)["matches"]
    page = reviewer.get(f"/matches/{other['match']}/").content.decode()
    assert "Another match keeps the upload back; this one alone would not." in page
    assert "public meanwhile" not in reviewer.get("/").content.decode()
    world.api.decide(held["match"], "not-blocked")
    assert (world.again(upload)["status"], world.again(upload)["under_review"]) == ("clear", True)
    world.api.decide(other["match"], "blocked")
    assert world.again(upload)["status"] == "blocked"


def test_a_held_picture_that_its_parts_say_nothing_new_of_is_decided_about_once(world: World) -> None:
    bank_has(ASTRONAUT)
    world.described(ASTRONAUT)
    upload = world.uploaded(ASTRONAUT.read_bytes())
    assert (upload["status"], world.asks()) == ("held", 1)
    assert [match["relation"]["how"] for match in world.again(upload)["matches"]] == ["same"]


def test_clothed_originals_that_are_not_asked_about_take_no_other_picture_s_place(world: World) -> None:
    Rules.objects.create(pk=1, sources=True)
    values = described(ASTRONAUT).values.tobytes()
    labels = ["of-a-source"]
    send(*(Change(ExtraType.DESCRIPTORS, f"{each:064x}", descriptors=values, labels=labels) for each in range(3)))
    name = world.described(ASTRONAUT)
    world.uploaded(cropped(ASTRONAUT))
    world.asks()
    assert told() == {name: "pending"}


@pytest.mark.parametrize(
    "said",
    [
        {"turn": "sideways"},
        {"turn": "original", "box": (0.1, float("nan"), 0.5, 1)},
        {"turn": "original", "box": (-3, 0, 1, 1)},
        {"turn": "original", "box": (0.9, 0, 0.1, 1)},
    ],
)
def test_what_a_bank_says_that_cannot_be_is_as_if_it_had_not_answered(world: World, said: dict[str, Any]) -> None:
    world.described(ASTRONAUT)
    world.uploaded(cropped(ASTRONAUT))
    relation = PlacementRelation(kept=1, **said)
    world.bank.check_placement = lambda *_: PlacementAnswer(match=True, relation=relation)  # type: ignore[method-assign]
    assert world.asks() == 0
    assert (Match.objects.count(), Candidate.objects.get().tries) == (0, 1)


def test_where_the_bank_does_not_say_how_the_picture_lies_nothing_is_drawn(world: World, reviewer: Client) -> None:
    world.described(ASTRONAUT)
    upload = world.uploaded(cropped(ASTRONAUT))
    world.bank.check_placement = lambda *_: PlacementAnswer(match=True)  # type: ignore[method-assign]
    world.asks()
    (match,) = world.again(upload)["matches"]
    page = reviewer.get(f"/matches/{match['match']}/").content.decode()
    assert "Recognised by its parts." in page
    assert "fills the whole upload" not in page


def test_a_bank_that_is_slow_to_answer_is_asked_only_a_while_before_its_feed_is_followed_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.described(ASTRONAUT)
    for edits in ((), ("turned",)):
        world.uploaded(cropped(ASTRONAUT, *edits))
    now = [0.0]
    monkeypatch.setattr(by_parts, "time", SimpleNamespace(monotonic=lambda: now[0]))
    answer = world.bank.check_placement

    def slowly(*asked: Any) -> PlacementAnswer:
        now[0] += ASKING_SECONDS + 1
        return answer(*asked)

    world.bank.check_placement = slowly  # type: ignore[method-assign]
    assert [world.asks(), world.asks(), world.asks()] == [1, 1, 0]


def test_what_happens_to_an_upload_while_others_are_shown_unchecked_is_not_undone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.described(ASTRONAUT)
    world.uploaded(cropped(ASTRONAUT))
    Candidate.objects.update(found_at=timezone.now() - 2 * PATIENCE)
    moment = timezone.now()

    def locked_meanwhile() -> Any:
        Upload.objects.update(carried_out_at=moment)
        return locked_signals()

    monkeypatch.setattr(by_parts, "locked_signals", locked_meanwhile)
    assert show_unchecked() == 1
    assert Upload.objects.get().carried_out_at == moment


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_ends_what_is_asked_and_what_waits_and_is_owed_an_acknowledgement(world: World) -> None:
    name = world.described(ASTRONAUT)
    asked, waits = world.uploaded(cropped(ASTRONAUT)), world.uploaded(cropped(ASTRONAUT, "turned"))
    Candidate.objects.exclude(upload=waits["upload"]).update(next_try_at=timezone.now() + PATIENCE)
    world.asks()
    send(Change(ExtraType.DESCRIPTORS, name, withdrawn=True, owed=True))
    assert not Candidate.objects.exists()
    assert [match["status"] for match in world.again(waits)["matches"]] == ["withdrawn"]
    assert (world.again(asked)["under_review"], world.again(waits)["under_review"]) == (False, False)
    assert [pictures.stills(upload.pk) for upload in Upload.objects.all()] == [0, 0]
    assert [name.type for name in ExtraStore().pending_acknowledgements()] == [ExtraType.DESCRIPTORS]
    assert DatabaseStore().pending_acknowledgements() == []
    assert PendingAcknowledgement.objects.count() == 1
    update_index_files()
    assert world.uploaded(cropped(ASTRONAUT))["under_review"] is False


def test_each_fetch_sweeps_what_is_its_own_and_what_is_followed_no_longer_goes(world: World) -> None:
    bank_has(CAT)
    name = world.described(ASTRONAUT)
    for store in (DatabaseStore(), ExtraStore()):
        before = store.load_checkpoint()
        assert before is not None
        held = set(KnownSignal.objects.values_list("value", flat=True))
        assert held == {pdq(CAT), name}
        over = before.start_over(1.0).to_store()
        store.apply([], over, before)
        assert store.sweep(over.to_store(), over) == 1
        (bank_has(CAT) if not store.extra else world.described(ASTRONAUT))
    follow_extra_types([ExtraType.SOURCE])
    assert set(KnownSignal.objects.values_list("value", flat=True)) == {pdq(CAT)}
    follow_extra_types([ExtraType.DESCRIPTORS])
    world.described(ASTRONAUT)
    forget_extra_signals()
    assert set(KnownSignal.objects.values_list("value", flat=True)) == {pdq(CAT)}


def test_a_clothed_original_matches_only_where_the_rules_and_the_upload_say_adult_and_a_person_then_decides(
    world: World, reviewer: Client
) -> None:
    name = world.described(ASTRONAUT, "of-a-source")
    Rules.objects.create(pk=1, sources=False)
    assert world.uploaded(cropped(ASTRONAUT), "true")["under_review"] is False
    Rules.objects.update(sources=True)
    assert world.uploaded(cropped(ASTRONAUT))["under_review"] is False
    assert world.uploaded(cropped(ASTRONAUT), "false")["under_review"] is False
    upload = world.uploaded(cropped(ASTRONAUT), "true")
    assert (upload["status"], upload["adult"], upload["under_review"]) == ("clear", True, True)
    world.asks()
    (match,) = world.again(upload)["matches"]
    assert match["of_a_source"] is True
    assert "a clothed original" in reviewer.get("/?found=source").content.decode()
    page = reviewer.get(f"/matches/{match['match']}/").content.decode()
    assert "The reported picture is a clothed original." in page
    assert "It is a fake: block it" in page
    refused = world.api.decide(match["match"], "blocked")
    assert (refused.status_code, refused.json()["title"]) == (409, "Two people decide this")  # type: ignore[attr-defined]
    answer = reviewer.post(f"/matches/{match['match']}/decision", {"decision": "blocked"}, headers=OWN_PAGE)
    assert answer.status_code == 302
    assert (world.again(upload)["status"], told()) == ("blocked", {name: "blocked"})


def test_a_source_that_the_rules_no_longer_ask_for_is_dropped_when_the_bank_answers(world: World) -> None:
    world.described(ASTRONAUT, "of-a-source")
    Rules.objects.create(pk=1, sources=True)
    upload = world.uploaded(cropped(ASTRONAUT), "true")
    Rules.objects.update(sources=False)
    world.asks()
    assert (world.again(upload)["matches"], world.again(upload)["under_review"]) == ([], False)


@lru_cache
def altered(photo: Path) -> bytes:
    """The photograph, cut a little, with another's part in the middle of it."""
    with Image.open(photo) as image, Image.open(CAT) as other:
        wide, high = image.size
        whole = image.convert("RGB")
        patch = other.convert("RGB").resize((wide // 2, high // 2))
        whole.paste(patch, (wide // 4, high // 4))
        part = whole.crop((wide // 12, high // 12, wide, high))
    out = io.BytesIO()
    part.save(out, "JPEG", quality=85)
    return out.getvalue()


@pytest.mark.parametrize(("rule", "stands", "waits"), [("review", "open", True), ("label", "labelled", False)])
@pytest.mark.django_db(transaction=True)
def test_a_partly_altered_copy_is_said_to_be_one_and_waits_for_people_or_not_as_the_rules_say(
    world: World, reviewer: Client, rule: str, stands: str, waits: bool
) -> None:
    name = world.described(COFFEE)
    Rules.objects.create(pk=1, partly_altered=rule)
    upload = world.uploaded(altered(COFFEE))
    world.asks()
    (match,) = world.again(upload)["matches"]
    assert match["relation"]["partly_altered"] is True
    assert (match["status"], world.again(upload)["under_review"]) == (stands, waits)
    page = reviewer.get(f"/matches/{match['match']}/").content.decode()
    assert "<strong>Partly altered.</strong>" in page
    assert ("partly altered</span>" in reviewer.get("/?found=altered").content.decode()) is waits
    assert bool(told()) is waits
    assert pictures.stills(Upload.objects.get().pk) == int(waits)
    send(Change(ExtraType.DESCRIPTORS, name, withdrawn=True))
    assert [match["status"] for match in world.again(upload)["matches"]] == ["withdrawn"]


def test_a_word_on_adult_content_that_is_none_is_refused(world: World) -> None:
    answer = world.api.client.post(
        "/api/uploads?adult=perhaps", b"x", content_type="image/jpeg", headers=world.api.headers
    )
    assert (answer.status_code, answer.json()["faults"][0]["field"]) == (400, "adult")
