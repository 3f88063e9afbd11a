"""What the bank takes from a person's page, and what it refuses."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

import pytest
from django.db import DatabaseError
from django.http import HttpResponse
from django.test import Client

from reclaim.bank.cases.models import Case, CaseSignal
from reclaim.bank.cases.numbers import parse_number, parse_pin
from reclaim.bank.cases.queries import access_case
from reclaim.bank.intake.new_case import NEW_CASES
from reclaim.bank.ledger.models import LedgerRecord
from tests.personas import pdq_value

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]

RECEIPT = "0123456789abcdef" * 4


def signal(seed: int, **changes: Any) -> dict[str, Any]:
    return {"type": "pdq", "value": pdq_value(seed), "quality": 90} | changes


def send(client: Client, *signals: Any, receipt: str = RECEIPT, **more: Any) -> HttpResponse:
    body = json.dumps({"receipt": receipt, "signals": list(signals), **more})
    return client.post("/start/case/", body, content_type="application/json")  # type: ignore[return-value]


def opens(answer: HttpResponse) -> Case | None:
    made = json.loads(answer.content)
    return access_case(parse_number(made["case_number"]), parse_pin(made["pin"]), b"a network")


def test_a_case_is_made_and_its_number_and_pin_open_it(client: Client) -> None:
    answer = send(client, signal(1), signal(2))
    assert answer.status_code == 201
    assert set(json.loads(answer.content)) == {"case_number", "pin", "signals", "refused"}
    assert json.loads(answer.content)["signals"] == 2
    case = opens(answer)
    assert case is not None
    assert case.signals.count() == 2
    assert not answer.cookies


def test_a_lost_answer_is_asked_for_again_and_makes_no_twin(client: Client) -> None:
    lost = send(client, signal(1))
    again = send(client, signal(1))
    assert Case.objects.count() == 1
    assert LedgerRecord.objects.count() == 1
    assert again.content == lost.content
    assert opens(again) is not None


def test_a_receipt_cannot_be_used_for_other_pictures(client: Client) -> None:
    send(client, signal(1))
    answer = send(client, signal(2))
    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert LedgerRecord.objects.count() == 1


def test_a_picture_keeps_the_number_by_which_the_person_knows_it(client: Client) -> None:
    case = opens(send(client, signal(1, value="0" * 64), signal(2)))
    assert case is not None
    assert [picture.number for picture in case.signals.all()] == [2]


def test_refused_signals_are_named_by_number_and_the_case_is_made_with_the_rest(client: Client) -> None:
    answer = send(
        client,
        signal(1),
        signal(2, value="xyz"),
        signal(3, value="0" * 64),
        signal(4, quality=49),
        signal(5, quality=50),
    )
    assert answer.status_code == 201
    made = json.loads(answer.content)
    assert made["signals"] == 2
    assert made["refused"] == [
        {"number": 2, "reason": "malformed"},
        {"number": 3, "reason": "degenerate"},
        {"number": 4, "reason": "poor"},
    ]
    assert set(LedgerRecord.objects.values_list("value", flat=True)) == {pdq_value(1), pdq_value(5)}


def test_if_no_signal_can_be_used_no_case_is_made(client: Client) -> None:
    answer = send(client, signal(1, quality=3), signal(2, value="f" * 64))
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert [line["number"] for line in json.loads(answer.content)["refused"]] == [1, 2]
    assert Case.objects.count() == 0


def test_the_same_signal_twice_is_one_picture(client: Client) -> None:
    answer = send(client, signal(1), signal(1, value=pdq_value(1).upper()))
    assert json.loads(answer.content)["signals"] == 1
    assert CaseSignal.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        json.dumps({"signals": [signal(1)]}).encode(),
        json.dumps({"receipt": RECEIPT, "signals": []}).encode(),
        json.dumps({"receipt": "short", "signals": [signal(1)]}).encode(),
        json.dumps({"receipt": RECEIPT + "\n", "signals": [signal(1)]}).encode(),
        json.dumps({"receipt": RECEIPT.upper(), "signals": [signal(1)]}).encode(),
        json.dumps({"receipt": RECEIPT, "signals": [signal(1)], "name": "holiday.jpg"}).encode(),
        json.dumps({"receipt": RECEIPT, "signals": [signal(1, file="holiday.jpg")]}).encode(),
        json.dumps({"receipt": RECEIPT, "signals": [signal(1, type="md5")]}).encode(),
        json.dumps({"receipt": RECEIPT, "signals": [signal(1, quality="90")]}).encode(),
        json.dumps({"receipt": RECEIPT, "signals": [signal(1, quality=101)]}).encode(),
        json.dumps({"receipt": RECEIPT, "signals": [signal(1, quality=True)]}).encode(),
        json.dumps({"receipt": RECEIPT, "signals": [signal(1, value=None)]}).encode(),
        json.dumps({"receipt": RECEIPT, "signals": [signal(1, value="a" * 1000)]}).encode(),
        json.dumps({"receipt": RECEIPT, "signals": [signal(seed) for seed in range(501)]}).encode(),
    ],
)
def test_a_message_that_is_not_the_contract_is_refused_and_not_repeated(client: Client, body: bytes) -> None:
    answer = client.post("/start/case/", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert b"holiday" not in answer.content
    assert pdq_value(1).encode() not in answer.content
    assert Case.objects.count() == 0


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_taken(client: Client, kind: str) -> None:
    body = json.dumps({"receipt": RECEIPT, "signals": [signal(1)]})
    assert client.generic("POST", "/start/case/", body, content_type=kind).status_code == 415
    assert Case.objects.count() == 0


def test_a_case_cannot_be_asked_for_by_address(client: Client) -> None:
    assert client.get("/start/case/").status_code == 405


def test_one_network_can_make_only_so_many_cases_in_an_hour(client: Client) -> None:
    refused = 0
    with mock.patch("reclaim.bank.cases.pins.hash_pin", return_value="not a hash"):
        for turn in range(NEW_CASES.tries + 2):
            answer = send(client, signal(turn), receipt=f"{turn:032x}")
            refused += answer.status_code == 429
    assert refused == 2
    assert 0 < int(answer["Retry-After"]) <= NEW_CASES.window + 1
    assert Case.objects.count() == NEW_CASES.tries


@pytest.mark.parametrize("broken", ["reclaim.sitekit.models.Attempt.objects", "reclaim.bank.cases.models.Case.objects"])
def test_without_its_database_the_bank_takes_nothing(client: Client, broken: str) -> None:
    with mock.patch(f"{broken}.create", side_effect=DatabaseError):
        answer = send(client, signal(1))
    assert answer.status_code == 503
    assert answer["Retry-After"] == "60"
    assert CaseSignal.objects.count() == 0


def test_another_sites_page_cannot_make_a_case(client: Client) -> None:
    body = json.dumps({"receipt": RECEIPT, "signals": [signal(1)]})
    answer = client.post(
        "/start/case/", body, content_type="application/json", headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert Case.objects.count() == 0
