"""The threatexchange package from PyPI, unchanged, over a socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from threatexchange.exchanges.clients.stopncii.api import (
    StopNCIIAPI,
    StopNCIICaseStatus,
    StopNCIICSPFeedback,
    StopNCIICSPFeedbackValue,
    StopNCIIHashRecord,
    StopNCIISignalType,
)

from reclaim.client import NativeClient, NativeKeys
from reclaim.conformance.values import new_md5, new_pdq
from tests.described import name, sent_placement, text_of
from tests.system.exchange.peers import PHOTOS, Raw, stock_client, stock_tx
from tests.system.site_process import Bank

Names = Callable[[], str]
PDQ, MD5 = StopNCIISignalType.ImagePDQ, StopNCIISignalType.VideoMD5
_MAKE_A_CASE = """
from reclaim.bank.cases.services import NewItem, PictureSignals, create_case
from reclaim.signals.descriptors import parse_placement
for sent in arguments:
    if placement := sent.get("placement"):
        sent["placement"] = parse_placement(**placement, count=len(placement["places"]))
create_case([NewItem.picture(number, PictureSignals(**sent)) for number, sent in enumerate(arguments, start=1)])
"""


def fetched(client: StopNCIIAPI, start: int = 10) -> dict[str, StopNCIIHashRecord]:
    return {
        record.hashValue: record
        for page in client.fetch_hashes_iter(start_timestamp=start)
        for record in page.hashRecords
    }


def test_the_contracts_commands_fetch_and_match_a_real_photograph(bank: Bank, new_name: Names, tmp_path: Path) -> None:
    case = bank.submit(PHOTOS / "bee.jpg", PHOTOS / "moose.jpg", PHOTOS / "cat.jpg")
    values = [signal["value"] for signal in case["signals"]]
    tx = stock_tx(tmp_path, bank, bank.add_platform(new_name()))
    tx("-v", "fetch")
    dataset = tx("dataset", "-P")
    assert all(f"pdq {value}" in dataset for value in values)
    hashes = tmp_path / "hashes.txt"
    hashes.write_text("\n".join(values) + "\n")
    matched = tx("match", "-H", "-S", "pdq", "photo", hashes)
    assert matched.split() == ["pdq", "0", "(NCII_TEST)", "INVESTIGATION_SEED", "0"]
    # The client fingerprints the photograph by itself, with its own decoder and size.
    assert "(NCII_TEST)" in tx("match", "-S", "pdq", "photo", PHOTOS / "moose.jpg")
    assert tx("match", "-S", "pdq", "photo", PHOTOS / "pagoda.jpg") == ""


def test_a_base_address_with_a_slash_at_its_end_works(bank: Bank, new_name: Names, tmp_path: Path) -> None:
    [case] = bank.make_cases([new_pdq()])
    tx = stock_tx(tmp_path, bank, bank.add_platform(new_name()), base_url=bank.url + "/")
    tx("fetch")
    assert case["values"][0] in tx("dataset", "-P")


def test_an_interrupted_fetch_resumes_and_loses_nothing(bank: Bank, new_name: Names, tmp_path: Path) -> None:
    values = [new_pdq() for _ in range(900)]
    bank.make_cases(values[:450], values[450:])
    tx = stock_tx(tmp_path, bank, bank.add_platform(new_name()))
    tx("fetch", "--limit", "1")
    first = set(tx("dataset", "-P", "-S", "-s", "pdq").split())
    assert len(first & set(values)) < len(values)
    tx("fetch")
    assert set(values) <= set(tx("dataset", "-P", "-S", "-s", "pdq").split())


def test_the_client_keeps_every_record_of_every_kind(bank: Bank, new_name: Names) -> None:
    keys = bank.add_platform(new_name())
    client = stock_client(bank, keys)
    bank.make_cases([new_pdq(), new_pdq()])
    client.submit_hash(MD5, new_md5())
    raw = Raw(bank, keys).records()
    parsed = fetched(client)
    assert set(parsed) == set(raw)
    assert all(isinstance(record.caseNumbers, dict) for record in parsed.values())


def test_the_client_sees_nothing_of_the_extra_types_that_another_platform_follows(
    bank: Bank, new_name: Names, tmp_path: Path
) -> None:
    plain, source, seed = new_pdq(), new_pdq(), 7
    extra = {"descriptors": text_of(seed), "placement": sent_placement(seed), "source": True}
    bank.run(_MAKE_A_CASE, {"pdq": plain, "quality": 90}, {"pdq": source, "quality": 90, **extra})
    bank.add_platform(scoped := new_name())
    scopes = [word for scope in ("fetch", "descriptors", "sources") for word in ("--scope", scope)]
    key = json.loads(bank.command("platform", "key", "add", scoped, *scopes, "--json").stdout)["key"]
    url = bank.url.removesuffix("/v1") + "/v2"
    follower = NativeClient(url, NativeKeys(key, descriptors=key, sources=key), types=["descriptors", "source"])
    followed = {change.value for page in follower.pages("") for change in page.changes}
    follower.close()
    assert {source, name(seed)} <= followed
    keys = bank.add_platform(new_name())
    records = fetched(stock_client(bank, keys))
    assert plain in records
    assert followed.isdisjoint(records)
    assert set(records) == set(Raw(bank, keys).records())
    tx = stock_tx(tmp_path, bank, keys)
    tx("fetch")
    dataset = tx("dataset", "-P")
    assert plain in dataset
    assert not [value for value in followed if value in dataset]


def test_the_clients_own_spelling_of_a_type_is_taken(bank: Bank, new_name: Names) -> None:
    name = new_name()
    client = stock_client(bank, bank.add_platform(name))
    picture, film = new_pdq(), new_md5()
    # The client sends str(enum): "StopNCIISignalType.ImagePDQ".
    client.submit_hashes(
        {
            (PDQ, picture): StopNCIICSPFeedback(StopNCIICSPFeedbackValue.Blocked, {"intimate", "spread"}),
            (MD5, film): StopNCIICSPFeedback(StopNCIICSPFeedbackValue.PendingReview),
        }
    )
    records = fetched(client)
    assert (records[picture].signalType, records[film].signalType) == (PDQ, MD5)
    assert records[picture].hashStatus == StopNCIICaseStatus.Active
    # A platform's own find is nobody's case.
    assert records[picture].caseNumbers == {}
    assert records[picture].CSPFeedbacks == [
        StopNCIICSPFeedback(StopNCIICSPFeedbackValue.Blocked, {"intimate", "spread"}, name)
    ]
    assert [said.feedbackValue for said in records[film].CSPFeedbacks] == [StopNCIICSPFeedbackValue.PendingReview]


def test_the_plain_spelling_of_a_type_is_taken(bank: Bank, new_name: Names) -> None:
    raw = Raw(bank, bank.add_platform(new_name()))
    value = new_pdq()
    body = {"count": 1, "hashRecords": [{"lastModtimestamp": 1, "signalType": "ImagePDQ", "hashValue": value}]}
    assert raw.call("POST", "/SubmitHashes", key="submit_key", body=body).json() == {"count": 1, "refused": []}
    assert value in raw.records()


@pytest.mark.parametrize(
    "value",
    [value for value in StopNCIICSPFeedbackValue if value.name not in ("Withdrawn", "Deleted")],
)
def test_every_feedback_value_comes_back_as_it_was_sent(
    bank: Bank, new_name: Names, value: StopNCIICSPFeedbackValue
) -> None:
    name, signal = new_name(), new_pdq()
    bank.make_cases([signal])
    client = stock_client(bank, bank.add_platform(name))
    client.submit_feedback(PDQ, signal, value, {"tag"})
    assert fetched(client)[signal].CSPFeedbacks == [StopNCIICSPFeedback(value, {"tag"}, name)]


def test_a_platform_has_one_word_on_a_signal_its_last(bank: Bank, new_name: Names) -> None:
    signal = new_pdq()
    bank.make_cases([signal])
    client = stock_client(bank, bank.add_platform(new_name()))
    other = stock_client(bank, bank.add_platform(new_name()))
    client.submit_feedback(PDQ, signal, StopNCIICSPFeedbackValue.PendingReview)
    client.submit_feedback(PDQ, signal, StopNCIICSPFeedbackValue.Blocked)
    other.submit_feedback(PDQ, signal, StopNCIICSPFeedbackValue.NotBlocked)
    assert [said.feedbackValue for said in fetched(other)[signal].CSPFeedbacks] == [
        StopNCIICSPFeedbackValue.Blocked,
        StopNCIICSPFeedbackValue.NotBlocked,
    ]


def test_a_withdrawal_reaches_the_stock_client_which_keeps_the_signal(
    bank: Bank, new_name: Names, tmp_path: Path
) -> None:
    """Its known defect: it compares the value, not the status. tests for our extension show the remedy."""
    case = bank.submit(PHOTOS / "coffee.jpg")
    [signal] = case["signals"]
    keys = bank.add_platform(new_name())
    tx = stock_tx(tmp_path, bank, keys)
    tx("fetch")
    bank.withdraw(case)
    assert Raw(bank, keys).records()[signal["value"]]["hashStatus"] == "Withdrawn"
    assert fetched(stock_client(bank, keys))[signal["value"]].hashStatus == StopNCIICaseStatus.Withdrawn
    tx("fetch")
    assert signal["value"] in tx("dataset", "-P")


def test_wrong_keys_fail_at_once_and_for_good(bank: Bank, new_name: Names, tmp_path: Path) -> None:
    keys = {**bank.add_platform(new_name()), "fetch_key": "wrong"}
    tx = stock_tx(tmp_path, bank, keys)
    tx("fetch", code=3)
