"""What the service answers, over a real socket, from two workers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reclaim.signals import frames_text, md5_of
from tests.personas import clip_frames, pdq_value
from tests.system.matching.service import Service, everywhere
from tests.system.matching.world import ASTRONAUT, CAT, COFFEE, FILM, GALAXIES, mirrored, pdq


def test_a_known_signal_is_found_by_every_worker_with_what_to_do(service: Service) -> None:
    assert everywhere(lambda: service.lookup(pdq(ASTRONAUT)).json["action"] == "hold")
    answer = service.lookup(pdq(ASTRONAUT)).json
    [match] = answer["matches"]
    assert match == {
        "type": "pdq",
        "id": 1,
        "value": pdq(ASTRONAUT),
        "distance": 0,
        "relation": None,
        "quality": None,
        "action": "hold",
        "review_only": False,
    }
    assert answer["reason"].endswith("Keep it back until a person has decided.")


def test_an_unknown_signal_is_answered_with_nothing_to_do(service: Service) -> None:
    answer = service.lookup(pdq_value(99))
    assert answer.status == 200
    assert (answer.json["action"], answer.json["matches"]) == ("none", [])


def test_capital_letters_are_the_same_signal(service: Service) -> None:
    assert service.lookup(pdq(ASTRONAUT).upper()).json["action"] == "hold"


def test_a_known_md5_is_found(service: Service) -> None:
    assert [match["id"] for match in service.lookup(md5_of(CAT)).json["matches"]] == [10]
    assert service.lookup(md5_of(COFFEE)).json["matches"] == []


def test_a_picture_is_matched_in_all_its_turns(service: Service) -> None:
    answers = [service.match(ASTRONAUT).json, service.match(mirrored(ASTRONAUT)).json]
    assert [(each["action"], each["matches"][0]["relation"]["turn"]) for each in answers] == [
        ("hold", "original"),
        ("review", "flipy"),
    ]
    assert service.match(GALAXIES).json["action"] == "none"


def test_a_known_file_is_found_even_if_nobody_can_decode_it(service: Service) -> None:
    assert [match["id"] for match in service.match(CAT).json["matches"]] == [10]
    answer = service.match(FILM).json
    assert answer["action"] == "hold"
    assert answer["searched"] == ["md5"]


def test_a_video_is_looked_up_by_its_frames_and_the_answer_says_how_much_of_each_is_in_the_other(
    service: Service,
) -> None:
    part = frames_text(clip_frames(1, 10)[:5])
    answer = service.ask("POST", "/v1/lookup/video", {"frames": part}).json
    assert (answer["action"], answer["frames"], answer["searched"]) == ("hold", 5, ["vpdq"])
    [match] = answer["matches"]
    assert match.pop("relation")["how"] == "same"
    assert match == {
        "type": "vpdq",
        "id": 20,
        "query_percent": 100.0,
        "video_percent": 50.0,
        "frames": 5,
        "action": "hold",
        "review_only": False,
    }
    assert answer["reason"].startswith("100 % of this upload is in the known video; 50 % of the known video is in")
    other = service.ask("POST", "/v1/lookup/video", {"frames": frames_text(clip_frames(2, 5))}).json
    assert (other["action"], other["matches"]) == ("none", [])


def test_a_batch_answers_as_each_alone_in_both_forms(service: Service) -> None:
    values = [pdq_value(7), pdq(ASTRONAUT), pdq_value(8), pdq(ASTRONAUT)]
    as_json = service.ask(
        "POST", "/v1/lookup/batch", {"signals": [{"type": "pdq", "value": value} for value in values]}
    ).json
    as_bytes = service.ask(
        "POST", "/v1/lookup/batch", bytes.fromhex("".join(values)), content_type="application/octet-stream"
    ).json
    alone = [service.lookup(value).json for value in values]
    expected = [
        {"position": position, "decision": decision} for position, decision in enumerate(alone) if decision["matches"]
    ]
    assert as_json == as_bytes == {"count": 4, "matched": expected}
    assert [each["position"] for each in expected] == [1, 3]


def test_a_batch_may_mix_types_and_say_qualities(service: Service) -> None:
    answer = service.ask(
        "POST",
        "/v1/lookup/batch",
        {
            "signals": [
                {"type": "md5", "value": md5_of(CAT)},
                {"type": "pdq", "value": pdq(ASTRONAUT), "quality": 20},
                {"type": "md5", "value": md5_of(COFFEE)},
            ]
        },
    ).json
    assert [(each["position"], each["decision"]["action"]) for each in answer["matched"]] == [
        (0, "hold"),
        (1, "review"),
    ]


def test_a_batch_larger_than_one_search_finds_what_is_at_its_end(service: Service) -> None:
    body = bytes.fromhex(pdq_value(5)) * 4095 + bytes.fromhex(pdq(ASTRONAUT))
    answer = service.ask("POST", "/v1/lookup/batch", body, content_type="application/octet-stream").json
    assert answer["count"] == 4096
    assert [each["position"] for each in answer["matched"]] == [4095]


def test_the_command_says_what_the_service_says(service: Service) -> None:
    said = service.run("picture", ASTRONAUT, CAT, GALAXIES, "--index", service.folder, "--json").stdout.splitlines()
    for line, photo in zip(said, (ASTRONAUT, CAT, GALAXIES), strict=True):
        # It looks for nothing by parts, so there is nothing of which it could say that the bank was not asked.
        assert {**json.loads(line), "unchecked": []} == {"file": str(photo), **service.match(photo).json}


def test_the_command_speaks_to_a_person_and_goes_on_after_a_bad_file(service: Service, tmp_path: Path) -> None:
    import subprocess

    from tests.system.environment import RECLAIM, plain_environment

    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    done = subprocess.run(
        [RECLAIM, "match", "picture", bad, ASTRONAUT, "--index", service.folder],
        capture_output=True,
        text=True,
        check=False,
        env=plain_environment(),
    )
    assert done.returncode == 10
    assert "bad.jpg: This file is no picture" in done.stderr
    assert "hold. The nearest known picture is 0 of 256 bits away." in done.stdout


def test_the_figures_are_those_of_all_workers_together(service: Service) -> None:
    before = service.metric('reclaim_match_seconds_count{route="/v1/lookup"}')
    for _ in range(10):
        service.lookup(pdq_value(3))
    assert service.metric('reclaim_match_seconds_count{route="/v1/lookup"}') == before + 10
    assert service.metric("reclaim_match_signals") == 3 + 10, "and ten frames"
    assert service.metric("reclaim_match_index_stale_seconds") < 5


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/lookup", 405), ("GET", "/nowhere", 404)])
def test_a_wrong_address_or_method_is_a_problem_document(service: Service, method: str, path: str, status: int) -> None:
    service.ask(method, path).problem(status)


def test_a_form_upload_is_told_to_send_the_bytes(service: Service) -> None:
    answer = service.ask("POST", "/v1/match", b"--x--", content_type="multipart/form-data; boundary=x")
    assert "content type image/*" in answer.problem(415)["detail"]
