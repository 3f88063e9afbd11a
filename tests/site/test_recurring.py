"""What both sites' recurring work shares."""

from __future__ import annotations

import pytest

from reclaim.sitekit import recurring
from reclaim.sitekit.recurring import LeftForNowError, do_pieces

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_piece_that_fails_unexpectedly_is_logged_and_the_others_are_done(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    def broken() -> None:
        raise ValueError("of a kind that nobody thought of")

    monkeypatch.setattr(recurring, "call_command", done.append)
    assert do_pieces([broken, lambda: done.append("the next")]) is False
    assert done == ["the next", "clearsessions"]
    assert "recurring work failed: ValueError at tests.site.test_recurring" in caplog.text
    assert "nobody" not in caplog.text


def test_a_piece_left_for_now_says_why_and_the_others_are_done(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def left() -> None:
        raise LeftForNowError("the bank sleeps")

    assert do_pieces([left, lambda: done.append("the next")]) is False
    assert done == ["the next"]
    assert "the bank sleeps" in caplog.text
    assert "failed" not in caplog.text


def test_what_was_erased_does_not_live_on_in_the_write_ahead_log(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(recurring, "empty_write_ahead_log", lambda: order.append("emptied"))
    assert do_pieces([lambda: order.append("erased")]) is True
    assert order == ["erased", "emptied"]
