"""Promise 3: nothing secret in a log. tests/conftest.py arms the check over the whole suite; this shows its teeth."""

from __future__ import annotations

import logging

import pytest
from django.test import Client

from reclaim.bank.exchange import views
from reclaim.sitekit.events import log_failure
from tests.conftest import secrets_in
from tests.personas import ActingPlatform, pdq_value


@pytest.mark.parametrize(
    "line",
    [
        f"signal {pdq_value(1)}",
        f"signal {pdq_value(1).upper()}",
        f"md5 {pdq_value(1)[:32]}",
        "case 31GXDVWES47YMT0CB8",
        "case 31GXDV-WES47Y-MT0CB8",
        "pin 01054978",
        "key reclaim_fetch_vRzH-xhsXmZaAAAAAAAAAAAA",
        "GET / from 192.0.2.66",
    ],
)
def test_the_check_knows_a_secret_when_it_sees_one(line: str) -> None:
    assert secrets_in(line)


@pytest.mark.parametrize("line", ["19:16:07 a case was made signals=2", "the bank is serving port=8011 on 127.0.0.1"])
def test_the_check_lets_our_own_lines_pass(line: str) -> None:
    assert not secrets_in(line)


@pytest.mark.django_db
def test_an_error_of_ours_logs_where_it_was_and_not_what_it_held(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object, **how: object) -> None:
        raise RuntimeError(f"while holding {pdq_value(1)}")

    monkeypatch.setattr(views, "feed_page", broken)
    platform = ActingPlatform.vetted()
    platform.client.raise_request_exception = False
    answer = platform.get(startTimestamp=12345678)
    assert answer.status_code == 500
    assert answer["Content-Type"] == "application/problem+json"
    assert pdq_value(1) not in answer.content.decode()
    assert "RuntimeError" in caplog.text
    assert "test_03" in caplog.text
    assert pdq_value(1) not in caplog.text


@pytest.mark.django_db
def test_a_person_who_meets_an_error_gets_a_plain_page(
    monkeypatch: pytest.MonkeyPatch, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object, **how: object) -> None:
        raise RuntimeError("31GXDV-WES47Y-MT0CB8")

    monkeypatch.setattr("reclaim.bank.cases.queries.pins.pin_is_right", broken)
    client.raise_request_exception = False
    answer = client.post(
        "/case/", {"number": "31GXDV-WES47Y-MT0CB8", "pin": "12345678"}, headers={"Accept": "text/html"}
    )
    assert answer.status_code == 500
    assert "Please try again" in answer.content.decode()
    assert "RuntimeError" in caplog.text


def test_log_failure_says_type_and_place(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    try:
        raise ValueError("12345678")
    except ValueError as error:
        log_failure("a piece of work failed", error)
    assert "a piece of work failed: ValueError at tests.promises" in caplog.text
