"""The case page: sign in, what is told, withdraw, sign out."""

from __future__ import annotations

import re
from unittest import mock

import pytest
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.test import Client

from reclaim.bank.cases.numbers import shown
from reclaim.bank.cases.services import NewCase
from tests.personas import ActingPlatform, a_case

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]

OURS = {"Origin": "http://testserver"}


def signed_in(made: NewCase) -> Client:
    client = Client()
    assert client.post("/case/", {"number": shown(made.number), "pin": made.pin})["Location"] == "/case/pictures/"
    return client


def told(client: Client) -> str:
    answer = client.get("/case/pictures/")
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def withdraw(client: Client, picture: str) -> int:
    return client.post("/case/withdraw/", {"picture": picture}, headers=OURS).status_code


def test_the_form_takes_a_number_as_people_write_it(client: Client) -> None:
    made = a_case(1)
    typed = f" {shown(made.number).lower().replace('-', ' ')} "
    pin = f"{made.pin[:4]} {made.pin[4:]}"
    assert client.post("/case/", {"number": typed, "pin": pin}).status_code == 302


def test_what_cannot_be_a_number_or_a_pin_is_said_without_repeating_it(client: Client) -> None:
    for number, pin, sentence in (
        ("<b>7</b>", "12345678", "18 letters and digits"),
        (a_case(1).number, "12", "eight digits"),
        ("", "", "18 letters and digits"),
    ):
        answer = client.post("/case/", {"number": number, "pin": pin})
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
        assert "<b>7" not in answer.content.decode()
        assert not answer.cookies


def test_the_form_asks_the_browser_to_remember_nothing(client: Client) -> None:
    html = client.get("/case/").content.decode()
    assert html.count('autocomplete="off"') == 3
    assert 'inputmode="numeric"' in html
    assert 'type="password"' not in html


def test_too_many_tries_are_told_when_to_come_back() -> None:
    made = a_case(1)
    for _ in range(6):
        answer = Client().post("/case/", {"number": made.number, "pin": "00000000"})
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 601
    assert "10 minutes" in answer.content.decode()


def test_without_its_database_nobody_is_let_in(client: Client) -> None:
    made = a_case(1)
    with mock.patch("reclaim.sitekit.models.Attempt.objects.create", side_effect=DatabaseError):
        answer = client.post("/case/", {"number": made.number, "pin": made.pin}, headers={"Accept": "text/html"})
    assert answer.status_code == 503
    assert not answer.cookies


def test_signing_in_makes_a_new_session_key() -> None:
    made = a_case(1)
    client = signed_in(made)
    before = client.cookies["test-session"].value
    client.post("/case/", {"number": made.number, "pin": made.pin}, headers=OURS)
    assert client.cookies["test-session"].value != before
    assert Session.objects.count() == 1


def test_the_cookie_cannot_be_read_by_scripts_or_sent_by_other_sites() -> None:
    cookie = signed_in(a_case(1)).cookies["test-session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["expires"] == ""


def test_the_case_page_says_what_each_platform_did() -> None:
    platform = ActingPlatform.vetted("Example Social")
    client = signed_in(a_case(1, 2, 3))
    assert "Gets them the next time it asks us 3 pictures" in told(client)
    platform.fetch_all()
    assert "Was given the fingerprints 3 pictures" in told(client)
    assert "Gets them" not in told(client)
    platform.says(1, "PendingReview")
    platform.says(2, "Blocked")
    platform.says(3, "NotBlocked")
    page = told(client)
    assert "Was given the fingerprints 3 pictures" in page
    assert "Found something, a person there is looking 1 picture" in page
    assert "Removed it 1 picture" in page
    assert "A person there looked and left it up 1 picture" in page


def test_one_picture_is_withdrawn_and_the_others_stay() -> None:
    platform = ActingPlatform.vetted()
    client = signed_in(a_case(1, 2))
    platform.fetch_all()
    assert withdraw(client, "2") == 302
    page = told(client)
    assert "One picture is withdrawn." in page
    assert re.search(r"Picture 1 In place since \d", page)
    assert re.search(r"Picture 2 Withdrawn \d", page)
    assert "Withdrawn: not yet confirmed 1 picture" in page
    assert "One picture is withdrawn." not in told(client)
    for _ in range(3):
        platform.syncs()
    assert "Withdrawn: it has confirmed that 1 picture" in told(client)


def test_all_pictures_are_withdrawn_at_once() -> None:
    client = signed_in(a_case(1, 2, 3))
    assert withdraw(client, "all") == 302
    page = told(client)
    assert "3 pictures are withdrawn." in page
    assert "In place" not in page
    assert "already" in client.get("/case/withdraw/").content.decode()


def test_withdrawing_again_is_harmless() -> None:
    client = signed_in(a_case(1))
    withdraw(client, "all")
    assert withdraw(client, "all") == 302
    assert "All your pictures were withdrawn before." in told(client)


@pytest.mark.parametrize("picture", ["", "3", "0", "-1", "1 ", "all!", "9" * 4000, "²", "٣"])
def test_what_is_no_picture_of_the_case_withdraws_nothing(picture: str) -> None:
    made = a_case(1, 2)
    client = signed_in(made)
    answer = client.post("/case/withdraw/", {"picture": picture}, headers=OURS)
    assert answer.status_code == 422
    assert "Please choose what to withdraw." in answer.content.decode()
    assert made.case.signals.filter(withdrawn_on=None).count() == 2


def test_asking_to_withdraw_changes_nothing() -> None:
    made = a_case(1, 2)
    page = signed_in(made).get("/case/withdraw/").content.decode()
    assert page.count('type="radio"') == 3
    assert made.case.signals.filter(withdrawn_on=None).count() == 2


def test_signing_out_ends_the_session_and_needs_a_post() -> None:
    client = signed_in(a_case(1))
    assert client.get("/case/sign-out/").status_code == 405
    assert client.post("/case/sign-out/", headers=OURS)["Location"] == "/case/"
    assert Session.objects.count() == 0
    assert client.get("/case/pictures/")["Location"] == "/case/"


def test_no_page_of_a_case_shows_its_number_or_pin() -> None:
    made = a_case(1)
    client = signed_in(made)
    for path in ("/case/", "/case/pictures/", "/case/withdraw/"):
        html = client.get(path).content.decode()
        assert made.pin not in html
        assert made.number not in html
        assert shown(made.number) not in html
