"""Descriptors and source photographs: in a feed of their own, for whoever was let have them, and in nothing else."""

from __future__ import annotations

import base64
import datetime
import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from reclaim.bank.cases.models import Case, CaseItem
from reclaim.bank.cases.services import (
    NewItem,
    create_case,
    refuse_item,
    release_item,
    withdraw,
    withdraw_descriptors,
)
from reclaim.bank.exchange.parquet import write_parts
from reclaim.bank.federation.own import bring_up_to_date
from reclaim.bank.feedback.queries import PlatformReport, owed_by, report
from reclaim.bank.feedback.services import erase_tombstones
from reclaim.bank.ledger.models import HeldSignal, LedgerClock, LedgerRecord, Source
from reclaim.bank.operations.queries import given_signals, watch
from reclaim.bank.peers.models import Assertion
from reclaim.bank.placements.models import Placement
from reclaim.bank.platforms.models import ExtraCopy
from reclaim.protocol.native_v2 import Record
from reclaim.protocol.ncmec_v2 import write_time
from tests.acting_banks import ActingBank
from tests.described import Follower, a_described_case, described, name, text_of
from tests.personas import ActingPlatform, a_case, pdq_value

pytestmark = pytest.mark.django_db


def told(case: Case) -> PlatformReport:
    items = [[each.source for each in item.signals.select_related("source__record")] for item in case.items.all()]
    [line] = report(items)
    return line


def test_whoever_was_let_have_them_is_given_descriptors_and_source_photographs_for_review_alone() -> None:
    a_described_case(1)
    a_described_case(2, source=True)
    follower = Follower.let_have()
    came = {(each.type, each.value): each for each in follower.follows()}
    assert came.keys() == {("descriptors", name(1)), ("descriptors", name(2)), ("source", pdq_value(2))}
    assert came["descriptors", name(1)].model_dump(exclude={"changed_at"}, exclude_unset=True) == {
        "type": "descriptors",
        "value": name(1),
        "status": "active",
        "quality": None,
        "labels": [],
        "provenance": ["person"],
        "trust": 50,
        "action": "review",
        "decisions": {"blocked": 0, "not_blocked": 0},
        "descriptors": text_of(1),
    }
    assert hashlib.sha256(base64.b64decode(text_of(1))).hexdigest() == name(1)
    assert came["descriptors", name(2)].labels == ["of-a-source"]
    source = came["source", pdq_value(2)]
    assert (source.action, source.quality, source.labels) == ("review", 90, [])
    assert [each.value for each in follower.ordinary.sync()] == [pdq_value(1)]
    assert follower.follows() == []


def everything_ordinary(platform: ActingPlatform, follower: Follower, until: int, folder: Path) -> dict[str, Any]:
    """What v1, NCMEC's wire, version 2, a snapshot and what is owed say to a platform, to the byte."""
    basic = base64.b64encode(f"{platform.platform.name}:{platform.keys.platform_key}".encode()).decode()

    def ncmec(path: str, **query: str) -> bytes:
        answer = platform.client.get(f"/ncmec/v2/{path}", query, headers={"Authorization": f"Basic {basic}"})
        assert answer.status_code == 200, answer.content
        return answer.content

    page = follower.ordinary.page()
    return {
        "v1": platform.get(videos="true").content,
        "ncmec": ncmec("entries", **{"from": write_time(0), "to": write_time(until)}),
        "ncmec members": ncmec("members"),
        "v2": (page.records, page.has_more),
        "snapshot": [part["sha256"] for part in write_parts(platform.platform, folder, lambda: None)],
        "owed": follower.ordinary.get("acknowledgements", "feedback").content,
    }


def test_what_everybody_else_is_given_stays_the_same_to_the_byte_while_the_bank_holds_extra_types(
    tmp_path: Path,
) -> None:
    platform = ActingPlatform.vetted()
    follower = Follower.let_have(acting=platform)
    withdraw(a_case(5).case)
    a_case(1, 2)
    until = LedgerClock.objects.get().second
    before = everything_ordinary(platform, follower, until, tmp_path)
    assert pdq_value(1).encode() in before["v1"]
    assert pdq_value(1).encode() in before["ncmec"]
    case = a_described_case(3, 4, source=True).case
    assert everything_ordinary(platform, follower, until, tmp_path) == before
    assert len(follower.follows()) == 4
    withdraw(case)
    assert everything_ordinary(platform, follower, until, tmp_path) == before


def test_another_bank_is_told_nothing_of_them() -> None:
    ActingBank.added()
    a_described_case(1)
    a_described_case(2, source=True)
    assert bring_up_to_date()
    assert set(Assertion.objects.values_list("record__type", flat=True)) == {"pdq"}


def test_withdrawn_ones_are_told_and_acknowledged_in_the_same_feed_and_erased_when_all_who_had_them_did() -> None:
    follower, other = Follower.let_have(), ActingPlatform.vetted("Other")
    case = a_described_case(1).case
    follower.follows()
    withdraw(case)
    # What is left of it is a name: no bytes, and no placement.
    gone = LedgerRecord.objects.get(type="descriptors")
    assert (gone.status, gone.descriptors) == ("withdrawn", None)
    assert not Placement.objects.exists()
    owed = follower.get("acknowledgements", types="descriptors,source").json()["owed"]
    assert [(each["type"], each["value"]) for each in owed] == [("descriptors", name(1))]
    assert [each.type for each in owed_by(other.platform)] == ["pdq"]
    [record] = follower.follows()
    assert (record.type, record.status, record.descriptors) == ("descriptors", "withdrawn", None)
    follower.acknowledges()
    gone.refresh_from_db()
    assert (gone.status, gone.value) == ("erased", None)
    assert LedgerRecord.objects.get(type="pdq").status == "withdrawn"


def test_nobody_is_waited_for_who_was_given_none() -> None:
    ActingPlatform.vetted()
    withdraw(a_described_case(1).case)
    assert erase_tombstones() == 1
    assert not LedgerRecord.objects.filter(type="descriptors", value__isnull=False).exists()
    # Whoever begins now owes nothing of what went before.
    follower = Follower.let_have("Late")
    assert follower.follows() == []
    assert not owed_by(follower.acting.platform, ["descriptors"]).exists()


def test_a_person_reads_of_a_platform_what_is_true_whether_it_takes_descriptors_or_not() -> None:
    case, only_source = a_described_case(1).case, a_described_case(2, source=True).case
    platform = ActingPlatform.vetted()
    # A platform that may not have source photographs is not said to get one.
    assert (told(case).not_given, told(only_source).not_given) == (1, 0)
    platform.fetch_all()
    alone = Follower.let_have("", "descriptors", acting=platform)
    alone.types = "descriptors"
    for _ in range(2):
        alone.follows()
    assert (told(case).given, told(only_source).given, told(only_source).not_given) == (1, 0, 0)
    follower = Follower.let_have(acting=platform)
    follower.follows()
    follower.follows()
    assert told(only_source).given == 1
    assert follower.says("source", pdq_value(2), "blocked")["taken"] == 1
    assert told(only_source).removed == 1
    withdraw(case)
    platform.syncs()
    platform.syncs()
    platform.syncs()
    # The descriptors are still there, as far as anybody knows.
    assert (told(case).withdrawal_open, told(case).withdrawal_taken) == (1, 0)
    follower.follows()
    follower.acknowledges()
    follower.follows()
    follower.follows()
    assert (told(case).withdrawal_open, told(case).withdrawal_taken) == (0, 1)


def test_two_cases_with_one_picture_share_its_record_and_each_has_a_placement_of_its_own() -> None:
    follower = Follower.let_have()
    first, second = a_described_case(1).case, a_described_case(1).case
    assert (LedgerRecord.objects.filter(type="descriptors").count(), Placement.objects.count()) == (1, 2)
    withdraw(first)
    assert Placement.objects.count() == 1
    assert follower.asks(1).json()["match"] is True
    withdraw(second)
    assert (Placement.objects.count(), follower.asks(1).json()) == (0, {"match": False, "relation": None})
    # Whoever brings it again brings it whole.
    a_described_case(1)
    assert follower.asks(1).json()["match"] is True
    assert [each.descriptors for each in follower.follows() if each.type == "descriptors"] == [text_of(1)]


def test_a_picture_that_somebody_does_not_call_a_source_photograph_is_none_for_platforms() -> None:
    follower = Follower.let_have()
    a_described_case(1, source=True)
    other = a_described_case(1).case
    assert {tuple(each.labels) for each in follower.follows() if each.type == "descriptors"} == {()}
    withdraw(other)
    assert [each.labels for each in follower.follows() if each.type == "descriptors"] == [["of-a-source"]]


def held_item(seed: int) -> CaseItem:
    item = NewItem.picture(1, described(seed, trimmed=(pdq_value(seed + 100), 80)))
    case = create_case([NewItem(1, item.kind, item.signals, held_for=("near-harmless",))]).case
    return case.items.get()


def test_all_signals_of_a_held_picture_wait_together_and_are_let_in_or_refused_together() -> None:
    follower = Follower.let_have()
    item, refused = held_item(1), held_item(2)
    assert HeldSignal.objects.count() == 6
    assert (follower.follows(), follower.ordinary.sync(), follower.asks(1).json()["match"]) == ([], [], False)
    assert release_item(item, "operator")
    assert {each.value for each in follower.ordinary.sync()} == {pdq_value(1), pdq_value(101)}
    assert [each.value for each in follower.follows()] == [name(1)]
    assert follower.asks(1).json()["match"] is True
    assert refuse_item(refused, CaseItem.Refusal.UNCLEAR, "operator")
    assert (HeldSignal.objects.count(), Placement.objects.count()) == (0, 1)


def test_a_held_picture_whose_descriptors_were_taken_back_is_let_in_without_them() -> None:
    follower = Follower.let_have()
    item = held_item(1)
    assert withdraw_descriptors(item.case) == 1
    assert release_item(item, "operator")
    assert {each.value for each in follower.ordinary.sync()} == {pdq_value(1), pdq_value(101)}
    assert (follower.follows(), Placement.objects.count(), HeldSignal.objects.count()) == ([], 0, 0)


def test_a_person_who_takes_descriptors_back_reads_who_has_confirmed_that_and_who_has_not() -> None:
    from reclaim.bank.cases.services import add_to_case

    def said() -> tuple[int, int, int, int]:
        line = told(case)
        return line.given, line.withdrawal_open, line.patches_open, line.patches_taken

    follower = Follower.let_have()
    case = a_described_case(1).case
    follower.ordinary.sync()
    follower.follows()
    follower.follows()
    withdraw_descriptors(case)
    follower.ordinary.sync()
    assert said() == (1, 0, 1, 0)
    follower.follows()
    follower.acknowledges()
    follower.follows()
    follower.follows()
    assert said() == (1, 0, 0, 1)
    add_to_case(case, [NewItem.picture(1, described(1))])
    assert said() == (1, 0, 0, 0)
    withdraw(case)
    assert said() == (0, 1, 0, 0)


def test_descriptors_of_a_source_photograph_are_only_for_who_may_have_source_photographs() -> None:
    alone = Follower.let_have("Alone", "descriptors")
    alone.types = "descriptors"
    a_described_case(1, source=True)
    other = a_described_case(1).case
    assert [each.descriptors for each in alone.follows()] == [text_of(1)]
    assert alone.asks(1).json()["match"] is True
    withdraw(other)
    # What it has of it is to go, though the bank has it still.
    [gone] = alone.follows()
    assert (gone.status, gone.because, gone.descriptors) == ("withdrawn", "sources", None)
    assert (alone.asks(1).json()["match"], Follower.let_have().asks(1).json()["match"]) == (False, True)
    assert not owed_by(alone.acting.platform, ["descriptors"]).exists()


def test_descriptors_that_were_taken_back_alone_can_be_given_again() -> None:
    from reclaim.bank.cases.services import add_to_case

    follower = Follower.let_have()
    case = a_described_case(1).case
    assert withdraw_descriptors(case) == 1
    assert (Placement.objects.count(), follower.asks(1).json()["match"]) == (0, False)
    assert [each.value for each in follower.ordinary.sync()] == [pdq_value(1)]
    add_to_case(case, [NewItem.picture(1, described(1))])
    assert follower.asks(1).json()["match"] is True


def test_descriptors_without_their_bytes_cannot_be_active() -> None:
    for bad in ({"type": "descriptors"}, {"type": "pdq", "descriptors": b"x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            LedgerRecord.objects.create(value=name(1), position=1, modified_at=1, **bad)


def test_a_page_of_descriptors_ends_before_it_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    from reclaim.bank.ledger import queries

    a_described_case(1, 2, 3)
    follower = Follower.let_have()
    monkeypatch.setattr(queries, "PAGE_BYTES", 6000)
    page = follower.page(types="descriptors")
    assert (len(page.records), page.has_more) == (2, True)
    assert len(follower.follows()) == 3


def test_staff_see_that_a_platform_takes_them_and_how_far_it_is_with_the_rest() -> None:
    follower = Follower.let_have()
    a_described_case(1)
    follower.follows()
    follower.follows()
    follower.asks(1)
    watched = watch(follower.acting.platform)
    assert (watched.extra, watched.behind, given_signals(follower.acting.platform)) == (["descriptors", "source"], 1, 1)
    assert watched.as_json()["placement_checks_today"] == 1
    assert watched.as_json()["placement_matches_today"] == 1


def test_a_platform_that_stays_away_too_long_begins_with_the_extra_types_anew() -> None:
    follower = Follower.let_have()
    a_described_case(1)
    follower.follows()
    old = timezone.now() + datetime.timedelta(days=31)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reclaim.bank.exchange.v2.timezone.now", lambda: old)
        assert follower.get("signals", types=follower.types, after=follower.cursor).status_code == 410
    follower.cursor = None
    assert [each.value for each in follower.follows()] == [name(1)]
    assert ExtraCopy.objects.filter(platform=follower.acting.platform).count() == 2
    assert Source.objects.count() == 2


def test_a_record_of_the_wire_reads_what_the_bank_writes() -> None:
    a_described_case(1)
    [record] = Follower.let_have("Only", "descriptors").page(types="descriptors").records
    assert Record.model_validate_json(record.model_dump_json(exclude_unset=True)) == record
