"""Uploads through the HTTP API: matched, held, decided; what the bank is told; what is kept."""

from __future__ import annotations

import datetime
import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from reclaim.client import BankClient, Keys, Word
from reclaim.platform.inbox.models import Decision, Match, Rules, Upload
from reclaim.platform.inbox.services import delete_orphaned_copies, forget_clear_uploads, make_upload_key
from reclaim.platform.outcomes.models import Outcome
from reclaim.platform.outcomes.queries import due
from reclaim.platform.outcomes.services import note_delivered
from reclaim.platform.subscription.models import KnownSignal
from reclaim.platform.work import deliver_feedback
from reclaim.protocol.stopncii_v1 import HashStatus
from reclaim.signals import md5_of
from reclaim.sitekit.models import AuditEvent
from tests.members import OWN_PAGE
from tests.site.platform.world import (
    ASTRONAUT,
    CAT,
    GALAXIES,
    PHOTOS,
    PlatformApi,
    bank_has,
    bank_sends,
    bank_withdraws,
    edited,
    pdq,
    record,
)

pytestmark = pytest.mark.django_db(transaction=True)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def told() -> dict[str, str]:
    return {outcome.signal.value: outcome.decision for outcome in Outcome.objects.select_related("signal")}


def test_an_edited_copy_of_a_reported_picture_is_held(api: PlatformApi, data_folder: Path) -> None:
    bank_has(ASTRONAUT, CAT)
    answer = api.uploaded(edited(ASTRONAUT))
    assert answer["status"] == "held"
    (match,) = answer["matches"]
    assert (match["turn"], match["status"]) == ("original", "open")
    assert 0 <= match["distance"] <= 31
    assert told() == {pdq(ASTRONAUT): "pending"}
    assert api.get(f"/api/uploads/{answer['upload']}") == answer
    assert [each["match"] for each in api.get("/api/matches")["matches"]] == [match["match"]]


def test_another_picture_is_clear_and_nothing_of_it_is_kept(api: PlatformApi, data_folder: Path) -> None:
    bank_has(ASTRONAUT)
    answer = api.uploaded(GALAXIES.read_bytes())
    assert (answer["status"], answer["matches"]) == ("clear", [])
    assert files_in(data_folder) == []
    assert Upload.objects.get().sha256 == ""
    assert told() == {}


def test_a_picture_of_poor_quality_is_said_to_be_so(api: PlatformApi) -> None:
    blurred = ASTRONAUT.with_name("blurred-clock.jpg")
    bank_has(blurred)
    answer = api.uploaded(blurred.read_bytes())
    assert (answer["status"], answer["under_review"]) == ("clear", True), "too little detail to keep it back"
    assert answer["poor_quality"] is True
    (word,) = due(10)
    assert (word.decision, word.measure) == ("pending", "none")
    assert api.decide(answer["matches"][0]["match"], "blocked").json()["upload_status"] == "blocked"  # type: ignore[attr-defined]
    assert answer["quality"] < 50


def test_a_picture_in_a_form_is_taken_whatever_its_field_and_file_are_called(
    api: PlatformApi, data_folder: Path
) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    bank_has(ASTRONAUT)
    file = SimpleUploadedFile("../../../etc/cron.d/évil\x00.jpg", edited(ASTRONAUT), "text/html")
    answer = api.client.post("/api/uploads", {"whatever": file}, headers=api.headers)
    assert answer.status_code == 201
    assert answer.json()["status"] == "held"
    (kept,) = files_in(data_folder)
    assert kept.parent == data_folder / "uploads"
    assert kept.name == answer.json()["upload"].replace("-", "") + ".1.jpg"


def test_the_review_copy_is_ours_alone_and_not_the_file_that_came_in(api: PlatformApi, data_folder: Path) -> None:
    bank_has(ASTRONAUT)
    marked = edited(ASTRONAUT) + b"<script>alert(1)</script>"
    answer = api.uploaded(marked)
    assert answer["status"] == "held"
    (kept,) = files_in(data_folder)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert b"script" not in kept.read_bytes()


def test_blocked_blocks_every_match_of_the_upload_and_tells_the_bank(api: PlatformApi, data_folder: Path) -> None:
    near = f"{int(pdq(ASTRONAUT), 16) ^ 0b111:064x}"
    bank_sends(record(pdq(ASTRONAUT)), record(near))
    answer = api.uploaded(ASTRONAUT.read_bytes())
    first = answer["matches"][0]
    decided = api.decide(first["match"], "blocked", note="clear")
    assert decided.status_code == 200
    assert api.get(f"/api/uploads/{answer['upload']}")["status"] == "blocked"
    assert set(Match.objects.values_list("status", flat=True)) == {"blocked"}
    assert Match.objects.get(together=first["match"]).signal.value == near  # type: ignore[union-attr]
    assert Decision.objects.filter(verdict="blocked", reviewer="Ada", note="clear").count() == 1
    assert told() == {pdq(ASTRONAUT): "blocked", near: "blocked"}


def test_not_blocked_clears_the_upload_only_when_nothing_else_waits(api: PlatformApi, data_folder: Path) -> None:
    near = f"{int(pdq(ASTRONAUT), 16) ^ 0b111:064x}"
    bank_sends(record(pdq(ASTRONAUT)), record(near))
    answer = api.uploaded(ASTRONAUT.read_bytes())
    first, second = answer["matches"]
    assert api.decide(first["match"], "not-blocked").json()["upload_status"] == "held"  # type: ignore[attr-defined]
    assert len(files_in(data_folder)) == 1
    assert api.decide(second["match"], "not-blocked").json()["upload_status"] == "clear"  # type: ignore[attr-defined]
    assert told() == {pdq(ASTRONAUT): "not-blocked", near: "not-blocked"}


@pytest.mark.parametrize("verdict", ["blocked", "not-blocked"])
def test_a_decision_twice_is_harmless(api: PlatformApi, verdict: str) -> None:
    bank_has(ASTRONAUT)
    match = api.uploaded(edited(ASTRONAUT))["matches"][0]["match"]
    first, again = api.decide(match, verdict), api.decide(match, verdict)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert Decision.objects.count() == 1
    assert AuditEvent.objects.filter(action=f"match.{verdict}").count() == 1


def test_a_decision_that_contradicts_an_earlier_one_is_refused(api: PlatformApi) -> None:
    bank_has(ASTRONAUT)
    match = api.uploaded(edited(ASTRONAUT))["matches"][0]["match"]
    api.decide(match, "blocked")
    refused = api.decide(match, "not-blocked")
    assert refused.status_code == 409
    assert Match.objects.get().status == "blocked"
    assert told() == {pdq(ASTRONAUT): "blocked"}


def test_a_copy_uploaded_again_does_not_turn_removed_into_being_looked_at(api: PlatformApi) -> None:
    bank_has(ASTRONAUT)
    api.decide(api.uploaded(edited(ASTRONAUT))["matches"][0]["match"], "blocked")
    assert api.uploaded(ASTRONAUT.read_bytes())["status"] == "held"
    assert told() == {pdq(ASTRONAUT): "blocked"}


def test_a_withdrawal_closes_what_waits_and_no_longer_matches(api: PlatformApi, data_folder: Path) -> None:
    bank_has(ASTRONAUT)
    answer = api.uploaded(edited(ASTRONAUT))
    bank_withdraws(ASTRONAUT)
    now = api.get(f"/api/uploads/{answer['upload']}")
    assert now["status"] == "clear"
    assert [match["status"] for match in now["matches"]] == ["withdrawn"]
    assert Match.objects.get().signal is None
    assert Outcome.objects.count() == 0
    assert files_in(data_folder) == []
    assert api.get("/api/matches")["matches"] == []
    assert api.decide(answer["matches"][0]["match"], "blocked").status_code == 409
    assert api.uploaded(edited(ASTRONAUT))["status"] == "clear"


def test_a_withdrawal_of_one_of_two_signals_leaves_the_upload_held_for_the_other(api: PlatformApi) -> None:
    near = f"{int(pdq(ASTRONAUT), 16) ^ 0b111:064x}"
    bank_sends(record(pdq(ASTRONAUT)), record(near))
    answer = api.uploaded(ASTRONAUT.read_bytes())
    bank_sends(record(near, HashStatus.WITHDRAWN))
    now = api.get(f"/api/uploads/{answer['upload']}")
    assert now["status"] == "held"
    assert sorted(match["status"] for match in now["matches"]) == ["open", "withdrawn"]


def test_a_blocked_upload_stays_blocked_after_a_withdrawal(api: PlatformApi) -> None:
    bank_has(ASTRONAUT)
    answer = api.uploaded(edited(ASTRONAUT))
    api.decide(answer["matches"][0]["match"], "blocked")
    bank_withdraws(ASTRONAUT)
    assert api.get(f"/api/uploads/{answer['upload']}")["status"] == "blocked"
    assert Match.objects.get().signal is None


def test_a_word_that_changed_while_it_was_on_its_way_is_due_again(api: PlatformApi) -> None:
    bank_has(ASTRONAUT)
    match = api.uploaded(edited(ASTRONAUT))["matches"][0]["match"]
    on_its_way = due(10)
    assert [outcome.decision for outcome in on_its_way] == ["pending"]
    api.decide(match, "blocked")
    note_delivered(on_its_way)
    assert [outcome.decision for outcome in due(10)] == ["blocked"]
    note_delivered(due(10))
    assert due(10) == []


def test_the_same_word_is_due_again_for_each_new_match_and_each_new_decision(api: PlatformApi) -> None:
    # Whoever reports the picture after the first removal is shown only what was said since.
    bank_has(ASTRONAUT)
    api.decide(api.uploaded(edited(ASTRONAUT))["matches"][0]["match"], "blocked")
    note_delivered(due(10))
    assert due(10) == []
    match = api.uploaded(ASTRONAUT.read_bytes())["matches"][0]["match"]
    assert [outcome.decision for outcome in due(10)] == ["blocked"]
    note_delivered(due(10))
    api.decide(match, "blocked")
    assert [outcome.decision for outcome in due(10)] == ["blocked"]
    note_delivered(due(10))
    # The same decision once more is no new one, nor is an upload that matches nothing.
    api.decide(match, "blocked")
    api.uploaded(GALAXIES.read_bytes())
    assert due(10) == []


def test_a_word_said_again_while_it_was_on_its_way_is_due_again(api: PlatformApi) -> None:
    bank_has(ASTRONAUT)
    api.decide(api.uploaded(edited(ASTRONAUT))["matches"][0]["match"], "blocked")
    on_its_way = due(10)
    api.uploaded(ASTRONAUT.read_bytes())
    note_delivered(on_its_way)
    assert [outcome.decision for outcome in due(10)] == ["blocked"]


def test_every_write_leaves_one_trace_of_who_did_it(api: PlatformApi) -> None:
    bank_has(ASTRONAUT)
    AuditEvent.objects.all().delete()
    answer = api.uploaded(edited(ASTRONAUT))
    api.decide(answer["matches"][0]["match"], "blocked")
    api.uploaded(GALAXIES.read_bytes())
    assert list(AuditEvent.objects.order_by("pk").values_list("actor", "action")) == [
        ("platform:api", "upload.hold"),
        ("platform:api", "match.blocked"),
        ("platform:api", "upload.clear"),
    ]


def test_a_new_upload_key_ends_the_old_one(api: PlatformApi) -> None:
    new = PlatformApi(make_upload_key())
    assert api.client.get("/api/matches", headers=api.headers).status_code == 401
    assert new.get("/api/matches") == {"matches": [], "more": False}


def test_review_copies_that_a_crash_left_behind_are_deleted_and_held_ones_stay(
    api: PlatformApi, data_folder: Path
) -> None:
    bank_has(ASTRONAUT)
    api.uploaded(edited(ASTRONAUT))
    (held,) = files_in(data_folder)
    orphan = held.with_name(f"{'0' * 32}.1.jpg")
    young = held.with_name(f"{'1' * 32}.1.jpg")
    for path in (orphan, young):
        path.write_bytes(b"x")
    hour_ago = time.time() - 3600
    for path in (held, orphan):
        os.utime(path, (hour_ago, hour_ago))
    assert delete_orphaned_copies() == 1
    assert sorted(files_in(data_folder)) == sorted([held, young])


def test_rows_of_clear_uploads_are_forgotten_after_a_week(api: PlatformApi) -> None:
    bank_has(ASTRONAUT)
    api.uploaded(GALAXIES.read_bytes())
    api.uploaded(edited(ASTRONAUT))
    assert forget_clear_uploads() == 0
    Upload.objects.update(received_at=timezone.now() - datetime.timedelta(days=8))
    assert forget_clear_uploads() == 1
    assert Upload.objects.get().status == "held"


def test_an_upload_on_a_platform_that_has_never_synced_is_clear(api: PlatformApi) -> None:
    assert api.uploaded(CAT.read_bytes())["status"] == "clear"


def test_the_api_works_without_a_cookie_and_sets_none(api: PlatformApi) -> None:
    answer = api.upload(CAT.read_bytes())
    assert answer.cookies == {}
    assert Client().get("/api/matches").cookies == {}


def test_a_picture_too_plain_for_a_fingerprint_is_held_as_the_very_file(api: PlatformApi, reviewer: Client) -> None:
    plain = (PHOTOS / "blurred-clock.jpg").read_bytes()
    bank_sends(record(md5_of(plain)))
    answer = api.uploaded(plain)
    (match,) = answer["matches"]
    assert (answer["kind"], answer["status"], answer["poor_quality"], match["distance"]) == ("picture", "held", True, 0)
    page = reviewer.get(f"/matches/{match['match']}/").content.decode()
    assert "It is the very same file as the one that was reported." in page
    assert "says little" not in page
    assert "256 bits" not in page + reviewer.get("/").content.decode()
    assert api.uploaded(plain + b" ")["status"] == "clear"


@pytest.mark.parametrize(("decision", "then"), [("not-blocked", "clear"), ("blocked", "held")])
def test_what_was_public_all_along_is_hidden_by_a_block_alone_and_a_slip_can_be_taken_back(
    api: PlatformApi, reviewer: Client, decision: str, then: str
) -> None:
    bank_has(ASTRONAUT)
    KnownSignal.objects.update(review_only=True)
    Rules.objects.create(pk=1, answer_after_minutes=5)
    answer = api.uploaded(edited(ASTRONAUT))
    path, match = f"/api/uploads/{answer['upload']}", answer["matches"][0]["match"]
    assert api.client.post(f"{path}/carried-out", headers=api.headers).status_code == 200
    reviewer.post(f"/matches/{match}/decision", {"decision": decision}, headers=OWN_PAGE)
    assert (api.get(path)["status"], Match.objects.get().status) == (then, decision)
    if decision == "blocked":
        # What was carried out before was that it is public.
        assert reviewer.post(f"/matches/{match}/undo", {"why": ""}, headers=OWN_PAGE).status_code == 302
        assert (api.get(path)["status"], Match.objects.get().status) == ("clear", "open")


def test_what_the_bank_calls_review_only_is_looked_at_and_holds_nothing(api: PlatformApi) -> None:
    bank_has(ASTRONAUT)
    KnownSignal.objects.update(review_only=True)
    answer = api.uploaded(edited(ASTRONAUT))
    assert (answer["status"], answer["under_review"]) == ("clear", True)
    assert api.decide(answer["matches"][0]["match"], "blocked").json()["upload_status"] == "blocked"  # type: ignore[attr-defined]


def test_words_are_told_by_one_at_a_time(api: PlatformApi, data_folder: Path, settings: Settings) -> None:
    settings.DATA = data_folder
    bank_has(ASTRONAUT)
    api.uploaded(edited(ASTRONAUT))
    said: list[str] = []

    class Listening(BankClient):
        def say(self, words: Sequence[Word]) -> None:  # type: ignore[override]
            # Whoever else would tell the bank meanwhile leaves it alone: its words might overtake these.
            assert deliver_feedback(self) == 0
            said.extend(word.decision for word in words)

    bank = Listening("https://bank.example/v1", Keys("a", "b"))
    assert (deliver_feedback(bank), said, due(10)) == (1, ["pending"], [])
