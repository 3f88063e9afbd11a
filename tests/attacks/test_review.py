"""Attacks on the review: by a member who wants to decide alone, see what is not theirs to see, or leave no trace."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from reclaim.platform.inbox.models import Appeal, Decision, Match, Rules, Upload
from reclaim.platform.inbox.services import make_upload_key
from reclaim.platform.outcomes.models import Outcome
from reclaim.sitekit import audit
from reclaim.sitekit.models import AuditEvent
from reclaim.sitekit.permissions import Role
from tests.members import OWN_PAGE, signed_in
from tests.site.platform.world import ASTRONAUT, PlatformApi, bank_has, bank_withdraws, edited

pytestmark = pytest.mark.django_db

As = Callable[[Role], Client]


@pytest.fixture(autouse=True)
def at_a_platform(settings: Settings, tmp_path: Path) -> None:
    settings.UPLOADS, settings.BANK_FILE = tmp_path / "uploads", tmp_path / "bank.json"
    settings.ROOT_URLCONF = "reclaim.platform.urls"


@pytest.fixture
def api() -> PlatformApi:
    return PlatformApi(make_upload_key())


@pytest.fixture
def member() -> As:
    """A new member of a role, signed in."""

    def sign_in(role: Role) -> Client:
        client = Client(headers=OWN_PAGE)
        signed_in(client, role, name=str(uuid.uuid4()))
        return client

    return sign_in


@pytest.fixture
def match(api: PlatformApi) -> str:
    bank_has(ASTRONAUT)
    return str(api.uploaded(edited(ASTRONAUT))["matches"][0]["match"])


def say(client: Client, match: str, decision: str = "blocked") -> int:
    return client.post(f"/matches/{match}/decision", {"decision": decision}).status_code


def undo(client: Client, match: str, why: str = "") -> int:
    return client.post(f"/matches/{match}/undo", {"why": why}).status_code


def stands() -> tuple[str, str, str]:
    """The match, the upload, and what the bank is told."""
    return Match.objects.get().status, Upload.objects.get().status, Outcome.objects.get().decision


def ask_again(api: PlatformApi, text: str = "Please look again.") -> str:
    path = f"/api/uploads/{Upload.objects.get().pk}/appeal"
    answer = api.client.post(path, {"text": text}, content_type="application/json", headers=api.headers)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["appeal"])


def answer_appeal(client: Client, appeal: str, decision: str = "not-blocked") -> int:
    form = {"decision": decision, "answer": "We looked again.", "reason": "not-the-same"}
    return client.post(f"/appeals/{appeal}/decision", form).status_code


def long_ago(**ago: int) -> None:
    Match.objects.update(decided_at=timezone.now() - datetime.timedelta(**ago))


def test_nobody_decides_alone_where_two_must(api: PlatformApi, member: As, match: str) -> None:
    Rules.objects.create(pk=1, two_to_block=True)
    ada, bob, lead = member(Role.REVIEWER), member(Role.REVIEWER), member(Role.LEAD)
    for _ in range(2):
        assert say(ada, match) == 302, "the same again is harmless, and no second person"
    assert stands() == ("open", "held", "pending")
    assert say(ada, match, "not-blocked") == 409
    assert say(bob, match) == 403, "one of the two is a lead"
    assert api.decide(match, "blocked").status_code == 409, "a key is nobody in particular"
    assert stands() == ("open", "held", "pending")
    assert f'/matches/{match}/"' not in ada.get("/").content.decode()
    assert match in lead.get("/?waits=second").content.decode()
    assert say(lead, match) == 302
    assert stands() == ("blocked", "blocked", "blocked")
    assert Decision.objects.count() == 2


def test_two_who_disagree_wait_for_a_lead_who_is_neither_of_them(member: As, match: str) -> None:
    Rules.objects.create(pk=1, two_to_block=True)
    ada, lead, other, bob = member(Role.REVIEWER), member(Role.LEAD), member(Role.ADMIN), member(Role.REVIEWER)
    say(ada, match)
    assert say(lead, match, "not-blocked") == 302, "it takes one not to block, but not against somebody"
    assert stands() == ("open", "held", "pending")
    assert say(bob, match) == 403
    assert match not in bob.get("/").content.decode()
    assert say(lead, match) == 409
    assert "see it differently" in other.get(f"/matches/{match}/").content.decode()
    assert say(other, match, "not-blocked") == 302
    assert stands() == ("not-blocked", "clear", "not-blocked")


def test_a_close_match_is_not_let_through_by_one_where_two_must(member: As, match: str) -> None:
    Rules.objects.create(pk=1, two_to_let_through="close")
    ada = member(Role.REVIEWER)
    say(ada, match, "not-blocked")
    assert stands() == ("open", "held", "pending")
    assert undo(ada, match) == 302
    Match.objects.update(distance=25)
    say(ada, match, "not-blocked")
    assert stands() == ("not-blocked", "clear", "not-blocked")


def test_nobody_decides_the_appeal_of_their_own_decision(api: PlatformApi, member: As, match: str) -> None:
    first, other, reviewer = member(Role.LEAD), member(Role.LEAD), member(Role.REVIEWER)
    say(first, match)
    appeal = ask_again(api)
    assert answer_appeal(first, appeal) == 403
    assert answer_appeal(reviewer, appeal) == 403
    assert "somebody else has to decide" in first.get(f"/appeals/{appeal}/").content.decode()
    assert first.get(f"/matches/{match}/picture").status_code == 410
    assert reviewer.get(f"/matches/{match}/picture").status_code == 410
    assert other.get(f"/matches/{match}/picture").status_code == 200
    assert undo(first, match) == 409, "what is asked again is not undone meanwhile"
    assert stands() == ("blocked", "blocked", "blocked")
    assert answer_appeal(other, appeal) == 302
    assert stands() == ("not-blocked", "clear", "not-blocked")
    assert Outcome.objects.get().reason == "not-the-same", "the bank is corrected"
    told = api.get(f"/api/uploads/{Upload.objects.get().pk}/appeal")
    assert (told["status"], told["answer"]) == ("overturned", "We looked again.")


def test_an_appeal_that_two_must_decide_is_not_decided_by_one(api: PlatformApi, member: As, match: str) -> None:
    Rules.objects.create(pk=1, two_for_appeals=True)
    say(member(Role.REVIEWER), match)
    appeal, lead, other = ask_again(api), member(Role.LEAD), member(Role.ADMIN)
    assert [answer_appeal(lead, appeal) for _ in range(2)] == [302, 302]
    assert (Appeal.objects.get().status, *stands()) == ("open", "blocked", "blocked", "blocked")
    assert answer_appeal(other, appeal) == 302
    assert (Appeal.objects.get().status, *stands()) == ("overturned", "not-blocked", "clear", "not-blocked")


def test_an_uploader_cannot_ask_again_and_again(api: PlatformApi, member: As, match: str) -> None:
    path = f"/api/uploads/{Upload.objects.get().pk}/appeal"

    def ask(**body: object) -> int:
        return api.client.post(path, body, content_type="application/json", headers=api.headers).status_code

    assert api.client.get(path, headers=api.headers).status_code == 404
    assert ask(text="Please.") == 409, "it is not blocked"
    say(member(Role.REVIEWER), match)
    for wrong in ({}, {"text": ""}, {"text": "a" * 2001}, {"text": "a\0b"}, {"text": "a", "more": 1}):
        assert ask(**wrong) == 400, wrong
    assert (ask(text="Please."), ask(text="Please."), ask(text="Please!")) == (201, 201, 409)
    assert Appeal.objects.count() == 1
    answer_appeal(member(Role.LEAD), str(Appeal.objects.get().pk), "blocked")
    assert stands() == ("blocked", "blocked", "blocked")
    assert ask(text="Please once more.") == 409
    Appeal.objects.all().delete()
    long_ago(days=15)
    assert ask(text="Please, late.") == 409


def test_an_undo_after_the_end_is_refused(api: PlatformApi, member: As, match: str) -> None:
    ada, bob, lead = member(Role.REVIEWER), member(Role.REVIEWER), member(Role.LEAD)
    say(ada, match)
    assert undo(bob, match, "I would not") == 409, "somebody else's"
    assert undo(ada, match) == 302
    assert stands() == ("open", "held", "pending"), "the bank is told"
    say(ada, match, "not-blocked")
    assert stands() == ("not-blocked", "clear", "not-blocked")
    long_ago(minutes=16)
    assert undo(ada, match, "please") == 409
    assert undo(lead, match) == 409, "without a reason"
    assert undo(lead, match, "The wrong key") == 302
    assert stands() == ("open", "held", "pending")
    say(ada, match)
    carried = f"/api/uploads/{Upload.objects.get().pk}/carried-out"
    assert api.client.post(carried, headers=api.headers).status_code == 200
    assert undo(ada, match) == 409, "it was carried out"
    long_ago(days=15)
    assert undo(lead, match, "late") == 409
    assert stands() == ("blocked", "blocked", "blocked")
    page = lead.get(f"/matches/{match}/").content.decode()
    assert "The wrong key" in page
    assert page.count(">undone<") == 2


def test_whoever_undoes_their_own_word_undoes_nobody_elses(member: As, match: str) -> None:
    Rules.objects.create(pk=1, two_to_block=True)
    ada, lead = member(Role.REVIEWER), member(Role.LEAD)
    say(ada, match)
    say(lead, match)
    assert undo(ada, match, "I am no lead") == 302
    assert Decision.objects.filter(undone_at=None).get().by_lead
    assert stands() == ("open", "held", "pending")


def test_what_was_withdrawn_cannot_be_brought_back_by_undoing(member: As, match: str) -> None:
    ada = member(Role.REVIEWER)
    say(ada, match)
    bank_withdraws(ASTRONAUT)
    assert undo(ada, match) == 409
    assert Match.objects.get().status == "blocked"


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_deletes_the_copy_that_was_kept_for_an_appeal(
    api: PlatformApi, member: As, match: str, tmp_path: Path
) -> None:
    say(member(Role.REVIEWER), match)
    ask_again(api)
    assert len(list((tmp_path / "uploads").iterdir())) == 1
    bank_withdraws(ASTRONAUT)
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_reviewer_cannot_see_a_picture_that_is_not_in_the_queue(api: PlatformApi, member: As, match: str) -> None:
    ada = member(Role.REVIEWER)
    assert ada.get(f"/matches/{match}/picture?shown=1").status_code == 200
    say(ada, match)
    before = AuditEvent.objects.filter(action="shown.read").count()
    for client in (ada, member(Role.ADMIN)):
        for path in ("", "?shown=1", "?shown=1&still=2"):
            assert client.get(f"/matches/{match}/picture{path}").status_code == 410
        for path in (f"{uuid.uuid4()}/picture", "1/picture?shown=1", f"{match}/picture?still=../../1"):
            assert client.get(f"/matches/{path}").status_code == 404
        assert "<img" not in client.get(f"/matches/{match}/?shown=1").content.decode()
    assert AuditEvent.objects.filter(action="shown.read").count() == before


def test_a_picture_is_never_sent_unblurred_without_the_audit_event(
    member: As, match: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = member(Role.REVIEWER)
    ada.raise_request_exception = False
    for _ in range(3):
        assert ada.get(f"/matches/{match}/picture?shown=1").status_code == 200
    assert AuditEvent.objects.filter(action="shown.read", target=f"match:{match}").count() == 3

    def fail(*_: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(audit, "record", fail)
    refused = ada.get(f"/matches/{match}/picture?shown=1")
    assert refused.status_code >= 500
    assert "image" not in refused["Content-Type"]


def test_rules_are_changed_by_an_admin_alone_who_has_just_shown_the_second_factor(member: As) -> None:
    form = {
        "two_to_block": "on",
        "two_to_let_through": "never",
        "undo_minutes": "5",
        "answer_after_minutes": "0",
        "appeal_days": "3",
        "break_after_minutes": "50",
        "break_minutes": "10",
        "hourly_minutes": "0",
    }
    for role in (Role.REVIEWER, Role.LEAD):
        assert member(role).post("/rules/", form).status_code == 403
    stolen = Client(headers=OWN_PAGE)
    signed_in(stolen, Role.ADMIN, fresh=False)
    assert stolen.post("/rules/", form)["Location"].startswith("/again/")
    assert not Rules.objects.exists()
    admin = member(Role.ADMIN)
    for wrong in ({"undo_minutes": "-1"}, {"appeal_days": "91"}, {"break_minutes": "x"}, {"two_to_let_through": "?"}):
        assert admin.post("/rules/", form | wrong).status_code == 400, wrong
    assert not Rules.objects.exists()
    assert admin.post("/rules/", form).status_code == 302
    assert (Rules.objects.get().two_to_block, Rules.objects.get().appeal_days) == (True, 3)


def test_our_own_systems_carry_nothing_out_before_a_slip_can_be_taken_back(
    api: PlatformApi, member: As, match: str
) -> None:
    Rules.objects.create(pk=1, answer_after_minutes=5)
    say(member(Role.REVIEWER), match)
    path = f"/api/uploads/{Upload.objects.get().pk}"
    assert api.get(path)["status"] == "held"
    assert api.client.post(f"{path}/carried-out", headers=api.headers).status_code == 409
    Upload.objects.update(answer_from=timezone.now())
    assert api.get(path)["status"] == "blocked"


def test_what_an_uploader_writes_cannot_become_markup(api: PlatformApi, member: As, match: str) -> None:
    say(member(Role.REVIEWER), match)
    appeal = ask_again(api, "<script>x</script>")
    page = member(Role.LEAD).get(f"/appeals/{appeal}/").content.decode()
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert re.findall(r"<script[^>]*>", page) == ['<script type="module" src="/static/review/keys.js">']
