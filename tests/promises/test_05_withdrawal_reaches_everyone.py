"""Promise 5: a withdrawal reaches everyone, and who has not confirmed is shown."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from reclaim.bank.ledger.models import LedgerRecord
from tests.personas import ActingPlatform, a_case, pdq_value

pytestmark = pytest.mark.django_db

OWN_PAGE = {"Origin": "http://testserver"}


def counts_on_the_case_page(client: Client, platform: str) -> dict[str, int]:
    """What the case page shows for one platform."""
    page = client.get("/case/pictures/").content.decode()
    section = page.split(f'data-platform="{platform}"')[1].split("data-platform=")[0]
    return {what: int(count) for what, count in re.findall(r'data-what="([\w-]+)" data-count="(\d+)"', section)}


def test_a_withdrawn_picture_is_a_tombstone_everywhere_and_the_silent_are_named() -> None:
    prompt, silent = ActingPlatform.vetted("Prompt"), ActingPlatform.vetted("Silent")
    made = a_case(1, 2)
    for platform in (prompt, silent):
        platform.fetch_all()
    checkpoints = [platform.fetch().nextSetTimestamp for platform in (prompt, silent)]

    person = Client()
    person.post("/case/", {"number": made.number, "pin": made.pin})
    person.post("/case/withdraw/", {"picture": "all"}, headers=OWN_PAGE)

    for platform, checkpoint in zip((prompt, silent), checkpoints, strict=True):
        page = platform.fetch(startTimestamp=checkpoint)
        assert {record.hashValue: record.hashStatus for record in page.hashRecords} == {
            pdq_value(1): "Withdrawn",
            pdq_value(2): "Withdrawn",
        }
    for _ in range(3):
        prompt.syncs()
    assert counts_on_the_case_page(person, "Prompt") == {"withdrawal-taken": 2}
    assert counts_on_the_case_page(person, "Silent") == {"withdrawal-open": 2}
    assert LedgerRecord.objects.filter(value=None).count() == 0

    silent.says(1, "Deleted")
    assert counts_on_the_case_page(person, "Silent") == {"withdrawal-open": 2}
    assert sorted(LedgerRecord.objects.values_list("value", "status"), key=str) == sorted(
        [(None, "erased"), (pdq_value(2), "withdrawn")], key=str
    )


def test_one_picture_can_be_withdrawn_and_the_other_stays() -> None:
    platform = ActingPlatform.vetted()
    made = a_case(1, 2)
    person = Client()
    person.post("/case/", {"number": made.number, "pin": made.pin})
    person.post("/case/withdraw/", {"picture": "1"}, headers=OWN_PAGE)
    assert platform.fetch_all() == {pdq_value(1): "Withdrawn", pdq_value(2): "Active"}
