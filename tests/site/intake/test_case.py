"""The case page: sign in, what is told, withdraw, sign out."""

from __future__ import annotations

import re
from unittest import mock

import pytest
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.test import Client

from reclaim.bank.cases.models import CaseItem
from reclaim.bank.cases.numbers import shown
from reclaim.bank.cases.services import NewCase, NewItem, NewSignal, create_case, refuse_item
from tests.personas import ActingPlatform, a_case, pdq_value

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


def withdraw(client: Client, *items: str) -> int:
    return client.post("/case/withdraw/", {"item": items, "sure": "yes"}, headers=OURS).status_code


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
    page = told(client)
    assert "Was given the fingerprints 3 pictures" in page
    assert "No answer so far 3 pictures" in page
    assert "A website says nothing as long as it finds nothing." in page
    assert "Gets them" not in page
    platform.says(1, "PendingReview")
    platform.says(2, "Blocked")
    platform.says(3, "NotBlocked")
    page = told(client)
    assert "Was given the fingerprints 3 pictures" in page
    assert "Found something, a person there is looking 1 picture" in page
    assert "Removed it 1 picture" in page
    assert "Not removed: it did not say why 1 picture" in page
    assert "No answer so far" not in page


@pytest.mark.parametrize(
    ("tag", "sentence"),
    [
        ("reason:not-the-same", "it was something else"),
        ("reason:not-intimate", "did not find it intimate"),
        ("reason:allowed-here", "its rules allow it"),
        ("reason:cannot-tell", "could not tell"),
        ("reason:other", "for another reason"),
        ("reason:nobody-knows-this-one", "it did not say why"),
    ],
)
def test_the_case_page_says_why_something_was_not_removed(tag: str, sentence: str) -> None:
    platform = ActingPlatform.vetted()
    client = signed_in(a_case(1))
    word = {"hashValue": pdq_value(1), "feedbackValue": "NotBlocked", "tags": [tag]}
    platform.post("SubmitFeedback", {"count": 1, "hashFeedbacks": [word]})
    page = told(client)
    assert page.count("Not removed") == 1
    assert sentence in page


def test_pictures_and_videos_are_counted_as_such() -> None:
    ActingPlatform.vetted()
    video = NewItem(2, "video", (NewSignal("md5", "a" * 32),))
    page = told(signed_in(create_case([NewItem.picture(1, pdq_value(1)), video])))
    assert "Picture 1 In place" in page
    assert "Video 2 In place" in page
    assert "2 pictures and videos" in page
    assert "1 video" in told(signed_in(create_case([video])))


def test_what_is_checked_first_and_what_was_not_taken_is_said_in_plain_words() -> None:
    ActingPlatform.vetted()
    held = [NewItem(n, "picture", (NewSignal("pdq", pdq_value(n)),), held_for=("many-cases",)) for n in (1, 2)]
    made = create_case(held)
    client = signed_in(made)
    assert told(client).count("A person at the bank checks this one first.") == 2
    refuse_item(made.case.items.get(number=2), CaseItem.Refusal.HARMLESS, "organisation:1")
    page = told(client)
    assert "Picture 2 Could not be taken" in page
    assert "such as a logo or an empty picture" in page
    assert "Nobody is asked to look for anything yet" in page
    assert "many-cases" not in client.get("/case/pictures/").content.decode()
    # Only what is still there can be withdrawn, and a held one simply ends.
    assert "Picture 2" not in client.get("/case/withdraw/").content.decode()
    assert withdraw(client, "all") == 302
    assert "Picture 1 Withdrawn" in told(client)


def test_one_is_withdrawn_and_the_others_stay() -> None:
    platform = ActingPlatform.vetted()
    client = signed_in(a_case(1, 2))
    platform.fetch_all()
    assert withdraw(client, "2") == 302
    page = told(client)
    assert "One picture or video is withdrawn." in page
    assert re.search(r"Picture 1 In place since \w", page)
    assert re.search(r"Picture 2 Withdrawn \w", page)
    assert "Withdrawn: not yet confirmed 1 picture" in page
    assert "One picture or video is withdrawn." not in told(client)
    for _ in range(3):
        platform.syncs()
    assert "Withdrawn: it has confirmed that 1 picture" in told(client)


@pytest.mark.parametrize("chosen", [("1", "3"), ("all",), ("1", "all")])
def test_several_or_all_are_withdrawn_at_once(chosen: tuple[str, ...]) -> None:
    made = a_case(1, 2, 3)
    client = signed_in(made)
    assert withdraw(client, *chosen) == 302
    left = 0 if "all" in chosen else 1
    assert f"{3 - left} pictures and videos are withdrawn." in told(client)
    assert made.case.items.filter(withdrawn_on=None).count() == left
    assert ("already" in client.get("/case/withdraw/").content.decode()) == (left == 0)


def test_withdrawing_again_is_harmless() -> None:
    client = signed_in(a_case(1))
    withdraw(client, "all")
    assert withdraw(client, "all") == 302
    assert "Everything was withdrawn before." in told(client)


def test_a_database_that_goes_away_at_the_last_moment_is_not_called_the_persons_mistake() -> None:
    client = signed_in(a_case(1))
    with mock.patch.object(Session, "save", side_effect=DatabaseError):
        assert withdraw(client, "all") == 503
    assert withdraw(client, "all") == 302


@pytest.mark.parametrize("item", ["", "3", "0", "-1", "1 ", "all!", "9" * 4000, "²", "٣"])
@pytest.mark.parametrize("beside", [(), ("1",)])
def test_what_is_no_item_of_the_case_withdraws_nothing(item: str, beside: tuple[str, ...]) -> None:
    made = a_case(1, 2)
    client = signed_in(made)
    answer = client.post("/case/withdraw/", {"item": [*beside, item], "sure": "yes"}, headers=OURS)
    assert answer.status_code == 422
    assert "Please choose what to withdraw." in answer.content.decode()
    assert made.case.items.filter(withdrawn_on=None).count() == 2


def test_nothing_is_withdrawn_before_the_person_has_said_that_she_is_sure() -> None:
    made = a_case(1, 2)
    client = signed_in(made)
    page = client.get("/case/withdraw/").content.decode()
    assert page.count('type="checkbox"') == 2
    page = client.post("/case/withdraw/", {"item": ["2"]}, headers=OURS).content.decode()
    assert "Are you sure?" in page
    assert "Picture 2" in page
    assert "Picture 1" not in page
    assert made.case.items.filter(withdrawn_on=None).count() == 2


def test_who_lost_number_or_pin_is_told_what_can_be_done(client: Client) -> None:
    assert "/case/lost/" in client.get("/case/").content.decode()
    page = client.get("/case/lost/").content.decode()
    assert "Make a new case with the same files." in page
    assert "Nobody can find your old case." in page


def test_more_is_added_on_a_page_that_sends_to_the_open_case() -> None:
    client = signed_in(a_case(1))
    assert "/case/add/" in client.get("/case/pictures/").content.decode()
    assert 'data-address="/case/add/send/"' in client.get("/case/add/").content.decode()


def test_signing_out_ends_the_session_and_needs_a_post() -> None:
    client = signed_in(a_case(1))
    assert client.get("/case/sign-out/").status_code == 405
    assert client.post("/case/sign-out/", headers=OURS)["Location"] == "/case/"
    assert Session.objects.count() == 0
    assert client.get("/case/pictures/")["Location"] == "/case/"


def test_no_page_of_a_case_shows_its_number_or_pin() -> None:
    made = a_case(1)
    client = signed_in(made)
    for path in ("/case/", "/case/pictures/", "/case/withdraw/", "/case/helper/", "/case/add/"):
        html = client.get(path).content.decode()
        assert made.pin not in html
        assert made.number not in html
        assert shown(made.number) not in html
