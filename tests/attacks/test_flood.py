"""Attacks on the bank's form by number, as sentences."""

from __future__ import annotations

import base64
import datetime
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import altcha
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.test import Client, override_settings
from django.utils import timezone

from reclaim.bank.cases.models import Case, CaseItem
from reclaim.bank.gate import puzzles
from reclaim.bank.gate.figures import OWN_FILE, figures, read_figures
from reclaim.bank.gate.models import IntakeCode, UsedPuzzle
from reclaim.bank.gate.puzzles import ProofError, check_proof
from reclaim.bank.gate.queries import load
from reclaim.bank.gate.services import forget_used, make_codes, revoke_codes
from reclaim.bank.ledger.models import LedgerClock
from reclaim.bank.screening.models import Sending
from reclaim.bank.screening.services import forget_sketches
from reclaim.sitekit import limits
from reclaim.sitekit.models import Attempt, DailySalt
from reclaim.sitekit.readable import ALPHABET
from tests.personas import a_case, pdq_value
from tests.proofs import a_proof, solved
from tests.sending import picture, send_case

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.bank.urls")]

MONTH = datetime.timedelta(days=30)


def why(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("why", "")


def with_changes(proof: str, change: Callable[[dict[str, Any]], None]) -> str:
    payload = json.loads(base64.b64decode(proof))
    change(payload)
    return base64.b64encode(json.dumps(payload).encode()).decode()


def test_without_work_nothing_is_taken_and_nothing_is_written() -> None:
    assert why(send_case(picture(1), proof=None)) == (428, "missing")
    assert [model.objects.count() for model in (Case, UsedPuzzle, Attempt)] == [0, 0, 0]


def test_a_proof_lets_in_one_case_and_no_second() -> None:
    proof = a_proof()
    assert send_case(picture(1), proof=proof).status_code == 201
    assert why(send_case(picture(2), proof=proof)) == (428, "used")
    assert Case.objects.count() == 1


def test_a_lost_answer_is_given_again_with_the_same_proof() -> None:
    same = {"proof": a_proof(), "receipt": "a" * 64}
    assert send_case(picture(1), **same).content == send_case(picture(1), **same).content
    assert Case.objects.count() == 1


def test_a_proof_is_not_lost_when_the_case_could_not_be_saved() -> None:
    same = {"proof": a_proof(), "receipt": "a" * 64}
    with mock.patch("reclaim.bank.cases.models.Case.objects.create", side_effect=DatabaseError):
        assert send_case(picture(1), **same).status_code == 503
    assert send_case(picture(1), **same).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_one_proof_sent_twice_at_once_lets_in_one_case() -> None:
    LedgerClock.objects.get_or_create(pk=1)
    proof, statuses, gate = a_proof(), [], threading.Barrier(2)

    def go(seed: int) -> None:
        try:
            gate.wait(10)
            statuses.append(send_case(picture(seed), proof=proof).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 428]


@pytest.mark.django_db(transaction=True)
def test_one_code_sent_twice_at_once_lets_in_one_case() -> None:
    LedgerClock.objects.get_or_create(pk=1)
    (code,), statuses, gate = make_codes("Helpline", 1, MONTH), [], threading.Barrier(2)

    def go(seed: int) -> None:
        try:
            gate.wait(10)
            statuses.append(send_case(picture(seed), proof=None, code=code).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 428]


def test_a_puzzle_made_easier_by_its_solver_is_worth_nothing() -> None:
    def easier(payload: dict[str, Any]) -> None:
        parameters = payload["challenge"]["parameters"]
        parameters |= {"cost": 1, "keyPrefix": ""}
        payload["solution"] = {"counter": 0, "derivedKey": "00" * 32}

    assert why(send_case(picture(1), proof=with_changes(a_proof(), easier))) == (428, "wrong")


def test_a_puzzle_of_ones_own_without_any_effort_is_worth_nothing() -> None:
    own = altcha.create_challenge(
        "SHA-256", 1, counter=0, expires_at=int(time.time()) + 600, hmac_secret="mine", hmac_key_secret="mine"
    )
    assert why(send_case(picture(1), proof=solved(own.to_dict()))) == (428, "wrong")
    own.signature = None
    assert why(send_case(picture(1), proof=solved(own.to_dict()))) == (428, "wrong")


def test_a_proof_for_another_banks_puzzle_is_worth_nothing() -> None:
    with override_settings(MASTER_SECRET=secrets.token_bytes(32)):
        others = a_proof()
    assert why(send_case(picture(1), proof=others)) == (428, "wrong")


def test_a_right_puzzle_with_a_guessed_solution_is_worth_nothing() -> None:
    def guess(payload: dict[str, Any]) -> None:
        payload["solution"]["derivedKey"] = payload["challenge"]["parameters"]["keyPrefix"] + "00" * 16

    assert why(send_case(picture(1), proof=with_changes(a_proof(), guess))) == (428, "wrong")


def test_an_expired_puzzle_is_worth_nothing_and_its_date_cannot_be_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    proof = a_proof()
    later = time.time() + figures().puzzle.minutes * 60 + 2
    monkeypatch.setattr(altcha.v2.time, "time", lambda: later)
    assert why(send_case(picture(1), proof=proof)) == (428, "stale")

    def moved(payload: dict[str, Any]) -> None:
        payload["challenge"]["parameters"]["expiresAt"] += 10**6

    assert why(send_case(picture(1), proof=with_changes(proof, moved))) == (428, "wrong")


def test_the_same_proof_written_another_way_is_the_same_proof() -> None:
    proof = a_proof()
    assert send_case(picture(1), proof=proof).status_code == 201

    def rewritten(payload: dict[str, Any]) -> None:
        parameters = payload["challenge"]["parameters"]
        parameters["cost"] = float(parameters["cost"])
        payload["challenge"]["parameters"] = dict(reversed(parameters.items()))
        payload["solution"]["derivedKey"] = payload["solution"]["derivedKey"].upper()
        payload["more"] = "x"

    assert send_case(picture(2), proof=with_changes(proof, rewritten)).status_code == 428
    assert Case.objects.count() == 1


JUNK = [
    "",
    "x",
    "A" * 2000,
    "\u00e9" * 10,
    base64.b64encode(b"[" * 1400).decode(),
    base64.b64encode(b"9" * 1400).decode(),
    base64.b64encode(b"\xff\xfe").decode(),
    *(
        base64.b64encode(text.encode()).decode()
        for text in (
            "null",
            "[]",
            '{"challenge": [], "solution": {}}',
            '{"challenge": {"parameters": "text"}, "solution": {"counter": 1, "derivedKey": "00"}}',
            '{"challenge": {"parameters": {"algorithm": 1, "nonce": 2, "salt": [], "cost": NaN},'
            ' "signature": "\\ud800"}'
            ', "solution": {"counter": -1, "derivedKey": null}}',
            '{"challenge": {"parameters": {"algorithm": "X", "nonce": "", "salt": "", "cost": 1e999,'
            ' "expiresAt": Infinity,'
            ' "data": {"__proto__": 1}}, "signature": 7}, "solution": {"counter": 1, "derivedKey": "zz"}}',
        )
    ),
]


@pytest.mark.parametrize("proof", JUNK)
def test_a_proof_that_is_junk_is_refused_and_breaks_nothing(proof: str) -> None:
    with pytest.raises(ProofError):
        check_proof(proof)


def test_an_oversized_proof_is_refused_before_it_is_read() -> None:
    with mock.patch.object(puzzles.altcha.Payload, "from_base64", side_effect=AssertionError):
        with pytest.raises(ProofError):
            check_proof("A" * (puzzles.LONGEST_PROOF + 1))
        assert send_case(picture(1), proof="A" * 100_000).status_code == 400


def test_checking_proofs_is_no_way_to_wear_the_bank_out() -> None:
    """However much work a puzzle asks for, checking its solution costs two MACs: no derivation, no database."""
    proof = a_proof()
    with (
        mock.patch("hashlib.pbkdf2_hmac", side_effect=AssertionError),
        mock.patch.object(connection, "cursor", side_effect=AssertionError),
    ):
        started = time.perf_counter()
        for _ in range(100):
            check_proof(proof)
        assert (time.perf_counter() - started) / 100 < 0.005


def test_a_code_lets_in_one_case_without_work_and_no_second() -> None:
    first, second = make_codes("Helpline", 2, MONTH)
    assert send_case(picture(1), proof=None, code=first.lower().replace("-", " ")).status_code == 201
    assert why(send_case(picture(2), proof=None, code=first)) == (428, "code")
    assert send_case(picture(2), proof=None, code=second).status_code == 201


@pytest.mark.parametrize("by", ["code", "proof"])
def test_what_let_a_case_in_lets_nothing_into_another_even_with_its_receipt(by: str) -> None:
    made, person = a_case(50), Client()
    person.post("/case/", {"number": made.number, "pin": made.pin})
    paid = {"receipt": "a" * 64, by: make_codes("Helpline", 1, MONTH)[0] if by == "code" else a_proof()}
    assert send_case(picture(1), **({"proof": None} | paid)).status_code == 201
    for seed in (1, 2):
        more = json.dumps(paid | {"made_with_ai": "unsaid", "items": [picture(seed)]})
        answer = person.post("/case/add/send/", more, "application/json", headers={"Origin": "http://testserver"})
        assert answer.status_code == 428
    assert made.case.items.count() == 1


def test_work_that_was_handed_in_for_nothing_usable_pays_for_nothing_else() -> None:
    sent = {"receipt": "a" * 64, "proof": a_proof()}
    assert send_case(picture("0" * 64), **sent).status_code == 422
    assert send_case(picture(1), **sent).status_code == 428


def test_a_code_is_spent_only_when_something_was_taken() -> None:
    sent = {"receipt": "a" * 64, "proof": None, "code": make_codes("Helpline", 1, MONTH)[0]}
    assert send_case(picture("0" * 64), **sent).status_code == 422
    assert send_case(picture(1), **sent).status_code == 201
    assert send_case(picture(2), **sent).status_code in (409, 428)


def test_a_puzzle_gives_nothing_to_a_solver_who_begins_in_the_middle() -> None:
    with mock.patch.object(altcha, "create_challenge") as made:
        for _ in range(1400):
            puzzles.make_puzzle(0)
    tries = Counter(call.kwargs["counter"] for call in made.call_args_list)
    assert set(tries) == set(range(1, 2 * puzzles.tries_at(0)))
    assert all(120 < times < 300 for times in tries.values()), "200 each, give or take six standard deviations"


def test_a_wrong_code_stops_nobody_who_has_a_proof() -> None:
    assert send_case(picture(1), code="0000-0000-0000").status_code == 201
    assert send_case(picture(2), code="\u0661; DROP").status_code == 201


def test_a_revoked_or_expired_code_lets_nobody_in() -> None:
    revoked, expired = make_codes("Gone", 1, MONTH)[0], make_codes("Old", 1, MONTH)[0]
    assert revoke_codes("Gone") == 1
    IntakeCode.objects.filter(organisation="Old").update(expires_at=timezone.now())
    for code in (revoked, expired):
        assert why(send_case(picture(1), proof=None, code=code)) == (428, "code")
    assert forget_used() == 1


def test_a_network_that_guesses_codes_is_not_listened_to_any_more(client: Client) -> None:
    (code,) = make_codes("Helpline", 1, MONTH)
    for guess in range(figures().network.codes):
        guessed = f"{guess:012}"
        assert set(guessed) <= set(ALPHABET)
        assert why(send_case(picture(1), proof=None, code=guessed, client=client)) == (428, "code")
    assert why(send_case(picture(1), proof=None, code=code)) == (428, "code")
    assert send_case(picture(1), proof=None, code=code, address="198.51.100.1").status_code == 201


def test_what_is_kept_of_a_code_gives_no_code() -> None:
    (code,) = make_codes("Helpline", 1, MONTH)
    kept = IntakeCode.objects.get()
    assert code.replace("-", "").encode() not in bytes(kept.mac)
    assert {field.name for field in IntakeCode._meta.get_fields()} == {
        "id",
        "mac",
        "organisation",
        "made_at",
        "expires_at",
        "used_receipt_mac",
        "revoked",
    }


def test_a_flood_of_cases_does_not_stop_a_real_one(client: Client) -> None:
    with mock.patch("reclaim.bank.cases.pins.hash_pin", return_value="not a hash"):
        effort = puzzles.tries_at(0)
        for turn in range(300):
            # A hundred networks, three cases each; the flood has every puzzle solved.
            assert send_case(picture(turn), address=f"198.18.{turn % 100}.7", client=client).status_code == 201
        puzzle = client.get("/start/puzzle/").json()["challenge"]
        assert puzzles.tries_at(load()) == 2 * effort, "the effort did not rise"
        hers = send_case(picture(1000), picture(1001), address="203.0.113.9", proof=solved(puzzle))
    assert hers.status_code == 201
    assert hers.json()["items"] == 2
    assert hers.json()["held"] == []


def test_bulk_from_one_network_in_a_flood_is_held_and_a_person_beside_it_is_not() -> None:
    with (
        mock.patch("reclaim.bank.cases.pins.hash_pin", return_value="not a hash"),
        mock.patch("reclaim.bank.screening.services.load", return_value=10**6),
    ):
        held = [len(send_case(picture(turn), address="198.18.0.7").json()["held"]) for turn in range(8)]
        assert held[:3] == [0, 0, 0]
        assert held[-1] == 1
        assert send_case(picture(100), address="203.0.113.9").json()["held"] == []
    assert set(CaseItem.objects.exclude(held_for=[]).values_list("state", flat=True)) == {"held"}


def test_more_cases_than_a_network_may_send_must_wait_and_others_need_not() -> None:
    with mock.patch("reclaim.bank.gate.services.hidden_threshold", return_value=3):
        statuses = [send_case(picture(turn)).status_code for turn in range(5)]
        assert statuses == [201, 201, 201, 429, 429]
        answer = send_case(picture(9))
        assert 0 < int(answer["Retry-After"]) <= 3601
        assert send_case(picture(9), address="203.0.113.9").status_code == 201


def test_a_threshold_cannot_be_counted_up_to() -> None:
    drawn = {limits.hidden_threshold("a", bytes([network]), 60, 120) for network in range(100)}
    assert len(drawn) > 20
    assert min(drawn) >= 60
    assert max(drawn) <= 120
    assert limits.hidden_threshold("a", b"n", 60, 120) == limits.hidden_threshold("a", b"n", 60, 120)


@pytest.mark.parametrize(
    "broken",
    ["reclaim.bank.gate.models.UsedPuzzle.objects.get_or_create", "reclaim.sitekit.models.Attempt.objects.create"],
)
def test_without_its_database_the_gate_stays_shut(broken: str) -> None:
    with mock.patch(broken, side_effect=DatabaseError):
        answer = send_case(picture(1))
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert not CaseItem.objects.exists()


def test_without_its_database_there_is_no_cheap_puzzle() -> None:
    with mock.patch("reclaim.bank.gate.views.load", side_effect=DatabaseError):
        answer = Client().get("/start/puzzle/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")


def test_a_puzzle_is_kept_by_no_cache_and_leaves_no_cookie() -> None:
    answer = Client().get("/start/puzzle/")
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies
    assert set(answer.json()) == {"challenge", "seconds"}


def test_what_ties_a_case_to_its_network_is_destroyed_after_a_day() -> None:
    assert send_case(picture(1), address="198.51.100.77").status_code == 201
    kept = b" ".join(bytes(sending.network_key) + bytes(sending.sketches) for sending in Sending.objects.all())
    assert bytes([198, 51, 100]) not in kept
    assert bytes.fromhex(pdq_value(1))[:8] not in kept
    later = timezone.now() + datetime.timedelta(days=2)
    limits.forget_old(later)
    assert not DailySalt.objects.exists()
    assert not Attempt.objects.exists()
    with mock.patch("reclaim.bank.screening.services.time.time", return_value=later.timestamp()):
        assert forget_sketches() == 1
    with mock.patch("reclaim.bank.gate.services.timezone.now", return_value=later):
        assert forget_used() == 1


BROKEN = {
    "no TOML": (("[network]", "[network"), "no TOML file"),
    "a word for a number": (("cases = 60", 'cases = "many"'), "network.cases"),
    "a limit of nothing": (("codes = 60", "codes = 0"), "network.codes"),
    "no effort": (("tries = 200", "tries = 0"), "puzzle.tries"),
    "an unknown key": (("minutes = 30", "minutes = 30\nsecond = 1"), "puzzle.second"),
    "steps that fall": (("times = 8", "times = 2"), "each load step"),
    "thresholds the wrong way round": (("high = 40", "high = 5"), "high must not be below low"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_limits_file_with_a_fault_is_said_at_the_start_and_never_means_no_limits(fault: str, tmp_path: Any) -> None:
    change, sentence = BROKEN[fault]
    file = tmp_path / "limits.toml"
    file.write_text(OWN_FILE.read_text().replace(*change))
    with pytest.raises(ImproperlyConfigured, match=sentence):
        read_figures(file)


def test_a_limits_file_that_is_not_there_is_said_at_the_start(tmp_path: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="cannot be read"):
        read_figures(tmp_path / "none.toml")


def test_the_tests_have_the_packages_limits_but_for_the_effort() -> None:
    own, tests = read_figures(OWN_FILE), read_figures(Path(settings.LIMITS_FILE))
    assert own.holding == tests.holding
    assert own.network == tests.network
