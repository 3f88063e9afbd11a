"""Helper organisations: consent by a one-time code, what they see, and what the bank's own staff decide."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from reclaim.bank.cases.designations import designation
from reclaim.bank.cases.models import CaseItem, Consent
from reclaim.bank.cases.numbers import shown
from reclaim.bank.cases.services import NewCase, NewItem, NewSignal, create_case
from reclaim.bank.organisations.models import Organisation
from reclaim.bank.organisations.services import (
    NameTakenError,
    add_organisation,
    add_organisation_with_supervisor,
    revoke_organisation,
)
from reclaim.sitekit.models import AuditEvent
from reclaim.sitekit.permissions import Role
from tests.members import signed_in as signed_in_member
from tests.personas import ActingOrganisation, ActingPlatform, a_case, pdq_value

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]

OURS = {"Origin": "http://testserver"}


def signed_in(made: NewCase) -> Client:
    client = Client()
    assert client.post("/case/", {"number": made.number, "pin": made.pin}).status_code == 302
    return client


def code_for(person: Client, organisation: Organisation) -> str:
    page = person.post("/case/helper/", {"organisation": organisation.pk, "sure": "yes"}, headers=OURS)
    found = re.search(r"data-code>([^<]+)<", page.content.decode())
    assert found
    return found[1]


def words_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_a_helper_sees_what_the_person_sees_and_nothing_that_names_the_case() -> None:
    platform, helper = ActingPlatform.vetted("Example Social"), ActingOrganisation.let_in()
    made = a_case(1, 2)
    platform.fetch_all()
    person = signed_in(made)
    assert "Example Helpline" in person.get("/case/helper/").content.decode()
    code = code_for(person, helper.organisation)
    assert "They cannot see it yet" in person.get("/case/helper/").content.decode()
    page = helper.opens(code.lower())
    assert page is not None
    mine = person.get("/case/pictures/").content.decode()
    told = mine[mine.index('<section class="card">') : mine.index("<h2>What happens next</h2>")]
    assert words_of(told) in words_of(page)
    for secret in (made.number, shown(made.number), made.pin, pdq_value(1), str(made.case.pk)):
        assert secret not in page
    assert designation(made.case.pk) not in page


def test_every_read_of_a_helper_is_recorded_and_the_person_sees_when_they_last_looked() -> None:
    helper, made = ActingOrganisation.let_in(), a_case(1)
    person = signed_in(made)
    helper.opens(code_for(person, helper.organisation))
    helper.client.get("/helpline/")
    assert list(AuditEvent.objects.filter(actor=helper.practitioner.actor).values_list("action", flat=True)) == [
        "consent.use",
        "casefile.open",
        "casefile.link-case",
        "casefile.read",
        "case.read",
        "casefiles.today",
    ]
    page = words_of(person.get("/case/helper/").content.decode())
    assert "They can see your case since" in page
    assert "They last looked on" in page


def test_what_a_consent_means_is_read_before_there_is_a_code() -> None:
    helper = ActingOrganisation.let_in()
    person = signed_in(a_case(1))
    page = person.post("/case/helper/", {"organisation": helper.organisation.pk}, headers=OURS).content.decode()
    assert "What they will not see" in page
    assert "data-code" not in page
    assert Consent.objects.count() == 0


@pytest.mark.parametrize("sent", ["", "0", "x", "9" * 100, "²"])
def test_whoever_is_no_organisation_here_gets_no_code(sent: str) -> None:
    ActingOrganisation.let_in()
    answer = signed_in(a_case(1)).post("/case/helper/", {"organisation": sent, "sure": "yes"}, headers=OURS)
    assert answer.status_code == 422
    assert Consent.objects.count() == 0


def test_a_new_code_ends_the_one_before() -> None:
    helper, person = ActingOrganisation.let_in(), signed_in(a_case(1))
    first, second = code_for(person, helper.organisation), code_for(person, helper.organisation)
    assert helper.opens(first) is None
    assert helper.opens(second) is not None


def test_organisations_are_listed_by_country_in_the_language_of_the_page() -> None:
    add_organisation("Hilfe", "DE", ["de", "pt-br"], "Telefon 0123")
    person = signed_in(a_case(1))
    assert "Germany" in person.get("/case/helper/").content.decode()
    german = person.get("/de/case/helper/").content.decode()
    assert "Deutschland" in german
    assert "Deutsch · Português Brasileiro" in german


def test_the_banks_own_staff_let_in_or_refuse_what_is_held() -> None:
    platform, client = ActingPlatform.vetted(), Client()
    member = signed_in_member(client, Role.OPERATOR)

    def decide(decision: str, *items: CaseItem) -> int:
        sent = {"item": [item.pk for item in items], "decision": decision}
        return client.post("/staff/held/", sent, headers=OURS).status_code

    held = [NewItem(n, "picture", (NewSignal("pdq", pdq_value(n)),), held_for=("many-cases",)) for n in (1, 2, 3)]
    case = create_case(held).case
    page = client.get("/staff/held/").content.decode()
    assert page.count("data-held") == 3
    assert "More cases came from its network" in page
    first, second, third = case.items.all()
    assert decide("release", first, second) == 302
    assert decide("unclear", third) == 302
    assert decide("release", third) == 422
    assert decide("burn", third) == 422
    assert set(platform.fetch_all()) == {pdq_value(1), pdq_value(2)}
    assert list(case.items.values_list("state", flat=True)) == ["in place", "in place", "refused"]
    actions = AuditEvent.objects.filter(actor=member.actor).values_list("action", flat=True)
    assert {"held.read", "item.release", "item.refuse"} <= set(actions)


def test_pages_for_helpers_are_english_whatever_the_browser_asks_for() -> None:
    page = ActingOrganisation.let_in().client.get("/helpline/", headers={"Accept-Language": "ar"}).content.decode()
    assert '<html lang="en" dir="ltr">' in page


def test_a_name_is_taken_once_and_an_organisation_that_lost_its_access_may_come_back() -> None:
    organisation, password = add_organisation_with_supervisor("Example Helpline", "gb", ["EN"], "Ada")
    assert (organisation.country, organisation.languages) == ("GB", ["en"])
    supervisor = organisation.practitioners.get()
    assert (supervisor.name, supervisor.scope, supervisor.member.role) == ("Ada", "organisation", "supervisor")
    assert supervisor.member.check_password(password)
    with pytest.raises(NameTakenError):
        add_organisation("Example Helpline", "GB", ["en"])
    assert revoke_organisation("Example Helpline")
    assert not revoke_organisation("Example Helpline")
    again = add_organisation("Example Helpline", "FR", ["fr"])
    assert (again.pk, again.country) == (organisation.pk, "FR")


@pytest.mark.parametrize(
    ("name", "country", "languages"),
    [("", "GB", ["en"]), ("x" * 81, "GB", ["en"]), ("A\nB", "GB", ["en"]), ("A", "EU", ["en"]), ("A", "G", ["en"]),
     ("A", "ZZ", ["en"]), ("A", "GB", []), ("A", "GB", ["English, please"])],
)  # fmt: skip
def test_what_is_no_organisation_is_told_so(name: str, country: str, languages: list[str]) -> None:
    with pytest.raises(ValueError, match=r"\."):
        add_organisation(name, country, languages)
    assert Organisation.objects.count() == 0
