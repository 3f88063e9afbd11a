"""The client against banks that are slow, wrong, hostile or gone."""

from __future__ import annotations

import socket
import traceback
from typing import Any

import pytest

from reclaim.client import BankClient, BankError, BankMisbehaved, BankRefused, BankUnreachable, Keys
from reclaim.client.connection import LARGEST_ANSWER, LONGEST_WAIT
from reclaim.protocol.stopncii_v1 import FeedbackValue, HashFeedback, SignalType, SubmittedHash
from tests.unit.client.conftest import KEYS
from tests.unit.client.scripted_bank import Answer, ScriptedBank, md5, page, pdq, record


def said_in_full(error: BaseException) -> str:
    """Everything a log with a traceback would show of an error."""
    return "".join(traceback.format_exception(error))


def test_each_call_carries_its_own_key_and_the_subscription_key(bank: ScriptedBank, client: BankClient) -> None:
    bank.answers = [page([], 10), {"count": 1}, {"count": 1}]
    client.fetch_page()
    client.submit_feedback([HashFeedback(hashValue=pdq(), feedbackValue=FeedbackValue.BLOCKED)])
    client.submit_hashes([SubmittedHash(signalType=SignalType.IMAGE_PDQ, hashValue=pdq())])
    assert [request.path for request in bank.requests] == [
        "/v1/FetchHashes",
        "/v1/SubmitFeedback",
        "/v1/SubmitHashes",
    ]
    assert [request.headers["x-functions-key"] for request in bank.requests] == [
        KEYS.fetch_key,
        KEYS.feedback_key,
        KEYS.submit_key,
    ]
    assert {request.headers["ocp-apim-subscription-key"] for request in bank.requests} == {KEYS.subscription_key}
    assert not any("authorization" in request.headers for request in bank.requests)


def test_every_page_is_asked_for_with_the_same_start_and_its_token(bank: ScriptedBank, client: BankClient) -> None:
    bank.answers = [page([record(pdq(), 20)], 20, "a"), page([record(pdq(), 30)], 30, "b"), page([], 30)]
    assert [got.next_timestamp for got in client.pages(15, page_size=1)] == [20, 30, 30]
    assert [request.query for request in bank.requests] == [
        {"startTimestamp": "15", "pageSize": "1", "include": "vpdq"},
        {"startTimestamp": "15", "pageSize": "1", "include": "vpdq", "nextPageToken": "a"},
        {"startTimestamp": "15", "pageSize": "1", "include": "vpdq", "nextPageToken": "b"},
    ]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_fetch_is_tried_again_when_the_bank_cannot_answer_now(
    bank: ScriptedBank, client: BankClient, status: int
) -> None:
    bank.answers = [Answer({}, status), page([], 10)]
    assert client.fetch_page().next_timestamp == 10
    assert len(bank.requests) == 2


def test_a_fetch_is_given_up_after_four_more_tries(bank: ScriptedBank, client: BankClient) -> None:
    bank.answers = [Answer({}, 503)]
    with pytest.raises(BankUnreachable, match="503"):
        client.fetch_page()
    assert len(bank.requests) == 5


def test_retry_after_is_honoured(bank: ScriptedBank, client: BankClient, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    bank.answers = [Answer({}, 429, {"Retry-After": "7"}), page([], 10)]
    client.fetch_page()
    assert waited == [7]


def test_a_bank_that_wants_a_long_rest_is_left_alone(bank: ScriptedBank, client: BankClient) -> None:
    bank.answers = [Answer({}, 429, {"Retry-After": str(LONGEST_WAIT + 1)}), page([], 10)]
    with pytest.raises(BankUnreachable):
        client.fetch_page()
    assert len(bank.requests) == 1


@pytest.mark.parametrize("status", [500, 503])
def test_a_submission_is_never_repeated_unasked(bank: ScriptedBank, client: BankClient, status: int) -> None:
    bank.answers = [Answer({}, status, {"Retry-After": "1"})]
    with pytest.raises(BankUnreachable):
        client.submit_feedback([HashFeedback(hashValue=pdq(), feedbackValue=FeedbackValue.BLOCKED)])
    assert len(bank.requests) == 1


@pytest.mark.parametrize(("status", "advice"), [(400, "out of date"), (401, "new ones"), (403, "key"), (404, "/v1")])
def test_a_refusal_is_final_and_says_what_to_do(
    bank: ScriptedBank, client: BankClient, status: int, advice: str
) -> None:
    bank.answers = [Answer({}, status)]
    with pytest.raises(BankRefused, match=advice) as refused:
        client.fetch_page()
    assert refused.value.status == status
    assert len(bank.requests) == 1


def test_keys_are_not_sent_to_where_a_redirect_leads(bank: ScriptedBank, client: BankClient) -> None:
    bank.answers = [Answer({}, 307, {"Location": f"{bank.url}/elsewhere"}), page([], 10)]
    with pytest.raises(BankRefused, match="base address"):
        client.fetch_page()
    assert len(bank.requests) == 1


def test_a_missing_key_is_named_before_anything_is_sent(bank: ScriptedBank) -> None:
    client = BankClient(bank.url, Keys("fetch", "subscription"))
    assert not client.can_give_feedback
    with pytest.raises(BankRefused, match="SubmitFeedback"):
        client.submit_feedback([HashFeedback(hashValue=pdq(), feedbackValue=FeedbackValue.BLOCKED)])
    assert bank.requests == []


def test_a_bank_that_is_gone_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = BankClient(f"http://127.0.0.1:{port}/v1", KEYS)
    with pytest.raises(BankUnreachable, match="network"):
        client.submit_feedback([HashFeedback(hashValue=pdq(), feedbackValue=FeedbackValue.BLOCKED)])


def test_an_answer_that_breaks_off_is_not_used(bank: ScriptedBank, client: BankClient) -> None:
    bank.answers = [Answer(b'{"count": 0', headers={"Content-Length": "1000", "Connection": "close"})]
    with pytest.raises(BankUnreachable):
        client.fetch_page()


def test_an_answer_larger_than_the_limit_is_not_read(bank: ScriptedBank, client: BankClient) -> None:
    bank.answers = [Answer(b" " * (LARGEST_ANSWER + 1))]
    with pytest.raises(BankMisbehaved, match="64 MB"):
        client.fetch_page()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>sign in</html>",
        b"[]",
        b"null",
        b"[" * 100_000,
        {},
        page([], 10) | {"hashRecords": None},
        page([], 10) | {"nextSetTimestamp": "10"},
        page([], 10) | {"nextSetTimestamp": 10.5},
        page([], 10) | {"nextSetTimestamp": True},
        page([], 10) | {"nextSetTimestamp": -1},
        page([], 10) | {"nextSetTimestamp": 1_625_175_071_000},
        page([], 10) | {"hasMoreRecords": 1},
        page([], 10) | {"hasMoreRecords": None},
        page([], 10) | {"hasMoreRecords": True, "nextPageToken": None},
        page([], 10) | {"hasMoreRecords": True, "nextPageToken": ""},
    ],
)
def test_a_page_that_breaks_the_contract_is_not_used(bank: ScriptedBank, client: BankClient, body: Any) -> None:
    bank.answers = [body]
    with pytest.raises(BankMisbehaved):
        client.fetch_page()


def test_timestamps_that_go_backwards_end_the_fetch(bank: ScriptedBank, client: BankClient) -> None:
    bank.answers = [page([record(pdq(), 50)], 50, "a"), page([record(pdq(), 40)], 40)]
    pages = client.pages()
    assert next(pages).next_timestamp == 50
    with pytest.raises(BankMisbehaved, match="backwards"):
        next(pages)


def test_a_page_before_the_start_ends_the_fetch(bank: ScriptedBank, client: BankClient) -> None:
    bank.answers = [page([], 10)]
    with pytest.raises(BankMisbehaved, match="backwards"):
        list(client.pages(20))


def test_a_bank_that_names_the_same_page_again_is_left(bank: ScriptedBank, client: BankClient) -> None:
    bank.answers = [page([record(pdq(), 50)], 50, "same")]
    with pytest.raises(BankMisbehaved, match="does not end"):
        list(client.pages())
    assert len(bank.requests) == 2


def test_a_bank_that_sends_empty_pages_for_ever_is_left(bank: ScriptedBank, client: BankClient) -> None:
    bank.answers = [lambda request: page([], 50, f"{len(bank.requests)}")]
    with pytest.raises(BankMisbehaved, match="does not end"):
        list(client.pages())


@pytest.mark.parametrize(
    "broken",
    [
        "a text",
        None,
        {},
        record("abc"),
        record("0" * 64),
        record("f" * 64),
        record(pdq(), signalType="ImageUnheardOf"),
        record(pdq(), status="Suspended"),
        record(pdq(), status=None),
        record(pdq(), at=None),  # type: ignore[arg-type]
        record(""),
        record(md5()),
        record(pdq(), signalType="VideoMD5"),
        record("", signalType="URL"),
        {name: value for name, value in record(pdq()).items() if name != "hashStatus"},
    ],
)
def test_one_broken_record_is_counted_and_the_others_are_kept(
    bank: ScriptedBank, client: BankClient, broken: Any
) -> None:
    good, gone = pdq(), pdq()
    bank.answers = [page([record(good), broken, record(gone, status="Withdrawn")], 100)]
    got = client.fetch_page()
    assert [entry.hashValue for entry in got.records] == [good, gone]
    assert got.skipped == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"caseNumbers": []},
        {"caseNumbers": None},
        {"caseNumbers": {"a": "Active", "b": "Unheard", "c": None}},
        {"CSPFeedbacks": None},
        {"CSPFeedbacks": [{"feedbackValue": "Blocked"}]},
        {"CSPFeedbacks": [{"feedbackValue": "Blocked", "source": None, "tags": None}]},
        {"CSPFeedbacks": [{"feedbackValue": "Blocked", "source": "A", "tags": "x"}]},
        {"CSPFeedbacks": [{"feedbackValue": "Unheard", "source": "A"}, None, 7]},
        {"somethingNew": {"deep": [1, 2]}},
    ],
)
def test_what_a_platform_can_do_without_never_costs_a_record(
    bank: ScriptedBank, client: BankClient, odd: dict[str, Any]
) -> None:
    bank.answers = [page([record(pdq(), status="Withdrawn", **odd)], 100)]
    got = client.fetch_page()
    assert (len(got.records), got.skipped) == (1, 0)
    assert got.records[0].hashStatus.is_tombstone


def test_records_without_feedback_and_cases_are_kept(bank: ScriptedBank, client: BankClient) -> None:
    bare = record(pdq())
    del bare["CSPFeedbacks"], bare["caseNumbers"]
    bank.answers = [page([bare], 100)]
    assert client.fetch_page().records[0].CSPFeedbacks == []


def test_values_are_compared_in_lower_case(bank: ScriptedBank, client: BankClient) -> None:
    value = pdq()
    bank.answers = [page([record(value.upper())], 100)]
    assert client.fetch_page().records[0].hashValue == value


def test_an_answer_to_a_submission_that_breaks_the_contract_is_told(bank: ScriptedBank, client: BankClient) -> None:
    value = pdq()
    bank.answers = [{"count": "many", "refused": [{"index": 0, "reason": value}]}]
    with pytest.raises(BankMisbehaved) as misbehaved:
        client.submit_feedback([HashFeedback(hashValue=value, feedbackValue=FeedbackValue.BLOCKED)])
    assert value not in said_in_full(misbehaved.value)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
def test_no_error_says_a_key_or_a_signal(bank: ScriptedBank, client: BankClient, status: int) -> None:
    value = pdq()
    echo = f"{KEYS.feedback_key} {KEYS.subscription_key} {value}"
    bank.answers = [Answer(echo.encode(), status)]
    with pytest.raises(BankError) as failed:
        client.submit_feedback([HashFeedback(hashValue=value, feedbackValue=FeedbackValue.BLOCKED)])
    told = said_in_full(failed.value)
    assert "canary" not in told
    assert value not in told


def test_keys_never_show_themselves() -> None:
    assert "canary" not in f"{KEYS} {KEYS!r}"
    assert "submit_key" in repr(KEYS)


@pytest.mark.parametrize("bad", ["", " ", "a\nb", "a\r\nX-Evil: 1", "schlüssel", "trailing "])
def test_a_key_that_cannot_travel_in_a_header_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="fetch key") as refused:
        Keys(bad, "subscription")
    assert bad.strip() == "" or bad not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "http://bank.example/v1",
        "http://10.0.0.5/v1",
        "http://localhost.bank.example/v1",
        "https://name:password@bank.example/v1",
        "https://bank.example/v1?key=1",
        "https://bank.example/v1#top",
        "ftp://bank.example/v1",
        "bank.example/v1",
        "",
    ],
)
def test_an_address_that_would_give_keys_away_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="base address"):
        BankClient(address, KEYS)


@pytest.mark.parametrize("address", ["https://bank.example/v1", "http://localhost:8000/v1", "http://[::1]:8000/v1"])
def test_https_and_this_machine_are_good_addresses(address: str) -> None:
    BankClient(address, KEYS).close()


def test_a_slash_at_the_end_of_the_address_does_not_matter(bank: ScriptedBank) -> None:
    bank.answers = [page([], 10)]
    BankClient(bank.url + "/", KEYS).fetch_page()
    assert bank.requests[0].path == "/v1/FetchHashes"
