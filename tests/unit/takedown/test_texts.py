"""Texts of requests: what each language says, what each law asks for, and that nobody is named."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest

from reclaim.bank.law.clocks import Countries
from reclaim.bank.law.laws import shipped_laws
from reclaim.bank.takedown.routes import Route, Where, routes_from
from reclaim.bank.takedown.texts import LANGUAGES, OPENINGS, Facts, NoSuchLanguageError, language_for, request_text

FACTS = Facts(
    urls=("https://pictures.example/a-1", "https://pictures.example/b?c=2"),
    organisation="Safe Harbour",
    contact="help@harbour.example",
    found_on=date(2026, 11, 20),
    made_with_ai=True,
)
LAWS = {law.key: law for law in shipped_laws()}
REDDIT = routes_from(Where("www.reddit.com", "reddit"), Countries("GB", "US"))[0]
ENGLISH = tomllib.loads(files("reclaim.bank.takedown").joinpath("data", "texts", "en.toml").read_text("utf-8"))


def places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_says_everything_that_english_says_and_fills_every_place(language: str) -> None:
    raw = files("reclaim.bank.takedown").joinpath("data", "texts", f"{language}.toml").read_text("utf-8")
    found = tomllib.loads(raw)
    assert found["reviewed"] is False
    for table in ("subject", "opening", "say"):
        assert found[table].keys() == ENGLISH[table].keys()
        for key, sentence in found[table].items():
            assert places(sentence) == places(ENGLISH[table][key]), key
    for kind in OPENINGS:
        made = request_text(replace(REDDIT, kind=kind), LAWS["us-take-it-down"], language, FACTS)
        assert not places(made.subject + made.body)
        assert all(url in made.body.splitlines() for url in FACTS.urls)
        assert "Safe Harbour" in made.body
        assert "duration" not in made.body
        assert "\n" not in made.subject


def test_every_request_holds_what_the_take_it_down_act_asks_for() -> None:
    made = request_text(REDDIT, LAWS["us-take-it-down"], "en", FACTS)
    assert made.missing == ()
    for part in ("good faith", "leads directly", "Signed, as authorised representative", "help@harbour", "48 hours"):
        assert part in " ".join(made.body.split())


def test_the_british_report_declares_that_the_content_is_there() -> None:
    british = " ".join(request_text(REDDIT, LAWS["gb-crime-and-policing-2026"], "en", FACTS).body.split())
    american = " ".join(request_text(REDDIT, LAWS["us-take-it-down"], "en", FACTS).body.split())
    declared = "We declare that intimate image content is present on the service"
    assert declared in british
    assert declared not in american


def test_a_notice_to_somebody_in_the_european_union_says_why_it_is_illegal() -> None:
    made = request_text(replace(REDDIT, country="IE"), None, "en", FACTS)
    assert "The content is illegal because" in made.body


def test_what_a_law_asks_for_and_no_sentence_says_is_told_to_the_practitioner() -> None:
    made = request_text(REDDIT, LAWS["sg-online-safety-relief"], "en", FACTS)
    assert "personal information and proof of identity" in made.missing


def test_the_person_is_named_only_when_a_name_is_given() -> None:
    assert "The person shown:" not in request_text(REDDIT, None, "en", FACTS).body
    assert "The person shown: Ann" in request_text(REDDIT, None, "en", replace(FACTS, name="Ann")).body


def test_a_repeated_request_says_when_it_was_asked_before() -> None:
    made = request_text(REDDIT, None, "fr", replace(FACTS, asked_on=date(2026, 11, 1)))
    assert "1 novembre 2026" in " ".join(made.body.split())
    assert made.subject.startswith("Nouvelle demande")


def test_defanged_addresses_are_none_for_a_filter_and_are_explained() -> None:
    made = request_text(REDDIT, None, "en", replace(FACTS, defanged=True))
    assert "hxxps://pictures[.]example/a-1" in made.body
    assert "https://pictures.example" not in made.body
    assert "«hxxp»" in made.body


def test_lines_are_short_but_for_addresses() -> None:
    body = request_text(REDDIT, LAWS["us-take-it-down"], "de", FACTS).body
    assert all(len(line) <= 72 for line in body.splitlines() if "://" not in line)


def test_a_host_is_written_to_in_its_own_language_and_a_platform_in_english() -> None:
    host = Route("host", "abuse@host.example", "Host", "", country="BR")
    assert language_for(host) == "pt"
    assert language_for(replace(host, country="SE")) == "en"
    assert language_for(REDDIT) == "en"
    with pytest.raises(NoSuchLanguageError):
        request_text(REDDIT, None, "../../secret", FACTS)
