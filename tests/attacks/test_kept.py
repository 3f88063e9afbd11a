"""Attacks on what helpers keep of a person and on helpers' links, as sentences."""

from __future__ import annotations

import datetime

import pytest
from django.test import Client
from django.utils import timezone

from reclaim.bank.cases.consents import give_consent
from reclaim.bank.cases.models import Consent
from reclaim.bank.casework.models import CaseFile, Event, Invitation, Note, Outcome
from reclaim.bank.casework.services import close, new_invitation
from reclaim.bank.intake.helper_views import ASKED
from reclaim.bank.vault.keys import new_unlocked
from reclaim.bank.vault.models import KeyPair, WrappedKey
from reclaim.bank.vault.services import case_key
from tests.cooperating import unlocked
from tests.helped import Helped, a_case_file, half_of, person_of, words_of
from tests.members import OWN_PAGE
from tests.personas import ActingOrganisation, a_case
from tests.sending import picture, send_case

pytestmark = [pytest.mark.django_db(databases=["default", "keys"]), pytest.mark.urls("reclaim.bank.urls")]

POSTS = ("", "correct/", "ask/", "days/", "erase/")


def persons_key(helped: Helped) -> str:
    return f"person:{helped.made.case.pk}"


def test_the_session_of_another_case_sees_and_does_nothing_even_with_the_right_number_and_pin() -> None:
    helped = Helped.by_code()
    half = half_of(helped.opens())
    other = person_of(a_case(2))
    nobody = Client(headers=OWN_PAGE)
    sent = {"number": helped.made.number, "pin": helped.made.pin, "opens": half, "text": "not mine"}
    for path in ("", "erase/"):
        assert other.get(helped.address + path).status_code == 404
    for path in POSTS:
        refused = other.post(helped.address + path, sent)
        # What is not there and what is another's are the same, and whoever erases twice reads that it is done.
        assert refused.status_code == (302 if path == "erase/" else 404)
        assert nobody.post(helped.address + path, sent)["Location"] == "/case/"
    assert CaseFile.objects.count() == 1
    assert Note.objects.count() == 0
    # One whose helper it is as well: another case's number and PIN open nothing in theirs.
    mine = Helped.by_code(3, helped.helper)
    refused = mine.person.post(mine.address, sent)
    assert refused.status_code == 422
    assert "data-words" not in refused.content.decode()
    assert mine.person.post(f"{mine.address}correct/", {"opens": half, "text": "x"}).status_code == 302
    assert Note.objects.count() == 0


def test_a_consent_that_ended_or_was_never_used_opens_no_words_and_leaves_the_person_no_key() -> None:
    helped = Helped.by_code()
    half = half_of(helped.opens())
    assert WrappedKey.objects.filter(reader=persons_key(helped)).count() == 1
    helped.person.post("/case/helper/stop/", {"consent": helped.made.case.consents.get().pk})
    assert WrappedKey.objects.filter(reader=persons_key(helped)).count() == 0
    give_consent(helped.made.case, helped.helper.organisation)
    # Even where a row in the database still says that the organisation may see the case.
    CaseFile.objects.update(case=helped.made.case)
    sent = {"number": helped.made.number, "pin": helped.made.pin, "opens": half, "text": "x"}
    assert "it was an ex" not in helped.person.post(helped.address, sent).content.decode()
    assert helped.person.post(f"{helped.address}correct/", sent)["Location"] == helped.address
    assert Note.objects.count() == 0
    assert "Picture 1" not in helped.helper.client.get(f"/helpline/cases/{helped.case_file.pk}/").content.decode()


def test_what_is_kept_after_a_consent_is_its_persons_alone_and_goes_with_their_case() -> None:
    helped = Helped.by_code()
    helped.person.post("/case/helper/stop/", {"consent": helped.made.case.consents.get().pk})
    other = person_of(a_case(2))
    assert other.get(helped.address).status_code == 404
    for path in POSTS:
        assert other.post(helped.address + path).status_code == (302 if path == "erase/" else 404)
    for page in ("/case/pictures/", "/case/helper/"):
        assert helped.address not in other.get(page).content.decode()
    # Practitioners' pages are the same whoever's it is.
    page = f"/helpline/cases/{helped.case_file.pk}/"
    theirs = [helped.helper.client.get(each).content for each in (page, "/helpline/cases/")]
    CaseFile.objects.update(person=None)
    assert [helped.helper.client.get(each).content for each in (page, "/helpline/cases/")] == theirs
    CaseFile.objects.update(person=helped.made.case)
    helped.made.case.delete()
    assert (CaseFile.objects.get().person, CaseFile.objects.get().case) == (None, None)


def test_a_used_an_expired_a_replaced_a_closed_and_an_unknown_link_cannot_be_told_apart_and_open_nothing() -> None:
    helper = ActingOrganisation.let_in()
    used, expired, replaced, closed = (a_case_file(helper) for _ in range(4))
    tokens = {each: new_invitation(each, helper.practitioner).token for each in (used, expired, replaced, closed)}
    person = Client(headers=OWN_PAGE)
    person.get(f"/i/{tokens[used]}/")
    person.post("/i/", {})
    send_case(picture(1), client=person)
    long_ago = timezone.now() - datetime.timedelta(seconds=1)
    Invitation.objects.filter(case_file=expired).update(expires_at=long_ago)
    new_invitation(replaced, helper.practitioner)
    close(closed, helper.practitioner, case_key(unlocked(helper.practitioner), closed.pk), Outcome.ADVISED)
    answers = set()
    for token in (*tokens.values(), "0" * 16, "x" * 5000, "%00"):
        visitor = Client(headers=OWN_PAGE)
        arrived = visitor.get(f"/i/{token}/")
        page = visitor.get("/i/")
        posted = visitor.post("/i/", {"see": "yes"})
        answers.add((arrived.status_code, arrived["Location"], page.status_code, page.content, posted.content))
        assert not visitor.cookies
    assert len(answers) == 1
    assert answers.pop()[:3] == (302, "/i/", 404)


def test_a_link_that_ends_between_the_yes_and_the_case_lets_nobody_see_it() -> None:
    helper = ActingOrganisation.let_in()
    case_file = a_case_file(helper)
    person = Client(headers=OWN_PAGE)
    person.get(f"/i/{new_invitation(case_file, helper.practitioner).token}/")
    person.post("/i/", {"see": "yes"})
    new_invitation(case_file, helper.practitioner)
    assert send_case(picture(1), client=person).status_code == 201
    assert Consent.objects.count() == 0


def test_of_two_who_come_by_one_link_only_the_first_is_let_be_seen() -> None:
    helper = ActingOrganisation.let_in()
    case_file = a_case_file(helper)
    token = new_invitation(case_file, helper.practitioner).token
    both = [Client(headers=OWN_PAGE), Client(headers=OWN_PAGE)]
    for person in both:
        person.get(f"/i/{token}/")
        person.post("/i/", {"see": "yes"})
    for seed, person in enumerate(both, start=1):
        assert send_case(picture(seed), client=person).status_code == 201
    assert Consent.objects.count() == 1


def test_a_practitioner_cannot_make_it_look_as_if_the_person_had_agreed() -> None:
    helper, made = ActingOrganisation.let_in(), a_case(1)
    case_file = a_case_file(helper)
    token = new_invitation(case_file, helper.practitioner).token
    # In the browser in which a practitioner is signed in, a link is none.
    helper.client.defaults.update({"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ACCEPT": "text/html"})
    helper.client.get(f"/i/{token}/")
    assert helper.client.get("/i/").status_code == 404
    helper.client.post("/i/", {"see": "yes"})
    assert send_case(picture(2), client=helper.client).status_code == 201
    # Nor is there a form of theirs that says so.
    for path in ("case/", "facts/", "notes/"):
        sent = {"case": made.case.pk, "see": "yes", "by_person": "yes", "code": "", "text": "I agree", "person": "yes"}
        helper.client.post(f"/helpline/cases/{case_file.pk}/{path}", sent)
    case_file.refresh_from_db()
    assert case_file.case is None
    assert Consent.objects.count() == 0
    assert not Event.objects.filter(by_person=True).exists()
    assert not Note.objects.filter(by_person=True).exists()
    # The person's own pages are no practitioner's.
    assert helper.client.post(f"/case/helper/{helper.organisation.pk}/erase/")["Location"] == "/case/"


def test_neither_the_page_nor_the_session_alone_opens_the_words() -> None:
    helped = Helped.by_code()
    half = half_of(helped.opens())
    stored = helped.person.session["own_key"]
    assert half not in stored
    another = ("B" if half.startswith("A") else "A") + half[1:]
    for wrong in ("", "x", another, "é" * 44):
        answer = helped.person.post(f"{helped.address}correct/", {"opens": wrong, "text": "x"})
        assert answer["Location"] == helped.address
    session = helped.person.session
    del session["own_key"]
    session.save()
    assert helped.person.post(f"{helped.address}correct/", {"opens": half, "text": "x"}).status_code == 302
    assert Note.objects.count() == 0


def test_a_key_that_somebody_planted_for_the_person_gets_nothing_and_the_persons_comes_back() -> None:
    helped = Helped.by_code()
    WrappedKey.objects.filter(reader=persons_key(helped)).delete()
    mine = new_unlocked(persons_key(helped)).reader.public_key
    KeyPair.objects.filter(reader=persons_key(helped)).update(public_key=mine)
    page = f"/helpline/cases/{helped.case_file.pk}/"
    assert helped.helper.client.get(page).status_code == 200
    assert not WrappedKey.objects.filter(reader=persons_key(helped)).exists()
    person_of(helped.made)
    helped.helper.client.get(page)
    assert "it was an ex" in helped.opens()


def test_guessing_the_pin_at_what_is_kept_is_slowed_down_as_at_the_sign_in() -> None:
    helped = Helped.by_code()
    wrong = {"number": helped.made.number, "pin": f"{(int(helped.made.pin) + 1) % 10**8:08}"}
    answers = [helped.person.post(helped.address, wrong).status_code for _ in range(6)]
    assert answers[-1] == 429
    assert set(answers[:3]) == {422}


def test_whoever_floods_helpers_with_forms_is_slowed_down_and_what_they_write_is_only_text() -> None:
    helper, made = ActingOrganisation.let_in(), a_case(1)
    person = person_of(made)
    sent = {"organisation": helper.organisation.pk, "ask": "yes", "stage": "<b>", "reach": "<script>alert(1)</script>"}
    for wrong in ("", "x" * 10_001, "a\0b"):
        refused = person.post("/case/helper/", {**sent, "reach": wrong, "company": "no"})
        assert refused.status_code == 422
        assert 'value="no" checked' in refused.content.decode()
    assert person.post("/case/helper/", sent).status_code == 302
    case_file = CaseFile.objects.get()
    page = helper.client.get(f"/helpline/cases/{case_file.pk}/")
    assert "<script>alert" not in page.content.decode()
    assert "&lt;script&gt;alert(1)" in words_of(page)
    answers = [person.post("/case/helper/", sent).status_code for _ in range(ASKED.tries)]
    assert answers[-1] == 429
    assert CaseFile.objects.count() == 1


def test_whoever_opens_the_link_on_the_persons_phone_reads_nothing_and_takes_the_case_file_from_nobody() -> None:
    helped = Helped.by_code()
    helped.person.post("/case/helper/stop/", {"consent": helped.made.case.consents.get().pk})
    helped.case_file.refresh_from_db()
    reads_along = Client(headers=OWN_PAGE)
    reads_along.get(f"/i/{new_invitation(helped.case_file, helped.helper.practitioner).token}/")
    reads_along.post("/i/", {"see": "yes"})
    told = send_case(picture(5), client=reads_along).json()
    secrets = {"number": told["case_number"], "pin": told["pin"]}
    assert reads_along.post("/case/", secrets).status_code == 302
    helped.helper.client.get(f"/helpline/cases/{helped.case_file.pk}/")
    assert {reads_along.get(helped.address).status_code, reads_along.post(helped.address, secrets).status_code} == {404}
    assert "Example Social" in helped.person.get(helped.address).content.decode()
