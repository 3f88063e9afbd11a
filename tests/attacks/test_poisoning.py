"""Attacks on the bank by what is put into it, as sentences."""

from __future__ import annotations

import datetime
import json
import random
import time
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.test import Client

from reclaim.bank.cases.models import CaseItem
from reclaim.bank.cases.services import NewItem, create_case
from reclaim.bank.gate.figures import figures
from reclaim.bank.gate.services import make_codes
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.screening import sketches
from reclaim.bank.screening.harmless import OWN_FILE, distances, known_harmless
from reclaim.bank.screening.queries import Candidate, screen
from reclaim.bank.screening.services import add_harmless, harmless_values_in, remove_harmless
from reclaim.bank.screening.words import FOR_PRACTITIONERS, Hold, Refusal
from reclaim.signals import fingerprint, is_degenerate, pdq_of_turns, read_luma
from tests.personas import ActingPlatform, pdq_value
from tests.sending import picture, send_case
from tools import make_harmless

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]

PHOTOS = sorted(Path("tests/photos").glob("*.jpg"))


def moved(value: str, bits: int, seed: int = 0) -> str:
    """A value so many bits from another, with as many bits set."""
    number, chooser = int(value, 16), random.Random(seed)
    ones = chooser.sample([bit for bit in range(256) if number >> bit & 1], bits // 2)
    zeros = chooser.sample([bit for bit in range(256) if not number >> bit & 1], bits - bits // 2)
    for bit in (*ones, *zeros):
        number ^= 1 << bit
    return f"{number:064x}"


def harmless() -> str:
    """The value of a test card."""
    entries = json.loads(OWN_FILE.read_text())["values"]
    value: str = next(entry["values"][0] for entry in entries if "cross-hatch with" in entry["what"])
    return value


@pytest.mark.parametrize("bits", [0, 5, 8])
def test_a_signal_crafted_at_a_few_bits_of_a_harmless_one_is_refused(bits: int) -> None:
    answer = send_case(picture(moved(harmless(), bits)), picture(1))
    assert answer.status_code == 201
    assert answer.json()["refused"] == [{"number": 1, "reason": "harmless"}]
    assert list(LedgerRecord.objects.values_list("value", flat=True)) == [pdq_value(1)]


@pytest.mark.parametrize("bits", [9, 20, 31])
def test_a_signal_crafted_near_a_harmless_one_reaches_no_platform_before_somebody_has_looked(bits: int) -> None:
    platform = ActingPlatform.vetted()
    answer = send_case(picture(moved(harmless(), bits)), picture(1))
    assert answer.json()["held"] == [{"number": 1, "reason": "check"}]
    assert set(platform.fetch_all()) == {pdq_value(1)}
    item = CaseItem.objects.get(number=1)
    assert (item.state, item.held_for) == ("held", [Hold.NEAR_HARMLESS])


def test_a_signal_crafted_further_away_is_an_ordinary_one() -> None:
    answer = send_case(picture(moved(harmless(), 32)))
    assert (answer.json()["held"], answer.json()["refused"]) == ([], [])


def test_a_value_that_no_picture_gives_is_refused_whatever_quality_its_sender_claims() -> None:
    answer = send_case(picture("0" * 64, quality=100), picture("f" * 64, quality=100), picture("0f" * 8 + "0" * 48))
    assert answer.status_code == 422
    assert {line["reason"] for line in answer.json()["refused"]} == {"degenerate"}


def frames(*values: str) -> dict[str, Any]:
    texts = [f"{number},100,{value},{number}.000" for number, value in enumerate(values)]
    return {"kind": "video", "signals": [{"type": "vpdq", "frames": texts}]}


def test_a_video_of_harmless_frames_is_refused_and_one_with_a_few_loses_them() -> None:
    cards = known_harmless().pdq[[0, 40, 80]].view("uint8").reshape(3, 32)
    one, two, three = (card.tobytes().hex() for card in cards)
    answer = send_case(frames(one, two), frames(one, pdq_value(1), pdq_value(2)), frames(one, two, three, pdq_value(3)))
    assert answer.json()["refused"] == [{"number": 1, "reason": "harmless"}]
    assert answer.json()["held"] == [{"number": 3, "reason": "check"}]
    kept = LedgerRecord.objects.get(type="vpdq").frames
    assert kept is not None
    assert [text.split(",")[2] for text in kept] == [pdq_value(1), pdq_value(2)]


def test_somebody_who_circles_a_popular_picture_is_held_before_long(client: Client) -> None:
    popular = pdq_value(77)
    limit = figures().holding.circling.high
    with mock.patch("reclaim.bank.cases.pins.hash_pin", return_value="not a hash"):
        held = [
            # Beside each, a picture that has nothing to do with it.
            len(send_case(picture(moved(popular, 10, seed)), picture(1000 + seed), client=client).json()["held"])
            for seed in range(limit)
        ]
        assert held[0] == 0
        assert held[-1] == 2
        assert send_case(picture(moved(popular, 10, 500)), address="203.0.113.1").json()["held"] == []
    reasons = CaseItem.objects.filter(state="held").values_list("held_for", flat=True)
    assert any(Hold.CIRCLING in words for words in reasons)


def test_the_same_signal_from_very_many_cases_of_one_network_is_held(client: Client) -> None:
    with (
        mock.patch("reclaim.bank.cases.pins.hash_pin", return_value="not a hash"),
        mock.patch("reclaim.bank.screening.services._counts", return_value=[]),
    ):
        answers = [send_case(picture(1), client=client).json()["held"] for _ in range(figures().holding.circling.high)]
    assert answers[0] == []
    assert answers[-1] != []


def test_many_alike_in_one_case_are_one_persons_series_and_are_not_held() -> None:
    series = [picture(moved(pdq_value(5), 12, seed)) for seed in range(60)]
    assert send_case(*series).json()["held"] == []


def test_an_organisations_people_are_not_taken_for_bulk_and_their_pictures_are_looked_at_all_the_same() -> None:
    codes = make_codes("Helpline", 2, datetime.timedelta(days=1))
    with mock.patch("reclaim.bank.screening.services._counts", return_value=[Hold.MANY_CASES]):
        assert send_case(picture(1), proof=None, code=codes[0]).json()["held"] == []
        near = picture(moved(harmless(), 20))
        assert len(send_case(near, proof=None, code=codes[1]).json()["held"]) == 1


def test_no_answer_tells_whether_the_bank_has_a_value_or_one_near_it() -> None:
    """All of these are somebody else's, from another network, but the last."""
    for seed in range(50):
        create_case([NewItem.picture(1, moved(pdq_value(1), 6, seed))])
    send_case(picture(1), address="203.0.113.1")
    there, not_there = send_case(picture(1)).json(), send_case(picture(2)).json()
    secret = {"case_number": "", "pin": ""}
    assert there | secret == not_there | secret


def test_what_the_sender_is_told_of_a_hold_does_not_say_what_gave_it_away() -> None:
    with mock.patch("reclaim.bank.screening.services._counts", return_value=[Hold.MANY_CASES, Hold.MANY_ITEMS]):
        told = send_case(picture(1), picture(moved(harmless(), 20))).json()["held"]
    assert {line["reason"] for line in told} == {"check"}


def test_every_reason_to_hold_has_a_sentence_for_practitioners() -> None:
    assert set(FOR_PRACTITIONERS) == set(Hold)


def test_no_real_photograph_is_near_a_harmless_value() -> None:
    known = known_harmless()
    assert PHOTOS
    for photo in PHOTOS:
        turned = [turn.value for turn in pdq_of_turns(read_luma(photo)).values()]
        assert min(distances(turned, known)) > 31, photo


def test_the_packages_values_are_many_apart_and_none_is_degenerate() -> None:
    entries = json.loads(OWN_FILE.read_text())["values"]
    assert len(entries) >= 60
    values = [value for entry in entries for value in entry["values"] if entry["type"] == "pdq"]
    assert not any(map(is_degenerate, values))
    assert all(entry["what"] and entry["made"] for entry in entries)


def test_the_packages_values_are_those_of_the_pictures_that_its_tool_draws() -> None:
    stored = {entry["what"]: entry["values"] for entry in json.loads(OWN_FILE.read_text())["values"]}
    for what, drawn in make_harmless.flags():
        assert stored[what] == make_harmless.values_of(drawn)


def test_the_distances_are_those_of_counting_bits() -> None:
    known = known_harmless()
    rows = [int.from_bytes(row.tobytes()) for row in known.pdq]
    values = [pdq_value(seed) for seed in range(20)] + [moved(harmless(), 7)]
    expected = [min((int(value, 16) ^ row).bit_count() for row in rows) for value in values]
    assert distances(values, known) == expected


def test_an_operators_picture_is_refused_in_every_turn_until_it_is_removed() -> None:
    photo = PHOTOS[0]
    value = fingerprint(photo).pdq
    turned = [turn.value for turn in pdq_of_turns(read_luma(photo)).values()]
    assert add_harmless(harmless_values_in(str(photo)), "our logo") == 9
    assert add_harmless(harmless_values_in(value), "our logo") == 0
    asked = [*(Candidate("pdq", turn) for turn in turned), Candidate("md5", fingerprint(photo).md5)]
    assert {verdict.refused for verdict in screen(asked)} == {Refusal.HARMLESS}
    assert remove_harmless("our logo") == 9
    assert {verdict.refused for verdict in screen(asked)} == {None}


@pytest.mark.parametrize(("what", "value"), [("", "0" * 32), ("x" * 81, "0" * 32), ("a\nb", "0" * 32)])
def test_an_operators_value_needs_a_plain_description(what: str, value: str) -> None:
    with pytest.raises(ValueError, match="1 to 80"):
        add_harmless([("md5", value)], what)


def test_screening_the_most_that_one_message_may_hold_is_quick() -> None:
    texts = tuple(f"{number},100,{pdq_value(number)},{number}.000" for number in range(3333))
    started = time.perf_counter()
    screen([Candidate("vpdq", frames=texts)] * 3)
    assert time.perf_counter() - started < 5


def test_sketches_tell_near_from_far_and_hold_no_value() -> None:
    key, value = b"k" * 32, pdq_value(1)
    mine = sketches.read(sketches.sketch(value, key))
    near = [sketches.read(sketches.sketch(moved(value, 16, seed), key)) for seed in range(50)]
    far = [sketches.read(sketches.sketch(pdq_value(100 + seed), key)) for seed in range(50)]
    assert sketches.most_near(mine, near) >= 45
    assert sketches.most_near(mine, far) == 0
    assert sketches.most_near(mine, [sketches.read(sketches.sketch(value, b"another day's key"))]) == 0
    assert bytes.fromhex(value)[:2] not in sketches.sketch(value, key)[:8]


def test_a_platform_cannot_put_a_harmless_value_into_the_bank_as_its_own_find() -> None:
    values = [moved(harmless(), 5), moved(harmless(), 20), "0" * 64, pdq_value(1)]
    records = [{"hashValue": value, "signalType": "ImagePDQ"} for value in values]
    answer = ActingPlatform.vetted().post("SubmitHashes", {"count": len(records), "hashRecords": records})
    assert answer.status_code == 200, answer.content
    assert answer.json()["count"] == 1
    assert [refusal["index"] for refusal in answer.json()["refused"]] == [0, 1, 2]
    assert list(LedgerRecord.objects.values_list("value", flat=True)) == [pdq_value(1)]
