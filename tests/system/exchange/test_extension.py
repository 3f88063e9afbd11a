"""Our extension inside the threatexchange package: what the stock exchange keeps, it deletes and acknowledges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from threatexchange.exchanges.clients.stopncii.api import StopNCIICSPFeedbackValue, StopNCIISignalType
from threatexchange.exchanges.fetch_state import AggregateSignalOpinionCategory
from threatexchange.signal_type.pdq.signal import PdqSignal
from threatexchange.utils import dataclass_json

from reclaim.client.threatexchange import (
    TX_MANIFEST,
    ReclaimCheckpoint,
    ReclaimCollabConfig,
    ReclaimCredentials,
    ReclaimExchangeAPI,
)
from reclaim.conformance.values import new_md5, new_pdq
from tests.system.exchange.peers import PHOTOS, Raw, our_tx, stock_client
from tests.system.site_process import Bank

Names = Callable[[], str]


def exchange(bank: Bank, keys: dict[str, str]) -> ReclaimExchangeAPI:
    credentials = ReclaimCredentials._from_str(f"{keys['fetch_key']},{keys['subscription_key']},{keys['feedback_key']}")
    return ReclaimExchangeAPI.for_collab(ReclaimCollabConfig(base_url=bank.url, name="test"), credentials)


def open_withdrawals(bank: Bank, name: str) -> int:
    [count] = bank.run(
        """
from reclaim.bank.feedback.queries import owed_by
from reclaim.bank.platforms.models import Platform
say(owed_by(Platform.objects.get(name=arguments[0])).count())
""",
        name,
    )
    return int(count)


def test_it_fetches_and_matches_a_real_photograph(bank: Bank, new_name: Names, tmp_path: Path) -> None:
    bank.submit(PHOTOS / "tower.jpg", PHOTOS / "bee.jpg", PHOTOS / "cat.jpg")
    tx = our_tx(tmp_path, bank, bank.add_platform(new_name()))
    tx("-v", "fetch")
    assert "INVESTIGATION_SEED" in tx("match", "-S", "pdq", "photo", PHOTOS / "tower.jpg")
    assert "NCII_TEST" in tx("config", "collab", "list")


def test_a_withdrawal_is_deleted_and_acknowledged_at_the_next_fetch(fresh_bank: Bank, tmp_path: Path) -> None:
    name = "Honours withdrawals"
    case = fresh_bank.submit(PHOTOS / "coffee.jpg", PHOTOS / "drum.jpg")
    kept = {
        signal["value"]
        for signal in fresh_bank.submit(*[PHOTOS / f"{n}.jpg" for n in ("bee", "cat", "fig")])["signals"]
    }
    tx = our_tx(tmp_path, fresh_bank, fresh_bank.add_platform(name))
    tx("fetch")
    assert "(NCII_TEST)" in tx("match", "-S", "pdq", "photo", PHOTOS / "coffee.jpg")
    fresh_bank.withdraw(case)
    tx("fetch")
    assert set(tx("dataset", "-P", "-S", "-s", "pdq").split()) == kept
    assert tx("match", "-S", "pdq", "photo", PHOTOS / "coffee.jpg") == ""
    # The deletion is written when the command ends, so this fetch could not yet vouch for it.
    assert open_withdrawals(fresh_bank, name) == 2
    tx("fetch")
    assert open_withdrawals(fresh_bank, name) == 0
    # It was the only platform: the bank has nothing left to wait for.
    assert not any(fresh_bank.holds(signal["value"]) for signal in case["signals"])


def test_without_a_feedback_key_it_deletes_and_says_nothing(bank: Bank, new_name: Names, tmp_path: Path) -> None:
    [case] = bank.make_cases([new_pdq()])
    name = new_name()
    keys = bank.add_platform(name)
    tx = our_tx(tmp_path, bank, keys, feedback=False)
    tx("fetch")
    waiting = open_withdrawals(bank, name)
    bank.withdraw(case)
    tx("fetch")
    tx("fetch")
    assert case["values"][0] not in tx("dataset", "-P")
    assert open_withdrawals(bank, name) == waiting + 1


def test_nothing_is_acknowledged_that_the_tool_may_not_have_stored(bank: Bank, new_name: Names) -> None:
    """The tool is killed after the fetch and before it writes: the tombstone must stay open."""
    [case] = bank.make_cases([new_pdq()])
    name = new_name()
    api = exchange(bank, bank.add_platform(name))
    stored = list(api.fetch_iter([], None))[-1].checkpoint
    list(api.fetch_iter([], stored))
    before = open_withdrawals(bank, name)
    bank.withdraw(case)
    lost = list(api.fetch_iter([], stored))
    assert lost[-1].updates["pdq", case["values"][0]] is None
    assert open_withdrawals(bank, name) == before + 1
    again = list(api.fetch_iter([], stored))
    assert open_withdrawals(bank, name) == before + 1
    # Coming back with the page's checkpoint is what shows that it was written.
    list(api.fetch_iter([], again[-1].checkpoint))
    assert open_withdrawals(bank, name) == before
    list(api.fetch_iter([], again[-1].checkpoint))
    assert open_withdrawals(bank, name) == before


def test_an_acknowledgement_that_fails_waits_for_the_next_fetch(bank: Bank, new_name: Names) -> None:
    [case] = bank.make_cases([new_pdq()])
    bank.withdraw(case)
    name = new_name()
    keys = bank.add_platform(name)
    before = open_withdrawals(bank, name)
    broken = exchange(bank, {**keys, "feedback_key": "expired"})
    first = list(broken.fetch_iter([], None))[-1].checkpoint
    second = list(broken.fetch_iter([], first))[-1].checkpoint
    assert case["values"][0] in second.unacknowledged
    third = list(exchange(bank, keys).fetch_iter([], second))[-1].checkpoint
    assert third.unacknowledged == []
    assert open_withdrawals(bank, name) == 0 < before


def test_an_idle_fetch_brings_no_updates(bank: Bank, new_name: Names) -> None:
    bank.make_cases([new_pdq()])
    api = exchange(bank, bank.add_platform(new_name()))
    first = list(api.fetch_iter([], None))[-1].checkpoint
    # The acknowledgements it owes may move nothing that is active.
    assert [delta.updates for delta in api.fetch_iter([], first)] == [{}]


def test_opinions_are_exactly_what_platforms_said(bank: Bank, new_name: Names) -> None:
    picture, film, untouched = new_pdq(), new_md5(), new_pdq()
    bank.make_cases([picture, untouched])
    ours, theirs = new_name(), new_name()
    keys = bank.add_platform(ours)
    us, them = stock_client(bank, keys), stock_client(bank, bank.add_platform(theirs))
    us.submit_hash(StopNCIISignalType.VideoMD5, film, {"found"})
    us.submit_feedback(StopNCIISignalType.ImagePDQ, picture, StopNCIICSPFeedbackValue.Blocked, {"seen"})
    them.submit_feedback(StopNCIISignalType.ImagePDQ, picture, StopNCIICSPFeedbackValue.NotBlocked)
    them.submit_feedback(StopNCIISignalType.ImagePDQ, untouched, StopNCIICSPFeedbackValue.QualityUnknown)
    updates = {
        key: value for delta in exchange(bank, keys).fetch_iter([], None) for key, value in delta.updates.items()
    }
    disputed = updates["pdq", picture]
    assert disputed is not None
    assert disputed.get_as_aggregate_opinion().category == AggregateSignalOpinionCategory.DISPUTED
    assert disputed.get_as_aggregate_opinion().tags == {"seen"}
    assert str(disputed) == f"DISPUTED +{ours},-{theirs}"
    assert str(updates["video_md5", film]) == f"POSITIVE_CLASS +{ours}"
    assert str(updates["pdq", untouched]) == "INVESTIGATION_SEED"


def test_an_opinion_is_sent_as_feedback(bank: Bank, new_name: Names, tmp_path: Path) -> None:
    value = new_pdq()
    bank.make_cases([value])
    name = new_name()
    keys = bank.add_platform(name)
    tx = our_tx(tmp_path, bank, keys)
    hashes = tmp_path / "hash.txt"
    hashes.write_text(value)
    tx("label", "-l", "reviewed", "-H", "pdq", "NCII_TEST", "photo", hashes)
    assert Raw(bank, keys).records()[value]["CSPFeedbacks"] == [
        {"source": name, "feedbackValue": "Blocked", "tags": ["reviewed"]}
    ]


def test_a_second_bank_is_not_shown_the_firsts_keys(bank: Bank, new_name: Names, tmp_path: Path) -> None:
    tx = our_tx(tmp_path, bank, bank.add_platform(new_name()))
    tx("config", "collab", "edit", "reclaim", "--create", "B", "--base-url", bank.url, "--keys-variable", "TX_OTHER")
    tx("fetch", "--only-collab", "B", code=2)
    tx.environment["TX_OTHER"] = "only-one-key"
    tx("fetch", "--only-collab", "B", code=2)
    keys = bank.add_platform(new_name())
    tx.environment["TX_OTHER"] = f"{keys['fetch_key']},{keys['subscription_key']}"
    tx("fetch", "--only-collab", "B")


def test_its_classes_fit_what_the_package_stores() -> None:
    assert TX_MANIFEST.apis == (ReclaimExchangeAPI,)
    config = ReclaimCollabConfig(base_url="https://bank.example/v1", name="x")
    assert dataclass_json.dataclass_loads(dataclass_json.dataclass_dumps(config), ReclaimCollabConfig) == config
    checkpoint = ReclaimCheckpoint(10, 20, ["a"], ["b"])
    assert dataclass_json.dataclass_loads(dataclass_json.dataclass_dumps(checkpoint), ReclaimCheckpoint) == checkpoint
    assert checkpoint.is_stale()


def test_it_takes_no_opinion_on_what_a_bank_does_not_hold(bank: Bank, new_name: Names) -> None:
    from threatexchange.exchanges.fetch_state import SignalOpinion, SignalOpinionCategory

    api = exchange(bank, bank.add_platform(new_name()))
    opinion = SignalOpinion(True, SignalOpinionCategory.POSITIVE_CLASS, set())
    with pytest.raises(ValueError, match="did not take"):
        api.report_opinion(PdqSignal, new_pdq(), opinion)
