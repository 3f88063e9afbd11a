"""Case files as practitioners work them: from the first talk to the erasing."""

from __future__ import annotations

import datetime
import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reclaim.bank.cases.consents import give_consent, revoke_consent
from reclaim.bank.casework import erasing, queries, services
from reclaim.bank.casework.facts import Facts, FactsError
from reclaim.bank.casework.models import (
    CaseFile,
    Channel,
    Event,
    Handover,
    Invitation,
    Note,
    Outcome,
    Risk,
    Status,
    Task,
    Working,
)
from reclaim.bank.casework.numbers import alone, numbers_of, quarters, suppressed
from reclaim.bank.casework.queries import Filter, invitation_by
from reclaim.bank.casework.safety import questions, risk_of
from reclaim.bank.helpline.forms import IntakeForm
from reclaim.bank.organisations.models import Organisation, Practitioner, Team
from reclaim.bank.organisations.services import add_organisation
from reclaim.bank.vault.models import WrappedKey
from reclaim.bank.vault.people import name_of
from reclaim.bank.vault.services import case_key, unlock
from reclaim.sitekit.models import AuditEvent
from reclaim.sitekit.permissions import FACTOR_AT, FRESH_SECONDS, Role
from tests.members import OWN_PAGE, PASSWORD, practitioner
from tests.personas import a_case

pytestmark = [pytest.mark.django_db(databases=["default", "keys"]), pytest.mark.urls("reclaim.bank.urls")]

TALK = {
    "adults": "yes",
    "country": "DE",
    "channel": "phone",
    "happened": ["sextortion"],
    "stage": "threatened",
    "places": "Instagram, example.com",
    "since": "2026-11-20",
    "made_with_ai": "no",
    "at_risk": ["person"],
    "police": "wanted",
    "safety-danger": "no",
    "safety-self-harm": "thoughts",
    "safety-demands": "yes",
    "language": "de",
    "reach": "by signal, mornings",
    "words": "somebody from a game",
    "agreed": "on",
}


@pytest.fixture
def organisation() -> Organisation:
    return add_organisation("Example Helpline", "GB", ["en"])


def somebody(
    organisation: Organisation,
    role: Role = Role.PRACTITIONER,
    scope: Practitioner.Scope = Practitioner.Scope.OWN,
    team: Team | None = None,
) -> tuple[Practitioner, Client]:
    client = Client(headers=OWN_PAGE)
    return practitioner(client, organisation, role, scope=scope, team=team), client


def opened(client: Client, **changed: object) -> CaseFile:
    """The case file that a first talk opens."""
    answer = client.post("/helpline/new/", {**TALK, **changed})
    assert answer.status_code == 302, words_of(answer.content.decode())
    return CaseFile.objects.get(pk=answer["Location"].split("/")[-2])


def words_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def page_of(client: Client, case_file: CaseFile) -> str:
    answer = client.get(f"/helpline/cases/{case_file.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_first_talk_becomes_a_case_file_whose_own_words_are_sealed(organisation: Organisation) -> None:
    who, client = somebody(organisation)
    case_file = opened(client)
    assert (case_file.owner, case_file.country, case_file.risk) == (who, "DE", Risk.WATCH)
    assert case_file.places == ["Instagram", "example.com"]
    assert case_file.adult_confirmed_at is not None
    for sealed in (case_file.reach_sealed, case_file.words_sealed):
        assert b"signal" not in bytes(sealed or b"")
        assert b"game" not in bytes(sealed or b"")
    page = words_of(page_of(client, case_file))
    for said in ("by signal, mornings", "somebody from a game", case_file.designation, "The case file was opened"):
        assert said in page
    actions = list(AuditEvent.objects.filter(actor=who.actor).values_list("action", flat=True))
    assert actions == ["casefile.open", "casefile.read"]


def test_what_cannot_be_kept_is_said_beside_its_field_and_nothing_is_kept(organisation: Organisation) -> None:
    _, client = somebody(organisation)
    for changed, sentence in (
        ({"adults": ""}, "Ask this first."),
        ({"places": "instagram.com/somebody", "agreed": ""}, "Addresses of pages are added as links"),
    ):
        answer = client.post("/helpline/new/", {**TALK, **changed})
        assert answer.status_code == 422, changed
        assert sentence in words_of(answer.content.decode())
    for changed, sentence in (
        ({"agreed": ""}, "Without their agreement nothing is kept"),
        ({"since": "yesterday"}, "Write the day as"),
        ({"since": "2999-01-01"}, "Choose a day that has been"),
        ({"country": "XX"}, "Select a valid choice"),
        ({"safety-danger": "perhaps"}, "Select a valid choice"),
        ({"words": "x" * 5000}, "at most 4000 characters"),
    ):
        assert sentence in str(IntakeForm({**TALK, **changed}).errors), changed
    assert CaseFile.objects.count() == 0


def test_the_lines_of_another_country_are_shown_without_losing_or_keeping_what_was_typed(
    organisation: Organisation,
) -> None:
    _, client = somebody(organisation)
    page = client.post("/helpline/new/", {**TALK, "lines": "yes", "country": "FR"}).content.decode()
    assert "When somebody is at risk: France" in page
    assert "somebody from a game" in page
    assert not re.search(r'role="alert"', page)
    assert CaseFile.objects.count() == 0


def test_facts_change_notes_are_corrected_and_tasks_are_done_with_a_timeline(organisation: Organisation) -> None:
    _, client = somebody(organisation)
    case_file = opened(client)
    root = f"/helpline/cases/{case_file.pk}/"
    changed = {**TALK, "stage": "both", "safety-self-harm": "now", "words": "more of it"}
    assert client.post(f"{root}facts/", changed).status_code == 302
    assert client.post(f"{root}notes/", {"text": "Spoke for ten minutes."}).status_code == 302
    note = Note.objects.get()
    assert client.post(f"{root}notes/{note.pk}/", {"text": "Spoke for twenty minutes."}).status_code == 302
    assert client.get(f"{root}notes/{note.pk}/").status_code == 404
    assert client.post(f"{root}tasks/", {"text": "Call back", "due_on": "2026-12-01"}).status_code == 302
    task = Task.objects.get()
    assert client.post(f"{root}tasks/{task.pk}/").status_code == 302
    for empty in ("notes", "tasks"):
        assert client.post(f"{root}{empty}/", {"text": " "}).status_code == 422
    page = words_of(page_of(client, case_file))
    for said in (
        "Facts were changed: threatened or shared, safety questions.",
        "Facts were changed: the sealed words.",
        "more of it",
        "Spoke for ten minutes.",
        "Spoke for twenty minutes.",
        "Earlier version",
        "A task was added, due 2026-12-01.",
        "1 done",
        "Urgent",
    ):
        assert said in page, said
    assert bytes(Note.objects.get(pk=note.pk).sealed) == bytes(note.sealed)
    assert "Call back" not in str(Event.objects.values_list("facts", flat=True))


def test_a_persons_code_opens_one_case_file_and_the_end_of_the_consent_closes_the_view_at_once(
    organisation: Organisation,
) -> None:
    _, client = somebody(organisation)
    case = a_case(1).case
    answer = client.post("/helpline/", {"code": give_consent(case, organisation).code})
    case_file = CaseFile.objects.get()
    assert answer["Location"] == f"/helpline/cases/{case_file.pk}/"
    assert "Picture 1" in page_of(client, case_file)
    assert "Nobody has confirmed it" in page_of(client, case_file)
    revoke_consent(case, case.consents.get().pk)
    assert "Picture 1" not in page_of(client, case_file)
    assert CaseFile.objects.get().case is None
    # Into the same case file, where it was lost.
    sent = {"code": give_consent(case, organisation).code}
    assert client.post(f"/helpline/cases/{case_file.pk}/case/", sent).status_code == 302
    assert "Picture 1" in page_of(client, case_file)
    assert CaseFile.objects.count() == 1
    # A second person's code is not used up where there is no room for their case, and works elsewhere.
    second = {"code": give_consent(a_case(2).case, organisation).code}
    client.post(f"/helpline/cases/{case_file.pk}/case/", second)
    assert client.post("/helpline/", second).status_code == 302
    assert client.post("/helpline/", second).status_code == 422
    assert CaseFile.objects.exclude(case=None).count() == 2


def test_whoever_types_the_code_of_a_person_whom_a_colleague_helps_is_told_who(organisation: Organisation) -> None:
    owner, _ = somebody(organisation)
    _, other = somebody(organisation)
    case = a_case(1).case
    consent = give_consent(case, organisation)
    services.open_case_file(owner, Channel.PHONE)
    CaseFile.objects.update(case=case)
    answer = other.post("/helpline/", {"code": consent.code}, follow=True)
    assert answer.status_code == 200
    assert f"«{owner.name}» works with this person already" in words_of(answer.content.decode())
    assert CaseFile.objects.get().owner == owner


def test_what_a_person_wrote_is_nobodys_to_correct(organisation: Organisation) -> None:
    who, client = somebody(organisation)
    case_file = services.open_case_file(who, Channel.PHONE)
    theirs = Note.objects.create(case_file=case_file, kind=Note.Kind.PERSON, by_person=True, sealed=b"x")
    assert client.post(f"/helpline/cases/{case_file.pk}/notes/{theirs.pk}/", {"text": "y"}).status_code == 404
    assert Note.objects.count() == 1


def test_what_a_colleague_has_only_a_supervisor_hands_over(organisation: Organisation) -> None:
    team = Team.objects.create(organisation=organisation, name="Day")
    owner, _ = somebody(organisation, team=team)
    colleague, client = somebody(organisation, scope=Practitioner.Scope.TEAM, team=team)
    _, other = somebody(organisation, Role.SUPERVISOR, Practitioner.Scope.ORGANISATION)
    case_file = services.open_case_file(owner, Channel.PHONE)
    root = f"/helpline/cases/{case_file.pk}/"
    assert "Hand it over" not in page_of(client, case_file)
    assert client.post(f"{root}hand-over/", {"to": f"practitioner-{owner.pk}", "text": "x"}).status_code == 403
    assert other.post(f"{root}hand-over/", {"to": f"practitioner-{colleague.pk}", "text": "x"}).status_code == 302
    assert Handover.objects.get().practitioner == colleague


def test_a_case_file_that_is_opened_again_while_the_ended_are_erased_stays(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, _ = somebody(organisation)
    long_ago = timezone.now() - datetime.timedelta(days=400)
    for _ in range(2):
        services.open_case_file(who, Channel.PHONE)
    CaseFile.objects.update(status=Status.CLOSED, closed_at=long_ago)

    def open_the_other(erased: uuid.UUID) -> None:
        CaseFile.objects.exclude(pk=erased).update(status=Status.OPEN, closed_at=None)

    monkeypatch.setattr(erasing, "_FORGETS", [*erasing._FORGETS, open_the_other])
    assert services.erase_ended() == 1
    assert set(WrappedKey.objects.values_list("case_file", flat=True)) == {CaseFile.objects.get().pk}


def test_a_case_file_is_handed_over_with_its_key_and_its_tasks(organisation: Organisation) -> None:
    giver, client = somebody(organisation)
    taker, other = somebody(organisation)
    case_file = opened(client)
    root = f"/helpline/cases/{case_file.pk}/"
    client.post(f"{root}tasks/", {"text": "Call back", "due_on": "2026-12-01"})
    assert other.get(root).status_code == 404
    sent = {"to": f"practitioner-{taker.pk}", "text": "Prefers mornings."}
    assert client.post(f"{root}hand-over/", sent).status_code == 302
    assert f"Offered to {taker.name} since" in page_of(client, case_file)
    assert "Prefers mornings." in other.get(f"/helpline/offered/{Handover.objects.get().pk}/").content.decode()
    assert case_file.designation in other.get("/helpline/").content.decode()
    assert other.post(f"/helpline/offered/{Handover.objects.get().pk}/", {"answer": "accept"}).status_code == 302
    assert "by signal, mornings" in page_of(other, case_file)
    assert client.get(root).status_code == 404
    assert Task.objects.get().practitioner == taker
    readers = set(WrappedKey.objects.filter(case_file=case_file.pk).values_list("reader", flat=True))
    assert f"practitioner:{taker.pk}" in readers
    assert f"practitioner:{giver.pk}" not in readers


def test_an_offer_to_a_team_is_declined_or_taken_back_and_leaves_everything_as_it_was(
    organisation: Organisation,
) -> None:
    team = Team.objects.create(organisation=organisation, name="Night")
    _, client = somebody(organisation)
    member, other = somebody(organisation, team=team)
    case_file = opened(client)
    root = f"/helpline/cases/{case_file.pk}/"
    for answer in ("decline", "back"):
        assert client.post(f"{root}hand-over/", {"to": f"team-{team.pk}", "text": "For tonight."}).status_code == 302
        offer = Handover.objects.get(state="offered")
        assert WrappedKey.objects.filter(case_file=case_file.pk, reader=f"practitioner:{member.pk}").exists()
        if answer == "decline":
            other.post(f"/helpline/offered/{offer.pk}/", {"answer": "decline"})
        else:
            client.post(f"{root}hand-over/back/")
        assert other.get(f"/helpline/offered/{offer.pk}/").status_code == 404
        assert not WrappedKey.objects.filter(case_file=case_file.pk, reader=f"practitioner:{member.pk}").exists()
    assert "Night declined" not in page_of(client, case_file)
    assert "The offer to Night was taken back." in page_of(client, case_file)


def test_a_closed_case_file_is_opened_again_or_erased_with_its_key_when_its_time_is_over(
    organisation: Organisation,
) -> None:
    _, client = somebody(organisation)
    case_file, kept = opened(client), opened(client)
    root = f"/helpline/cases/{case_file.pk}/"
    close = {"outcome": "removed", "reason": "all gone"}
    assert client.post(f"{root}close/", {}).status_code == 422
    assert client.post(f"{root}close/", close).status_code == 302
    assert "all gone" in page_of(client, case_file)
    assert client.post(f"{root}notes/", {"text": "They wrote once more."}).status_code == 302
    client.post(f"{root}tasks/", {"text": "x", "due_on": "2026-12-01"})
    assert Task.objects.count() == 0
    assert client.post(f"{root}reopen/").status_code == 302
    assert client.post(f"{root}close/", close).status_code == 302
    assert services.erase_ended() == 0
    CaseFile.objects.filter(pk=case_file.pk).update(closed_at=timezone.now() - datetime.timedelta(days=366))
    assert services.erase_ended() == 1
    assert list(CaseFile.objects.all()) == [kept]
    assert not WrappedKey.objects.filter(case_file=case_file.pk).exists()
    assert WrappedKey.objects.filter(case_file=kept.pk).exists()
    assert not AuditEvent.objects.filter(target__contains=str(case_file.pk)).exists()
    assert AuditEvent.objects.filter(actor="system", action="casefile.erase").exists()
    assert Event.objects.filter(case_file=kept).count() == 1
    assert client.get(root).status_code == 404


def test_a_case_file_is_erased_only_by_whoever_types_its_designation(organisation: Organisation) -> None:
    _, client = somebody(organisation)
    case_file = opened(client)
    root = f"/helpline/cases/{case_file.pk}/erase/"
    assert client.post(root, {"name": "calm"}).status_code == 422
    session = client.session
    session[FACTOR_AT] -= FRESH_SECONDS + 1
    session.save()
    assert "/staff/again/" in client.post(root, {"name": case_file.designation})["Location"]
    session[FACTOR_AT] += FRESH_SECONDS + 1
    session.save()
    assert client.post(root, {"name": f" {case_file.designation.upper()} "}).status_code == 302
    assert CaseFile.objects.count() == 0


def test_a_link_for_the_persons_device_is_shown_once_and_is_no_anchor(organisation: Organisation) -> None:
    who, client = somebody(organisation)
    case_file = opened(client)
    page = client.post(f"/helpline/cases/{case_file.pk}/invite/").content.decode()
    found = re.search(r"http://testserver/de/i/([0-9a-z]{16})/", page)
    assert found
    assert f'href="{found[0]}' not in page
    assert "<svg" in page
    invitation = invitation_by(found[1])
    assert invitation is not None
    assert invitation.case_file == case_file
    assert found[1].encode() not in bytes(Invitation.objects.get().token_mac)
    assert invitation_by("0" * 16) is None
    services.new_invitation(case_file, who)
    assert invitation_by(found[1]) is None
    Invitation.objects.update(expires_at=timezone.now())
    assert services.forget_invitations() == 1


def test_the_list_goes_on_where_it_ended_and_nothing_comes_twice(organisation: Organisation) -> None:
    who, client = somebody(organisation)
    moment = timezone.now()
    made = [
        CaseFile(
            pk=uuid.uuid4(),
            designation=f"calm harbour {n:03}",
            organisation=organisation,
            owner=who,
            channel=Channel.PHONE,
            country="GB" if n % 2 else "FR",
            # Several in the same moment.
            touched_at=moment - datetime.timedelta(seconds=n // 3),
        )
        for n in range(queries.PAGE * 2 + 5)
    ]
    CaseFile.objects.bulk_create(made)
    seen: list[str] = []
    address = "/helpline/cases/"
    for _ in range(3):
        page = client.get(address).content.decode()
        seen += re.findall(r'<li><a href="/helpline/cases/([^/]+)/"', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = following[1].replace("&amp;", "&") if following else ""
    assert address == ""
    assert sorted(seen) == sorted(str(each.pk) for each in made)
    only = words_of(client.get("/helpline/cases/", {"name": "HARBOUR 004", "country": "FR"}).content.decode())
    assert "calm harbour 004" in only
    assert "calm harbour 005" not in only
    for nonsense in ({"after": "x"}, {"owner": "9" * 30}, {"status": "?"}, {"name": "\0"}, {"team": "²"}):
        assert client.get("/helpline/cases/", nonsense).status_code == 200


def test_the_number_of_queries_does_not_grow_with_what_there_is(organisation: Organisation) -> None:
    who, client = somebody(organisation, Role.SUPERVISOR, Practitioner.Scope.ORGANISATION)
    case_file = services.open_case_file(who, Channel.PHONE)
    addresses = ("/helpline/", "/helpline/cases/", "/helpline/supervision/", f"/helpline/cases/{case_file.pk}/")

    def counts() -> list[int]:
        counted = []
        for address in addresses:
            with CaptureQueriesContext(connection) as captured:
                assert client.get(address).status_code == 200
            counted.append(len(captured))
        return counted

    # The first time, it is noted that somebody works.
    counts()
    few = counts()
    more = [services.open_case_file(who, Channel.PHONE, Facts(safety={"danger": "yes"})) for _ in range(4)]
    opened_key = unlock(name_of(who), PASSWORD)
    assert opened_key is not None
    for each in [case_file, *more]:
        key = case_key(opened_key, each.pk)
        for n in range(3):
            services.add_note(each, who, key, f"note {n}")
            services.add_task(each, who, key, f"task {n}", datetime.date(2026, 11, 1))
    many = counts()
    assert [after - before for before, after in zip(few, many, strict=True)] == [0, 0, 0, 0]
    assert max(many) <= 30


def test_a_supervisor_sees_how_work_stands_and_writes_notes_that_only_the_owner_reads(
    organisation: Organisation,
) -> None:
    team = Team.objects.create(organisation=organisation, name="Day")
    owner, client = somebody(organisation, team=team)
    _, colleague = somebody(organisation, scope=Practitioner.Scope.TEAM, team=team)
    supervisor, other = somebody(organisation, Role.SUPERVISOR, Practitioner.Scope.ORGANISATION)
    case_file = opened(client)
    root = f"/helpline/cases/{case_file.pk}/"
    client.post(f"{root}tasks/", {"text": "Call back", "due_on": "2026-11-01"})
    page = words_of(other.get("/helpline/supervision/").content.decode())
    assert f"{owner.name} 1 at work 1 task overdue" in page
    assert case_file.designation in page
    assert client.get("/helpline/supervision/").status_code == 403
    assert other.post(f"{root}notes/", {"text": "Well done so far.", "supervision": "yes"}).status_code == 302
    assert client.post(f"{root}notes/", {"text": "For all.", "supervision": "yes"}).status_code == 302
    assert "Well done so far." in page_of(client, case_file)
    shown = page_of(colleague, case_file)
    assert "Well done so far." not in shown
    assert "For all." in shown
    assert supervisor.actor in AuditEvent.objects.filter(action="casefile.read").values_list("actor", flat=True)


def test_numbers_say_nothing_about_fewer_than_five(organisation: Organisation) -> None:
    supervisor, client = somebody(organisation, Role.SUPERVISOR, Practitioner.Scope.ORGANISATION)
    quarter = quarters(timezone.now().date())[0]
    at = datetime.datetime.combine(quarter.first, datetime.time(12), datetime.UTC)

    def fill(count: int, **facts: object) -> None:
        CaseFile.objects.bulk_create(
            CaseFile(designation="x", organisation=organisation, channel="phone", opened_at=at, **facts)
            for _ in range(count)
        )

    fill(3, country="FR")
    assert [row.shown for table in numbers_of(supervisor, quarter) for row in table.rows] == ["not shown"]
    fill(12, country="GB", stage="shared", happened=["hidden"])
    fill(7, country="DE", stage="threatened")
    tables = {table.name: {row.name: row.count for row in table.rows} for table in numbers_of(supervisor, quarter)}
    assert tables["All case files"] == {"Opened": 22}
    assert tables["Countries"] == {"France": None, "Germany": None, "United Kingdom": 12}
    assert tables["What happened (a case file may have several)"]["Taken in secret or under pressure"] == 12
    answer = client.get("/helpline/numbers.csv", {"quarter": quarter.key})
    assert answer["Content-Type"].startswith("text/csv")
    assert '"France","not shown"' in answer.content.decode()
    assert client.get("/helpline/numbers/").status_code == 200


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ({"a": 10, "b": 20}, {"a": 10, "b": 20}),
        ({"a": 0, "b": 20}, {"a": 0, "b": 20}),
        ({"a": 3, "b": 20, "c": 9}, {"a": None, "b": 20, "c": None}),
        ({"a": 1, "b": 1, "c": 9}, {"a": None, "b": None, "c": None}),
        ({"a": 3, "b": 4, "c": 9}, {"a": None, "b": None, "c": 9}),
    ],
)
def test_what_is_hidden_cannot_be_reckoned_from_the_total(counts: dict[str, int], shown: dict[str, int | None]) -> None:
    assert suppressed(counts) == shown


def test_a_count_that_stands_alone_hides_those_that_are_not_in_it_too() -> None:
    assert alone({"a": 9, "b": 5, "c": 0, "d": 2, "e": 10}, 10) == {"a": None, "b": 5, "c": 0, "d": None, "e": 10}


def test_an_export_needs_a_fresh_factor_says_so_and_holds_nothing_that_is_sealed(organisation: Organisation) -> None:
    supervisor, client = somebody(organisation, Role.SUPERVISOR, Practitioner.Scope.ORGANISATION)
    case_file = opened(client, places="+cmd")
    assert "1 case file" in words_of(client.get("/helpline/export/").content.decode())
    body = client.post("/helpline/export/").content.decode()
    assert case_file.designation in body
    assert '"\'+cmd"' in body
    assert "signal" not in body
    assert AuditEvent.objects.filter(actor=supervisor.actor, action="casefiles.export:1").exists()
    assert "The case file&#x27;s facts were exported." in page_of(client, case_file)
    session = client.session
    session["factor_at"] = 0
    session.save()
    assert "/again/" in client.post("/helpline/export/")["Location"]
    _, other = somebody(organisation)
    assert other.get("/helpline/export/").status_code == 403


def test_after_fifty_minutes_a_break_is_suggested_and_nothing_is_kept_back(organisation: Organisation) -> None:
    who, client = somebody(organisation)
    assert "You have been with" not in client.get("/helpline/").content.decode()
    now = timezone.now()
    Working.objects.update(since=now - queries.BREAK_AFTER, last_seen_at=now)
    assert "You have been with" in client.get("/helpline/").content.decode()
    assert opened(client).owner == who
    client.post("/helpline/break/later/")
    assert "You have been with" not in client.get("/helpline/").content.decode()
    Working.objects.update(postponed_until=now)
    assert "You have been with" in client.get("/helpline/cases/").content.decode()
    assert client.get("/helpline/break/").status_code == 200
    assert "You have been with" not in client.get("/helpline/").content.decode()


def test_a_case_file_that_nobody_has_is_taken_once(organisation: Organisation) -> None:
    scope = Practitioner.Scope.ORGANISATION
    _, client = somebody(organisation, scope=scope)
    second, other = somebody(organisation, scope=scope)
    case_file = opened(client)
    CaseFile.objects.update(owner=None)
    assert "1 with nobody" in other.get("/helpline/").content.decode()
    assert other.post(f"/helpline/cases/{case_file.pk}/take/").status_code == 302
    assert (
        "taken this case file meanwhile"
        in client.post(f"/helpline/cases/{case_file.pk}/take/", follow=True).content.decode()
    )
    assert CaseFile.objects.get().owner == second
    sent = {"status": "waiting"}
    assert other.post(f"/helpline/cases/{case_file.pk}/status/", sent).status_code == 302
    assert CaseFile.objects.get().status == Status.WAITING
    assert Filter.of({}).status == "at work"


def test_every_safety_answer_that_asks_for_something_says_what_to_do() -> None:
    assert {question.key for question in questions()} >= {"danger", "self-harm", "same-home", "demands", "evidence"}
    for question in questions():
        assert len({answer.key for answer in question.answers}) == len(question.answers)
        for answer in question.answers:
            assert answer.do or answer.risk != Risk.URGENT, (question.key, answer.key)
    assert risk_of({}) == Risk.NONE
    assert risk_of({"danger": "yes", "evidence": "no"}) == Risk.URGENT
    assert risk_of({"gone": "yes"}) == Risk.NONE
    with pytest.raises(FactsError):
        Facts(places=["@somebody"])
    assert Outcome.REMOVED in Outcome
