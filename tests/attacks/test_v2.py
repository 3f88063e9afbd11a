"""What a platform, or somebody with its key, might try over version 2 of the exchange."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.db import connection
from django.db.models import Max
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from reclaim.bank.cases.services import withdraw
from reclaim.bank.exchange import snapshots
from reclaim.bank.exchange.cursors import Cursor
from reclaim.bank.exchange.models import Snapshot
from reclaim.bank.feedback.models import Feedback
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.ledger.queries import standing
from reclaim.bank.platforms.models import PlatformKey
from reclaim.bank.platforms.services import add_platform, revoke_platform
from tests.personas import a_case, pdq_value
from tests.site.bank.test_v2_snapshot import manifest_of
from tests.v2 import Native

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "start_maker", lambda: None)


def is_problem(answer: Any, status: int) -> bool:
    said = answer.json()
    return bool(
        answer.status_code == said["status"] == status
        and answer["Content-Type"] == "application/problem+json"
        and said["title"]
        and said["detail"].endswith(".")
    )


def covered(platform: Native) -> tuple[int, int]:
    now = platform.acting.platform
    now.refresh_from_db()
    return now.covered_position, now.told_position


def test_a_platform_cannot_say_with_anothers_cursor_that_it_has_stored_what_it_never_fetched() -> None:
    one, other = Native.vetted("One"), Native.vetted("Other")
    a_case(1)
    one.sync()
    assert is_problem(other.get("signals", after=one.cursor), 410)
    assert covered(other) == (0, 0)


def test_a_platform_cannot_move_its_cursor_nor_make_the_bank_believe_that_it_was_restored() -> None:
    platform = Native.vetted()
    a_case(1)
    platform.sync()
    assert platform.cursor is not None
    before = standing().ledger
    raw = base64.urlsafe_b64decode(platform.cursor + "==")
    for place in range(len(raw)):
        for bit in (0x01, 0x80):
            changed = bytearray(raw)
            changed[place] ^= bit
            answer = platform.get("signals", after=base64.urlsafe_b64encode(changed).decode().rstrip("="))
            assert is_problem(answer, 410)
    assert standing().ledger == before


def test_a_cursor_made_by_a_bank_with_another_secret_opens_nothing() -> None:
    platform = Native.vetted()
    with override_settings(MASTER_SECRET=b"x" * 32):
        ahead = Cursor(standing().ledger, 10**6, 10**6, 10**10, frozenset({"pdq", "md5", "vpdq"}), 0, complete=True)
        forged = ahead.encode(platform.acting.platform)
    assert is_problem(platform.get("signals", after=forged), 410)


@pytest.mark.parametrize(
    "query",
    [
        {"after": "not a cursor"},
        {"after": "A" * 75},
        {"after": "_" * 88},
        {"after": "é" * 20},
        {"after": "\x00"},
        {"after": ""},
        {"after": "A" * 10_000},
        {"limit": "0"},
        {"limit": "-5"},
        {"limit": "many"},
        {"limit": "1e3"},
        {"limit": "9" * 5000},
        {"types": ""},
        {"types": "pdq,"},
        {"types": "photo"},
        {"types": "pdq\n"},
        {"types": ",".join(["pdq"] * 50)},
        {"least_trust": "101"},
        {"least_trust": "-1"},
        {"least_trust": "half"},
    ],
)
def test_a_forged_query_is_told_what_is_wrong_with_it(query: dict[str, str]) -> None:
    platform = Native.vetted()
    a_case(1)
    answer = platform.get("signals", headers={"Accept": "text/html"}, **query)
    assert is_problem(answer, 422)
    assert pdq_value(1) not in answer.content.decode()


def test_a_giant_page_is_served_as_the_largest() -> None:
    a_case(*range(3))
    assert len(Native.vetted().page(limit=2**31).records) == 3


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 415),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 50_000, 400),
        (b"NaN", 400),
        (b"[]", 422),
        (b'"text"', 422),
        (b"null", 422),
        (b'{"feedback":null}', 422),
        (b'{"feedback":[null]}', 422),
        (b'{"feedback":[],"feedback_":[]}', 422),
        (b'{"feedback":[{"type":"pdq","value":"\\ud800","decision":"blocked","decided_by":"person"}]}', 400),
        (b'{"feedback":[{"type":"pdq","value":"a","decision":"blocked","decided_by":"person","count":1e9}]}', 422),
        (b'{"feedback":[{"type":"pdq","value":"a","decision":"blocked","decided_by":"person","count":true}]}', 422),
        (b'{"feedback":[{"type":"pdq","value":"a","decision":"blocked","decided_by":"person","distance":"1"}]}', 422),
        (b'{"feedback":[{"type":"pdq","value":["a"],"decision":"blocked","decided_by":"person"}]}', 422),
        (json.dumps({"feedback": [{}] * 1001}).encode(), 422),
        (json.dumps({"feedback": [], "x": "y" * 2**20}).encode(), 413),
    ],
)
def test_a_malformed_body_is_refused_whole_with_a_reason(body: bytes, status: int) -> None:
    platform = Native.vetted()
    for path, use in (("feedback", "feedback"), ("acknowledgements", "feedback"), ("signals", "submit")):
        answer = platform.post(path, body.replace(b'"feedback"', f'"{path}"'.encode()), use)
        assert is_problem(answer, status), (path, answer.content)
    assert not Feedback.objects.exists()


def test_another_kind_of_message_and_another_method_are_refused_as_problems() -> None:
    platform = Native.vetted()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx", ""):
        assert is_problem(platform.post("feedback", b"{}", content_type=kind), 415)
    headers = platform.headers("feedback")
    for method in ("get", "put", "patch", "delete", "options"):
        answer = getattr(platform.acting.client, method)("/v2/feedback", headers=headers)
        assert is_problem(answer, 405)
        assert answer["Allow"] == "POST"


def test_a_key_for_one_use_opens_no_other_even_at_the_same_address() -> None:
    platform = Native.vetted()
    body = {"signals": [{"type": "pdq", "value": pdq_value(1)}]}
    assert is_problem(platform.post("signals", body, "fetch"), 403)
    assert is_problem(platform.post("signals", body, "feedback"), 403)
    assert is_problem(platform.get("signals", "submit"), 403)
    assert is_problem(platform.get("acknowledgements", "fetch"), 403)
    assert is_problem(platform.get("snapshot", "feedback"), 403)
    assert not LedgerRecord.objects.exists()


def test_without_a_key_nothing_is_said_whatever_the_address() -> None:
    a_case(1)
    for method, path in (
        ("get", "signals"),
        ("post", "signals"),
        ("get", "snapshot"),
        ("get", "snapshot/1/0000.parquet"),
    ):
        answer = getattr(Client(), method)(f"/v2/{path}")
        assert is_problem(answer, 401)
        assert "Bearer" in answer["WWW-Authenticate"]


def test_a_snapshot_of_another_platform_cannot_be_fetched_nor_any_other_file() -> None:
    one, other = Native.vetted("One"), Native.vetted("Other")
    a_case(1)
    [theirs] = manifest_of(one).parts
    mine = manifest_of(other)
    assert is_problem(other.get(theirs.href.removeprefix("/v2/")), 404)
    for name in ("..%2f..%2fsecret.key", "../../secret.key", "%2e%2e", "0001.parquet", "0000.parquet%00", "."):
        answer = other.acting.client.get(f"/v2/snapshot/{mine.snapshot}/{name}", headers=other.headers("fetch"))
        assert answer.status_code in (301, 404), name
    for snapshot in ("..", "1", "x" * 500, "00000000-0000-0000-0000-000000000000"):
        assert other.get(f"snapshot/{snapshot}/0000.parquet").status_code == 404


def test_a_revoked_platform_gets_no_further_part_and_after_being_vetted_again_not_the_old_cursor() -> None:
    platform = Native.vetted()
    a_case(1)
    [part] = manifest_of(platform).parts
    platform.sync()
    revoke_platform("Example")
    assert is_problem(platform.get(part.href.removeprefix("/v2/")), 401)
    assert is_problem(platform.get("signals", after=platform.cursor), 401)
    platform.acting.keys = add_platform("Example")[1]
    assert is_problem(platform.get("signals", after=platform.cursor), 410)
    assert platform.get("signals").status_code == 200


def test_asking_for_snapshots_again_and_again_makes_one() -> None:
    platform = Native.vetted()
    for _ in range(5):
        assert platform.get("snapshot").status_code == 202
    assert Snapshot.objects.count() == 1


def test_a_platform_that_acknowledges_everything_in_advance_hides_no_withdrawal_from_itself() -> None:
    platform, _ = Native.vetted("One"), Native.vetted("Other")
    case = a_case(1).case
    named = {"acknowledgements": [{"type": "pdq", "value": pdq_value(1)}]}
    assert platform.post("acknowledgements", named).json()["taken"] == 0
    withdraw(case)
    assert len(platform.get("acknowledgements", "feedback").json()["owed"]) == 1


def test_what_was_sent_is_not_repeated_in_a_refusal() -> None:
    platform = Native.vetted()
    sent = {"feedback": [], pdq_value(1): pdq_value(2), "type": pdq_value(3)}
    text = platform.post("feedback", sent).content.decode()
    text += platform.get("signals", after=pdq_value(1), types=pdq_value(2)).content.decode()
    assert [seed for seed in (1, 2, 3) if pdq_value(seed) in text] == []


def test_a_platform_without_a_list_is_given_no_withdrawn_values_and_holds_up_nobodys_erasure() -> None:
    one, case = Native.vetted("One"), a_case(1).case
    one.sync()
    scopes = (PlatformKey.Scope.LOOKUP, PlatformKey.Scope.FEEDBACK)
    _, keys = add_platform("Small", scopes)
    withdraw(case)
    bearer = {"Authorization": f"Bearer {keys.platform_key}"}
    assert one.acting.client.get("/v2/acknowledgements", headers=bearer).json() == {"owed": [], "has_more": False}
    one.sync()
    one.acknowledges()
    assert LedgerRecord.objects.get().status == LedgerRecord.Status.ERASED


def test_a_platform_without_a_list_learns_nothing_of_single_values_from_what_it_says_of_them() -> None:
    one = Native.vetted("One")
    _, keys = add_platform("Small", (PlatformKey.Scope.LOOKUP, PlatformKey.Scope.FEEDBACK))
    a_case(1, 2)
    withdraw(a_case(3).case)
    one.sync()
    bearer = {"Authorization": f"Bearer {keys.platform_key}"}

    def says(path: str, **entry: Any) -> tuple[Any, int]:
        with CaptureQueriesContext(connection) as queries:
            answer = one.acting.client.post(
                f"/v2/{path}", {path: [entry]}, content_type="application/json", headers=bearer
            )
        return answer.json(), sum("SAVEPOINT" not in query["sql"] for query in queries)

    says("feedback", type="pdq", value=pdq_value(2), decision="blocked", decided_by="person")
    before = LedgerRecord.objects.aggregate(last=Max("position"))
    for path, more in (
        ("feedback", {"decision": "blocked", "decided_by": "person"}),
        ("acknowledgements", {}),
    ):
        answers = [says(path, type="pdq", value=pdq_value(seed), **more) for seed in (1, 3, 9)]
        assert answers[0] == answers[1] == answers[2], path
        assert (answers[0][0]["taken"], answers[0][0]["refused"]) == (1, [])
    assert Feedback.objects.filter(platform__name="Small", record__value=pdq_value(1), value="Blocked").exists()
    assert {*Feedback.objects.values_list("record__value", flat=True)} == {pdq_value(seed) for seed in (1, 2, 3)}
    assert LedgerRecord.objects.aggregate(last=Max("position")) == before


def test_a_platform_without_a_list_cannot_try_out_withdrawn_values_by_submitting_them() -> None:
    one = Native.vetted("One")
    _, keys = add_platform("Small", (PlatformKey.Scope.SUBMIT,))
    withdraw(a_case(3).case)
    found = {"signals": [{"type": "pdq", "value": pdq_value(seed)} for seed in (3, 9)]}
    answer = one.acting.client.post(
        "/v2/signals", found, content_type="application/json", headers={"Authorization": f"Bearer {keys.platform_key}"}
    )
    assert answer.json() == {"taken": 2, "refused": []}
    assert LedgerRecord.objects.get(value=pdq_value(3)).status == LedgerRecord.Status.WITHDRAWN


def test_finding_what_is_a_canary_of_another_platform_tells_nothing() -> None:
    one, other = Native.vetted("One"), Native.vetted("Other")
    LedgerRecord.objects.create(
        type="pdq", value=pdq_value(7), position=50, modified_at=100, only_for=one.acting.platform
    )
    named = {"type": "pdq", "value": pdq_value(7)}
    unknown = {"type": "pdq", "value": pdq_value(8)}
    for known, control in (
        (
            other.says("pdq", pdq_value(7), "blocked"),
            other.says("pdq", pdq_value(8), "blocked"),
        ),
        (
            other.post("acknowledgements", {"acknowledgements": [named]}).json(),
            other.post("acknowledgements", {"acknowledgements": [unknown]}).json(),
        ),
    ):
        assert known == control
