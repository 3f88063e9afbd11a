"""Attacks on what practitioners may see and do, as sentences; and how organisations look after their people."""

from __future__ import annotations

import re
import time
import uuid

import pytest
from django.test import Client

from reclaim.bank.casework.models import CaseFile, Channel
from reclaim.bank.organisations import alarms
from reclaim.bank.organisations.models import Alarm, Organisation, Practitioner
from reclaim.bank.organisations.queries import active_practitioners
from reclaim.bank.organisations.services import add_practitioner, remove_practitioner
from reclaim.bank.vault import people, services
from reclaim.bank.vault.models import WrappedKey
from reclaim.sitekit.accounts.models import Member, MemberSession
from reclaim.sitekit.accounts.queries import SIGNED_IN_AT
from reclaim.sitekit.accounts.services import add_member, change_role, remove_member
from reclaim.sitekit.accounts.sessions import HELPLINE
from reclaim.sitekit.models import AuditEvent
from reclaim.sitekit.permissions import FACTOR_AT, Role
from tests.members import OWN_PAGE, PASSWORD, app_secret, code_of, practitioner, signed_in
from tests.personas import ActingOrganisation

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]


def browser() -> Client:
    return Client(headers=OWN_PAGE)


@pytest.fixture
def home() -> ActingOrganisation:
    made = ActingOrganisation.let_in()
    made.client.defaults |= browser().defaults
    return made


def a_case_file(owner: Practitioner, *also: Practitioner) -> CaseFile:
    case_file = CaseFile.objects.create(
        designation="calm harbour 417", organisation=owner.organisation, owner=owner, channel=Channel.PHONE
    )
    services.new_key(case_file.pk, people.readers_of([owner, *also]))
    return case_file


def page_of(case_file: CaseFile) -> str:
    return f"/helpline/cases/{case_file.pk}/"


def test_a_practitioner_reaches_no_case_file_of_another_organisation(home: ActingOrganisation) -> None:
    theirs = a_case_file(home.practitioner)
    other = ActingOrganisation.let_in("Other Helpline")
    other.client.defaults |= browser().defaults
    assert other.client.get(page_of(theirs)).status_code == 404
    assert "calm harbour" not in other.client.get("/helpline/cases/").content.decode()
    stranger = people.name_of(other.practitioner)
    assert services.readable(stranger, [theirs.pk]) == set()


def test_a_practitioner_with_their_own_scope_reads_no_colleagues(home: ActingOrganisation) -> None:
    client = browser()
    own = practitioner(client, home.organisation)
    assert client.get(page_of(a_case_file(home.practitioner))).status_code == 404
    assert client.get(page_of(a_case_file(own))).status_code == 200


def test_case_files_people_and_alarms_cannot_be_found_by_counting_up(home: ActingOrganisation) -> None:
    other = ActingOrganisation.let_in("Other Helpline").practitioner
    alarm = Alarm.objects.create(practitioner=other, kind=Alarm.Kind.READS)
    client = home.client
    for key in (other.pk, 0, 2**63, 10**30):
        assert client.get(f"/helpline/people/{key}/").status_code == 404
        for what in ("share", "reset", "remove"):
            assert client.post(f"/helpline/people/{key}/{what}/", {"sure": "yes"}).status_code == 404
    for key in (alarm.pk, 10**30):
        assert client.post(f"/helpline/people/alarms/{key}/").status_code == 404
    assert client.get(f"/helpline/cases/{uuid.uuid4()}/").status_code == 404
    assert Member.objects.get(pk=other.member_id).removed_at is None


def test_a_practitioner_manages_nobody_and_an_unattended_supervisor_neither(home: ActingOrganisation) -> None:
    client, unattended = browser(), browser()
    own = practitioner(client, home.organisation)
    practitioner(unattended, home.organisation, Role.SUPERVISOR, fresh=False)
    for path in ("add/", "words/", f"{own.pk}/"):
        assert client.get(f"/helpline/people/{path}").status_code == 403
        assert "/staff/again/" in unattended.get(f"/helpline/people/{path}")["Location"]
    assert client.post(f"/helpline/people/{own.pk}/remove/", {"sure": "yes"}).status_code == 403
    assert "/staff/again/" in unattended.post(f"/helpline/people/{own.pk}/remove/", {"sure": "yes"})["Location"]


def test_practitioners_see_no_page_of_the_banks_staff_and_staff_none_of_theirs(home: ActingOrganisation) -> None:
    operator = browser()
    signed_in(operator, Role.OPERATOR)
    assert home.client.get("/staff/organisations/").status_code == 403
    for path in ("/helpline/", "/helpline/people/", "/helpline/unlock/"):
        assert operator.get(path).status_code == 403


def test_an_operator_who_makes_somebody_a_practitioner_of_nothing_gets_nowhere() -> None:
    client = browser()
    signed_in(client, Role.PRACTITIONER)
    assert client.get("/helpline/").status_code == 403


def test_nobody_is_given_keys_for_having_the_name_of_somebody_who_has_left(home: ActingOrganisation) -> None:
    scope = Practitioner.Scope.ORGANISATION
    own = practitioner(browser(), home.organisation, Role.SUPERVISOR, scope=scope, name="Ada")
    with pytest.raises(ValueError, match="accounts of their own"):
        change_role("Ada", Role.OPERATOR)
    remove_practitioner(own, "operator")
    add_member("Ada", Role.OPERATOR)
    assert list(active_practitioners(home.organisation)) == [home.practitioner]
    remove_member("Ada")
    with pytest.raises(ValueError, match="has run the bank"):
        add_practitioner(home.organisation, "Ada")


def test_after_a_reset_nothing_more_is_sealed_for_the_password_before(home: ActingOrganisation) -> None:
    client = browser()
    own = practitioner(client, home.organisation)
    case_file = a_case_file(own, home.practitioner)
    assert client.get(page_of(case_file)).status_code == 200
    assert home.client.post(f"/helpline/people/{own.pk}/reset/").status_code == 200
    assert set(WrappedKey.objects.values_list("reader", flat=True)) == {people.name_of(home.practitioner)}
    assert people.readers_of([own]) == []
    assert client.get("/helpline/")["Location"] == "/staff/sign-in/"


def test_who_is_let_out_has_no_session_no_key_and_no_case_file(home: ActingOrganisation) -> None:
    client = browser()
    own = practitioner(client, home.organisation, name="Ada")
    case_file = a_case_file(own, home.practitioner)
    assert client.get("/helpline/").status_code == 200
    assert home.client.post(f"/helpline/people/{own.pk}/remove/").status_code == 302
    assert client.get("/helpline/").status_code == 200
    assert home.client.post(f"/helpline/people/{own.pk}/remove/", {"sure": "yes"}).status_code == 302
    assert client.get("/helpline/")["Location"] == "/staff/sign-in/"
    case_file.refresh_from_db()
    assert case_file.owner is None
    assert set(WrappedKey.objects.values_list("reader", flat=True)) == {people.name_of(home.practitioner)}
    with pytest.raises(people.NoKeyPairError):
        people.reader_of(own)
    assert AuditEvent.objects.filter(action="member.remove", actor=home.practitioner.actor).exists()


def test_the_last_supervisor_cannot_be_let_out(home: ActingOrganisation) -> None:
    practitioner(browser(), home.organisation)
    from reclaim.bank.organisations.services import LastSupervisorError

    with pytest.raises(LastSupervisorError):
        remove_practitioner(home.practitioner, "operator")


def test_a_supervisor_lets_a_colleague_in_and_shares_what_is_in_their_scope(home: ActingOrganisation) -> None:
    sent = {"name": "Bea", "role": "practitioner", "scope": "organisation", "team": "", "languages": "en, cy"}
    page = home.client.post("/helpline/people/add/", sent).content.decode()
    password = re.search(r"data-password>([^<]+)<", page)
    assert password
    assert "Bea" in home.client.get("/helpline/people/").content.decode()
    bea = Practitioner.objects.get(member__name="Bea")
    assert (bea.organisation, bea.scope, bea.languages) == (home.organisation, "organisation", ["en", "cy"])
    case_file = a_case_file(home.practitioner)
    home.client.post(f"/helpline/people/{bea.pk}/share/")
    assert services.readable(people.name_of(bea), [case_file.pk]) == set()
    services.make_pair(people.name_of(bea), PASSWORD)
    home.client.post(f"/helpline/people/{bea.pk}/share/")
    assert services.readable(people.name_of(bea), [case_file.pk]) == {case_file.pk}
    # A smaller scope takes the keys away.
    home.client.post(f"/helpline/people/{bea.pk}/", {"scope": "own", "team": "", "languages": "en"})
    assert services.readable(people.name_of(bea), [case_file.pk]) == set()


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "x\0y"}, {"role": "operator"}, {"scope": "everything"}, {"scope": "team"},
     {"languages": "English, please"}, {"team": "x" * 81}],
)  # fmt: skip
def test_what_makes_no_colleague_is_said_and_lets_nobody_in(home: ActingOrganisation, wrong: dict[str, str]) -> None:
    sent = {"name": "Bea", "role": "practitioner", "scope": "own", "team": "", "languages": "en"} | wrong
    answer = home.client.post("/helpline/people/add/", sent)
    assert answer.status_code == 422
    assert Practitioner.objects.count() == 1


def test_a_supervisor_cannot_take_over_an_account_of_the_bank_by_its_name(home: ActingOrganisation) -> None:
    signed_in(browser(), Role.OPERATOR, name="Olu")
    sent = {"name": "Olu", "role": "practitioner", "scope": "own", "team": "", "languages": "en"}
    assert home.client.post("/helpline/people/add/", sent).status_code == 422
    assert Member.objects.get(name="Olu").role == "operator"


def test_an_operator_lets_organisations_in_and_out_with_a_reason(home: ActingOrganisation) -> None:
    operator = browser()
    member = signed_in(operator, Role.OPERATOR)
    sent = {"name": "Hilfe", "country": "de", "languages": "de en", "reason": "", "supervisor": "Sam"}
    assert operator.post("/staff/organisations/add/", sent).status_code == 422
    page = operator.post("/staff/organisations/add/", sent | {"reason": "register VR 1"}).content.decode()
    assert re.search(r"data-password>([^<]+)<", page)
    made = Organisation.objects.get(name="Hilfe")
    assert (made.country, made.reason) == ("DE", "register VR 1")
    events = AuditEvent.objects.filter(actor=member.actor, target=f"organisation:{made.pk}")
    assert events.filter(action="organisation.add").exists()
    assert operator.post("/staff/organisations/add/", sent | {"reason": "again"}).status_code == 422
    edited = {"country": "DE", "languages": "de", "reason": "register VR 1", "hours": "10–16"}
    assert operator.post(f"/staff/organisations/{made.pk}/", edited).status_code == 302
    operator.post(f"/staff/organisations/{made.pk}/end/")
    assert Organisation.objects.get(pk=made.pk).revoked_at is None
    operator.post(f"/staff/organisations/{made.pk}/end/", {"sure": "yes"})
    assert Organisation.objects.get(pk=made.pk).revoked_at is not None
    assert operator.get(f"/staff/organisations/{10**30}/").status_code == 404
    watcher = browser()
    signed_in(watcher, Role.WATCHER)
    assert watcher.get("/staff/organisations/").status_code == 403


def sign_in(member: Member) -> Client:
    client = browser()
    client.post("/staff/sign-in/", {"name": member.name, "password": PASSWORD})
    later = MemberSession.objects.filter(member=member).count() % 2
    code = code_of(app_secret(member), later=later)
    assert client.post("/staff/sign-in/second-factor/", {"code": code}).status_code == 302
    return client


def test_a_third_session_ends_the_first_and_signing_out_everywhere_ends_all(home: ActingOrganisation) -> None:
    member = home.practitioner.member
    first, second = sign_in(member), sign_in(member)
    assert first.get("/helpline/").status_code == second.get("/helpline/").status_code == 200
    page = second.get("/staff/account/").content.decode()
    assert "You can have 2 at a time" in page
    assert page.count("This browser") == page.count("Another browser") == 1
    third = browser()
    third.post("/staff/sign-in/", {"name": member.name, "password": PASSWORD})
    third.post("/staff/sign-in/second-factor/", {"code": code_of(app_secret(member), later=-1)})
    assert [each.get("/helpline/").status_code for each in (first, second, third)] == [302, 200, 200]
    second.post("/staff/account/sign-out/")
    assert [each.get("/helpline/").status_code for each in (second, third)] == [302, 302]


def test_a_practitioners_session_ends_after_ten_hours_however_busy(home: ActingOrganisation) -> None:
    session = home.client.session
    session[SIGNED_IN_AT] = time.time() - HELPLINE.seconds - 1
    session.save()
    assert home.client.get("/helpline/")["Location"] == "/staff/sign-in/"


def read(practitioner: Practitioner, times: int) -> None:
    for _ in range(times):
        alarms.note_read(practitioner, uuid.uuid4())


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "READS", (alarms.Quota(3600, 3, 6),))
    monkeypatch.setattr(alarms, "EXPORTS", (alarms.Quota(alarms.DAY, 1, 2),))


@pytest.mark.usefixtures("few")
def test_who_reads_more_than_usual_shows_the_factor_again_and_far_more_is_stopped(home: ActingOrganisation) -> None:
    client = browser()
    own = practitioner(client, home.organisation, fresh=False, scope=Practitioner.Scope.ORGANISATION)
    files = [a_case_file(home.practitioner, own) for _ in range(8)]
    for file in files[:3]:
        for _ in range(3):
            assert client.get(page_of(file)).status_code == 200
    assert "/staff/again/" in client.get(page_of(files[3]))["Location"]
    session = client.session
    session[FACTOR_AT] = time.time()
    session.save()
    # The refused try counts too.
    assert [client.get(page_of(file)).status_code for file in files[4:]] == [200, 200, 403, 403]
    alarm = Alarm.objects.get()
    assert alarm.practitioner == own
    page = home.client.get("/helpline/people/").content.decode()
    assert "opened more case files than usual" in page
    home.client.post(f"/helpline/people/alarms/{alarm.pk}/")
    assert client.get(page_of(files[7])).status_code == 200
    assert AuditEvent.objects.filter(action="alarm.close.reads", actor=home.practitioner.actor).exists()


@pytest.mark.usefixtures("few")
def test_mass_export_is_stopped_and_nobody_closes_their_own_alarm(home: ActingOrganisation) -> None:
    answers = [home.client.post("/helpline/export/").status_code for _ in range(4)]
    assert answers == [200, 200, 403, 403]
    alarm = Alarm.objects.get(kind=Alarm.Kind.EXPORTS)
    assert "1 alarm waits" in home.client.get("/helpline/").content.decode()
    home.client.post(f"/helpline/people/alarms/{alarm.pk}/")
    assert home.client.post("/helpline/export/").status_code == 403
    operator = browser()
    signed_in(operator, Role.OPERATOR)
    assert "taken out more than usual" in operator.get("/staff/organisations/").content.decode()
    assert "1 alarm" in operator.get("/staff/").content.decode()
    operator.post(f"/staff/organisations/alarms/{alarm.pk}/")
    assert home.client.post("/helpline/export/").status_code == 200


def test_what_people_see_of_an_organisation_its_supervisor_writes(home: ActingOrganisation) -> None:
    sent = {"contact": "Telephone 0999", "hours": "always", "remit": "adults", "languages": "en"}
    assert home.client.post("/helpline/people/words/", sent).status_code == 302
    home.organisation.refresh_from_db()
    assert (home.organisation.contact, home.organisation.country) == ("Telephone 0999", "GB")
    assert home.client.post("/helpline/people/words/", sent | {"contact": "x" * 301}).status_code == 422
    assert home.client.post("/helpline/people/words/", sent | {"contact": "a\u202eb"}).status_code == 422
