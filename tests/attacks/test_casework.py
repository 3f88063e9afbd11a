"""Attacks on case files, as sentences: by colleagues of elsewhere, by forms that were tampered with, by time."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import pytest
from django.apps import apps
from django.db import connections
from django.test import Client
from django.utils import timezone

from reclaim.bank.casework.models import CaseFile, Event, Handover, Invitation, Note, Task
from reclaim.bank.casework.queries import invitation_by
from reclaim.bank.casework.services import Texts, erase, new_invitation, open_case_file
from reclaim.bank.organisations.models import Organisation, Practitioner, Team
from reclaim.bank.organisations.services import add_organisation
from reclaim.bank.vault.keys import DamagedError
from reclaim.bank.vault.models import WrappedKey
from reclaim.bank.vault.services import NoKeyError, case_key, unlock
from reclaim.sitekit.models import AuditEvent
from reclaim.sitekit.permissions import Role
from tests.members import OWN_PAGE, PASSWORD, practitioner

pytestmark = [pytest.mark.django_db(databases=["default", "keys"]), pytest.mark.urls("reclaim.bank.urls")]

POSTS = ("status", "adults", "take", "notes", "tasks", "case", "invite", "close", "reopen", "erase", "hand-over/back")
GETS = ("", "facts/", "close/", "erase/", "hand-over/")
UNDER_18 = {"adults": "no", "country": "GB", "channel": "phone", "words": "she is 15", "reach": "at school"}


@pytest.fixture
def organisation() -> Organisation:
    return add_organisation("Example Helpline", "GB", ["en"])


def somebody(organisation: Organisation, **who: Any) -> tuple[Practitioner, Client]:
    client = Client(headers=OWN_PAGE)
    return practitioner(client, organisation, **who), client


def a_case_file(who: Practitioner) -> CaseFile:
    return open_case_file(who, CaseFile.Channel.PHONE, texts=Texts("by post", "a letter"), adults=True)


def rows_of_all_tables() -> dict[str, int]:
    """How many rows each table of both databases has."""
    counted = {}
    for alias in ("default", "keys"):
        with connections[alias].cursor() as cursor:
            for table in connections[alias].introspection.table_names(cursor):
                cursor.execute(f'SELECT COUNT(*) FROM "{table}"')
                counted[f"{alias}.{table}"] = cursor.fetchone()[0]
    return counted


@pytest.mark.parametrize("button", ["", "lines"])
def test_whoever_says_that_somebody_is_under_18_leaves_no_row_in_any_table(
    organisation: Organisation, button: str
) -> None:
    _, client = somebody(organisation)
    before = rows_of_all_tables()
    answer = client.post("/helpline/new/", {**UNDER_18, **({button: "yes"} if button else {})})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Nothing was kept" in page
    assert "she is 15" not in page
    assert rows_of_all_tables() == before
    assert sum(before.values()) > 10
    assert "she is" not in str(dict(client.session.items()))


def test_a_practitioner_of_another_organisation_reaches_no_route_of_a_case_file(organisation: Organisation) -> None:
    mine, _ = somebody(organisation)
    case_file = a_case_file(mine)
    note = Note.objects.create(case_file=case_file, sealed=b"x")
    task = Task.objects.create(case_file=case_file, due_on=timezone.now().date(), sealed=b"x")
    elsewhere = add_organisation("Elsewhere", "FR", ["fr"])
    scope = Practitioner.Scope.ORGANISATION
    _, client = somebody(elsewhere, role=Role.SUPERVISOR, scope=scope)
    root = f"/helpline/cases/{case_file.pk}/"
    before = rows_of_all_tables()
    for path in (*GETS, f"notes/{note.pk}/"):
        assert client.get(root + path).status_code == 404, path
    for path in (*POSTS, f"notes/{note.pk}", f"tasks/{task.pk}", "facts", "hand-over"):
        assert client.post(f"{root}{path}/", {"name": case_file.designation}).status_code == 404, path
    assert case_file.designation not in client.get("/helpline/cases/", {"status": "all"}).content.decode()
    assert case_file.designation not in client.get("/helpline/supervision/").content.decode()
    assert case_file.designation not in client.post("/helpline/export/").content.decode()
    after = rows_of_all_tables()
    assert {table for table in after if after[table] != before[table]} <= {
        "default.sitekit_auditevent",
        "default.casework_working",
        "default.sitekit_attempt",
        "default.sitekit_dailysalt",
    }


def test_a_colleague_outside_the_scope_sees_nothing_and_guesses_nothing(organisation: Organisation) -> None:
    day, night = (Team.objects.create(organisation=organisation, name=name) for name in ("Day", "Night"))
    mine, _ = somebody(organisation, team=day)
    case_file = a_case_file(mine)
    for who in ({}, {"team": day}, {"team": night, "scope": Practitioner.Scope.TEAM}):
        other, client = somebody(organisation, **who)
        assert client.get(f"/helpline/cases/{case_file.pk}/").status_code == 404
        assert case_file.designation not in client.get("/helpline/cases/", {"owner": mine.pk}).content.decode()
        opened = unlock(f"practitioner:{other.pk}", PASSWORD)
        assert opened is not None
        with pytest.raises(NoKeyError):
            case_key(opened, case_file.pk)
    assert client.get(f"/helpline/cases/{uuid.uuid4()}/").status_code == 404


def test_an_offer_is_nobody_elses_to_read_accept_or_answer_twice(organisation: Organisation) -> None:
    mine, client = somebody(organisation)
    to, taker = somebody(organisation)
    _, third = somebody(organisation)
    case_file = a_case_file(mine)
    client.post(f"/helpline/cases/{case_file.pk}/hand-over/", {"to": f"practitioner-{to.pk}", "text": "For you."})
    offer = f"/helpline/offered/{Handover.objects.get().pk}/"
    assert third.get(offer).status_code == third.post(offer, {"answer": "accept"}).status_code == 404
    assert client.post(offer, {"answer": "accept"}).status_code == 404
    assert taker.post(offer, {"answer": "burn"}).status_code == 302
    assert CaseFile.objects.get().owner == mine
    assert taker.post(offer, {"answer": "accept"}).status_code == 302
    assert taker.post(offer, {"answer": "decline"}).status_code == 404
    assert CaseFile.objects.get().owner == to


def test_a_case_file_cannot_be_offered_to_another_organisation_by_a_form_that_was_tampered_with(
    organisation: Organisation,
) -> None:
    mine, client = somebody(organisation)
    elsewhere = add_organisation("Elsewhere", "FR", ["fr"])
    stranger, _ = somebody(elsewhere)
    team = Team.objects.create(organisation=elsewhere, name="Their team")
    case_file = a_case_file(mine)
    for to in (f"practitioner-{stranger.pk}", f"team-{team.pk}", f"practitioner-{mine.pk}", "practitioner-0", "", "x"):
        answer = client.post(f"/helpline/cases/{case_file.pk}/hand-over/", {"to": to, "text": "Here."})
        assert answer.status_code == 422, to
    assert Handover.objects.count() == 0
    assert WrappedKey.objects.filter(case_file=case_file.pk).count() == 1


def test_a_note_or_task_of_another_case_file_is_not_reached_through_ones_own(organisation: Organisation) -> None:
    mine, client = somebody(organisation)
    own, other = a_case_file(mine), a_case_file(mine)
    CaseFile.objects.filter(pk=other.pk).update(owner=None)
    note = Note.objects.create(case_file=other, sealed=b"x")
    task = Task.objects.create(case_file=other, due_on=timezone.now().date(), sealed=b"x")
    assert client.get(f"/helpline/cases/{own.pk}/notes/{note.pk}/").status_code == 404
    assert client.post(f"/helpline/cases/{own.pk}/notes/{note.pk}/", {"text": "y"}).status_code == 404
    assert client.post(f"/helpline/cases/{own.pk}/tasks/{task.pk}/").status_code == 404
    assert Note.objects.count() == 1


def test_somebody_who_only_copies_the_database_reads_no_word_and_who_writes_to_it_is_found_out(
    organisation: Organisation,
) -> None:
    mine, client = somebody(organisation)
    case_file, other = a_case_file(mine), a_case_file(mine)
    client.post(f"/helpline/cases/{case_file.pk}/notes/", {"text": "the blue door"})
    for model in apps.get_app_config("casework").get_models():
        for row in model._default_manager.values():
            assert "blue door" not in str(row)
            assert "a letter" not in str(row)
    # Words of one case file are put in another's place.
    CaseFile.objects.filter(pk=other.pk).update(words_sealed=case_file.words_sealed)
    page = client.get(f"/helpline/cases/{other.pk}/").content.decode()
    assert "a letter" not in page
    assert "Some sealed words are damaged" in page
    opened = unlock(f"practitioner:{mine.pk}", PASSWORD)
    assert opened is not None
    with pytest.raises(DamagedError):
        case_key(opened, other.pk).open("words", bytes(case_file.words_sealed or b""))


def test_an_erased_case_file_is_read_by_nobody_not_even_from_a_copy_that_was_made_before(
    organisation: Organisation,
) -> None:
    mine, client = somebody(organisation)
    case_file = a_case_file(mine)
    copied = bytes(case_file.words_sealed or b"")
    opened = unlock(f"practitioner:{mine.pk}", PASSWORD)
    assert opened is not None
    assert case_key(opened, case_file.pk).open("words", copied) == "a letter"
    client.get(f"/helpline/cases/{case_file.pk}/")
    erase(case_file, mine.actor)
    with pytest.raises(NoKeyError):
        case_key(opened, case_file.pk)
    assert client.get(f"/helpline/cases/{case_file.pk}/").status_code == 404
    assert Event.objects.count() == 0
    assert not AuditEvent.objects.filter(target=f"casefile:{case_file.pk}").exists()
    assert AuditEvent.objects.filter(target="casefile:erased").count() >= 3


def test_an_invitation_opens_nothing_after_its_week_its_end_or_the_end_of_its_case_file(
    organisation: Organisation,
) -> None:
    mine, client = somebody(organisation)
    case_file = a_case_file(mine)
    made = new_invitation(case_file, mine)
    assert invitation_by(made.token) is not None
    for guess in ("", "0" * 16, made.token.upper() + " ", made.token[:-1], "\ud800" * 16):
        assert invitation_by(guess) is None
    Invitation.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
    assert invitation_by(made.token) is None
    again = new_invitation(case_file, mine)
    assert client.post(f"/helpline/cases/{case_file.pk}/close/", {"outcome": "advised"}).status_code == 302
    assert invitation_by(again.token) is None


def test_fields_that_no_page_has_change_nothing_of_a_case_file(organisation: Organisation) -> None:
    mine, client = somebody(organisation)
    elsewhere = add_organisation("Elsewhere", "FR", ["fr"])
    case_file = a_case_file(mine)
    sent = {
        "language": "en",
        "organisation": elsewhere.pk,
        "owner": "",
        "status": "closed",
        "risk": "none",
        "stage": "x",
    }
    assert client.post(f"/helpline/cases/{case_file.pk}/facts/", sent).status_code == 422
    assert client.post(f"/helpline/cases/{case_file.pk}/facts/", {**sent, "stage": ""}).status_code == 302
    assert client.post(f"/helpline/cases/{case_file.pk}/status/", {"status": "closed"}).status_code == 404
    found = CaseFile.objects.get()
    assert (found.organisation, found.owner, found.status) == (organisation, mine, "open")


def test_another_sites_page_makes_a_practitioner_do_nothing(organisation: Organisation) -> None:
    mine, client = somebody(organisation)
    case_file = a_case_file(mine)
    evil = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    for path in ("erase", "close", "notes", "invite"):
        sent = {"name": case_file.designation, "outcome": "advised", "text": "x"}
        assert client.post(f"/helpline/cases/{case_file.pk}/{path}/", sent, headers=evil).status_code == 403
    assert CaseFile.objects.get().closed_at is None
