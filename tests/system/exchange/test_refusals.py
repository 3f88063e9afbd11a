"""What the bank does not let in, and that it says so in a form a program can read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import urllib3

from reclaim.conformance.values import new_pdq
from tests.system.exchange.peers import Raw
from tests.system.site_process import Bank

Names = Callable[[], str]
ENDPOINTS = [("GET", "/FetchHashes"), ("POST", "/SubmitHashes"), ("POST", "/SubmitFeedback")]


@pytest.fixture(scope="module")
def module_keys(bank: Bank, new_name: Names) -> dict[str, str]:
    return bank.add_platform(new_name())


@pytest.fixture
def raw(bank: Bank, module_keys: dict[str, str]) -> Raw:
    return Raw(bank, module_keys)


def check_problem(answer: urllib3.BaseHTTPResponse, status: int) -> dict[str, Any]:
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(answer.data)
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-functions-key": "unknown"},
        {"x-functions-key": ""},
        {"x-functions-key": "x" * 5000},
        {"x-functions-key": "'; DROP TABLE platforms; --"},
    ],
)
def test_a_call_without_a_known_key_is_refused(raw: Raw, method: str, path: str, headers: dict[str, str]) -> None:
    problem = check_problem(raw.call(method, path, headers=headers), 401)
    assert "x-functions-key" in problem["detail"]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_a_function_key_alone_is_refused(raw: Raw, method: str, path: str) -> None:
    key = {"/FetchHashes": "fetch_key", "/SubmitHashes": "submit_key", "/SubmitFeedback": "feedback_key"}[path]
    for subscription in ("", "unknown", raw.keys[key]):
        answer = raw.call(method, path, key=key, headers={"Ocp-Apim-Subscription-Key": subscription})
        check_problem(answer, 401)


def test_one_platforms_key_with_anothers_subscription_is_refused(bank: Bank, raw: Raw, new_name: Names) -> None:
    mixed = {**raw.keys, "subscription_key": bank.add_platform(new_name())["subscription_key"]}
    check_problem(Raw(bank, mixed).call("GET", "/FetchHashes", key="fetch_key"), 401)


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/FetchHashes", "submit_key"),
        ("GET", "/FetchHashes", "feedback_key"),
        ("GET", "/FetchHashes", "subscription_key"),
        ("POST", "/SubmitHashes", "fetch_key"),
        ("POST", "/SubmitHashes", "feedback_key"),
        ("POST", "/SubmitFeedback", "fetch_key"),
        ("POST", "/SubmitFeedback", "submit_key"),
    ],
)
def test_a_key_opens_its_own_endpoint_alone(raw: Raw, method: str, path: str, key: str) -> None:
    check_problem(raw.call(method, path, key=key), 403)


def test_a_revoked_platform_is_shut_out_at_once(bank: Bank, new_name: Names) -> None:
    name = new_name()
    raw = Raw(bank, bank.add_platform(name))
    raw.page()
    bank.command("platform", "revoke", name)
    check_problem(raw.call("GET", "/FetchHashes", key="fetch_key"), 401)


@pytest.mark.parametrize(
    "query",
    [
        "startTimestamp=soon",
        "startTimestamp=-1",
        "startTimestamp=1.5",
        "startTimestamp=99999999999999999999999999",
        "startTimestamp=",
        "pageSize=0",
        "pageSize=-5",
        "pageSize=many",
        "nextPageToken=nonsense",
        "nextPageToken=%00%FF",
        "nextPageToken=" + "A" * 22,
        "nextPageToken=" + "_" * 22,
        "nextPageToken=" + "A" * 500,
    ],
)
def test_a_malformed_query_is_refused_or_read_but_never_crashes(raw: Raw, query: str) -> None:
    answer = raw.call("GET", f"/FetchHashes?{query}", key="fetch_key")
    if query == "nextPageToken=" + "A" * 22:
        # Well-formed: the token before the first record.
        assert answer.status == 200
        return
    check_problem(answer, 400)


def hashes(*entries: Any, count: Any = 1) -> dict[str, Any]:
    return {"count": count, "hashRecords": list(entries)}


GOOD = {"signalType": "ImagePDQ", "hashValue": "", "CSPFeedbacks": [{"feedbackValue": "Blocked", "tags": []}]}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda good: b"",
        lambda good: b"not json",
        lambda good: b'{"count": 1, "hashRecords": [',
        lambda good: b"\xff\xfe",
        lambda good: b"[" * 50_000,
        lambda good: [],
        lambda good: {},
        lambda good: {"count": 1},
        lambda good: {"count": 1, "hashRecords": None},
        lambda good: {"hashRecords": [good]},
        lambda good: hashes(good, "text"),
        lambda good: hashes(good, {}),
        lambda good: hashes(good, {**good, "signalType": "Smell"}),
        lambda good: hashes(good, {**good, "signalType": None}),
        lambda good: hashes(good, {**good, "hashValue": 7}),
        lambda good: hashes(good, {**good, "hashValue": "a" * 1001}),
        lambda good: hashes(good, {**good, "CSPFeedbacks": [{"feedbackValue": "Perhaps"}]}),
        lambda good: hashes(good, {**good, "CSPFeedbacks": [{"feedbackValue": "Blocked", "tags": "x"}]}),
        lambda good: hashes(good, {**good, "CSPFeedbacks": [{"feedbackValue": "Blocked", "tags": ["x" * 101]}]}),
        lambda good: hashes(*[good] * 1001),
    ],
)
def test_a_malformed_submission_is_refused_whole(raw: Raw, spoil: Callable[[dict[str, Any]], Any]) -> None:
    good = {**GOOD, "hashValue": new_pdq()}
    problem = check_problem(raw.call("POST", "/SubmitHashes", key="submit_key", body=spoil(good)), 400)
    assert good["hashValue"] not in json.dumps(problem)
    assert good["hashValue"] not in raw.records()


@pytest.mark.parametrize(
    "value",
    ["", "abc", "0" * 64, "f" * 64, "g" * 64, "٣" * 64],
    ids=["empty", "short", "zeros", "ones", "not hex", "other digits"],
)
def test_one_bad_value_is_named_and_the_others_are_taken(raw: Raw, value: str) -> None:
    good = new_pdq()
    body = hashes({**GOOD, "hashValue": value}, {**GOOD, "hashValue": good.upper()}, count=2)
    answer = raw.call("POST", "/SubmitHashes", key="submit_key", body=body).json()
    assert answer["count"] == 1
    assert [refusal["index"] for refusal in answer["refused"]] == [0]
    assert good in raw.records()
    assert value not in raw.records()


def test_types_that_no_platform_could_match_are_refused_by_name(raw: Raw) -> None:
    body = hashes({**GOOD, "signalType": "StopNCIISignalType.URL", "hashValue": "https://example.org/"})
    answer = raw.call("POST", "/SubmitHashes", key="submit_key", body=body).json()
    assert answer["count"] == 0
    assert "URL" in answer["refused"][0]["reason"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        {"count": 1},
        {"count": 1, "hashFeedbacks": [{"feedbackValue": "Blocked"}]},
        {"count": 1, "hashFeedbacks": [{"feedbackValue": "Perhaps", "hashValue": "a" * 64}]},
    ],
)
def test_malformed_feedback_is_refused(raw: Raw, body: Any) -> None:
    check_problem(raw.call("POST", "/SubmitFeedback", key="feedback_key", body=body), 400)


def test_feedback_on_what_the_bank_does_not_hold_is_named_and_adds_nothing(bank: Bank, raw: Raw) -> None:
    known, unknown = new_pdq(), new_pdq()
    bank.make_cases([known])
    entries = [{"tags": [], "feedbackValue": "Blocked", "hashValue": value} for value in (unknown, "abc", known)]
    body = {"count": 3, "hashFeedbacks": entries}
    answer = raw.call("POST", "/SubmitFeedback", key="feedback_key", body=body).json()
    assert answer["count"] == 1
    assert [refusal["index"] for refusal in answer["refused"]] == [0, 1]
    assert unknown not in raw.records()


@pytest.mark.parametrize("path", ["/SubmitHashes", "/SubmitFeedback"])
def test_a_body_that_is_too_large_is_refused(raw: Raw, path: str) -> None:
    key = "submit_key" if path == "/SubmitHashes" else "feedback_key"
    answer = raw.call("POST", path, key=key, body=b" " * (1024 * 1024 + 1))
    assert answer.status in (400, 413)
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/FetchHashes"), ("GET", "/SubmitHashes"), ("DELETE", "/SubmitFeedback")]
)
def test_the_wrong_method_is_refused(raw: Raw, method: str, path: str) -> None:
    assert raw.call(method, path, key="fetch_key").status in (403, 405)


def test_both_submissions_answer_with_json(bank: Bank, raw: Raw) -> None:
    """The stock client crashes on an empty body."""
    value = new_pdq()
    bank.make_cases([value])
    sent = {
        "/SubmitHashes": ("submit_key", hashes({**GOOD, "hashValue": new_pdq()})),
        "/SubmitFeedback": (
            "feedback_key",
            {"count": 1, "hashFeedbacks": [{"tags": [], "feedbackValue": "Blocked", "hashValue": value}]},
        ),
    }
    for path, (key, body) in sent.items():
        answer = raw.call("POST", path, key=key, body=body)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json() == {"count": 1, "refused": []}


def test_a_page_at_another_address_is_a_problem_document_too(raw: Raw) -> None:
    check_problem(raw.call("GET", "/FetchEverything", key="fetch_key"), 404)
