"""What the bank takes from a person's page, and what it refuses."""

from __future__ import annotations

import json
import secrets
from typing import Any
from unittest import mock

import pytest
from django.db import DatabaseError
from django.http import HttpResponse
from django.test import Client

from reclaim.bank.cases.models import Case, CaseItem
from reclaim.bank.cases.numbers import parse_number, parse_pin
from reclaim.bank.cases.queries import access_case
from reclaim.bank.cases.services import withdraw
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.placements.models import Placement
from reclaim.signals import frames_text, vpdq_value
from tests.described import name, sent_placement, text_of
from tests.personas import a_case, clip_frames, pdq_value
from tests.proofs import a_proof
from tests.sending import picture, send_case

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]

RECEIPT = "0123456789abcdef" * 4
OURS = {"Origin": "http://testserver"}


def exact(value: str) -> dict[str, Any]:
    return {"kind": "picture", "signals": [{"type": "md5", "value": value}]}


def video(seed: int, *more: dict[str, Any], frames: list[str] | None = None) -> dict[str, Any]:
    texts = frames_text(clip_frames(seed, 3)) if frames is None else frames
    signals = [{"type": "md5", "value": f"{seed:032x}"}, {"type": "vpdq", "frames": texts}, *more]
    return {"kind": "video", "signals": signals}


def opens(answer: HttpResponse) -> Case:
    made = json.loads(answer.content)
    case = access_case(parse_number(made["case_number"]), parse_pin(made["pin"]), b"a network")
    assert case is not None
    return case


def told(answer: HttpResponse) -> dict[str, Any]:
    return {key: value for key, value in json.loads(answer.content).items() if key not in ("case_number", "pin")}


def test_a_case_is_made_and_its_number_and_pin_open_it() -> None:
    answer = send_case(picture(1), exact("A" * 32), video(2), made_with_ai="yes")
    assert answer.status_code == 201
    assert told(answer) == {"first": 1, "items": 3, "held": [], "refused": []}
    items = opens(answer).items
    assert list(items.values_list("number", "kind", "made_with_ai")) == [
        (1, "picture", "yes"),
        (2, "picture", "yes"),
        (3, "video", "yes"),
    ]
    assert set(LedgerRecord.objects.values_list("type", "value")) == {
        ("pdq", pdq_value(1)),
        ("md5", "a" * 32),
        ("md5", f"{2:032x}"),
        ("vpdq", vpdq_value(clip_frames(2, 3))),
    }
    assert not answer.cookies


def test_a_lost_answer_is_asked_for_again_and_makes_no_twin() -> None:
    lost = send_case(picture(1), receipt=RECEIPT)
    # With the proof that was used up, or without any: nothing is asked for twice.
    again = send_case(picture(1), receipt=RECEIPT, proof=None)
    assert Case.objects.count() == 1
    assert LedgerRecord.objects.count() == 1
    assert again.content == lost.content
    assert opens(again) is not None


def test_a_receipt_cannot_be_used_for_other_pictures() -> None:
    send_case(picture(1), receipt=RECEIPT)
    answer = send_case(picture(2), receipt=RECEIPT)
    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert LedgerRecord.objects.count() == 1


def test_a_picture_keeps_the_number_by_which_the_person_knows_it() -> None:
    case = opens(send_case(picture("0" * 64), picture(2)))
    assert [item.number for item in case.items.all()] == [2]


def test_refused_items_are_named_by_number_and_the_case_is_made_with_the_rest() -> None:
    too_alike = ["0,100," + pdq_value(1) + ",0.000", "1,100," + pdq_value(1) + ",1.000"]
    answer = send_case(
        picture(1),
        picture("xyz"),
        picture("0" * 64),
        picture(4, quality=49),
        picture(5, quality=50),
        # Of a video whose frames cannot be used, the exact hash still can.
        video(6, frames=too_alike),
    )
    assert answer.status_code == 201
    assert told(answer) == {
        "first": 1,
        "items": 3,
        "held": [],
        "refused": [
            {"number": 2, "reason": "malformed"},
            {"number": 3, "reason": "degenerate"},
            {"number": 4, "reason": "poor"},
        ],
    }
    assert set(LedgerRecord.objects.values_list("value", flat=True)) == {pdq_value(1), pdq_value(5), f"{6:032x}"}


def test_if_no_signal_can_be_used_no_case_is_made() -> None:
    answer = send_case(picture(1, quality=3), picture("f" * 64))
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert [line["number"] for line in json.loads(answer.content)["refused"]] == [1, 2]
    assert Case.objects.count() == 0


def test_the_same_signal_twice_is_one_item() -> None:
    answer = send_case(picture(1), picture(pdq_value(1).upper()))
    assert json.loads(answer.content)["items"] == 1
    assert CaseItem.objects.count() == 1


def body(**changes: Any) -> dict[str, Any]:
    sent = {"receipt": RECEIPT, "proof": "x", "made_with_ai": "no", "items": [picture(1)]} | changes
    return {key: value for key, value in sent.items() if value != "left out"}


def pdq(**changes: Any) -> dict[str, Any]:
    return body(
        items=[{"kind": "picture", "signals": [{"type": "pdq", "value": pdq_value(1), "quality": 90} | changes]}]
    )


FRAME = f"0,100,{pdq_value(1)},0.000"


@pytest.mark.parametrize(
    "sent",
    [
        b" ",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        body(receipt="left out"),
        body(receipt="short"),
        body(receipt="0" * 32),
        body(receipt=RECEIPT + "\n"),
        body(receipt=RECEIPT.upper()),
        body(made_with_ai="left out"),
        body(made_with_ai="maybe"),
        body(name="holiday.jpg"),
        body(items=[]),
        body(items=[picture(seed) for seed in range(501)]),
        body(items=[picture(1) | {"name": "holiday.jpg"}]),
        body(items=[{"kind": "picture", "signals": []}]),
        body(items=[{"kind": "picture", "signals": picture(1)["signals"] * 2}]),
        body(items=[{"kind": "sound", "signals": exact("a" * 32)["signals"]}]),
        body(items=[{"kind": "video", "signals": picture(1)["signals"]}]),
        body(items=[{"kind": "video", "signals": exact("a" * 32)["signals"] * 2}]),
        body(items=[{"kind": "video", "signals": [{"type": "vpdq", "frames": []}]}]),
        body(items=[{"kind": "video", "signals": [{"type": "vpdq", "frames": [FRAME] * 3601}]}]),
        body(items=[{"kind": "video", "signals": [{"type": "vpdq", "frames": [FRAME] * 3600}]}] * 3),
        body(items=[{"kind": "video", "signals": [{"type": "vpdq", "frames": [FRAME + "0" * 100]}]}]),
        pdq(file="holiday.jpg"),
        pdq(type="vpdq"),
        pdq(quality="90"),
        pdq(quality=101),
        pdq(quality=True),
        pdq(value=None),
        pdq(value="a" * 1000),
    ],
)
def test_a_message_that_is_not_the_contract_is_refused_and_not_repeated(client: Client, sent: Any) -> None:
    raw = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    answer = client.post("/start/case/", raw, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert b"holiday" not in answer.content
    assert pdq_value(1).encode() not in answer.content
    assert Case.objects.count() == 0


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_taken(client: Client, kind: str) -> None:
    raw = json.dumps(body(proof=a_proof()))
    assert client.generic("POST", "/start/case/", raw, content_type=kind).status_code == 415
    assert Case.objects.count() == 0


def test_a_case_cannot_be_asked_for_by_address(client: Client) -> None:
    assert client.get("/start/case/").status_code == 405


@pytest.mark.parametrize("broken", ["reclaim.sitekit.models.Attempt.objects", "reclaim.bank.cases.models.Case.objects"])
def test_without_its_database_the_bank_takes_nothing(broken: str) -> None:
    with mock.patch(f"{broken}.create", side_effect=DatabaseError):
        answer = send_case(picture(1))
    assert answer.status_code == 503
    assert answer["Retry-After"] == "60"
    assert CaseItem.objects.count() == 0


def test_another_sites_page_cannot_make_a_case(client: Client) -> None:
    answer = client.post(
        "/start/case/",
        json.dumps(body(proof=a_proof())),
        content_type="application/json",
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403
    assert Case.objects.count() == 0


def signed_in_client(case_number: str, pin: str) -> Client:
    client = Client()
    assert client.post("/case/", {"number": case_number, "pin": pin}).status_code == 302
    return client


def add(client: Client, *items: dict[str, Any], **changes: Any) -> HttpResponse:
    sent = body(items=list(items), proof=a_proof()) | changes
    return client.post("/case/add/send/", json.dumps(sent), content_type="application/json", headers=OURS)  # type: ignore[return-value]


def test_more_is_added_to_an_open_case_and_the_same_only_once() -> None:
    made = a_case(1)
    client = signed_in_client(made.number, made.pin)
    answer = add(client, picture(1), picture(2), picture("xyz"), video(3))
    assert answer.status_code == 201
    assert json.loads(answer.content) == {
        "first": 2,
        "items": 2,
        "held": [],
        "refused": [{"number": 3, "reason": "malformed"}],
    }
    assert list(made.case.items.values_list("number", "kind")) == [(1, "picture"), (3, "picture"), (5, "video")]
    again = add(client, picture(1), picture(2), picture("xyz"), video(3))
    assert again.content == answer.content
    assert add(client, picture(9)).status_code == 409
    later = add(client, picture(2), receipt="f" * 64)
    assert json.loads(later.content) == {"first": 6, "items": 0, "held": [], "refused": []}
    assert made.case.items.count() == 3


def test_nothing_is_added_without_an_open_case(client: Client) -> None:
    made = a_case(1)
    answer = add(client, picture(2))
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert made.case.items.count() == 1


def described(seed: int, *places: list[int], **changes: Any) -> dict[str, Any]:
    """A picture with descriptors, and where they lie."""
    placement = {**sent_placement(seed), **({"places": [*places]} if places else {})}
    return {**picture(seed), "descriptors": text_of(seed), "placement": placement, **changes}


def in_bank() -> set[tuple[str, str]]:
    return set(LedgerRecord.objects.filter(status="active").values_list("type", "value"))


def test_a_picture_brings_its_trimmed_signal_and_its_descriptors_and_both_go_with_it() -> None:
    trimmed = {"value": pdq_value(2), "quality": 80}
    case = opens(send_case(described(1, trimmed=trimmed), made_with_ai="no"))
    assert in_bank() == {("pdq", pdq_value(1)), ("pdq", pdq_value(2)), ("descriptors", name(1))}
    assert Placement.objects.count() == 1
    assert case.items.count() == 1
    withdraw(case)
    assert in_bank() == set()
    assert Placement.objects.count() == 0


def test_a_source_photograph_is_of_a_type_of_its_own_with_all_that_belongs_to_it() -> None:
    send_case(described(1, trimmed={"value": pdq_value(2), "quality": 80}, source=True), picture(3))
    assert in_bank() == {
        ("source", pdq_value(1)),
        ("source", pdq_value(2)),
        ("descriptors", name(1)),
        ("pdq", pdq_value(3)),
    }


def test_a_source_photograph_is_not_said_to_be_made_with_ai_as_the_fakes_of_its_case_are() -> None:
    answer = send_case(picture(1), {**picture(2), "source": True}, made_with_ai="yes")
    assert answer.status_code == 201
    assert dict(CaseItem.objects.values_list("number", "made_with_ai")) == {1: "yes", 2: "unsaid"}


def test_of_a_picture_whose_whole_is_harmless_or_poor_the_part_inside_is_taken_and_the_other_way_round() -> None:
    inside = {"value": pdq_value(2), "quality": 80}
    assert told(send_case({**picture("0" * 64), "trimmed": inside}, described(3, trimmed={**inside, "quality": 49})))
    # Descriptors are of the part inside: without it they are not taken.
    assert in_bank() == {("pdq", pdq_value(2)), ("pdq", pdq_value(3))}
    answer = send_case({**picture(4, quality=3), "trimmed": {"value": "0" * 64, "quality": 90}})
    assert answer.status_code == 422
    assert told(answer)["refused"] == [{"number": 1, "reason": "poor"}]


def test_descriptors_of_a_picture_that_is_there_make_no_second_one_and_may_come_again() -> None:
    client, made = Client(), json.loads(send_case(picture(1), picture(2)).content)
    client.post("/case/", {"number": made["case_number"], "pin": made["pin"]}, headers=OURS)
    case = Case.objects.get()
    for _ in range(2):
        add = {"receipt": secrets.token_hex(32), "made_with_ai": "unsaid", "items": [described(1)], "proof": a_proof()}
        answer = client.post("/case/add/send/", json.dumps(add), content_type="application/json", headers=OURS)
        assert (answer.status_code, told(answer)["items"]) == (201, 0)
        assert ("descriptors", name(1)) in in_bank()
        assert case.items.count() == 2
        assert "looked for too" in client.get("/case/pictures/").content.decode()
        client.post("/case/patches/", headers=OURS)
        assert in_bank() == {("pdq", pdq_value(1)), ("pdq", pdq_value(2))}
        assert Placement.objects.count() == 0
    page = client.get("/case/pictures/").content.decode()
    assert "Your fingerprints stay" in page
    assert "looked for too" not in page


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({**exact("a" * 32), "source": True}, "the hash of a picture's file stands alone"),
        ({**described(1), "placement": None}, "descriptors come with the placement of each"),
        (described(1, [1, 2, 3, 4]), "Each descriptor has one place."),
        (described(1, *[[512, 0, 0, 0]] * 64), "A place is four whole numbers"),
        (described(1, descriptors="AAAA"), "Descriptors are 16 to 64 times 32 bytes."),
        (described(1, descriptors="never base64!"), "standard base64"),
        ({**picture(1), "trimmed": {"value": pdq_value(2), "quality": 101}}, "less than or equal to 100"),
        ({**picture(1), "name": "holiday.jpg"}, "Extra inputs are not permitted"),
    ],
)
def test_what_belongs_to_no_picture_is_refused_with_a_sentence(item: dict[str, Any], said: str) -> None:
    answer = send_case(item, proof="x")
    assert answer.status_code == 400
    assert said in answer.content.decode().replace("&#x27;", "'")
    assert "AAAA" not in answer.content.decode()


def still(seed: int) -> dict[str, Any]:
    return {"descriptors": text_of(seed), "placement": sent_placement(seed)}


def test_a_video_brings_descriptors_of_its_stills_each_once_and_all_of_them_go_with_it_or_alone() -> None:
    client, made = Client(), json.loads(send_case({**video(1), "stills": [still(1), still(2), still(1)]}).content)
    client.post("/case/", {"number": made["case_number"], "pin": made["pin"]}, headers=OURS)
    case = Case.objects.get()
    assert case.items.count() == 1
    frames = {(kind, value) for kind, value in in_bank() if kind != "descriptors"}
    assert {kind for kind, _ in frames} == {"md5", "vpdq"}
    assert in_bank() == {*frames, ("descriptors", name(1)), ("descriptors", name(2))}
    assert Placement.objects.count() == 2
    assert "looked for too" in client.get("/case/pictures/").content.decode()
    client.post("/case/patches/", headers=OURS)
    assert in_bank() == frames
    assert Placement.objects.count() == 0
    # The same video with stills again: still one item.
    again = {"receipt": secrets.token_hex(32), "made_with_ai": "unsaid", "proof": a_proof()}
    again["items"] = [{**video(1), "stills": [still(3)]}]
    answer = client.post("/case/add/send/", json.dumps(again), content_type="application/json", headers=OURS)
    assert (answer.status_code, told(answer)["items"]) == (201, 0)
    assert in_bank() == {*frames, ("descriptors", name(3))}
    withdraw(case)
    assert in_bank() == set()
    assert Placement.objects.count() == 0


@pytest.mark.parametrize(
    "item",
    [
        {**video(1), "stills": [still(seed) for seed in range(9)]},
        {**video(1), "stills": [{**still(1), "placement": {"frame": [512, 384], "places": []}}]},
        {**video(1), "stills": [{**still(1), "descriptors": "AAAA"}]},
        {**video(1), "stills": [{**still(1), "at": 3}]},
        {"kind": "video", "signals": [{"type": "md5", "value": "1" * 32}], "stills": [still(1)]},
    ],
    ids=["too many", "without places", "of no picture", "with a key that nobody named", "without frames"],
)
def test_stills_of_a_video_that_are_none_are_refused_and_nothing_is_taken(item: dict[str, Any]) -> None:
    assert send_case(item).status_code == 400
    assert in_bank() == set()


def test_stills_count_among_the_pictures_with_descriptors_of_one_sending() -> None:
    videos = [{**video(seed), "stills": [still(seed * 8 + at) for at in range(8)]} for seed in range(25)]
    answer = send_case(*videos, described(999))
    assert answer.status_code == 400
    assert "at most 200 pictures and stills with descriptors" in answer.content.decode()
    assert told(send_case(*videos))["items"] == 25
