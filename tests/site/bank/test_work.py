"""The bank's recurring work."""

from __future__ import annotations

import pytest

from reclaim.bank import work

pytestmark = pytest.mark.usefixtures("ledger_clock")


def test_one_piece_that_fails_unexpectedly_is_logged_and_the_others_are_done(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    def broken() -> None:
        raise ValueError("of a kind that nobody thought of")

    monkeypatch.setattr(work, "erase_tombstones", broken)
    monkeypatch.setattr(work, "call_command", done.append)
    assert work.tick() is False
    assert done == ["clearsessions"]
    assert "recurring work failed: ValueError at tests.site.bank.test_work" in caplog.text
    assert "nobody" not in caplog.text


def test_work_that_went_well_says_so() -> None:
    assert work.tick() is True
