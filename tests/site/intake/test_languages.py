"""The person's pages speak the language of their address, or else of the browser."""

from __future__ import annotations

import calendar
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from django.test import Client
from django.utils import translation

from reclaim.bank.intake.words import counted_words
from reclaim.sitekit.languages import LANGUAGES, RIGHT_TO_LEFT
from reclaim.sitekit.templatetags.words import COUNTS, plural_word
from tests.pages import PERSON_PAGES
from tests.personas import a_case
from tools import messages

PAGES = [*PERSON_PAGES, "/nothing-here/"]

pytestmark = pytest.mark.django_db


def page(path: str, wish: str = "") -> str:
    headers = {"Accept": "text/html"} | ({"Accept-Language": wish} if wish else {})
    return Client().get(path, headers=headers).content.decode()


def test_an_address_with_a_language_is_that_language() -> None:
    for code, name in LANGUAGES.items():
        shown = page(f"/{code}/start/", wish="de")
        direction = "rtl" if code in RIGHT_TO_LEFT else "ltr"
        assert f'<html lang="{code}" dir="{direction}">' in shown
        assert f"</span> {name}</summary>" in shown


def test_every_link_of_a_page_keeps_its_language() -> None:
    shown = page("/ar/")
    inside = shown.split("<main")[1]
    links = re.findall(r'(?:href|action)="(/[^"]*)"', inside)
    assert links
    assert all(link.startswith(("/ar/", "/static/")) for link in links)


def test_without_one_the_browser_is_asked() -> None:
    assert '<html lang="fr" dir="ltr">' in page("/", wish="fr-CH, fr;q=0.9, en;q=0.8")
    assert '<html lang="zh-hans" dir="ltr">' in page("/", wish="zh-CN")
    assert '<html lang="pt-br" dir="ltr">' in page("/", wish="pt")
    assert '<html lang="en" dir="ltr">' in page("/", wish="xx, tlh")


def test_no_cookie_and_no_query_remembers_the_choice() -> None:
    answer = Client().get("/ar/start/")
    assert not answer.cookies
    assert "?" not in " ".join(re.findall(r'href="([^"]*)"', answer.content.decode()))


def test_an_unknown_language_is_an_address_like_any_other() -> None:
    assert Client().get("/xx/start/").status_code == 404


def test_a_language_without_its_slash_leads_to_the_first_page() -> None:
    answer = Client().get("/ar?from=a-poster")
    assert (answer.status_code, answer["Location"]) == (301, "/ar/?from=a-poster")


def test_the_language_of_one_request_is_not_the_next_ones() -> None:
    client = Client()
    client.get("/ar/start/")
    assert 'href="/start/notes/"' in client.get("/start/").content.decode()


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_every_catalogue_is_complete(code: str) -> None:
    assert list(messages.faults_of(code, messages.template())) == []


def test_a_counted_sentence_brings_every_form_of_the_language_and_which_counts_take_it() -> None:
    with translation.override("pl"):
        made = plural_word("long", counted_words()["long"])
    forms = re.findall(r"<span>(.*?)</span>", made)
    numbers = re.search(r'data-plural="(\d+)"', made)
    assert numbers is not None
    assert len(numbers[1]) == COUNTS
    assert len(set(forms)) == len(forms) == 3
    assert len({numbers[1][n] for n in (1, 2, 5)}) == 3
    assert numbers[1][2] == numbers[1][22] == numbers[1][122] != numbers[1][112]


# A language that nobody speaks: every letter of a message is changed, so what stays as it was cannot be translated.
PSEUDO = "en-xa"
CHANGED = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ȧƀƈḓḗƒɠħīĵķŀḿƞǿƥɋřşŧŭṽẇẋẏẑȦƁƇḒḖƑƓĦĪĴĶĿḾȠǾƤɊŘŞŦŬṼẆẊẎẐ",
)
# What is no language: names, keys of a keyboard; the months are Django's to translate.
NAMES = {"Reclaim", "Shift", "PIN", "Example", "Social", *calendar.month_name}


def _changed(text: str) -> str:
    parts = re.split(r"(%\(\w+\)[sd]|\{\w+\}|<[^>]+>|&\w+;)", text)
    return "".join(part if place % 2 else part.translate(CHANGED) for place, part in enumerate(parts))


@pytest.fixture(scope="module")
def pseudo_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("locale")
    catalogue = Catalog(locale="en")
    for message in messages.template():
        if message.id:
            words = message.id
            made = _changed(words) if isinstance(words, str) else tuple(map(_changed, words))
            catalogue.add(words, made)
    target = folder / "en_XA" / "LC_MESSAGES"
    target.mkdir(parents=True)
    with (target / "django.mo").open("wb") as file:
        write_mo(file, catalogue)
    return folder


@pytest.fixture
def pseudo(settings: object, pseudo_catalogue: Path) -> None:
    settings.LANGUAGES = [("en", "English"), (PSEUDO, "[ ]")]  # type: ignore[attr-defined]
    settings.LOCALE_PATHS = [pseudo_catalogue]  # type: ignore[attr-defined]


class _Texts(HTMLParser):
    """Every piece of a page that somebody can read or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._silent = 0
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        quiet = (
            found.get("translate") == "no"
            or tag in ("script", "style", "pre", "code", "kbd")
            or "hreflang" in found
            or "data-cldr" in found  # names of countries and languages come from the CLDR
        )
        if tag not in ("meta", "link", "input", "img", "br", "hr"):
            self._open.append((tag, quiet))
            self._silent += quiet
        for name in ("aria-label", "alt", "title", "placeholder"):
            if found.get(name) and not self._silent:
                self.texts.append(found[name] or "")
        if tag == "input" and found.get("type") == "submit":
            self.texts.append(found.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            opened, quiet = self._open.pop()
            self._silent -= quiet
            if opened == tag:
                break

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.texts.append(data)


def untranslated(html: str) -> list[str]:
    """The words of a page that are still in English letters."""
    parser = _Texts()
    parser.feed(html)
    words = []
    for text in parser.texts:
        bare = re.sub(r"\{\w+\}|https?:\S+|\b[\w-]+(?:\.[\w-]+)+\b", "", text)
        words += [word for word in re.findall(r"[A-Za-z]{2,}", bare) if word not in NAMES]
    return words


@pytest.mark.usefixtures("pseudo")
@pytest.mark.parametrize("path", PAGES)
def test_every_word_of_a_page_can_be_translated(path: str) -> None:
    shown = page(f"/{PSEUDO}{path}")
    assert f'lang="{PSEUDO}"' in shown
    assert untranslated(shown) == []


@pytest.mark.usefixtures("pseudo")
def test_every_word_of_a_case_can_be_translated() -> None:
    client = Client()
    made = a_case(1, 2, 3)
    session = client.session
    session["case"] = str(made.case.pk)
    session.save()
    client.cookies["test-session"] = session.session_key
    for path in ("/case/pictures/", "/case/withdraw/", "/case/add/", "/case/helper/"):
        shown = client.get(f"/{PSEUDO}{path}").content.decode()
        assert untranslated(shown) == [], path
    for number in ("", "not a number", "0" * 18):
        shown = Client().post(f"/{PSEUDO}/case/", {"number": number, "pin": "1"}).content.decode()
        assert untranslated(shown) == []


def test_the_pseudo_language_finds_what_cannot_be_translated() -> None:
    assert untranslated("<p>ƈȧŀḿ</p><p>Forgotten words</p>") == ["Forgotten", "words"]


def test_scripts_hold_no_sentence() -> None:
    web = Path(messages.SOURCES) / "web"
    for script in [*(web / "person").glob("*.js"), *(web / "components").glob("*.js")]:
        # What an error says to a developer is read by nobody else.
        code = re.sub(r"(?m)//.*$|new (?:Error|DOMException|RangeError)\([^;]*\)", "", script.read_text())
        quoted = re.findall(r"'([^'\n]*)'|\"([^\"\n]*)\"|`([^`]*)`", code)
        said = ["".join(each) for each in quoted]
        assert [text for text in said if re.search(r"[A-Za-z]{3,} [a-z]{2,} [a-z]{2,}", text)] == [], script.name
