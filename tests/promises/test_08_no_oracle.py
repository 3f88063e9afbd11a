"""Promise 8: nobody without a vetted key can learn whether a signal is in the bank."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from reclaim.bank.cases.services import withdraw
from tests.personas import ActingPlatform, a_case, pdq_value
from tests.site.bank.test_report import told

pytestmark = pytest.mark.django_db


def test_making_a_case_answers_the_same_whether_or_not_its_signal_was_there(client: Client) -> None:
    a_case(1)
    shapes = []
    for seed in (1, 2):
        body = {"receipt": f"{seed}" * 32, "signals": [{"type": "pdq", "value": pdq_value(seed), "quality": 90}]}
        answer = client.post("/start/case/", json.dumps(body), content_type="application/json")
        assert answer.status_code == 201
        shapes.append(
            {key: type(value) for key, value in answer.json().items()} | {"signals": answer.json()["signals"]}
        )
    assert shapes[0] == shapes[1]


def test_a_new_case_does_not_show_what_was_decided_for_an_earlier_case_with_the_same_picture() -> None:
    platform = ActingPlatform.vetted()
    a_case(1)
    platform.fetch_all()
    platform.says(1, "Blocked")
    platform.fetch_all()
    later, fresh = a_case(1).case, a_case(2).case
    assert told(later) == told(fresh)
    platform.fetch_all()
    assert told(later) == told(fresh)


def test_a_withdrawal_looks_the_same_whether_or_not_another_case_holds_the_picture() -> None:
    platform = ActingPlatform.vetted()
    withdraw(a_case(7).case)
    platform.says(7, "Deleted")
    a_case(1)
    shared, alone = a_case(1).case, a_case(2).case
    platform.fetch_all()
    for case in (shared, alone):
        withdraw(case)
    assert told(shared) == told(alone)
    # The platform fetches, deletes what is a tombstone, and says so.
    for value, status in platform.fetch_all().items():
        if status == "Withdrawn":
            assert value == pdq_value(2)
            platform.says(2, "Deleted")
    assert told(shared) == told(alone)


@pytest.mark.parametrize("path", ["/v1/FetchHashes", "/v1//FetchHashes", "/v1/SubmitFeedback", "/v1/SubmitHashes"])
def test_without_keys_no_endpoint_of_the_exchange_says_anything(client: Client, path: str) -> None:
    a_case(1)
    body = {"count": 1, "hashFeedbacks": [{"hashValue": pdq_value(1), "feedbackValue": "None", "tags": []}]}
    send = client.get if "Fetch" in path else client.post
    answer = send(path, body, content_type="application/json")
    assert answer.status_code == 401
    assert pdq_value(1) not in answer.content.decode()
