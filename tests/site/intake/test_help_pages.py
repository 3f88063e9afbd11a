"""The pages that say what to do first, and whom to call."""

from __future__ import annotations

import gzip
import re

import pytest
from django.test import Client

from reclaim.bank.directory.rows import SERVICES
from tests.promises.test_02_no_third_party import other_origins_in

pytestmark = pytest.mark.django_db

PAGES = [
    "/help/now/",
    "/help/a/",
    "/help/b/",
    "/help/c/",
    "/help/d/",
    "/help/e/",
    "/start/other/",
]


def page(path: str) -> str:
    answer = Client().get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert not answer.cookies
    return answer.content.decode()


def words_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.split("<main")[1]).split())


@pytest.mark.parametrize("path", PAGES)
def test_a_help_page_says_nothing_in_its_title_and_names_no_other_origin(path: str) -> None:
    html = page(path)
    assert "<title>Help</title>" in html
    assert other_origins_in(html) == []
    for never in ("revenge", "victim", "porn", "guarantee", "will be removed"):
        assert never not in words_of(html).lower()


@pytest.mark.parametrize("path", PAGES)
def test_a_help_page_asks_for_nothing_and_leads_on(path: str) -> None:
    main = page(path).split("<main")[1].split("</main>")[0]
    assert "<form" not in main
    assert 'class="actions"' in main
    assert 'href="/help/now/"' in main or path == "/help/now/"


@pytest.mark.parametrize("path", ["/help/a/", "/help/b/", "/help/c/"])
def test_who_can_make_fingerprints_is_led_there(path: str) -> None:
    assert 'href="/start/files/"' in page(path)


def test_every_country_is_found_by_its_name_in_the_language_of_the_page() -> None:
    shown = {
        code: re.findall(r"<summary data-cldr>(.*?)</summary>", page(f"/{code}/help/now/")) for code in ("en", "de")
    }
    assert len(shown["en"]) == len(shown["de"]) >= 150
    assert shown["en"][:2] == ["Afghanistan", "Albania"]
    assert shown["de"].index("Ägypten") < shown["de"].index("Albanien")


def test_an_emergency_number_is_one_touch_away() -> None:
    html = page("/help/now/")
    [germany] = re.findall(r"<summary data-cldr>Germany</summary>(.*?)</details>", html, re.DOTALL)
    assert '<a href="tel:112" dir="ltr"><strong>112</strong></a>' in germany
    assert '<a href="tel:08001110111" dir="ltr"><strong>0800 111 0 111</strong></a>' in germany


def test_who_has_no_country_in_the_list_is_told_what_to_do() -> None:
    after = page("/help/now/").split("Your country is not here")[1]
    assert 'href="tel:112"' in after
    assert "Ask somebody near you to call" in after


def test_the_numbers_can_be_read_on_a_slow_connection() -> None:
    for code in ("en", "ar", "zh-hans"):
        assert len(gzip.compress(page(f"/{code}/help/now/").encode())) < 25_000


def test_without_scripts_all_countries_are_there_and_nothing_to_type_into() -> None:
    html = page("/help/now/")
    assert re.search(r"<div class=\"field\" data-find hidden>", html)
    assert "<details hidden" not in html


def test_under_18_are_shown_services_of_their_own_and_none_for_adults_only() -> None:
    words = words_of(page("/start/other/"))
    assert "Take It Down" in words
    assert "Report Remove" in words
    assert "Kids Helpline" in words
    assert "StopNCII.org" not in words


def test_every_way_out_goes_through_our_own_address_and_nowhere_else() -> None:
    client = Client()
    for service in SERVICES:
        answer = client.get(f"/go/{service.slug}/")
        assert (answer.status_code, answer["Location"]) == (302, service.address)
    assert client.get("/go/xx-1/").status_code == 404
