"""Our own bank in front of the conformance suite, on both wires."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reclaim.conformance.banks.checks import BANK_CHECKS
from reclaim.conformance.banks.wire import BankUnderTest
from reclaim.conformance.outcome import Outcome, run_checks
from tests.system.site_process import Bank


@pytest.mark.parametrize("wire", ["v1", "v2"])
def test_our_bank_conforms(bank: Bank, new_name: Callable[[], str], tmp_path: Path, wire: str) -> None:
    keys = tmp_path / "keys.json"
    name = new_name()
    given = bank.add_platform(name)
    scopes = [word for scope in ("fetch", "submit", "feedback", "descriptors") for word in ("--scope", scope)]
    more = json.loads(bank.command("platform", "key", "add", name, *scopes, "--json").stdout)
    bank.run("from tests.described import a_described_case; a_described_case(71); say(1)")
    keys.write_text(json.dumps({**given, "platform_key": more["key"]}))
    under_test = BankUnderTest.open(bank.url, keys, wire, write=True)
    results = list(run_checks(BANK_CHECKS, lambda: under_test))
    assert [(result.name, result.seen) for result in results if result.outcome is Outcome.FAILED] == []
    passed = {result.name for result in results if result.outcome is Outcome.PASSED}
    assert wire == "v1" or passed >= {"extra-types", "placement-check"}
    assert sum(result.outcome is Outcome.PASSED for result in results) >= 12
