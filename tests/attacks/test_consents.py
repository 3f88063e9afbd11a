"""Attacks on what helper organisations may see, as sentences."""

from __future__ import annotations

import datetime

import pytest
from django.test import Client
from django.utils import timezone

from reclaim.bank.cases.codes import new_code
from reclaim.bank.cases.consents import CODE_LIFE, forget_codes, give_consent, open_case, revoke_consent
from reclaim.bank.cases.models import Consent
from reclaim.bank.cases.numbers import shown
from reclaim.bank.casework.models import CaseFile
from reclaim.bank.casework.services import open_case_file
from reclaim.bank.helpline.views import CODE_TRIES
from reclaim.bank.organisations.services import revoke_organisation
from reclaim.sitekit.accounts.services import remove_member
from reclaim.sitekit.permissions import Role
from tests.members import OWN_PAGE, PASSWORD, signed_in
from tests.personas import ActingOrganisation, a_case

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]

OURS = {"Origin": "http://testserver"}


def answer_to(helper: ActingOrganisation, code: str) -> tuple[int, str]:
    answer = helper.client.post("/helpline/", {"code": code}, headers=OURS)
    return answer.status_code, answer.content.decode()


def test_an_unknown_a_used_an_expired_a_revoked_and_anothers_code_cannot_be_told_apart() -> None:
    helper, other = ActingOrganisation.let_in("One"), ActingOrganisation.let_in("Two")
    used, expired, revoked, of_another = (a_case(seed).case for seed in range(4))
    codes = [new_code(), "not a code"]
    codes.append(give_consent(used, helper.organisation).code)
    consent = open_case(helper.practitioner, codes[-1])
    assert consent is not None
    revoke_consent(used, consent.pk)
    codes.append(give_consent(expired, helper.organisation).code)
    Consent.objects.update(code_until=timezone.now() - datetime.timedelta(seconds=1))
    codes.append(give_consent(revoked, helper.organisation).code)
    revoke_consent(revoked, revoked.consents.get().pk)
    codes.append(give_consent(of_another, other.organisation).code)
    assert len({answer_to(helper, code) for code in codes}) == 1
    assert answer_to(helper, codes[0])[0] == 422
    assert other.opens(codes[-1]) is not None


def test_a_helper_whose_consent_was_revoked_sees_nothing_at_its_next_request() -> None:
    helper, made = ActingOrganisation.let_in(), a_case(1)
    page = helper.opens(give_consent(made.case, helper.organisation).code)
    assert page is not None
    assert "Picture 1" in page
    case_file, consent = CaseFile.objects.get(), made.case.consents.get()
    person = Client()
    person.post("/case/", {"number": made.number, "pin": made.pin})
    person.post("/case/helper/stop/", {"consent": consent.pk}, headers=OURS)
    assert "Picture 1" not in helper.client.get(f"/helpline/cases/{case_file.pk}/").content.decode()
    assert CaseFile.objects.get().case is None


def test_a_helper_cannot_reach_a_case_of_another_helper_or_one_whose_code_it_never_used() -> None:
    helper, other = ActingOrganisation.let_in("One"), ActingOrganisation.let_in("Two")
    case = a_case(1).case
    unused = give_consent(case, helper.organisation)
    mine = open_case_file(helper.practitioner, CaseFile.Channel.PHONE)
    # Even a row that somebody wrote into the database shows nothing before the code is used.
    CaseFile.objects.filter(pk=mine.pk).update(case=case)
    assert "Picture 1" not in helper.client.get(f"/helpline/cases/{mine.pk}/").content.decode()
    assert helper.opens(unused.code) is not None
    assert "Picture 1" in helper.client.get(f"/helpline/cases/{mine.pk}/").content.decode()
    assert other.client.get(f"/helpline/cases/{mine.pk}/").status_code == 404


def test_a_person_cannot_end_the_consent_of_another_persons_case() -> None:
    helper, mine, other = ActingOrganisation.let_in(), a_case(1), a_case(2).case
    give_consent(other, helper.organisation)
    person = Client()
    person.post("/case/", {"number": mine.number, "pin": mine.pin})
    for sent in (str(other.consents.get().pk), "9" * 50, "²", ""):
        assert person.post("/case/helper/stop/", {"consent": sent}, headers=OURS).status_code == 302
    assert other.consents.count() == 1


def test_an_organisation_that_guesses_codes_is_slowed_and_another_is_not() -> None:
    helper, other, made = ActingOrganisation.let_in("One"), ActingOrganisation.let_in("Two"), a_case(1)
    for _ in range(CODE_TRIES.tries):
        assert answer_to(helper, new_code())[0] == 422
    assert answer_to(helper, new_code())[0] == 429
    assert answer_to(helper, give_consent(made.case, helper.organisation).code)[0] == 429
    assert other.opens(give_consent(made.case, other.organisation).code) is not None


@pytest.mark.parametrize("ended", ["the organisation", "the practitioner"])
def test_a_session_ends_at_its_next_request_when_the_organisation_or_its_practitioner_is_out(ended: str) -> None:
    helper = ActingOrganisation.let_in()
    assert helper.client.get("/helpline/").status_code == 200
    if ended == "the organisation":
        assert revoke_organisation("Example Helpline")
    else:
        remove_member(helper.practitioner.name)
    assert helper.client.get("/helpline/").status_code in (401, 403)


def test_consents_of_a_revoked_organisation_do_not_come_back_with_it() -> None:
    helper, made = ActingOrganisation.let_in(), a_case(1)
    helper.opens(give_consent(made.case, helper.organisation).code)
    revoke_organisation("Example Helpline")
    again = ActingOrganisation.let_in()
    assert again.organisation == helper.organisation
    assert CaseFile.objects.get().case is None
    assert again.client.get("/helpline/").status_code == 200


def test_a_helper_and_a_watcher_decide_on_nothing_held() -> None:
    helper, watcher = ActingOrganisation.let_in().client, Client()
    signed_in(watcher, Role.WATCHER)
    for client in (helper, watcher):
        assert client.get("/staff/held/").status_code == 403
        assert client.post("/staff/held/", {"item": "1", "decision": "release"}, headers=OURS).status_code == 403


def test_an_unattended_session_decides_on_nothing_held_and_does_not_even_show_it() -> None:
    operator = Client(headers=OWN_PAGE)
    signed_in(operator, Role.OPERATOR, fresh=False)
    for answer in (
        operator.get("/staff/held/"),
        operator.post("/staff/held/", {"item": "1", "decision": "release"}),
    ):
        assert "/staff/again/" in answer["Location"]


def test_a_helpers_session_is_no_persons_and_a_persons_is_no_helpers() -> None:
    helper, made = ActingOrganisation.let_in(), a_case(1)
    assert helper.client.get("/case/pictures/")["Location"] == "/case/"
    person = Client()
    person.post("/case/", {"number": made.number, "pin": made.pin})
    assert person.get("/helpline/").status_code == 401
    # Signing in as a helper in the same browser closes the case there.
    person.post("/staff/sign-in/", {"name": helper.practitioner.name, "password": PASSWORD}, headers=OURS)
    assert person.get("/case/pictures/")["Location"] == "/case/"


def test_the_database_holds_no_code_and_forgets_those_that_nobody_used() -> None:
    helper, made = ActingOrganisation.let_in(), a_case(1)
    given = give_consent(made.case, helper.organisation)
    consent = Consent.objects.get()
    assert given.code.encode() not in bytes(consent.code_mac or b"")
    assert consent.code_until is not None
    assert consent.code_until - timezone.now() <= CODE_LIFE
    assert forget_codes() == 0
    Consent.objects.update(code_until=timezone.now())
    assert forget_codes() == 1
    assert shown(given.code).count("-") == 1


def test_another_sites_page_cannot_give_or_end_a_consent() -> None:
    helper, made = ActingOrganisation.let_in(), a_case(1)
    person = Client()
    person.post("/case/", {"number": made.number, "pin": made.pin})
    evil = {"Origin": "https://evil.example"}
    sent = {"organisation": helper.organisation.pk, "sure": "yes"}
    assert person.post("/case/helper/", sent, headers=evil).status_code == 403
    assert Consent.objects.count() == 0
