"""Promise 10, and rule 8 of the contract: nothing that the feed names links a person's pictures for a platform."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from reclaim.bank.cases.services import NewItem, NewSignal, create_case, descriptors_signal
from reclaim.conformance.values import new_pdq
from reclaim.signals import frames_text, vpdq_value
from tests.described import Follower, name, placement_of, text_of
from tests.personas import ActingPlatform, clip_frames, pdq_value
from tests.system.exchange.peers import Raw
from tests.system.site_process import Bank
from tests.v2 import Native

Names = Callable[[], str]


@pytest.fixture
def raw(bank: Bank, new_name: Names) -> Raw:
    return Raw(bank, bank.add_platform(new_name()))


def test_no_two_platforms_and_no_two_pictures_share_an_identifier(bank: Bank, raw: Raw, new_name: Names) -> None:
    values = [new_pdq() for _ in range(4)]
    bank.make_cases(values)
    other = Raw(bank, bank.add_platform(new_name()))
    seen_here, seen_there = raw.records(), other.records()
    pseudonyms = [name for value in values for feed in (seen_here, seen_there) for name in feed[value]["caseNumbers"]]
    assert len(pseudonyms) == len(set(pseudonyms)) == 8
    assert all(str(uuid.UUID(name)) == name for name in pseudonyms)
    # The same platform sees the same name again: a record is a snapshot of the same picture.
    assert raw.records()[values[0]] == seen_here[values[0]]


def test_pictures_of_one_case_share_nothing_that_pictures_of_two_cases_do_not(bank: Bank, raw: Raw) -> None:
    """But for value, pseudonym and the second it came in, records of all cases are alike."""
    together, apart = [new_pdq(), new_pdq()], [new_pdq(), new_pdq()]
    bank.make_cases(together, apart[:1], apart[1:])

    def what_is_left(record: dict[str, Any]) -> str:
        told_apart = {"hashValue", "lastModtimestamp", "caseNumbers"}
        rest = {name: value for name, value in record.items() if name not in told_apart}
        return json.dumps([rest, list(record["caseNumbers"].values())], sort_keys=True)

    records = raw.records()
    assert len({what_is_left(records[value]) for value in together + apart}) == 1


def test_the_order_of_a_persons_pictures_is_not_in_the_feed(bank: Bank, raw: Raw) -> None:
    chosen = sorted((new_pdq() for _ in range(12)), reverse=True)
    bank.make_cases(chosen)
    served = [record["hashValue"] for page in raw.pages() for record in page["hashRecords"]]
    assert [value for value in served if value in chosen] != chosen


@pytest.mark.django_db
def test_the_signals_of_one_video_share_nothing_that_signals_of_two_do_not() -> None:
    frames = clip_frames(1, 3)
    exact, moving = NewSignal("md5", "a" * 32), NewSignal("vpdq", vpdq_value(frames), tuple(frames_text(frames)))
    create_case([NewItem(1, "video", (exact, moving))])
    platform = ActingPlatform.vetted()
    one, two = platform.fetch(include="vpdq").hashRecords
    assert len(one.caseNumbers) == len(two.caseNumbers) == 1
    assert set(one.caseNumbers).isdisjoint(two.caseNumbers)
    told_apart = {"hashValue", "signalType", "caseNumbers", "frames"}
    assert one.model_dump(exclude=told_apart) == two.model_dump(exclude=told_apart)


@pytest.mark.django_db
def test_stills_of_one_video_share_nothing_that_those_of_two_do_not() -> None:
    def still(seed: int) -> NewSignal:
        return descriptors_signal(text_of(seed), placement_of(seed))

    frames = [clip_frames(seed, 3) for seed in range(3)]
    moving = [NewSignal("vpdq", vpdq_value(each), tuple(frames_text(each))) for each in frames]
    create_case([NewItem(1, "video", (moving[0], still(1), still(2)))])
    create_case([NewItem(1, "video", (moving[1], still(3))), NewItem(2, "video", (moving[2], still(4)))])
    records = Follower.let_have().follows()
    assert sorted(record.value for record in records) == sorted(name(seed) for seed in range(1, 5))
    assert len({record.model_dump_json(exclude={"value", "descriptors"}) for record in records}) == 1


@pytest.mark.django_db
def test_version_2_names_nothing_that_a_person_or_a_case_has_and_shows_no_order_and_no_second() -> None:
    values = sorted(pdq_value(seed) for seed in range(6))
    together, apart = values[:3], values[3:]
    create_case([NewItem.picture(number, value) for number, value in enumerate(reversed(together), start=1)])
    for value in reversed(apart):
        create_case([NewItem.picture(1, value)])
    one, other = Native.vetted("One"), Native.vetted("Other")
    records = one.page().records
    assert records == other.page().records, "there is nothing in it that is made for one platform"
    assert [record.value for record in records] == values
    rest = {
        json.dumps(record.model_dump(mode="json", exclude={"value", "changed_at"}), sort_keys=True)
        for record in records
    }
    assert len(rest) == 1
    assert all(record.changed_at.timestamp() % 3600 == 0 for record in records)
