"""Canaries: each platform's copy names its source, and nothing else about them shows."""

from __future__ import annotations

import io

import pytest
from django.test import override_settings

from reclaim.bank.canaries import leaks
from reclaim.bank.canaries.leaks import trace, values_in
from reclaim.bank.canaries.models import Canary
from reclaim.bank.canaries.services import A_PLATFORM, REAL_SIGNALS_A_CANARY, make_missing, tend_canaries
from reclaim.bank.cases.services import NewItem, add_to_case, withdraw, withdraw_descriptors
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.platforms.services import revoke_platform
from tests.described import described
from tests.personas import ActingPlatform, a_case, pdq_value

pytestmark = pytest.mark.django_db
MANY = range(REAL_SIGNALS_A_CANARY * (A_PLATFORM + 2))


def listed(platform: ActingPlatform) -> list[str]:
    return [value for value, status in platform.fetch_all().items() if status == "Active"]


def own_canaries(platform: ActingPlatform) -> set[str]:
    return set(Canary.objects.filter(platform=platform.platform, placed=True).values_list("value", flat=True))


def traced(*values: str) -> list[tuple[str, int]]:
    return [(each.platform, each.found) for each in trace(value.encode() for value in values).suspects]


@pytest.fixture
def two() -> tuple[ActingPlatform, ActingPlatform]:
    """Two platforms with all their canaries."""
    platforms = ActingPlatform.vetted("One"), ActingPlatform.vetted("Two")
    make_missing()
    a_case(*MANY)
    tend_canaries()
    return platforms


def test_each_platforms_copy_names_it(two: tuple[ActingPlatform, ActingPlatform]) -> None:
    one, other = two
    copies = [listed(one), listed(other)]
    assert len(copies[0]) == len(MANY) + A_PLATFORM
    assert own_canaries(one) == set(copies[0]) - set(copies[1])
    assert traced(*copies[0]) == [("One", A_PLATFORM)]
    assert traced(*copies[0], *copies[1]) == [("One", A_PLATFORM), ("Two", A_PLATFORM)]
    assert traced(*(pdq_value(seed) for seed in MANY)) == []


@override_settings(CANARIES=False)
def test_a_bank_whose_operator_wants_none_has_real_signals_only() -> None:
    platform = ActingPlatform.vetted("One")
    tend_canaries()
    a_case(*MANY)
    assert sorted(listed(platform)) == sorted(pdq_value(seed) for seed in MANY)


def test_a_leak_still_names_a_platform_that_has_lost_its_access(two: tuple[ActingPlatform, ActingPlatform]) -> None:
    copy = listed(two[0])
    revoke_platform("One")
    assert traced(*copy) == [("One", A_PLATFORM)]


def test_changing_a_few_bits_of_each_value_hides_nothing(two: tuple[ActingPlatform, ActingPlatform]) -> None:
    changed = [f"{int(value, 16) ^ (0x3FF << 40):064X}" for value in listed(two[0])]
    assert traced(*changed) == [("One", A_PLATFORM)]


def test_in_what_the_wire_says_a_canary_is_like_any_other_signal(two: tuple[ActingPlatform, ActingPlatform]) -> None:
    one, canaries = two[0], own_canaries(two[0])
    shapes = {True: set(), False: set()}
    for record in one.fetch(pageSize=2000).hashRecords:
        shape = (record.signalType, record.hashStatus, len(record.caseNumbers), len(record.CSPFeedbacks))
        shapes[record.hashValue in canaries].add((*shape, *record.labels))
    assert shapes[True] == shapes[False]
    answer = one.client.get(
        "/v2/signals", {"limit": 2000}, headers={"Authorization": f"Bearer {one.keys.platform_key}"}
    ).json()
    told: dict[bool, set[str]] = {True: set(), False: set()}
    for each in answer["records"]:
        told[each["value"] in canaries].add(repr({**each, "value": "", "changed_at": "", "quality": None}))
    assert told[True] == told[False]


def test_a_platform_that_is_new_finds_its_canaries_all_over_the_past() -> None:
    made = [a_case(*range(start, start + 8)) for start in range(0, 8 * A_PLATFORM, 8)]
    for case in made[::2]:
        withdraw(case.case)
    new = ActingPlatform.vetted("New")
    tend_canaries()
    in_order = [record.hashValue for record in new.fetch(pageSize=2000).hashRecords]
    places = [place for place, value in enumerate(in_order) if value in own_canaries(new)]
    assert len(places) > A_PLATFORM // 2
    assert places[0] < len(in_order) // 2
    assert len(set(places)) == len(places)


def test_no_canary_comes_or_moves_with_descriptors_beside_which_it_would_be_alone(
    two: tuple[ActingPlatform, ActingPlatform],
) -> None:
    one, _ = two
    ActingPlatform.vetted("Waits for its canaries")
    make_missing()
    case = a_case(*range(900, 930)).case
    before = one.fetch(pageSize=2000).hashRecords
    add_to_case(case, [NewItem.picture(number, described(seed)) for number, seed in enumerate(range(900, 930), 1)])
    assert LedgerRecord.objects.filter(type="descriptors", status="active").count() == 30
    assert one.fetch(pageSize=2000).hashRecords == before
    withdraw_descriptors(case)
    assert one.fetch(pageSize=2000).hashRecords == before


def test_feedback_on_a_canary_is_taken_like_any_other(two: tuple[ActingPlatform, ActingPlatform]) -> None:
    one, other = two
    value = next(iter(own_canaries(one)))
    said = {"count": 1, "hashFeedbacks": [{"hashValue": value, "feedbackValue": "Blocked", "tags": []}]}
    assert one.post("SubmitFeedback", said).json()["count"] == 1
    assert other.post("SubmitFeedback", said).json()["count"] == 0
    find = {"count": 1, "hashRecords": [{"signalType": "ImagePDQ", "hashValue": value, "CSPFeedbacks": []}]}
    assert one.post("SubmitHashes", find).json()["count"] == 1
    assert LedgerRecord.objects.get(value=value).only_for == one.platform


def test_values_are_found_in_any_text_and_across_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [pdq_value(seed) for seed in range(40)]
    text = "".join(f'{{"hash": "{value.upper()}", "n": {n}}},\n' for n, value in enumerate(values))
    noise = "f" * 65 + " " + "0" * 63 + " " + "ab" * 40 + "\n"
    for chunk in (50, 64, 67, 200, 10_000):
        monkeypatch.setattr(leaks, "_CHUNK", chunk)
        found = [value.decode().lower() for value in values_in(io.BytesIO((noise + text + values[0]).encode()))]
        assert found == [*values, values[0]]
