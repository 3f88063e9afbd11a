"""The person's pages before there is a case, and the way out."""

from __future__ import annotations

import re
from unittest import mock

import pytest
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.test import Client

from reclaim.bank.directory.rows import LEAVE_ADDRESS, SERVICES
from tests.pages import PERSON_PAGES
from tests.personas import ActingPlatform, a_case

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]

AS_PAGE = {"Accept": "text/html,application/xhtml+xml"}


def signed_in() -> Client:
    made, client = a_case(1, 2), Client()
    client.post("/case/", {"number": made.number, "pin": made.pin})
    return client


def words_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.mark.parametrize("path", PERSON_PAGES)
def test_a_public_page_sets_no_cookie_and_makes_no_session(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert not answer.cookies
    assert Session.objects.count() == 0


@pytest.mark.parametrize("path", [*PERSON_PAGES, "/case/pictures/", "/case/withdraw/", "/nothing-here/"])
def test_every_page_can_be_left_and_has_a_title_that_says_nothing(path: str) -> None:
    html = signed_in().get(path, headers=AS_PAGE).content.decode()
    assert re.search(r"<title>Help</title>", html)
    first_link = re.search(r"<a [^>]*>", html)
    assert first_link is not None
    assert 'href="/leave/"' in first_link[0]
    assert html.count('href="/leave/"') == 2


@pytest.mark.parametrize("path", [*PERSON_PAGES, "/case/pictures/", "/case/withdraw/", "/nothing-here/"])
def test_no_page_names_another_origin_or_holds_a_script_or_a_style_of_its_own(path: str) -> None:
    html = signed_in().get(path, headers=AS_PAGE).content.decode()
    assert "//" not in html.replace("<!doctype html>", "")
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r"<style|\bstyle=|\bon[a-z]+=", html)


@pytest.mark.parametrize("path", [*PERSON_PAGES, "/case/pictures/", "/case/withdraw/"])
def test_no_page_uses_words_that_hurt_or_promise(path: str) -> None:
    words = words_of(signed_in().get(path).content.decode()).lower()
    for never in ("revenge", "victim", "porn", "upload your", "guarantee", "will be removed"):
        assert never not in words


def test_the_age_question_is_two_links_and_sends_nothing(client: Client) -> None:
    html = client.get("/start/age/").content.decode()
    assert "<form" not in html
    assert 'href="/start/what/"' in html
    assert 'href="/start/other/"' in html


def test_a_person_under_18_is_shown_services_made_for_them(client: Client) -> None:
    words = words_of(client.get("/start/other/").content.decode())
    assert "Take It Down" in words
    assert "Report Remove" in words
    assert "childline.org.uk" in words


def test_the_limits_page_names_the_platforms_that_take_part_before_anything_is_asked(client: Client) -> None:
    assert "No website takes part here yet" in client.get("/start/notes/").content.decode()
    ActingPlatform.vetted("A & B Social")
    html = client.get("/start/notes/").content.decode()
    assert ">A &amp; B Social</li>" in html
    assert "<input" not in html


def test_limits_are_said_before_anything_is_asked(client: Client) -> None:
    html, way = client.get("/").content.decode(), []
    for path in ("/start/", "/start/notes/", "/start/age/", "/start/what/", "/start/files/"):
        assert f'href="{path}"' in html
        html = client.get(path).content.decode()
        way.append(words_of(html))
    for words in way[:2]:
        assert "?" not in words.replace("Someone is at risk now", "")
    for limit in ("Only these look", "encrypted chats", "can miss copies", "need the file", "cannot promise"):
        assert limit in way[1] or "No website takes part" in way[1]


def test_no_address_of_a_page_tells_what_it_is_about() -> None:
    for path in PERSON_PAGES:
        assert not re.search("intimate|nude|abuse|leak|image|video|porn|under|18|threat|fake", path)


def test_each_service_of_the_directory_is_reached_by_a_redirect(client: Client) -> None:
    for service in SERVICES:
        answer = client.get(f"/go/{service.slug}/")
        assert (answer.status_code, answer["Location"]) == (302, service.address)
        assert service.address.startswith("https://")


def test_the_redirect_goes_nowhere_else(client: Client) -> None:
    assert client.get("/go/example-org/").status_code == 404
    assert client.get("/go/https://example.org/").status_code == 404


def test_leaving_ends_the_session_and_clears_what_the_browser_holds() -> None:
    client = signed_in()
    assert Session.objects.count() == 1
    answer = client.get("/leave/")
    assert (answer.status_code, answer["Location"]) == (302, LEAVE_ADDRESS)
    assert answer["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert answer["Cache-Control"] == "no-store"
    assert Session.objects.count() == 0
    assert client.get("/case/pictures/").status_code == 302


def test_leaving_works_when_the_database_does_not() -> None:
    client = signed_in()
    with mock.patch("django.contrib.sessions.backends.db.SessionStore.delete", side_effect=DatabaseError):
        answer = client.get("/leave/")
    assert (answer.status_code, answer["Location"]) == (302, LEAVE_ADDRESS)
    assert client.get("/case/pictures/").status_code == 302


def test_an_operator_can_choose_where_leaving_goes(client: Client, settings: pytest.FixtureRequest) -> None:
    settings.LEAVE_ADDRESS = "https://weather.example/"  # type: ignore[attr-defined]
    assert client.get("/leave/")["Location"] == "https://weather.example/"


def test_the_page_without_scripts_says_what_still_works(client: Client) -> None:
    html = client.get("/start/files/").content.decode()
    [without] = re.findall(r"<noscript>(.*?)</noscript>", html, re.DOTALL)
    assert "/case/" in without
    assert "/go/" in without
