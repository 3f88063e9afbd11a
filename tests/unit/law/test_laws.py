"""Rows of law as they are read: from the file, from JSON, and from a form that somebody filled in to do harm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reclaim.bank.law.laws import MOST_WORDS, FactsError, facts_of, is_source, law_from, shipped_laws
from tools.check_law import faults, stale

WHOLE: dict[str, Any] = {
    "place": "US",
    "name": "An act",
    "year": "2025",
    "confidence": "S",
    "status": "in force",
    "read_on": "2026-11-26",
    "sources": "https://example.org/act\nhttps://example.org/notes",
    "amount": "48",
    "unit": "hours",
    "starts": "request received",
    "due": "remove it",
    "reach": ["platform", "person"],
}
TOMORROW = (datetime.now(tz=UTC).date() + timedelta(days=2)).isoformat()


def test_the_rows_that_come_with_reclaim_are_in_order() -> None:
    assert list(faults()) == []
    assert stale(datetime(2026, 11, 27, tzinfo=UTC).date()) == []
    assert len(stale(datetime(2027, 11, 27, tzinfo=UTC).date())) == len(shipped_laws())


def test_a_row_reads_back_as_it_was_written() -> None:
    for law in shipped_laws():
        assert law_from(law.key, facts_of(law)) == law


def test_a_form_and_json_say_the_same() -> None:
    law = law_from("us-act", WHOLE)
    assert law == law_from("us-act", facts_of(law))
    assert (law.amount, law.deadline, law.reach) == (48, "48 hours", ("person", "platform"))
    assert law.hosts == ("example.org", "example.org")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("place", "XX"),
        ("place", "us-xxxx"),
        ("place", ""),
        ("name", ""),
        ("name", "a" * (MOST_WORDS + 1)),
        ("name", "a\x00b"),
        ("name", ["a"]),
        ("year", "12"),
        ("year", True),
        ("year", "²⁰²⁵"),
        ("confidence", ""),
        ("confidence", "X"),
        ("status", "maybe"),
        ("read_on", "2026-02-30"),
        ("read_on", TOMORROW),
        ("read_on", ""),
        ("sources", ""),
        ("sources", "javascript:alert(1)"),
        ("sources", "https://example.org/\njavascript:alert(1)"),
        ("sources", "\n".join(["https://example.org/"] * 7)),
        ("sources", {"a": 1}),
        ("amount", "0"),
        ("amount", "-1"),
        ("amount", "9" * 5000),
        ("unit", ""),
        ("unit", "years"),
        ("starts", ""),
        ("starts", "extended to"),
        ("due", ""),
        ("reach", []),
        ("reach", ["everybody"]),
        ("in_force_on", "2026-13-01"),
        ("ended_on", "0000-00-00"),
        ("request", "\n".join("abc" for _ in range(21))),
        ("with_ai", "perhaps"),
        ("reviewed", "yes"),
    ],
)
def test_what_cannot_be_a_row_is_named_with_its_field(field: str, value: object) -> None:
    with pytest.raises(FactsError) as error:
        law_from("us-act", WHOLE | {field: value})
    assert field in error.value.faults
    assert all(sentence.endswith(".") for sentence in error.value.faults.values())


@pytest.mark.parametrize("key", ["", "us", "US-act", "gb-act", "us-", "us--a", "us-act/..", "us-" + "a" * 70, "us-äct"])
def test_a_key_is_plain_and_of_its_country(key: str) -> None:
    with pytest.raises(FactsError) as error:
        law_from(key, WHOLE)
    assert "key" in error.value.faults


def test_a_deadline_is_whole_or_not_there_and_does_not_end_before_it_begins() -> None:
    with pytest.raises(FactsError) as error:
        law_from("us-act", WHOLE | {"amount": ""})
    assert set(error.value.faults) == {"amount"}
    with pytest.raises(FactsError) as error:
        law_from("us-act", WHOLE | {"in_force_on": "2026-05-19", "ended_on": "2026-05-18"})
    assert set(error.value.faults) == {"ended_on"}


def test_an_unsourced_row_needs_no_source_and_is_hidden() -> None:
    assert not law_from("us-act", WHOLE | {"confidence": "M", "sources": ""}).is_shown


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//example.org/",
        "https:example.org",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://user:word@example.org/",
        "https://example.org:8080/",
        "https://example.org:port/",
        "https://example.org/ x",
        "https://example.org/\r\nSet-Cookie: a=b",
        "https://[::1",
        "https://exämple.org/",
        "",
        "https://example.org/" + "a" * MOST_WORDS,
    ],
)
def test_no_browser_is_led_to_anything_but_a_web_page(address: str) -> None:
    assert not is_source(address)
