"""Attacks on matching as a service, as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from reclaim.bank.lookup.index import signal_index
from reclaim.bank.lookup.services import ALARM_AT, STOP_AT, allow
from reclaim.bank.platforms.services import add_key, add_platform
from tests.personas import a_case, pdq_value

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    """Each test has a ledger of its own."""
    signal_index.forget()
    yield
    signal_index.forget()


class Asker:
    """A small platform with a lookup key."""

    def __init__(self) -> None:
        self.platform, self.keys = add_platform("Small")
        self.key = add_key(self.platform, ["lookup"], actor="operator")[1]

    def asks(self, *values: str, type: str = "pdq", key: str | None = None) -> Any:
        return Client().post(
            "/v2/lookup",
            {"type": type, "values": list(values)},
            content_type="application/json",
            headers={"Authorization": f"Bearer {key or self.key}"},
        )


def test_the_answer_says_match_or_not_and_nothing_else() -> None:
    a_case(1)
    asker = Asker()
    assert asker.asks(pdq_value(1)).json() == {"match": True}
    assert asker.asks(pdq_value(2)).json() == {"match": False}
    assert asker.asks("0" * 32, type="md5").json() == {"match": False}
    near, far = asker.asks(pdq_value(1)), asker.asks(pdq_value(2))
    assert {*near.headers} == {*far.headers}


def test_a_lookup_key_opens_no_list_and_a_fetch_key_no_lookup() -> None:
    asker = Asker()
    assert Client().get("/v2/signals", headers={"Authorization": f"Bearer {asker.key}"}).status_code == 403
    assert Client().get("/v2/snapshot", headers={"Authorization": f"Bearer {asker.key}"}).status_code == 403
    assert asker.asks(pdq_value(1), key=asker.keys.platform_key).status_code == 403


def test_who_feels_his_way_around_a_signal_is_stopped_and_learns_no_more() -> None:
    a_case(1)
    asker = Asker()
    start = int(pdq_value(1), 16)
    for step in range(STOP_AT + 1):
        flips = sum(1 << bit for bit in range(step, step + (40 if step < ALARM_AT else 5)))
        answer = asker.asks(f"{start ^ flips:064x}")
    answer = asker.asks(pdq_value(1))
    assert answer.status_code == 429
    assert answer["Retry-After"]
    assert "match" not in answer.json()


def test_more_lookups_than_allowed_are_refused_and_say_until_when() -> None:
    asker = Asker()
    allow(asker.platform, 1, "operator")
    assert asker.asks(pdq_value(1)).status_code == 200
    answer = asker.asks(pdq_value(1))
    assert (answer.status_code, "match" in answer.json()) == (429, False)
    assert 0 < int(answer["Retry-After"]) <= 86401


def test_what_is_no_upload_is_refused() -> None:
    asker = Asker()
    for values, kind in (
        (["00" * 32], "pdq"),
        (["zz"], "pdq"),
        ([pdq_value(1)], "md5"),
        (["0" * 32, "1" * 32], "md5"),
        ([pdq_value(1)] * 9, "pdq"),
        ([], "pdq"),
    ):
        assert asker.asks(*values, type=kind).status_code == 422, (values, kind)
