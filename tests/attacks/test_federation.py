"""A bank among the peers, or between two of them, is not what it should be."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client

from reclaim.bank.cases.services import withdraw
from reclaim.bank.federation.services import PeerError, add_peer, remove_peer
from reclaim.bank.federation.sync import sync_peer
from reclaim.bank.feedback.services import Find, take_finds
from reclaim.bank.ledger.models import LedgerRecord, Source
from reclaim.bank.ledger.queries import tombstones
from reclaim.bank.ledger.services import erase, locked_ledger
from reclaim.bank.peers.identity import own_bank_id, own_key, own_public_key
from reclaim.bank.peers.models import Assertion, Peer, Word
from reclaim.bank.peers.queries import peers_decisions
from reclaim.protocol import federation as wire
from tests.acting_banks import ActingBank, status_of
from tests.personas import ActingPlatform, a_case, pdq_value

pytestmark = pytest.mark.django_db
V = pdq_value(1)


def test_a_bank_in_the_middle_cannot_forge_another_ones_assertion() -> None:
    origin, middle = ActingBank.added(), ActingBank.added()
    forged = origin.asserts(V)
    middle.sends(wire.write_signed(forged, forged.signed_by(middle.key)))
    assert status_of(V) is None
    assert middle.peer.refused == 1

    true = origin.signed(origin.asserts(V))
    for changed in (
        {"value": pdq_value(2)},
        {"version": 99},
        {"quality": 100},
        {"made_with_ai": True},
        {"name": str(uuid.uuid4())},
    ):
        middle.sends({**true, "statement": {**true["statement"], **changed}})
    assert not LedgerRecord.objects.exists()

    middle.sends(true)
    assert status_of(V) == "active"
    assert Source.objects.get().peer == origin.peer


def test_a_bank_in_the_middle_cannot_withdraw_what_is_not_its_own() -> None:
    origin, middle = ActingBank.added(), ActingBank.added()
    said = origin.asserts(V)
    origin.sends(said)
    over = origin.withdraws(said)
    middle.sends(wire.write_signed(over, over.signed_by(middle.key)), middle.withdraws(said))
    assert status_of(V) == "active"


def test_nobody_brings_back_what_a_bank_has_withdrawn_even_once_the_value_is_erased() -> None:
    origin, middle = ActingBank.added(), ActingBank.added()
    said = origin.asserts(V)
    over = origin.withdraws(said)
    origin.sends(said)
    origin.sends(over)
    assert status_of(V) == "withdrawn"
    middle.sends(said if said.origin == middle.id else origin.signed(said))
    assert status_of(V) == "withdrawn"
    with locked_ledger():
        erase(tombstones())
    middle.sends(origin.signed(said))
    assert status_of(V) is None
    # Another statement with the same version is none: of two, the withdrawal stands.
    origin.sends(origin.asserts(V, said.name, over.version))
    assert status_of(V) is None
    # A withdrawal that comes first, by another way, is remembered as well.
    late = origin.asserts(pdq_value(2))
    middle.sends(origin.signed(origin.withdraws(late)))
    origin.sends(late)
    assert status_of(pdq_value(2)) is None


def test_no_peer_brings_back_what_a_person_here_has_withdrawn() -> None:
    bank = ActingBank.added()
    case = a_case(1)
    bank.sends(bank.asserts(V))
    withdraw(case.case)
    assert status_of(V) == "withdrawn"
    bank.sends(bank.asserts(V))
    assert status_of(V) == "withdrawn"
    with locked_ledger():
        erase(tombstones())
    bank.sends(bank.asserts(V))
    assert status_of(V) is None
    assert Source.objects.filter(state="active").count() == 0
    # She may, and then others count again.
    a_case(1)
    bank.sends(bank.asserts(V))
    assert Source.objects.filter(state="active").count() == 2


def test_a_peer_cannot_make_platforms_finds_go_by_saying_and_withdrawing_the_same() -> None:
    bank, platform = ActingBank.added(), ActingPlatform.vetted()
    said = bank.asserts(V)
    bank.sends(said)
    take_finds(platform.platform, [Find("pdq", V)])
    bank.sends(bank.withdraws(said))
    assert status_of(V) == "active"


def test_a_stranger_is_not_believed_whoever_passes_its_statements_on() -> None:
    bank = ActingBank.added()
    stranger = Ed25519PrivateKey.generate()
    number = str(wire.bank_id_of(stranger.public_key().public_bytes_raw()))
    said = bank.asserts(V).model_copy(update={"origin": number})
    peer = bank.sends(wire.write_signed(said, said.signed_by(stranger)))
    assert (peer.strangers, status_of(V)) == (1, None)


def test_a_banks_own_assertion_that_comes_back_changes_nothing() -> None:
    bank = ActingBank.added()
    case = a_case(1)
    [own] = bank.reads()
    withdraw(case.case)
    said = wire.Assertion.model_validate(own)
    bank.sends(wire.write_signed(said, said.signed_by(own_key())))
    assert status_of(V) == "withdrawn"
    assert Assertion.objects.exclude(origin=None).count() == 0
    with pytest.raises(PeerError):
        add_peer("Myself", Peer.Kind.RECLAIM, "https://me.example", public_key=own_public_key())


def test_a_peer_that_floods_is_cut_off_at_its_limit_and_can_still_withdraw() -> None:
    bank = ActingBank.added(most_signals=10)
    said = [bank.asserts(pdq_value(seed)) for seed in range(12)]
    peer = bank.sends(*said)
    assert LedgerRecord.objects.filter(status="active").count() == 10
    assert peer.refused == 2
    # Names that are over are rows too.
    peer = bank.sends(*[bank.withdraws(bank.asserts(V)) for _ in range(100)])
    assert Assertion.objects.filter(origin=peer).count() == 40
    bank.sends(*[bank.withdraws(each) for each in said[:10]])
    assert LedgerRecord.objects.filter(status="active").count() == 0
    words = [bank.says(said[0], "blocked") for _ in range(300)]
    bank.sends(*words)
    assert not Word.objects.exists()


def test_unfit_signals_and_shapes_are_refused_and_the_rest_is_taken() -> None:
    bank = ActingBank.added()
    good = bank.asserts(V)
    shapes: list[Any] = [
        {},
        {"statement": {"kind": "assertion"}, "signature": ""},
        {"statement": "x" * 100, "signature": "y"},
        {**bank.signed(good), "signature": "A" * 88},
        bank.signed(bank.asserts(V).model_copy(update={"value": V.upper()})),
        bank.signed(bank.asserts("0" * 64)),
        bank.signed(bank.asserts("f" * 64)),
    ]
    peer = bank.sends(*shapes, good)
    assert peer.refused == len(shapes)
    assert LedgerRecord.objects.get().value == V


def test_a_platform_that_gives_its_list_to_a_peer_does_not_see_by_what_comes_back_which_signals_are_canaries() -> None:
    """Nor does the canary enter every feed that way."""
    bank, platform = ActingBank.added(), ActingPlatform.vetted()
    a_case(2)
    canary = LedgerRecord.objects.create(type="pdq", value=V, position=-1, modified_at=1, only_for=platform.platform)
    Source.objects.create(record=canary)
    told = []
    for value in (V, pdq_value(2)):
        said = bank.asserts(value)
        for statement in (said, bank.withdraws(said)):
            before = LedgerRecord.objects.get(value=value).position
            peer = bank.sends(statement)
            record = LedgerRecord.objects.get(value=value)
            active = record.sources.filter(state="active").values_list("peer__name", flat=True).order_by("peer")
            told.append((value == V, [*active], record.status, record.trust, record.position > before, peer.refused))
    assert [each[1:] for each in told if each[0]] == [each[1:] for each in told if not each[0]]
    assert LedgerRecord.objects.get(value=V).only_for == platform.platform
    assert {each["value"] for each in bank.reads()} == {pdq_value(2)}


def test_what_peers_are_told_holds_nothing_of_persons() -> None:
    bank = ActingBank.added()
    case = a_case(1, 2, 3)
    platform = ActingPlatform.vetted("Secret Example")
    platform.says(1, "Blocked")
    told = bank.reads()
    text = str(told)
    for secret in (case.number, str(case.case.pk) + "'", "Secret Example", platform.platform.name):
        assert secret not in text
    assert {frozenset(each) for each in told} == {
        frozenset(wire.Assertion.model_fields),
        frozenset(wire.Word.model_fields),
    }
    sources = {str(key) for key in Source.objects.values_list("pk", flat=True)}
    assert not any(source in text for source in sources)
    # Over is over: no value, and nothing that the value could be told from.
    withdraw(case.case)
    over = [each for each in bank.reads() if each["kind"] == "assertion"]
    assert {(each["active"], each["value"]) for each in over} == {(False, None)}


def test_words_on_decisions_count_once_a_platform_and_only_by_their_bank() -> None:
    bank, other = ActingBank.added(), ActingBank.added()
    said = bank.asserts(V)
    word = bank.says(said, "blocked")
    bank.sends(said, word, word)
    other.sends(wire.write_signed(word, word.signed_by(other.key)), other.says(said, "not-blocked", reason="other"))
    [counted] = peers_decisions([LedgerRecord.objects.get().pk]).values()
    assert counted == {"blocked": 1, "not-blocked": 1}
    bank.sends(bank.withdraws(said))
    assert not Word.objects.exists()


class _Hostile(BaseHTTPRequestHandler):
    """A server that answers every question with the same."""

    answer = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def hostile() -> Iterator[str]:
    """Where such a server is."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hostile)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


BOMB = b'<!DOCTYPE q [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><queryResult>&b;</queryResult>'
ELSEWHERE = b"<queryResult><paging><next>//elsewhere.example/v2/entries?start=1</next></paging></queryResult>"


def test_a_server_that_sends_bombs_or_leads_elsewhere_is_not_used_and_named(hostile: str) -> None:
    keys = {"user": "us", "password": "secret"}
    ncmec = add_peer("Clearing house", Peer.Kind.NCMEC, f"{hostile}/ncmec", keys=keys)
    for body in (BOMB, ELSEWHERE, b"<a>" * 1000, b"\x00\xff"):
        _Hostile.answer = body
        assert "not as NCMEC hash sharing v2 has it" in sync_peer(ncmec)
    stopncii = add_peer("Server", Peer.Kind.STOPNCII, hostile, keys={"fetch_key": "a", "subscription_key": "b"})
    bank = ActingBank.added()
    Peer.objects.filter(pk=bank.peer.pk).update(url=hostile)
    bank.peer.refresh_from_db()
    for body in (b"[" * 100_000, b"{}", b'{"statements": [], "cursor": "", "has_more": true}'):
        _Hostile.answer = body
        assert sync_peer(stopncii)
        assert "breaks the contract" in sync_peer(bank.peer)
    assert not LedgerRecord.objects.exists()
    assert "secret" not in str(list(Peer.objects.values()))


def test_a_request_opens_statements_only_if_a_known_bank_signed_it_for_here_and_now() -> None:
    bank = ActingBank.added()
    now, here = int(time.time()), own_bank_id()
    target = f"{wire.PATH}?limit=5"

    def ask(header: str) -> int:
        return Client().get(target, headers={"Authorization": header}).status_code

    assert ask(wire.authorization(bank.key, here, target, now)) == 200
    stranger = Ed25519PrivateKey.generate()
    forged = wire.authorization(stranger, here, target, now).partition(":")[2]
    for header in (
        "",
        "Reclaim-Bank x",
        f"{wire.SCHEME} {bank.id}:{forged}",
        f"{wire.SCHEME} {bank.id}:{now}:!",
        wire.authorization(stranger, here, target, now),
        wire.authorization(bank.key, uuid.uuid4(), target, now),
        wire.authorization(bank.key, here, wire.PATH, now),
        wire.authorization(bank.key, here, target, now - wire.CLOCKS_APART - 5),
    ):
        assert ask(header) == 401
    remove_peer(bank.peer)
    assert ask(wire.authorization(bank.key, here, target, now)) == 401


def test_a_removed_peer_leaves_nothing_in_the_bank_and_its_withdrawals_stay_known() -> None:
    bank, other = ActingBank.added(), ActingBank.added()
    gone, kept = bank.asserts(V), bank.asserts(pdq_value(2))
    bank.sends(gone, kept, bank.withdraws(gone))
    assert remove_peer(bank.peer) == 1
    assert status_of(pdq_value(2)) == "withdrawn"
    assert other.sends(bank.signed(kept)).strangers == 1
    public = bank.key.public_key().public_bytes_raw()
    bank.peer = add_peer("Again", Peer.Kind.RECLAIM, "https://bank.example", public_key=public)
    bank.sends(gone, kept)
    assert (status_of(V), status_of(pdq_value(2))) == ("withdrawn", "active")
