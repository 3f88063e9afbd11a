"""What helpers keep of a person: from a helper's link, read, corrected, ended and erased at the person's case page."""

from __future__ import annotations

import datetime

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reclaim.bank.cases.models import Consent
from reclaim.bank.casework.models import CaseFile, Event, Note
from reclaim.bank.casework.services import add_note, new_invitation
from reclaim.bank.cooperation.models import CheckIn
from reclaim.bank.cooperation.plans import agree_check_in, choose_steps
from reclaim.bank.takedown.models import RunningClock, TakedownRequest
from reclaim.bank.takedown.services import add_links
from reclaim.bank.vault.models import WrappedKey
from reclaim.bank.vault.services import case_key
from reclaim.sitekit.models import AuditEvent
from tests.cooperating import unlocked
from tests.helped import Helped, a_case_file, half_of, person_of, words_of
from tests.members import OWN_PAGE
from tests.personas import ActingOrganisation, a_case
from tests.sending import picture, send_case

pytestmark = [pytest.mark.django_db(databases=["default", "keys"]), pytest.mark.urls("reclaim.bank.urls")]


def invited() -> tuple[ActingOrganisation, CaseFile, Client, str]:
    """A helper, a case file, and a person who is about to open the link that ends in the token."""
    helper = ActingOrganisation.let_in()
    case_file = a_case_file(helper)
    return helper, case_file, Client(headers=OWN_PAGE), new_invitation(case_file, helper.practitioner).token


def test_a_helpers_link_opens_the_persons_own_flow_and_tells_the_helper_nothing() -> None:
    helper, case_file, person, token = invited()
    before = helper.client.get(f"/helpline/cases/{case_file.pk}/").content
    arrived = person.get(f"/de/i/{token}/")
    assert (arrived.status_code, arrived["Location"]) == (302, "/de/i/")
    assert arrived["Referrer-Policy"] == "same-origin"
    assert token not in str(dict(person.session))
    page = person.get("/i/").content.decode()
    assert "Example Helpline is told nothing" in page
    assert " checked" not in page
    assert person.post("/i/", {})["Location"] == "/start/"
    assert "data-lets-see" not in person.get("/start/files/").content.decode()
    assert send_case(picture(1), client=person).status_code == 201
    case_file.refresh_from_db()
    assert case_file.case is None
    assert Consent.objects.count() == 0
    assert "invited" not in person.session
    assert helper.client.get(f"/helpline/cases/{case_file.pk}/").content == before


def test_whoever_says_yes_lets_the_helper_see_the_case_that_they_make_and_reads_what_is_kept_once_confirmed() -> None:
    helper, case_file, person, token = invited()
    person.get(f"/i/{token}/")
    person.post("/i/", {"see": "yes"})
    assert "Example Helpline will see your case" in words_of(person.get("/start/files/"))
    told = send_case(picture(1), client=person).json()
    case_file.refresh_from_db()
    consent = Consent.objects.get()
    assert (consent.case, consent.code_mac) == (case_file.case, None)
    assert case_file.events.filter(kind="case.linked-by-link", by_person=False).count() == 1
    secrets = {"number": told["case_number"], "pin": told["pin"]}
    person.post("/case/", secrets)
    address, page = f"/case/helper/{helper.organisation.pk}/", f"/helpline/cases/{case_file.pk}/"
    # Somebody who reads along on the person's phone may have been quicker.
    assert "Picture 1" in helper.client.get(page).content.decode()
    assert address not in person.get("/case/pictures/").content.decode()
    assert {person.get(address).status_code, person.post(address, secrets).status_code} == {404}
    assert helper.client.post(f"{page}case/confirm/", headers=OWN_PAGE).status_code == 302
    assert address in person.get("/case/pictures/").content.decode()
    # Nobody who has the case file's key has looked since.
    assert "data-no-key" in person.post(address, secrets).content.decode()
    assert "It was the person" not in helper.client.get(page).content.decode()
    assert "it was an ex" in person.post(address, secrets).content.decode()


def test_a_person_reads_every_fact_in_their_language_and_the_words_after_number_and_pin() -> None:
    helped = Helped.by_code()
    key = case_key(unlocked(helped.helper.practitioner), helped.case_file.pk)
    add_note(helped.case_file, helped.helper.practitioner, key, "we wrote to them", Note.Kind.PERSON)
    add_note(helped.case_file, helped.helper.practitioner, key, "for ourselves")
    page = words_of(helped.person.get(helped.address))
    for said in ("Somebody online demands money", "It is already shared", "Example Social", "Germany, Deutsch",
                 "Their own notes 1", "Notes for you 1", "what you said about your safety"):  # fmt: skip
        assert said in page
    assert "Deutschland, Deutsch" in words_of(helped.person.get(f"/de{helped.address}"))
    assert "we wrote to them" not in page
    shown = helped.opens()
    for said in ("by post", "it was an ex", "we wrote to them"):
        assert said in shown
    assert "for ourselves" not in shown
    wrong = f"{(int(helped.made.pin) + 1) % 10**8:08}"
    refused = helped.person.post(helped.address, {"number": helped.made.number, "pin": wrong})
    assert refused.status_code == 422
    assert "by post" not in refused.content.decode()


def test_a_correction_is_a_note_by_the_person_which_practitioners_read() -> None:
    helped = Helped.by_code()
    correct = f"{helped.address}correct/"
    half = half_of(helped.opens())
    assert helped.person.post(correct, {"opens": half, "text": " "}).status_code == 422
    assert helped.person.post(correct, {"opens": half, "text": "it was no ex"}).status_code == 302
    # Pressed twice, it is said once; and whoever has left the words' page types number and PIN again.
    assert helped.person.post(correct, {"opens": half, "text": "it was no ex"})["Location"] == helped.address
    assert helped.person.post(correct, {"opens": half, "text": "again"})["Location"] == helped.address
    note = Note.objects.get()
    assert (note.kind, note.by_person, note.practitioner) == ("person", True, None)
    assert b"no ex" not in bytes(note.sealed)
    theirs = words_of(helped.helper.client.get(f"/helpline/cases/{helped.case_file.pk}/"))
    assert "it was no ex" in theirs
    assert "The person says that something is to be corrected" in theirs
    assert "From you" in helped.opens()


def test_a_person_asks_for_notes_once_a_day() -> None:
    helped = Helped.by_code()
    for _ in range(2):
        assert helped.person.post(f"{helped.address}ask/").status_code == 302
    assert helped.case_file.events.filter(kind="person.asks", by_person=True).count() == 1


def test_links_are_counted_by_host_and_clocks_told_without_any_address() -> None:
    helped = Helped.by_code()
    add_links(helped.case_file, helped.helper.practitioner, "https://site.example/a https://site.example/b")
    now = timezone.now()
    asked = TakedownRequest.objects.create(
        organisation=helped.helper.organisation,
        link=helped.case_file.links.all()[0],
        route="form",
        to="https://site.example/f",
        state="sent",
        sent_at=now,
    )
    RunningClock.objects.create(
        organisation=helped.helper.organisation, request=asked, law="x", law_name="Act 9", country="DE", starts_at=now,
        ends_at=now + datetime.timedelta(days=2), basis="It says so.", reviewed=False,
    )  # fmt: skip
    page = words_of(helped.person.get(helped.address))
    assert "Nobody has asked yet: 2" in page
    assert "site.example has time until" in page
    assert "Nobody has checked this rule yet." in page
    assert "site.example/" not in page


def test_a_person_ends_the_check_ins_they_agreed_to() -> None:
    helped = Helped.by_code()
    practitioner = helped.helper.practitioner
    choose_steps(practitioner, helped.case_file, ["safe-at-home"])
    day = timezone.now().date() + datetime.timedelta(days=3)
    agree_check_in(practitioner, unlocked(practitioner), helped.case_file, day, "call at nine")
    page = helped.person.get(helped.address).content.decode()
    assert "When they ask how you are" in page
    assert "call at nine" not in page
    assert helped.person.post(f"{helped.address}days/").status_code == 302
    assert CheckIn.objects.count() == 0
    assert helped.case_file.events.filter(kind="plan.ended", by_person=True).count() == 1


def test_a_person_has_all_of_it_erased_and_its_keys_with_it() -> None:
    helped = Helped.by_code()
    assert "Nobody can bring it back" in words_of(helped.person.get(f"{helped.address}erase/"))
    assert CaseFile.objects.count() == 1
    # Pressed twice, it is said to be done.
    for _ in range(2):
        assert helped.person.post(f"{helped.address}erase/")["Location"] == "/case/helper/"
    assert "All of it is erased." in words_of(helped.person.get("/case/helper/"))
    assert CaseFile.objects.count() == Consent.objects.count() == Event.objects.count() == 0
    assert not WrappedKey.objects.filter(case_file=helped.case_file.pk).exists()
    assert not AuditEvent.objects.filter(target=f"casefile:{helped.case_file.pk}").exists()
    assert helped.person.get("/case/pictures/").status_code == 200


def test_whoever_ended_the_consent_still_reads_the_facts_and_has_all_of_it_erased() -> None:
    helped = Helped.by_code()
    page = f"/helpline/cases/{helped.case_file.pk}/"
    practitioner = helped.helper.practitioner
    choose_steps(practitioner, helped.case_file, ["safe-at-home"])
    day = timezone.now().date() + datetime.timedelta(days=3)
    agree_check_in(practitioner, unlocked(practitioner), helped.case_file, day, "call at nine")
    assert helped.person.get("/case/helper/").content.decode().count(helped.address) == 1
    helped.person.post("/case/helper/stop/", {"consent": helped.made.case.consents.get().pk})
    for where in ("/case/pictures/", "/case/helper/"):
        assert helped.person.get(where).content.decode().count(helped.address) == 1
    before = helped.helper.client.get(page).content
    events = helped.case_file.events.count()
    told = helped.person.get(helped.address)
    assert "Somebody online demands money" in words_of(told)
    for form in ("data-words", "data-locked", "data-no-key", "/ask/"):
        assert form not in told.content.decode()
    assert "it was an ex" not in helped.opens()
    for path in ("ask/", "correct/"):
        assert helped.person.post(helped.address + path, {"opens": "x", "text": "x"})["Location"] == helped.address
    # Whoever works there learns nothing of it.
    assert helped.helper.client.get(page).content == before
    assert helped.case_file.events.count() == events
    helped.person.post(f"{helped.address}days/")
    assert CheckIn.objects.count() == 0
    assert helped.person.post(f"{helped.address}erase/").status_code == 302
    assert CaseFile.objects.count() == 0
    assert not WrappedKey.objects.filter(case_file=helped.case_file.pk).exists()
    assert helped.person.get(helped.address).status_code == 404
    assert helped.address not in helped.person.get("/case/helper/").content.decode()


def test_what_is_left_of_an_ended_consent_is_told_and_erased_with_what_a_new_one_began() -> None:
    helped = Helped.by_code()
    helped.person.post("/case/helper/stop/", {"consent": helped.made.case.consents.get().pk})
    sent = {"organisation": helped.helper.organisation.pk, "ask": "yes", "reach": "by night", "stage": "shared"}
    assert helped.person.post("/case/helper/", sent).status_code == 302
    page = helped.opens()
    assert page.index("by night") < page.index("data-earlier") < page.index("Somebody online demands money")
    assert helped.person.get("/case/helper/").content.decode().count(helped.address) == 1
    helped.person.post(f"{helped.address}erase/")
    assert CaseFile.objects.count() == Consent.objects.count() == WrappedKey.objects.count() == 0


def test_help_is_asked_for_by_a_form_and_lands_with_nobody_yet() -> None:
    helper, made = ActingOrganisation.let_in(), a_case(1)
    person = person_of(made)

    def ask(**sent: str) -> HttpResponse:
        said = {"organisation": helper.organisation.pk, "stage": "threatened", "company": "no"}
        return person.post("/case/helper/", {**said, **sent})  # type: ignore[return-value]

    assert "ask them for help" in words_of(ask())
    assert ask(ask="yes").status_code == 422
    assert CaseFile.objects.count() == Consent.objects.count() == 0
    assert ask(ask="yes", reach="by post, never at home").status_code == 302
    case_file = CaseFile.objects.get()
    assert (case_file.owner, case_file.channel, case_file.stage) == (None, "form", "threatened")
    assert b"never at home" not in bytes(case_file.reach_sealed or b"")
    theirs = words_of(helper.client.get(f"/helpline/cases/{case_file.pk}/"))
    for said in ("by post, never at home", "Nobody they trust is with them.", "Picture 1"):
        assert said in theirs
    assert case_file.designation in helper.client.get("/helpline/cases/?owner=nobody").content.decode()
    shown = person.post(f"/case/helper/{helper.organisation.pk}/", {"number": made.number, "pin": made.pin})
    assert "by post, never at home" in shown.content.decode()
    ask(ask="yes", reach="asked twice")
    assert CaseFile.objects.count() == 1


def test_the_case_page_and_what_is_kept_ask_the_databases_seldom() -> None:
    helped = Helped.by_code()
    key = case_key(unlocked(helped.helper.practitioner), helped.case_file.pk)
    for text in ("one", "two", "three"):
        add_note(helped.case_file, helped.helper.practitioner, key, text, Note.Kind.PERSON)
    add_links(helped.case_file, helped.helper.practitioner, "https://a.example/a https://b.example/a")
    for address, most in (("/case/pictures/", 13), (helped.address, 10)):
        with CaptureQueriesContext(connection) as asked:
            assert helped.person.get(address).status_code == 200
        assert len(asked) <= most, [query["sql"][:150] for query in asked]
