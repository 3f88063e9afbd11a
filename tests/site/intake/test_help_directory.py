"""The rows of the support directory: sourced, well formed, lately read, and never from memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest

from reclaim.bank.directory.queries import countries_at_risk, service_called, services_for
from reclaim.bank.directory.rows import FRESH, ROWS, SHOWN, Confidence, For, Kind, Service
from tools.check_directory import faults, stale

READ = date(2026, 11, 26)
GOOD = Service(
    country="GB",
    kind=Kind.CRISIS,
    audience=For.EVERYBODY,
    sources=("https://helper.example/", "https://list.example/"),
    read_on=READ,
    confidence=Confidence.STATED,
    slug="gb-900",
    name="Helper",
    phone="0800 111 222",
)


def test_the_directory_has_no_fault() -> None:
    assert list(faults()) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sources": ()}, "names no source"),
        ({"confidence": Confidence.MEMORY}, "without a source to stand on"),
        ({"sources": ("https://pastebin.com/a",)}, "only one list says it"),
        ({"phone": "call us"}, "a phone number that is none"),
        ({"text": "SHOUT"}, "a text number that is none"),
        ({"address": "http://helper.example/"}, "not https"),
        ({"country": "XX"}, "is in no country"),
        ({"languages": ("english",)}, "has no code"),
        ({"slug": "gb-crisis-line"}, "may say something"),
        ({"phone": ""}, "cannot be reached"),
        ({"open": "9 to 5"}, "opens at no time"),
        ({"read_on": READ + timedelta(days=1)}, "read in the future"),
        ({"kind": Kind.POLICE}, "is a number of a country"),
    ],
)
def test_a_row_that_nobody_should_be_shown_is_named(change: dict[str, object], said: str) -> None:
    assert list(faults([GOOD], READ)) == []
    found = list(faults([replace(GOOD, **change)], READ))  # type: ignore[arg-type]
    assert any(said in fault for fault in found), found


def test_two_rows_with_one_slug_are_named() -> None:
    assert list(faults([GOOD, GOOD], READ)) == ["gb-900 is there 2 times."]


def test_a_row_that_nobody_read_for_a_year_is_to_be_read_again() -> None:
    assert stale(READ + FRESH, [GOOD]) == []
    assert stale(READ + FRESH + timedelta(days=1), [GOOD]) == [GOOD]


def test_what_comes_from_memory_is_never_shown() -> None:
    assert {row.confidence for row in SHOWN} == {Confidence.STATED, Confidence.PARTLY}
    assert set(SHOWN) | {row for row in ROWS if row.confidence is Confidence.MEMORY} == set(ROWS)


def test_people_of_every_continent_find_a_number() -> None:
    wanted = """
        GB US CA AU NZ IN PK BD LK NP JP KR CN HK TW SG MY ID PH TH VN BR MX AR CL CO PE
        ZA NG KE TZ UG GH EG MA SA AE TR IL UA RU IR DE FR ES IT NL PL SE
    """
    there = {country.code for country in countries_at_risk() if country.numbers}
    assert set(wanted.split()) <= there
    assert len(there) >= 150


def test_adults_and_children_are_led_to_helpers_of_their_own() -> None:
    for audience, other in ((For.ADULTS, For.UNDER_18), (For.UNDER_18, For.ADULTS)):
        services = services_for(audience)
        assert services
        assert {service.audience for service in services} <= {audience, For.EVERYBODY}
        assert other not in {service.audience for service in services}
    # What is for everywhere comes first.
    assert services_for(For.ADULTS)[0].country == ""


def test_a_slug_leads_to_its_own_address_only() -> None:
    slugs = Counter(row.slug for row in ROWS if row.slug)
    assert max(slugs.values()) == 1
    assert service_called("") is None
    assert service_called("gb-900") is None
