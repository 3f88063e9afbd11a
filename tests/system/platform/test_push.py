"""A bank that pushes and a platform that listens, each in its own processes: what changes is known at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.system.platform.site import Platform
from tests.system.platform.test_with_a_bank import ASTRONAUT, case_page, wait_until
from tests.system.site_process import Bank

SECONDS = 15
"""Far less than the half minute after which the bank is asked anyhow."""


def test_a_withdrawal_ends_matching_by_push_and_decisions_go_out_by_themselves(
    tmp_path: Path, new_database_url: Callable[[], str]
) -> None:
    bank, platform = Bank(tmp_path / "bank", new_database_url(), events=True), Platform(tmp_path / "platform")
    bank.start()
    try:
        platform.join(bank.url.removesuffix("/v1"), bank.add_platform("Listener"))
        platform.start(follow=True)
        wait_until(lambda: "the bank's stream of events is open" in platform.log)

        case, began = bank.submit(ASTRONAUT), time.monotonic()
        picture = ASTRONAUT.read_bytes()
        wait_until(lambda: platform.upload(picture)["status"] == "held")
        assert time.monotonic() - began < SECONDS

        (match, *_) = platform.call("GET", "/api/matches").json()["matches"]
        decision = {"decision": "blocked", "reviewer": "Ada", "note": ""}
        assert platform.call("POST", f"/api/matches/{match['match']}/decision", json=decision).status == 200
        wait_until(lambda: "Listener" in case_page(bank, case) and "removed" in case_page(bank, case).lower())

        bank.withdraw(case)
        began = time.monotonic()
        wait_until(lambda: platform.upload(picture)["status"] == "clear")
        assert time.monotonic() - began < SECONDS
        wait_until(lambda: "withdrawals were acknowledged" in bank.log)
    finally:
        platform.stop()
        bank.stop()
