"""Promise 5: a withdrawal reaches everyone, and who has not confirmed is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

from reclaim.bank.ledger.models import LedgerRecord
from reclaim.protocol.stopncii_v1 import FeedbackValue, HashFeedback
from tests.personas import ActingPlatform, a_case, pdq_value
from tests.system.exchange.peers import Raw, our_client
from tests.system.site_process import Bank

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
    person.post("/case/withdraw/", {"item": "all", "sure": "yes"}, headers=OWN_PAGE)

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
    person.post("/case/withdraw/", {"item": "1", "sure": "yes"}, headers=OWN_PAGE)
    assert platform.fetch_all() == {pdq_value(1): "Withdrawn", pdq_value(2): "Active"}


def test_an_erased_value_is_in_no_table_and_in_no_file(fresh_bank: Bank) -> None:
    platform = Raw(fresh_bank, fresh_bank.add_platform("Example"))
    case = fresh_bank.submit(Path("tests/photos/pagoda.jpg"))
    [signal] = case["signals"]
    assert signal["value"] in platform.records()
    fresh_bank.withdraw(case)
    words = [HashFeedback(hashValue=signal["value"], feedbackValue=FeedbackValue.DELETED)]
    assert our_client(fresh_bank, platform.keys).submit_feedback(words).count == 1
    fresh_bank.command("tick")
    assert signal["value"] not in platform.records()
    assert not fresh_bank.holds(signal["value"])
    if not fresh_bank.database_url:
        files = [file for file in fresh_bank.data.rglob("*") if file.is_file()]
        assert any(file.suffix == ".sqlite3" for file in files)
        assert [file.name for file in files if signal["value"].encode() in file.read_bytes()] == []
