"""What banks tell each other, within one process; tests/system/federation has them on sockets."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from click.testing import CliRunner
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reclaim.bank.cases.services import NewItem, NewSignal, create_case, withdraw
from reclaim.bank.exchange.records import brought_by, decisions_on
from reclaim.bank.federation import services
from reclaim.bank.federation.queries import UnknownCursorError, peer_states, statements
from reclaim.bank.federation.services import add_peer, forget_ended_sources, take
from reclaim.bank.federation.store import PeerStore
from reclaim.bank.federation.sync import sync_peers
from reclaim.bank.feedback.services import Find, take_finds
from reclaim.bank.ledger.models import LedgerRecord, Source
from reclaim.bank.ledger.queries import standing, tombstones
from reclaim.bank.ledger.services import LedgerTransaction, begin_another_ledger, erase, locked_ledger
from reclaim.bank.peers.models import Assertion, Debt, Peer
from reclaim.bank.peers.sealing import unseal
from reclaim.client import Change, Checkpoint, SignalName, SyncOvertaken
from reclaim.protocol.stopncii_v1 import SignalType
from reclaim.signals import frames_text, vpdq_value
from tests.acting_banks import ActingBank, status_of
from tests.personas import ActingPlatform, a_case, clip_frames, pdq_value

pytestmark = pytest.mark.django_db
V = pdq_value(1)


def test_an_assertion_brings_quality_label_and_the_name_of_its_bank_into_the_feed() -> None:
    bank = ActingBank.added()
    said = bank.asserts(V, quality=88, made_with_ai=True)
    bank.sends(said)
    records = LedgerRecord.objects.all()
    [brought] = brought_by(records).values()
    assert (brought.names, brought.quality, brought.labels) == ([f"bank:{bank.peer.name}"], 88, ["made-with-ai"])
    bank.sends(bank.says(said, "blocked"), bank.says(said, "not-blocked", reason="other"), bank.says(said, "pending"))
    [decisions] = decisions_on(records).values()
    assert decisions == {"blocked": 1, "not_blocked": 1}
    # A later version of the same assertion changes what it says, and moves the record in the feed.
    before = records.get().position
    bank.sends(bank.asserts(V, said.name, quality=70))
    assert (Source.objects.get().quality, records.get().position > before) == (70, True)


def test_a_bank_states_what_it_has_of_its_own_and_passes_others_on_unchanged() -> None:
    first, second = ActingBank.added(), ActingBank.added()
    frames = clip_frames(1, 3)
    texts = tuple(frames_text(frames))
    signals = (NewSignal("md5", "0" * 31 + "1"), NewSignal("vpdq", vpdq_value(frames), texts))
    create_case([NewItem(1, "video", signals, made_with_ai="yes")])
    take_finds(ActingPlatform.vetted().platform, [Find("pdq", V, quality=77)])
    theirs = first.asserts(pdq_value(2))
    first.sends(theirs)

    told = {each["type"]: each for each in first.reads()}
    assert set(told) == {"md5", "vpdq", "pdq"}
    assert told["vpdq"]["frames"] == list(texts)
    assert (told["vpdq"]["made_with_ai"], told["vpdq"]["person"]) == (True, True)
    assert (told["pdq"]["value"], told["pdq"]["quality"], told["pdq"]["person"]) == (V, 77, False)
    # The second is told of the first as well, in the first one's words; the first is not told of itself.
    assert theirs.model_dump(mode="json") in second.reads()
    before = second.reads()
    assert second.reads() == before


def test_a_video_of_another_bank_arrives_whole_and_is_passed_on_with_its_signature() -> None:
    origin, other = ActingBank.added(), ActingBank.added()
    frames = clip_frames(2, 4)
    said = origin.asserts(V).model_copy(
        update={"type": "vpdq", "value": vpdq_value(frames), "frames": frames_text(frames)}
    )
    origin.sends(said)
    assert LedgerRecord.objects.get().frames == frames_text(frames)
    [passed] = statements(other.peer, "", 10).statements
    assert passed == origin.signed(said)


def test_frames_of_many_videos_on_a_page_are_read_together_and_those_that_do_not_fit_come_on_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    origin, again, other = (ActingBank.added() for _ in range(3))
    said = []
    for seed in range(6):
        frames = clip_frames(seed, 4)
        facts = {"type": "vpdq", "value": vpdq_value(frames), "frames": frames_text(frames)}
        said.append(origin.asserts(V).model_copy(update=facts))
    origin.sends(*said)
    # Two banks may state the same video: each statement is told, in its bank's own words.
    same = again.asserts(V).model_copy(update={key: getattr(said[0], key) for key in ("type", "value", "frames")})
    again.sends(same)
    told = [*map(origin.signed, said), again.signed(same)]
    with CaptureQueriesContext(connection) as asked:
        page = statements(other.peer, "", 10)
    assert (page.statements, page.has_more) == (told, False)
    assert sum('"frames"' in each["sql"] for each in asked) == 1

    monkeypatch.setattr("reclaim.bank.ledger.queries.PAGE_BYTES", 2 * sum(len(text) + 3 for text in said[0].frames))
    found, cursor, pages = [], "", 0
    while True:
        page = statements(other.peer, cursor, 10)
        found, cursor, pages = found + page.statements, page.cursor, pages + 1
        if not page.has_more:
            break
    assert (found, pages > 2) == (told, True)


def counts(peer: Peer) -> tuple[int, int]:
    """What is counted of a peer's assertions, which is what there is."""
    peer.refresh_from_db()
    counted = peer.active_assertions, peer.known_assertions
    assert counted == (peer.assertions.filter(active=True).count(), peer.assertions.count())
    return counted


def test_a_removal_that_is_cut_off_goes_on_in_slices_with_the_next_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_AT_ONCE", 2)
    bank, other = ActingBank.added(), ActingBank.added()
    gone, shared, *rest = (bank.asserts(pdq_value(seed)) for seed in range(6))
    bank.sends(gone, shared, *rest, bank.says(shared, "blocked"), bank.withdraws(gone))
    other.sends(other.asserts(pdq_value(1)))
    assert counts(bank.peer) == (5, 6)

    settle, left = LedgerTransaction.settle, [3]

    def fails(ledger: LedgerTransaction) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError
        settle(ledger)

    with monkeypatch.context() as patched:
        patched.setattr(LedgerTransaction, "settle", fails)
        with pytest.raises(RuntimeError):
            services.remove_peer(bank.peer)
    assert 0 < counts(bank.peer)[0] < 5
    assert bank.peer.ended_at is not None
    Peer.objects.update(url="")
    sync_peers()
    assert counts(bank.peer) == (0, 1)
    assert not bank.peer.words.exists()
    assert [status_of(pdq_value(seed)) for seed in range(6)] == ["withdrawn", "active", *["withdrawn"] * 4]


def test_a_server_that_is_added_again_as_another_kind_first_ends_what_is_left_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    peer = add_peer("S", Peer.Kind.STOPNCII, "https://s.example", keys={"fetch_key": "a"})
    PeerStore(peer).apply([Change(SignalType.IMAGE_PDQ, V)], Checkpoint().start_over(1), None)
    with monkeypatch.context() as patched:
        patched.setattr(services, "_remove_some", lambda peer: False)
        assert services.remove_peer(peer) == 1
    assert status_of(V) == "active"
    add_peer("S", Peer.Kind.NCMEC, "https://s.example", keys={"user": "a", "password": "b"})
    assert status_of(V) == "withdrawn"
    assert counts(peer) == (0, 0)


def test_a_sweep_goes_in_slices_and_one_that_is_cut_off_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_AT_ONCE", 2)
    peer = add_peer("S", Peer.Kind.STOPNCII, "https://s.example", keys={"fetch_key": "a"})
    store, values = PeerStore(peer), [pdq_value(seed) for seed in range(6)]
    first = Checkpoint().start_over(1)
    store.apply([Change(SignalType.IMAGE_PDQ, value) for value in values], first, None)
    second = first.start_over(2)
    store.apply([Change(SignalType.IMAGE_PDQ, values[2])], second, first)
    withdraw_said, slices = services._withdraw_said, []

    def fails(ledger: LedgerTransaction, said: Sequence[int]) -> int:
        slices.append(len(said))
        if len(slices) == 2:
            raise RuntimeError
        return withdraw_said(ledger, said)

    with monkeypatch.context() as patched:
        patched.setattr(services, "_withdraw_said", fails)
        with pytest.raises(RuntimeError):
            store.sweep(second.to_store(), second)
    assert (slices, counts(peer), store.load_checkpoint()) == ([2, 2], (4, 6), second)
    assert store.sweep(second.to_store(), second) == 3
    assert counts(peer) == (1, 6)
    assert [status_of(value) for value in values].index("active") == 2
    assert store.load_checkpoint() != second


def test_a_signal_lives_as_long_as_one_bank_or_person_has_it() -> None:
    first, second = ActingBank.added(), ActingBank.added()
    one, two = first.asserts(V), second.asserts(V)
    first.sends(one)
    second.sends(two)
    first.sends(first.withdraws(one))
    assert status_of(V) == "active"
    second.sends(second.withdraws(two))
    assert status_of(V) == "withdrawn"
    again = first.asserts(V, one.name)
    first.sends(again)
    assert status_of(V) == "active"
    while forget_ended_sources():
        pass
    assert Source.objects.count() == 1


def test_another_peer_is_asked_for_everything_from_the_beginning() -> None:
    first = ActingBank.added()
    first.sends(first.asserts(V))
    assert first.peer.checkpoint
    ActingBank.added()
    first.peer.refresh_from_db()
    assert first.peer.checkpoint == ""


def test_of_two_reads_at_once_the_slower_one_changes_nothing() -> None:
    bank = ActingBank.added()
    bank.sends(bank.asserts(V))
    assert take(bank.peer, [], checkpoint="x", previous="elsewhere") is False
    add_peer("S", Peer.Kind.STOPNCII, "https://s.example", keys={"fetch_key": "a"})
    store = PeerStore(Peer.objects.get(name="S"))
    begun = Checkpoint().start_over(1)
    store.apply([], begun, None)
    with pytest.raises(SyncOvertaken):
        store.apply([], begun, None)
    with pytest.raises(SyncOvertaken):
        store.sweep(begun, None)


def test_a_cursor_of_a_ledger_that_was_restored_is_gone() -> None:
    bank = ActingBank.added()
    a_case(1)
    cursor = statements(bank.peer, "", 10).cursor
    assert statements(bank.peer, cursor, 10).statements == []
    begin_another_ledger(standing().ledger, "operator")
    for gone in (cursor, "x", f"{standing().ledger}.99", f"{standing().ledger}.-1"):
        with pytest.raises(UnknownCursorError):
            statements(bank.peer, gone, 10)


def test_a_stopncii_servers_signals_end_when_it_no_longer_names_them_and_deletions_are_told_when_all_are_done() -> None:
    peer = add_peer("S", Peer.Kind.STOPNCII, "https://s.example", keys={"fetch_key": "a"})
    store = PeerStore(peer)
    first = Checkpoint().start_over(1)
    values = [pdq_value(seed) for seed in range(3)]
    store.apply([Change(SignalType.IMAGE_PDQ, value) for value in values], first, None)
    assert Source.objects.filter(peer=peer, state="active").count() == 3

    second = first.to_store()
    store.apply([Change(SignalType.IMAGE_PDQ, values[0], withdrawn=True)], second, first)
    assert status_of(values[0]) == "withdrawn"
    assert store.pending_acknowledgements() == []
    with locked_ledger():
        erase(tombstones())
    owed = [SignalName(SignalType.IMAGE_PDQ, values[0])]
    assert store.pending_acknowledgements() == owed
    # What names it until then is sealed: no table has the value.
    assert values[0] not in str(list(Debt.objects.values())) + str(list(Assertion.objects.values()))
    assert unseal(Debt.objects.get().sealed) == ["pdq", values[0]]
    store.acknowledged(owed)
    assert not Debt.objects.exists()

    third = second.start_over(2)
    store.apply([Change(SignalType.IMAGE_PDQ, values[1])], third, second)
    assert store.sweep(third.to_store(), third) == 1
    assert [status_of(value) for value in values] == [None, "active", "withdrawn"]


def test_a_withdrawal_that_comes_from_a_server_for_what_a_person_here_has_leaves_it_to_her() -> None:
    peer = add_peer("S", Peer.Kind.STOPNCII, "https://s.example", keys={"fetch_key": "a"})
    store = PeerStore(peer)
    case = a_case(1)
    first = Checkpoint().start_over(1)
    store.apply([Change(SignalType.IMAGE_PDQ, V)], first, None)
    store.apply([Change(SignalType.IMAGE_PDQ, V, withdrawn=True)], first.to_store(), first)
    assert status_of(V) == "active"
    # The server's own copy here is gone; that there is another reason is nobody's business there.
    assert store.pending_acknowledgements() == [SignalName(SignalType.IMAGE_PDQ, V)]
    withdraw(case.case)
    assert status_of(V) == "withdrawn"


def test_operators_see_how_each_peer_stands() -> None:
    bank = ActingBank.added()
    case = a_case(1)
    bank.sends(bank.asserts(V), bank.asserts(pdq_value(2)), {"statement": 1})
    withdraw(case.case)
    [state] = peer_states()
    assert (state.signals, state.not_taken_in, state.refused, state.owed) == (1, 1, 1, 0)
    assert (state.kind, state.synced_at, state.lag, state.fault) == ("reclaim", None, None, "")


def test_the_command_line_says_what_is_wrong_with_what_was_typed(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from reclaim.cli.bank_peer import peer

    def said(*arguments: str, given: str = "") -> tuple[int, str]:
        done = CliRunner().invoke(peer, ["add", "B", "--data", str(tmp_path / "none"), *arguments], input=given)
        return done.exit_code, done.output

    for arguments, given, expected in (
        ((), "", "--bank-key"),
        (("--bank-key", "abc"), "", "44 characters"),
        (("--kind", "ncmec", "--url", "https://x.example"), "", "--keys"),
        (("--kind", "ncmec", "--url", "https://x.example", "--keys", "-"), "nonsense", "password, user"),
        (("--kind", "stopncii", "--url", "https://x.example", "--keys", "-"), json.dumps({"fetch_key": "a"}), "subsc"),
    ):
        code, text = said(*arguments, given=given)
        assert code == 2
        assert expected in text
    assert not (tmp_path / "none").exists()
