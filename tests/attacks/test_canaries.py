"""What a platform tries that wants to leak its list without being named, as sentences."""

from __future__ import annotations

import datetime
import random
from base64 import b64encode
from unittest.mock import patch

import numpy as np
import pytest

from reclaim.bank.canaries.leaks import trace
from reclaim.bank.canaries.models import Canary
from reclaim.bank.canaries.services import A_PLATFORM, tend_canaries
from reclaim.bank.cases.services import NewItem, create_case, withdraw
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.lookup.index import signal_index
from reclaim.bank.lookup.services import look_up_picture
from reclaim.bank.platforms.models import Platform
from reclaim.protocol.stopncii_v1 import PageToken
from tests.personas import ActingPlatform, a_case, pdq_value

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]

MANY = 600


def canaries_of(platform: Platform) -> set[str]:
    return set(Canary.objects.filter(platform=platform, placed=True).values_list("value", flat=True))


def share_below(values: list[str], order: list[str]) -> float:
    """Where these lie in a list, on average: 0.5 for what is anywhere."""
    places = {value: place for place, value in enumerate(order)}
    return float(np.mean([places[value] for value in values])) / len(order)


@pytest.fixture
def new() -> ActingPlatform:
    """A platform that was vetted when the bank had many signals, and has all its canaries."""
    for start in range(0, MANY, 100):
        a_case(*range(start, start + 100))
    platform = ActingPlatform.vetted("New")
    tend_canaries()
    return platform


def test_a_new_platform_cannot_tell_its_canaries_by_their_place_their_second_or_their_position(
    new: ActingPlatform,
) -> None:
    """Nor by the gaps between positions, which a page of one record shows."""
    records = new.fetch(pageSize=2000).hashRecords
    canaries = canaries_of(new.platform)
    assert len(canaries) == A_PLATFORM
    order = [record.hashValue for record in records]
    # Thirty-two places by lot are on average within five standard deviations of the middle.
    assert abs(share_below(list(canaries), order) - 0.5) < 5 * 0.29 / A_PLATFORM**0.5
    seconds = [record.lastModtimestamp for record in records]
    assert seconds == sorted(seconds)
    assert all(record.lastModtimestamp in seconds for record in records if record.hashValue in canaries)
    positions, token = [], None
    for _ in range(60):
        page = new.fetch(pageSize=1, **({"nextPageToken": token} if token else {}))
        token = page.nextPageToken
        positions.append(PageToken.decode(token or "").position)
    assert len(set(np.diff(positions))) > 40, "positions say nothing: their gaps are by lot"
    known = np.array(sorted(LedgerRecord.objects.values_list("position", flat=True)))
    own = np.array(sorted(LedgerRecord.objects.exclude(only_for=None).values_list("position", flat=True)))
    before = np.diff(known, prepend=0)[np.searchsorted(known, own)]
    # Gaps before canaries are as long as any: exponential, with one mean.
    assert 0.3 < before.mean() / np.diff(known).mean() < 3


def test_whoever_fetched_before_sees_canaries_come_among_new_signals_and_move_as_often_as_others() -> None:
    old = ActingPlatform.vetted("Old")
    old.fetch()
    tend_canaries()
    for start in range(0, 160, 4):
        a_case(*range(start, start + 4))
    tend_canaries()
    records = old.fetch(pageSize=2000).hashRecords
    canaries = canaries_of(old.platform)
    assert len(canaries) > A_PLATFORM // 2
    by_second = {record.lastModtimestamp for record in records if record.hashValue not in canaries}
    assert all(record.lastModtimestamp in by_second for record in records)
    before = dict(LedgerRecord.objects.values_list("value", "position"))
    # Every signal is reported once more: so many moves, so many chances for each canary.
    for start in range(0, 160, 4):
        a_case(*range(start, start + 4))
    moved = [value for value in canaries if LedgerRecord.objects.get(value=value).position > before[value]]
    # By lot each moves with the probability 1 - (1 - 4/160) ** 40 = 0.64.
    assert 0.2 < len(moved) / len(canaries) < 1


def test_canaries_never_move_without_a_real_signal(new: ActingPlatform) -> None:
    before = list(LedgerRecord.objects.values_list("pk", "position").order_by("pk"))
    for _ in range(3):
        tend_canaries()
    assert list(LedgerRecord.objects.values_list("pk", "position").order_by("pk")) == before


def test_a_platform_that_moves_signals_by_its_own_words_and_finds_moves_none_of_its_canaries(
    new: ActingPlatform,
) -> None:
    """It knows what it named; whatever else moves in that moment, time and again, would be its canaries."""
    before = dict(LedgerRecord.objects.filter(only_for=new.platform).values_list("value", "position"))
    named = [{"hashValue": pdq_value(seed), "tags": []} for seed in range(MANY)]
    for word in ("Blocked", "NotBlocked"):
        said = [{**each, "feedbackValue": word} for each in named]
        assert new.post("SubmitFeedback", {"count": MANY, "hashFeedbacks": said}).json()["count"] == MANY
    assert dict(LedgerRecord.objects.filter(only_for=new.platform).values_list("value", "position")) == before
    old = ActingPlatform.vetted("Old")
    old.fetch()
    tend_canaries()
    for platform, come in ((old, 0), (new, A_PLATFORM)):
        finds = [
            {"signalType": "ImagePDQ", "hashValue": pdq_value(10_000 * platform.platform.pk + seed), "CSPFeedbacks": []}
            for seed in range(200)
        ]
        assert platform.post("SubmitHashes", {"count": 200, "hashRecords": finds}).json()["count"] == 200
        assert len(canaries_of(old.platform)) == come


def test_a_platform_cannot_fetch_its_first_list_in_part_and_see_which_signals_come_into_the_past_after_that() -> None:
    """An NCMEC client that never asks for the last page has begun to fetch all the same."""
    a_case(*range(MANY // 5))
    platform = ActingPlatform.vetted("New")
    with patch("reclaim.bank.exchange.entries.PAGE_SIZE", 10):
        key = b64encode(f"New:{platform.keys.platform_key}".encode()).decode()
        query = {
            "from": "2020-01-01T00:00:00Z",
            "to": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        page = platform.client.get("/ncmec/v2/entries", query, headers={"Authorization": f"Basic {key}"})
    assert b"<next>" in page.content
    tend_canaries()
    assert not canaries_of(platform.platform)


def test_a_platform_cannot_tell_its_canaries_by_what_the_bank_answers_to_its_words(new: ActingPlatform) -> None:
    canary = next(iter(canaries_of(new.platform)))
    answers = []
    for value in (canary, pdq_value(1)):
        shape = []
        for word, tags in (("Blocked", []), ("NotBlocked", ["reason:not-the-same"]), ("Deleted", [])):
            sent = {"hashValue": value, "feedbackValue": word, "tags": tags}
            answer = new.post("SubmitFeedback", {"count": 1, "hashFeedbacks": [sent]}).json()
            record = LedgerRecord.objects.get(value=value)
            shape.append((answer, record.status, record.trust, record.review_only))
        find = {"count": 1, "hashRecords": [{"signalType": "ImagePDQ", "hashValue": value, "CSPFeedbacks": []}]}
        shape.append(new.post("SubmitHashes", find).json())
        answers.append(shape)
    assert answers[0] == answers[1]


def test_a_platform_cannot_ask_the_lookup_service_which_of_its_signals_are_real(new: ActingPlatform) -> None:
    signal_index.forget()
    other = Platform.objects.create(name="Other")
    for value in list(canaries_of(new.platform))[:3]:
        assert look_up_picture(new.platform, [value])
        assert not look_up_picture(other, [value])
    signal_index.forget()


def test_nobody_frames_a_platform_with_a_canary_that_was_reported_and_a_withdrawal_of_it_reaches_everyone(
    new: ActingPlatform,
) -> None:
    canary = next(iter(canaries_of(new.platform)))
    case = create_case([NewItem.picture(1, canary)]).case
    tend_canaries()
    assert trace(iter([canary.encode()])).suspects == []
    other = ActingPlatform.vetted("Other")
    assert other.fetch_all()[canary] == "Active"
    withdraw(case)
    assert other.fetch_all()[canary] == "Withdrawn"


def test_a_leaker_who_drops_what_two_platforms_do_not_share_is_the_limit_that_the_document_names(
    new: ActingPlatform,
) -> None:
    other = ActingPlatform.vetted("Other")
    tend_canaries()
    common = set(new.fetch_all()) & set(other.fetch_all())
    assert trace(value.encode() for value in common).suspects == []
    either = set(new.fetch_all()) | set(other.fetch_all())
    assert {each.platform for each in trace(value.encode() for value in either).suspects} == {"New", "Other"}


def test_a_tenth_of_a_list_names_its_source_more_often_than_nine_times_in_ten(new: ActingPlatform) -> None:
    listed, chooser = list(new.fetch_all()), random.Random(1)
    named = 0
    for _ in range(200):
        leaked = chooser.sample(listed, len(listed) // 10)
        named += bool(trace(value.encode() for value in leaked).suspects)
    assert named > 180
