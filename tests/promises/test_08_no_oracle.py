"""Promise 8: nobody without a vetted key can learn whether a signal is in the bank."""

from __future__ import annotations

import json

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from reclaim.bank.cases.services import withdraw
from reclaim.bank.feedback.queries import PlatformReport, report
from tests.personas import ActingPlatform, a_case, pdq_value
from tests.proofs import a_proof
from tests.site.bank.test_report import sources_of, told
from tests.v2 import Native

pytestmark = pytest.mark.django_db


def test_making_a_case_answers_the_same_whether_or_not_its_signal_was_there(client: Client) -> None:
    a_case(1)
    shapes = []
    for seed in (1, 2):
        item = {"kind": "picture", "signals": [{"type": "pdq", "value": pdq_value(seed), "quality": 90}]}
        body = {"receipt": f"{seed}" * 64, "proof": a_proof(), "made_with_ai": "unsaid", "items": [item]}
        answer = client.post("/start/case/", json.dumps(body), content_type="application/json")
        assert answer.status_code == 201
        shapes.append(answer.json() | {"case_number": "", "pin": ""})
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


@pytest.mark.parametrize("pictures", [1, 500])
def test_the_bank_does_the_same_work_for_a_value_that_it_knows(pictures: int) -> None:
    """Statement for statement, so that the time of an answer says nothing; and few, since every writer waits."""
    a_case(*range(pictures))
    work = []
    for first in (0, 1000):
        with CaptureQueriesContext(connection) as done:
            withdraw(a_case(*range(first, first + pictures)).case)
        work.append([(statement["sql"].split()[0], statement["sql"].count("(")) for statement in done])
    known, new = work
    assert known == new
    assert len(known) <= 52  # of both, making the case and withdrawing it


# What somebody else may do with a case of her own that holds the same picture, at any moment.
OTHERS = ("nothing", "makes a case", "withdraws hers", "withdraws hers and makes another")


MOMENTS = range(9)
LIVES = [
    *((0, "nothing", was_there) for was_there in (False, True)),
    *((moment, "makes a case", False) for moment in MOMENTS),
    *((moment, other, True) for moment in MOMENTS for other in OTHERS[1:]),
]
"""Each once: a person who did nothing did it at every moment, and one without a case has none to withdraw."""


@pytest.mark.parametrize("acknowledges_late", [False, True])
@pytest.mark.parametrize(("moment", "other", "was_there"), LIVES)
def test_at_no_moment_does_a_case_page_tell_that_another_case_holds_the_picture(
    moment: int, other: str, was_there: bool, acknowledges_late: bool
) -> None:
    """The same life of two cases, one with a picture that somebody else reports too: the pages never differ."""
    platform = ActingPlatform.vetted()
    # A platform that has acknowledged before, as one that honours withdrawals has.
    withdraw(a_case(7).case)
    platform.syncs()
    others = [a_case(1).case] if was_there else []
    mine, control = a_case(1).case, a_case(2).case
    owed: list[str] = []

    def platform_syncs() -> None:
        if acknowledges_late and owed:
            acknowledge(platform, owed)
        owed[:] = [value for value, status in platform.fetch_all().items() if status == "Withdrawn"]
        if not acknowledges_late and owed:
            acknowledge(platform, owed)

    def withdraw_both() -> None:
        withdraw(mine)
        withdraw(control)

    life = [platform_syncs, platform_syncs, withdraw_both, *[platform_syncs] * 6]
    for step, happens in enumerate(life):
        if step == moment:
            if "withdraws" in other:
                for case in others:
                    withdraw(case)
            if "makes" in other:
                a_case(1)
            assert told(mine) == told(control), f"before step {step}"
        happens()
        assert told(mine) == told(control), f"after step {step}"
    # A picture of its own is confirmed in the end: the comparison is not one of two silences.
    assert told(control).withdrawal_taken == 1


def told_over_a_life(moment: int, other: str) -> list[PlatformReport]:
    """What a case page says at each step of a platform's syncs over version 2, with pages so small that each sync has
    several: what counts as given and confirmed between two of them must not tell either. Nothing stays of this life."""
    with transaction.atomic():
        platform = Native.vetted()
        withdraw(a_case(7).case)
        platform.sync()
        platform.acknowledges()
        others = [a_case(1).case] if other != "nothing" else []
        mine = a_case(1, 2).case
        said = []

        def platform_syncs() -> None:
            platform.sync(limit=1)
            if platform.gone:
                platform.acknowledges()

        for step, happens in enumerate(
            [platform_syncs, platform_syncs, lambda: withdraw(mine, [1]), *[platform_syncs] * 3]
        ):
            if step == moment:
                for case in others if "withdraws" in other else []:
                    withdraw(case)
                if "makes" in other:
                    a_case(1)
            said.append(told(mine))
            happens()
            said.append(told(mine))
        transaction.set_rollback(True)
    return said


def test_at_no_moment_does_it_tell_that_where_the_platform_speaks_version_2() -> None:
    alone = told_over_a_life(0, "nothing")
    assert (alone[-1].withdrawal_taken, alone[-1].silent) == (1, 1)
    for moment in (1, 3, 4):
        for other in OTHERS[1:]:
            assert told_over_a_life(moment, other) == alone, f"somebody {other} before step {moment}"


@pytest.mark.parametrize("another_case", [False, True])
def test_a_platform_that_came_after_a_withdrawal_tells_nothing_of_another_case_either(another_case: bool) -> None:
    first = Native.vetted("First")
    case = a_case(1)
    if another_case:
        a_case(1)
    first.sync()
    withdraw(case.case)
    first.sync()
    first.acknowledges()
    later, other = Native.vetted("Later"), a_case(2).case
    later.sync()
    withdraw(other)
    for _ in range(3):
        later.sync()
        later.acknowledges()
    [line] = [line for line in report(sources_of(case.case)) if line.name == "Later"]
    assert (line.withdrawal_taken, line.withdrawal_open) == (1, 0)


def acknowledge(platform: ActingPlatform, values: list[str]) -> None:
    words = [{"hashValue": value, "feedbackValue": "Deleted", "tags": []} for value in values]
    platform.post("SubmitFeedback", {"count": len(words), "hashFeedbacks": words})


@pytest.mark.parametrize("path", ["/v1/FetchHashes", "/v1//FetchHashes", "/v1/SubmitFeedback", "/v1/SubmitHashes"])
def test_without_keys_no_endpoint_of_the_exchange_says_anything(client: Client, path: str) -> None:
    a_case(1)
    body = {"count": 1, "hashFeedbacks": [{"hashValue": pdq_value(1), "feedbackValue": "None", "tags": []}]}
    send = client.get if "Fetch" in path else client.post
    answer = send(path, body, content_type="application/json")
    assert answer.status_code == 401
    assert pdq_value(1) not in answer.content.decode()
