"""Attacks on the exchange, as sentences."""

from __future__ import annotations

import datetime

import pytest
from django.test import Client
from django.utils import timezone

from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.platforms.models import PlatformKey
from reclaim.bank.platforms.services import rekey_platform, revoke_platform
from reclaim.protocol.stopncii_v1 import FUNCTION_KEY_HEADER, SUBSCRIPTION_KEY_HEADER
from tests.personas import ActingPlatform, a_case, pdq_value

pytestmark = pytest.mark.django_db


def status(platform: ActingPlatform, function_key: str, subscription_key: str, path: str = "/v1/FetchHashes") -> int:
    headers = {FUNCTION_KEY_HEADER: function_key, SUBSCRIPTION_KEY_HEADER: subscription_key}
    return platform.client.get(path, headers=headers).status_code


def test_one_platforms_fetch_key_with_anothers_subscription_key_is_refused() -> None:
    one, two = ActingPlatform.vetted("One"), ActingPlatform.vetted("Two")
    assert status(one, one.keys.fetch_key, two.keys.subscription_key) == 401


def test_a_subscription_key_alone_opens_nothing() -> None:
    one = ActingPlatform.vetted()
    assert status(one, one.keys.subscription_key, one.keys.subscription_key) == 403
    assert status(one, "", one.keys.subscription_key) == 401
    assert status(one, one.keys.fetch_key, one.keys.fetch_key) == 401


def test_a_key_for_one_endpoint_is_refused_at_another() -> None:
    one = ActingPlatform.vetted()
    body = {"count": 0, "hashRecords": [], "hashFeedbacks": []}
    assert one.post("SubmitHashes", body, key=one.keys.fetch_key).status_code == 403
    assert one.post("SubmitFeedback", body, key=one.keys.submit_key).status_code == 403
    assert status(one, one.keys.feedback_key, one.keys.subscription_key) == 403


def test_an_expired_key_is_refused() -> None:
    one = ActingPlatform.vetted()
    PlatformKey.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
    assert one.get().status_code == 401


def test_a_revoked_platform_is_refused_at_its_next_request() -> None:
    one = ActingPlatform.vetted()
    assert one.get().status_code == 200
    assert revoke_platform("Example")
    assert one.get().status_code == 401


def test_a_revoked_platform_does_not_hold_up_the_erasure_of_a_withdrawn_signal() -> None:
    from reclaim.bank.cases.services import withdraw

    one, _ = ActingPlatform.vetted("One"), ActingPlatform.vetted("Two")
    withdraw(a_case(1).case)
    revoke_platform("Two")
    one.says(1, "Deleted")
    assert one.fetch_all() == {}


def test_a_platform_gets_new_keys_and_its_old_ones_end() -> None:
    one = ActingPlatform.vetted()
    made = rekey_platform("Example")
    assert made is not None
    assert one.get().status_code == 401
    one.keys = made[1]
    assert one.get().status_code == 200
    assert rekey_platform("Nobody") is None


def test_a_revoked_platform_can_be_vetted_again_and_its_old_keys_stay_dead() -> None:
    one = ActingPlatform.vetted()
    revoke_platform("Example")
    again = ActingPlatform.vetted()
    assert again.platform == one.platform
    assert one.get().status_code == 401
    assert again.get().status_code == 200


@pytest.mark.parametrize(
    "value", ["0" * 64, "f" * 64, "f" + "0" * 63, "0" * 32, "g" * 64, "", "a" * 65, pdq_value(1) + " "]
)
def test_a_poisoned_or_corrupt_value_never_enters_the_bank(value: str) -> None:
    one = ActingPlatform.vetted()
    good = {"signalType": "ImagePDQ", "hashValue": pdq_value(2), "CSPFeedbacks": []}
    bad = {"signalType": "ImagePDQ", "hashValue": value, "CSPFeedbacks": []}
    answer = one.post("SubmitHashes", {"count": 2, "hashRecords": [bad, good]}).json()
    assert answer["count"] == 1
    assert [refusal["index"] for refusal in answer["refused"]] == [0]
    assert list(LedgerRecord.objects.values_list("value", flat=True)) == [pdq_value(2)]


@pytest.mark.parametrize("signal_type", ["Text", "URL", "VideoTMK", "Unknown"])
def test_types_the_bank_does_not_keep_are_refused_with_a_reason(signal_type: str) -> None:
    one = ActingPlatform.vetted()
    body = {"count": 1, "hashRecords": [{"signalType": signal_type, "hashValue": pdq_value(1), "CSPFeedbacks": []}]}
    answer = one.post("SubmitHashes", body).json()
    assert answer["count"] == 0
    assert "ImagePDQ" in answer["refused"][0]["reason"]


@pytest.mark.parametrize(
    "query",
    [
        {"startTimestamp": "yesterday"},
        {"startTimestamp": "-1"},
        {"startTimestamp": str(10**30)},
        {"startTimestamp": "1.5"},
        {"pageSize": "0"},
        {"pageSize": "-5"},
        {"pageSize": "many"},
        {"nextPageToken": "not a token"},
        {"nextPageToken": "_" * 22},
        {"nextPageToken": "é"},
        {"nextPageToken": "A" * 10_000},
    ],
)
def test_a_forged_query_is_told_what_is_wrong_with_it(query: dict[str, str]) -> None:
    answer = ActingPlatform.vetted().get(**query)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_a_giant_page_size_is_served_as_the_largest_page() -> None:
    a_case(*range(3))
    assert ActingPlatform.vetted().fetch(pageSize=10**9).count == 3


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'"text"', b"\xff\xfe", b'{"count":1}', b'{"count":1,"hashFeedbacks":null}', b"[" * 100_000],
)
@pytest.mark.parametrize("endpoint", ["SubmitFeedback", "SubmitHashes"])
def test_a_malformed_body_is_refused_whole_with_a_reason(endpoint: str, body: bytes) -> None:
    one = ActingPlatform.vetted()
    key = one.keys.feedback_key if endpoint == "SubmitFeedback" else one.keys.submit_key
    headers = {FUNCTION_KEY_HEADER: key, SUBSCRIPTION_KEY_HEADER: one.keys.subscription_key}
    answer = one.client.post(f"/v1/{endpoint}", body, content_type="application/json", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_what_was_sent_is_not_repeated_in_a_refusal() -> None:
    body = {"receipt": "0" * 64, "signals": [], pdq_value(1): pdq_value(2)}
    answer = Client().post("/start/case/", body, content_type="application/json")
    assert answer.status_code == 400
    assert pdq_value(1) not in answer.content.decode()
    assert pdq_value(2) not in answer.content.decode()


def test_a_body_beyond_the_limit_is_refused() -> None:
    one = ActingPlatform.vetted()
    answer = one.post("SubmitFeedback", {"count": 1, "hashFeedbacks": [], "padding": "x" * 2_000_000})
    assert answer.status_code == 413


def test_feedback_on_a_value_that_is_not_there_is_refused_and_the_rest_is_taken() -> None:
    one = ActingPlatform.vetted()
    a_case(1)
    words = [{"hashValue": pdq_value(seed), "feedbackValue": "Blocked", "tags": []} for seed in (9, 1)]
    answer = one.post("SubmitFeedback", {"count": 2, "hashFeedbacks": words}).json()
    assert answer["count"] == 1
    assert [refusal["index"] for refusal in answer["refused"]] == [0]
    [record] = one.fetch().hashRecords
    assert [(said.source, said.feedbackValue) for said in record.CSPFeedbacks] == [("Example", "Blocked")]


def test_a_platform_cannot_speak_in_anothers_name() -> None:
    one, _ = ActingPlatform.vetted("One"), ActingPlatform.vetted("Two")
    a_case(1)
    word = {"hashValue": pdq_value(1), "feedbackValue": "Blocked", "tags": [], "source": "Two"}
    one.post("SubmitFeedback", {"count": 1, "hashFeedbacks": [word]})
    assert [said.source for said in one.fetch().hashRecords[0].CSPFeedbacks] == ["One"]
