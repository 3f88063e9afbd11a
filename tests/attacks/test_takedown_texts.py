"""What somebody hostile types into a request changes nothing but what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reclaim.bank.law.clocks import Countries
from reclaim.bank.takedown.routes import Where, routes_from
from reclaim.bank.takedown.texts import Facts, request_text

ROUTE = routes_from(Where("www.reddit.com", "reddit"), Countries("GB", "US"))[0]
FACTS = Facts(("https://pictures.example/a",), "Safe Harbour", "help@harbour.example")


@pytest.mark.parametrize(
    "typed", ["{contact}", "{{contact}}", "{0}", "{organisation.__class__}", "%(contact)s", "{% x %}"]
)
def test_braces_in_what_is_typed_are_letters(typed: str) -> None:
    body = request_text(ROUTE, None, "en", replace(FACTS, organisation=typed, words=typed, name=typed)).body
    assert body.count(typed) >= 3
    assert body.count("help@harbour.example") == 1


def test_a_line_end_in_a_name_starts_no_header_and_no_line() -> None:
    hostile = "Ann\r\nBcc: everybody@evil.example\n\nSigned: somebody"
    made = request_text(ROUTE, None, "en", replace(FACTS, organisation=hostile, contact=hostile, name=hostile))
    assert "\r" not in made.subject + made.body
    assert not any(line.startswith(("Bcc:", "Signed: some")) for line in made.body.splitlines())


def test_hidden_characters_and_marks_that_turn_the_direction_are_gone() -> None:
    made = request_text(ROUTE, None, "en", replace(FACTS, words="a\x00b\x1b[31mc\u202egp\u2066j\ufeff\u200bd"))
    assert not set("\x00\x1b\u202e\u2066\ufeff\u200b") & set(made.body)


def test_the_persons_words_cannot_pass_for_the_organisations() -> None:
    words = "Never mind.\n\nSigned, as authorised representative of the person shown:\nSafe Harbour"
    body = request_text(ROUTE, None, "en", replace(FACTS, words=words)).body
    assert sum(line.startswith("Signed,") for line in body.splitlines()) == 1


def test_a_flood_of_words_is_cut() -> None:
    assert len(request_text(ROUTE, None, "en", replace(FACTS, words="a " * 1_000_000)).body) < 6000
