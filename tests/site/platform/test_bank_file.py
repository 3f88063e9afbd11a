"""Which bank a platform follows, and on which version of the exchange."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reclaim.client import BankClient, BankRefused, NativeClient
from reclaim.platform.subscription.bank import BankFileError, BankKeys, find_bank, load_bank, save_bank
from tests.unit.client.native_bank import BANK_ID, PINNED
from tests.unit.client.scripted_bank import Answer, ScriptedBank, serve

ABOUT = {
    "bank": "A bank",
    "bank_id": BANK_ID,
    "software": "reclaim 0",
    "staging": False,
    "events": "",
    "acknowledge_within_seconds": 86400,
    "tombstones_kept_seconds": 2592000,
    "largest_page": 2000,
    "largest_submission": 1000,
    "snapshot_key": PINNED.snapshot_key,
}
OF_V1 = {"fetch_key": "f", "submit_key": "s", "feedback_key": "b", "subscription_key": "u"}
V1, V2 = BankKeys(name="P", **OF_V1), BankKeys(name="P", platform_key="p")
BOTH = BankKeys(name="P", platform_key="p", **OF_V1)


@pytest.fixture
def bank() -> Iterator[ScriptedBank]:
    with serve() as bank:
        yield bank


def root(bank: ScriptedBank) -> str:
    return bank.url.removesuffix("/v1")


@pytest.mark.parametrize("end", ["", "/", "/v2"])
def test_a_bank_that_speaks_version_2_is_joined_on_it_and_who_signs_is_kept(
    bank: ScriptedBank, data_folder: Path, end: str
) -> None:
    bank.answers = [ABOUT]
    access = find_bank(root(bank) + end, BOTH, least_trust=40)
    save_bank(data_folder / "bank.json", access)
    again = load_bank(data_folder / "bank.json")
    assert again == access
    assert (again.version, again.pinned, again.least_trust) == ("v2", PINNED, 40)
    assert isinstance(again.client(), NativeClient)
    assert [request.path for request in bank.requests] == ["/v2/"]
    # Who asks is nobody's business yet: no key is sent to an address that may be mistyped.
    assert "authorization" not in bank.requests[0].headers


def test_an_older_bank_is_joined_on_version_1_and_one_that_says_so_is_not_asked(bank: ScriptedBank) -> None:
    bank.answers = [Answer({}, 404)]
    access = find_bank(root(bank), V1)
    assert (access.url, access.pinned) == (bank.url, None)
    assert isinstance(access.client(), BankClient)
    bank.requests.clear()
    assert find_bank(bank.url, BOTH).version == "v1"
    assert bank.requests == []
    with pytest.raises(BankRefused):
        find_bank(f"{root(bank)}/v2", BOTH)


def test_keys_that_do_not_open_what_the_bank_speaks_are_named(bank: ScriptedBank) -> None:
    bank.answers = [Answer({}, 404)]
    with pytest.raises(ValueError, match="subscription_key"):
        find_bank(root(bank), V2)
    with pytest.raises(ValueError, match="version 1"):
        find_bank(root(bank), V1, least_trust=1)
    bank.answers = [ABOUT]
    assert find_bank(root(bank), V1).version == "v2"
    with pytest.raises(ValueError, match="platform_key"):
        find_bank(root(bank), BankKeys(name="P", feedback_key="b"))


def test_a_file_without_what_was_kept_of_the_bank_is_not_used(data_folder: Path) -> None:
    path = data_folder / "bank.json"
    path.write_text('{"url": "https://bank.example/v2", "name": "P", "platform_key": "p"}')
    with pytest.raises(BankFileError, match="init"):
        load_bank(path)
