"""Attacks on a case's sign-in, as sentences."""

from __future__ import annotations

import contextlib
import datetime
import threading
import time

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from reclaim.bank.cases import queries
from reclaim.bank.cases.models import CaseItem
from reclaim.bank.cases.numbers import shown
from reclaim.bank.cases.services import NewCase
from reclaim.sitekit import limits
from reclaim.sitekit.limits import SlowDownError
from reclaim.sitekit.models import Attempt
from tests.personas import a_case


def sign_in(made: NewCase, pin: str, address: str = "192.0.2.1", **extra: str) -> int:
    client = Client(REMOTE_ADDR=address, **extra)
    return client.post(
        "/case/", {"number": shown(made.number), "pin": pin}, headers={"Accept": "text/html"}
    ).status_code


@pytest.mark.django_db
def test_an_abuser_who_hammers_from_one_network_cannot_shut_the_person_out() -> None:
    made = a_case(1)
    for _ in range(60):
        sign_in(made, "00000000", "192.0.2.66")
    assert sign_in(made, made.pin, "192.0.2.66") == 429
    assert sign_in(made, made.pin, "198.51.100.1") == 302


@pytest.mark.django_db
def test_an_abuser_with_fifty_networks_cannot_shut_the_person_out() -> None:
    made = a_case(1)
    for network in range(50):
        for _ in range(7):
            with contextlib.suppress(SlowDownError):
                queries.access_case(made.number, "00000000", bytes([network]))
    assert queries.access_case(made.number, made.pin, b"the person's") == made.case


@pytest.mark.django_db
def test_a_wait_ends_though_the_hammering_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    made = a_case(1)
    # Noon: around midnight counts start anew.
    now = (time.time() // 86_400 + 0.5) * 86_400
    monkeypatch.setattr(limits.time, "time", lambda: now)
    for _ in range(8):
        sign_in(made, "00000000")
    now += 599
    assert sign_in(made, made.pin) == 429
    now += 2
    assert sign_in(made, made.pin) == 302


@pytest.mark.django_db
def test_another_address_of_the_same_network_gets_no_fresh_tries() -> None:
    made = a_case(1)
    for host in range(5):
        sign_in(made, "00000000", f"192.0.2.{host}")
    assert sign_in(made, made.pin, "192.0.2.200") == 429


@pytest.mark.django_db
def test_a_network_that_guesses_numbers_is_slowed() -> None:
    from reclaim.bank.cases.numbers import from_receipt

    guesses = [from_receipt(f"guess {guess}").number for guess in range(32)]
    statuses = [sign_in(NewCase(guess, "12345678", None, None), "12345678") for guess in guesses]  # type: ignore[arg-type]
    assert statuses[-1] == 429
    assert 429 not in statuses[:30]


@pytest.mark.django_db
def test_a_forged_forwarding_header_gives_no_fresh_tries() -> None:
    made = a_case(1)
    for host in range(6):
        sign_in(made, "00000000", HTTP_X_FORWARDED_FOR=f"203.0.113.{host}")
    assert sign_in(made, made.pin, HTTP_X_FORWARDED_FOR="198.51.100.9") == 429


@pytest.mark.django_db
@override_settings(TRUSTED_PROXIES=1)
def test_behind_our_proxy_the_address_it_saw_counts_and_not_what_the_visitor_wrote() -> None:
    made = a_case(1)
    for host in range(6):
        sign_in(made, "00000000", HTTP_X_FORWARDED_FOR=f"203.0.113.{host}, 192.0.2.66")
    assert sign_in(made, made.pin, HTTP_X_FORWARDED_FOR="198.51.100.9, 192.0.2.66") == 429
    assert sign_in(made, made.pin, HTTP_X_FORWARDED_FOR="192.0.2.66, 198.51.100.9") == 302


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_cannot_slip_through_a_limit_together() -> None:
    let_in = []
    gate = threading.Barrier(12)

    def guess() -> None:
        try:
            gate.wait(10)
            if not limits.seconds_to_wait([(queries.PER_NETWORK_AND_CASE, b"the same")]):
                let_in.append(1)
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(let_in) <= queries.PER_NETWORK_AND_CASE.tries


@pytest.mark.django_db
def test_what_is_kept_of_a_try_names_no_network_and_no_case() -> None:
    made = a_case(1)
    sign_in(made, "00000000", "192.0.2.66")
    kept = b" ".join(bytes(attempt.key) for attempt in Attempt.objects.all())
    assert b"192.0.2" not in kept
    assert bytes([192, 0, 2]) not in kept
    assert bytes(made.case.number_mac) not in kept


@pytest.mark.django_db
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_another_sites_page_cannot_withdraw_a_persons_pictures(headers: dict[str, str]) -> None:
    made = a_case(1)
    client = Client()
    assert client.post("/case/", {"number": made.number, "pin": made.pin}).status_code == 302
    answer = client.post("/case/withdraw/", {"item": "all", "sure": "yes"}, headers=headers)
    assert answer.status_code == 403
    assert CaseItem.objects.get().withdrawn_on is None


@pytest.mark.django_db
def test_a_case_session_cannot_reach_another_cases_pictures() -> None:
    mine, other = a_case(1), a_case(2, 3)
    client = Client()
    client.post("/case/", {"number": mine.number, "pin": mine.pin})
    client.post("/case/withdraw/", {"item": "2", "sure": "yes"}, headers={"Origin": "http://testserver"})
    client.post("/case/withdraw/", {"item": "all", "sure": "yes"}, headers={"Origin": "http://testserver"})
    assert set(other.case.items.values_list("withdrawn_on", flat=True)) == {None}
    assert mine.case.items.get().withdrawn_on is not None


@pytest.mark.django_db
def test_a_stolen_session_cookie_is_worthless_after_signing_out() -> None:
    made = a_case(1)
    client = Client()
    client.post("/case/", {"number": made.number, "pin": made.pin})
    stolen = client.cookies["test-session"].value
    client.post("/case/sign-out/", headers={"Origin": "http://testserver"})
    thief = Client()
    thief.cookies["test-session"] = stolen
    assert thief.get("/case/withdraw/").status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/case/", "/case/pictures/", "/helpline/"])
def test_a_made_up_session_cookie_makes_no_session(path: str) -> None:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    answer = client.get(path)
    assert not Session.objects.exists()
    assert [cookie.value for cookie in answer.cookies.values()] in ([], [""])


@pytest.mark.django_db
def test_a_case_stays_open_for_half_an_hour_after_the_last_click() -> None:
    made, client = a_case(1), Client()
    client.post("/case/", {"number": made.number, "pin": made.pin})
    soon = timezone.now() + datetime.timedelta(minutes=1)
    Session.objects.update(expire_date=soon)
    assert client.get("/case/pictures/").status_code == 200
    assert Session.objects.get().expire_date > soon + datetime.timedelta(minutes=20)


@pytest.mark.django_db
def test_a_forged_host_header_is_refused() -> None:
    assert Client().get("/", headers={"Host": "evil.example"}).status_code == 400
