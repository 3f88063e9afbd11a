"""Attacks on descriptors, source photographs and placements, as sentences."""

from __future__ import annotations

import base64
import datetime
import json
import uuid
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reclaim.bank.cases.services import NewItem, PictureSignals, create_case, withdraw
from reclaim.bank.placements import services
from reclaim.bank.placements.models import CheckDay
from reclaim.bank.placements.models import Placement as SealedPlacement
from reclaim.bank.placements.sealing import NotOursError, unseal
from reclaim.protocol.native_v2 import MOST_PAIRS
from reclaim.signals.descriptors import Placement, parse_placement
from reclaim.signals.geometry import LEAST_INLIERS, check
from reclaim.sitekit.models import AuditEvent
from tests.described import (
    FRAME,
    Follower,
    a_described_case,
    name,
    pairs_of,
    placement_of,
    places_of,
    text_of,
    values_of,
)
from tests.personas import ActingPlatform, pdq_value
from tests.v2 import Native

pytestmark = pytest.mark.django_db


def refused(answer: object) -> list[str]:
    told: dict[str, list[dict[str, str]]] = answer.json()  # type: ignore[attr-defined]
    return [each["reason"] for each in told["refused"]]


def test_a_key_that_was_not_let_have_them_opens_no_descriptors_no_source_photographs_and_no_check() -> None:
    a_described_case(1)
    plain = Native(ActingPlatform.vetted())
    for types in ("descriptors", "source", "descriptors,source"):
        answer = plain.get("signals", "platform", types=types)
        assert (answer.status_code, name(1).encode() in answer.content) == (403, False)
    body = {"value": name(1), "frame": list(FRAME), "pairs": pairs_of(1)}
    assert plain.post("placements/check", body, "platform").status_code == 403
    only = Follower.let_have("Sources alone", "sources")
    assert only.get("signals", types="descriptors,source").status_code == 403
    assert only.asks(1).status_code == 403
    assert only.get("signals", types="source").status_code == 200


def test_extra_types_cannot_be_asked_for_among_the_others_or_brought_along_by_an_ordinary_cursor() -> None:
    a_described_case(1)
    follower = Follower.let_have()
    assert follower.get("signals", types="pdq,descriptors").status_code == 422
    cursor = follower.page().cursor
    assert follower.get("signals", types="descriptors", after=cursor).status_code == 410
    assert follower.get("signals", after=follower.page(types="descriptors").cursor).status_code == 410


def test_who_was_given_none_cannot_feel_for_exact_values_by_feedback_or_acknowledgements() -> None:
    case = a_described_case(1, source=True).case
    # One may not, one may and has not asked, so neither learns which of these values the bank has.
    plain, new = Native(ActingPlatform.vetted()), Follower.let_have("New")
    for platform, use in ((plain, "platform"), (new, "")):
        words = [
            {"type": kind, "value": value, "decision": "blocked", "decided_by": "person"}
            for kind, value in (("source", pdq_value(1)), ("source", pdq_value(9)), ("descriptors", name(1)))
        ]
        assert len(set(refused(platform.post("feedback", {"feedback": words}, use)))) == 1
        named = [{"type": "source", "value": value} for value in (pdq_value(1), pdq_value(9))]
        answer = platform.post("acknowledgements", {"acknowledgements": named}, use)
        assert answer.json() == {"taken": 2, "refused": []}
        assert platform.get("acknowledgements", use, types="source").json()["owed"] == []
    # Nor does anybody find, or take back, what only persons bring.
    find = {"signals": [{"type": "source", "value": pdq_value(5)}]}
    assert plain.post("signals", find, "submit").status_code == 422
    assert plain.post("withdrawals", {"withdrawals": find["signals"]}, "submit").status_code == 422
    withdraw(case)
    assert plain.get("acknowledgements", "feedback").json()["owed"] == []


def flat(count: int, byte: int) -> bytes:
    return b"".join(bytes([byte] * 31 + [number]) for number in range(count))


@pytest.mark.parametrize(
    "data",
    [
        b"".join(bytes(value) for value in values_of(1)[::-1]),
        bytes(values_of(1)[0]) + values_of(1)[:-1].tobytes(),
        values_of(1, 65).tobytes(),
        values_of(1, 15).tobytes(),
        values_of(1).tobytes()[:-1],
        flat(64, 0),
        flat(64, 255),
    ],
    ids=["unsorted", "twice the same", "65", "15", "cut off", "all dark", "all light"],
)
def test_hostile_descriptors_enter_no_case(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    count = len(data) // 32
    sent = PictureSignals(pdq_value(1), 90, descriptors=text, placement=placement_of(1, count))
    with pytest.raises(ValueError, match=r"^[A-Z][^=]*\.$") as refusal:
        sent.signals()
    assert text[:8] not in str(refusal.value)


@pytest.mark.parametrize(
    "placement",
    [
        None,
        [],
        [[1, 2, 3, 4]] * 63,
        [[1, 2, 3]] * 64,
        [[512, 0, 0, 0]] * 64,
        [[-1, 0, 0, 0]] * 64,
        [[0, 0, 12, 64]] * 64,
    ],
    ids=["none", "empty", "too few", "short", "outside", "negative", "no level"],
)
def test_hostile_placements_enter_no_case(placement: list[list[int]] | None) -> None:
    def sent() -> PictureSignals:
        placed = None if placement is None else parse_placement(FRAME, placement, len(placement))
        return PictureSignals(pdq_value(1), 90, descriptors=text_of(1), placement=placed)

    with pytest.raises(ValueError, match=r"\.$"):
        sent().signals()


@pytest.mark.parametrize(
    "more",
    [
        {"pairs": pairs_of(1)[:4]},
        {"pairs": [[0, 1, 1, 1, 1, 0]] * (MOST_PAIRS + 1)},
        {"pairs": [[64, 1, 1, 1, 1, 0]] * 8},
        {"pairs": [[0, 1, 384, 1, 1, 0]] * 8},
        {"pairs": [[0, 1, 1, 12, 1, 0]] * 8},
        {"pairs": [[0, 1, 1, 1, 1, 2]] * 8},
        {"pairs": [[0, 1, 1, 1, 1]] * 8},
        {"pairs": [[0, 1.5, 1, 1, 1, 0]] * 8},
        {"frame": [512, 0]},
        {"frame": [300, 200]},
        {"frame": [10**9, 512]},
        {"value": "x" * 64},
        {"places": True},
    ],
)
def test_a_check_that_does_not_fit_is_refused_and_says_nothing(more: dict[str, object]) -> None:
    a_described_case(1)
    answer = Follower.let_have().asks(1, **more)  # type: ignore[arg-type]
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert not CheckDay.objects.exists()


def test_a_check_of_a_megabyte_is_refused_before_it_is_read() -> None:
    follower = Follower.let_have()
    body = json.dumps({"value": name(1), "frame": FRAME, "pairs": [[0, 1, 1, 1, 1, 0]] * 70_000}).encode()
    assert follower.post("placements/check", body).status_code == 413


def test_pairs_that_say_nothing_of_where_descriptors_lie_find_nothing() -> None:
    a_described_case(1)
    follower = Follower.let_have()
    in_one_spot = [[slot, 100, 100, 4, 0, 0] for slot in range(MOST_PAIRS)]
    one_slot = [[0, 8 * place, 100, 4, 0, 0] for place in range(MOST_PAIRS)]
    for pairs in (in_one_spot, one_slot, pairs_of(2)):
        assert follower.asks(1, pairs).json() == {"match": False, "relation": None}


def test_the_answer_tells_how_an_upload_was_edited_in_tenths_and_nothing_else() -> None:
    a_described_case(1)
    answer = Follower.let_have().asks(1, pairs_of(1, 40)).json()
    assert (answer["match"], answer["relation"].keys()) == (True, {"turn", "tilt", "box", "kept", "altered"})
    assert answer["relation"]["turn"] == "original"
    told = answer["relation"]
    for share in (told["kept"], told["altered"] or 0, *(told["box"] or ())):
        assert share == round(share, 1)
    assert told["tilt"] % 5 == 0


def test_a_value_that_the_bank_does_not_have_takes_the_same_work_and_the_same_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a_described_case(1)
    withdraw(a_described_case(2).case)
    follower = Follower.let_have()
    checked: list[int] = []

    def counted(placed: Placement, *more: Any, **how: Any) -> Any:
        checked.append(len(placed.places))
        return check(placed, *more, **how)

    monkeypatch.setattr(services, "check", counted)
    follower.asks(3)
    statements = []
    for seed in (1, 2, 4):
        with CaptureQueriesContext(connection) as asked:
            answer = follower.asks(seed, pairs_of(5))
        assert answer.json() == {"match": False, "relation": None}
        statements.append(len(asked))
    assert len(set(statements)) == 1
    assert checked == [64] * 4


def test_a_platform_has_so_many_answers_about_one_picture_a_day_and_in_a_month_and_others_have_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "OF_ONE_A_DAY", 3)
    monkeypatch.setattr(services, "OF_ONE_IN_ALL", 4)
    a_described_case(1)
    follower, other = Follower.let_have(), Follower.let_have("Other")
    assert [follower.asks(seed).status_code for seed in (1, 1, 1, 1)] == [200, 200, 200, 429]
    refusal = follower.asks(1)
    assert 0 < int(refusal["Retry-After"]) <= 24 * 3600 + 1
    # A value that nobody has is counted no otherwise.
    assert [follower.asks(seed).status_code for seed in (9, 9, 9, 9)] == [200, 200, 200, 429]
    assert other.asks(1).status_code == 200
    assert CheckDay.objects.get(platform=follower.acting.platform).refused == 3
    today = services._today()
    for later, allowed in ((1, 1), (2, 0), (31, 3)):
        monkeypatch.setattr(services, "_today", lambda later=later: today + datetime.timedelta(days=later))
        assert [follower.asks(1).status_code for _ in range(4)].count(200) == allowed
    monkeypatch.setattr(services, "A_DAY", 1)
    assert follower.asks(50).status_code == 429
    monkeypatch.setattr(services, "_today", lambda: today + datetime.timedelta(days=200))
    assert services.forget_checks() > 0
    assert not CheckDay.objects.exists()


class Feeling:
    """Somebody who has a picture's descriptors, and asks about it as long as he is answered."""

    def __init__(self, seed: int) -> None:
        self.places = places_of(seed)
        self.chance = np.random.default_rng(seed)
        self.left = services.OF_ONE_IN_ALL

    def asks(self, pairs: list[list[int]]) -> bool | None:
        """The bank's answer; ``None`` once there are no more of them for a month."""
        if not self.left:
            return None
        self.left -= 1
        return check(Placement(FRAME, self.places), pairs, FRAME) is not None

    def guesses(self, slots: list[int]) -> list[list[int]]:
        """A place for each: anywhere, at the level that most have, turned anyhow."""
        draw = self.chance.integers
        return [[slot, int(draw(FRAME[0])), int(draw(FRAME[1])), 4, int(draw(64)), 0] for slot in slots]

    def finds(self, known: list[list[int]]) -> set[int]:
        """The slots whose place he finds by guessing beside what he knows, and halving what had a hit."""
        found: set[int] = set()
        while True:
            unknown = [slot for slot in range(64) if slot not in found and slot not in {pair[0] for pair in known}]
            guessed = self.guesses(unknown)[: MOST_PAIRS - len(known)]
            if not (hit := self.asks([*known, *guessed])):
                if hit is None:
                    return found
                continue
            while len(guessed) > 1:
                half = guessed[: len(guessed) // 2]
                hit = self.asks([*known, *half])
                if hit is None:
                    return found
                guessed = half if hit else guessed[len(half) :]
            found.add(guessed[0][0])


def test_whoever_has_the_descriptors_alone_learns_no_place_in_a_month_of_asking() -> None:
    for seed in (1, 2):
        assert Feeling(seed).finds([]) == set()


def test_whoever_has_a_piece_of_the_picture_finds_few_other_places_in_a_month_of_asking() -> None:
    """He knows as many places as do not make a match, so that each further one that is right says so."""
    found = []
    for seed in (1, 2):
        feeling = Feeling(seed)
        corners = sorted(range(64), key=lambda slot: feeling.places[slot][0] + feeling.places[slot][1] % 97)
        known = [[slot, *map(int, feeling.places[slot]), 0] for slot in corners[:: 64 // (LEAST_INLIERS - 1)]]
        found.append(len(feeling.finds(known[: LEAST_INLIERS - 1])))
    assert max(found) <= 6, found


def test_a_withdrawn_pictures_placement_is_gone_with_it_and_what_is_kept_opens_nowhere_else() -> None:
    case, other = a_described_case(1).case, a_described_case(2).case
    mine, theirs = (SealedPlacement.objects.get(source__casesignal__item__case=each) for each in (case, other))
    plain = places_of(1).astype("<i2").tobytes()
    assert plain[:64] not in bytes(mine.sealed)
    frame, places = unseal(bytes(mine.sealed), mine.source_id, name(1))
    assert (frame, places.tolist()) == (FRAME, places_of(1).tolist())
    for source, value in ((theirs.source_id, name(1)), (mine.source_id, name(2)), (uuid.UUID(int=0), name(1))):
        with pytest.raises(NotOursError):
            unseal(bytes(mine.sealed), source, value)
    # Put in another's place, it answers for nobody.
    SealedPlacement.objects.filter(pk=theirs.pk).update(sealed=mine.sealed)
    follower = Follower.let_have()
    assert [follower.asks(seed).json()["match"] for seed in (1, 2)] == [True, False]
    withdraw(case)
    assert list(SealedPlacement.objects.values_list("pk", flat=True)) == [theirs.pk]
    assert follower.asks(1).json() == {"match": False, "relation": None}


def test_nobody_changes_what_is_known_of_a_picture_by_bringing_it_again_with_other_places() -> None:
    a_described_case(1)
    lie = PictureSignals(pdq_value(1), 90, descriptors=text_of(1), placement=placement_of(7))
    create_case([NewItem.picture(1, lie)])
    follower = Follower.let_have()
    assert follower.asks(1).json()["match"] is True
    assert follower.asks(1, pairs_of(7)).json()["match"] is False


def test_nothing_of_a_placement_is_in_any_feed_event_or_trail() -> None:
    a_described_case(1)
    follower = Follower.let_have()
    fed = follower.get("signals", types="descriptors").content
    follower.asks(1)
    trail = list(AuditEvent.objects.filter(action="placement.check").values_list("actor", "target"))
    assert trail == [(f"platform:{follower.acting.platform.pk}", f"platform:{follower.acting.platform.pk}")]
    [record] = json.loads(fed)["records"]
    assert record.keys().isdisjoint({"placement", "places", "sealed"})
    assert record["descriptors"] == text_of(1)
