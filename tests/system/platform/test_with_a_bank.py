"""A platform and a bank, each in its own processes, over a socket."""

from __future__ import annotations

import io
import json
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3
from PIL import Image

from tests.system.platform.site import Platform
from tests.system.site_process import Bank

PHOTOS = Path(__file__).parents[2] / "photos"
ASTRONAUT, CAT, GALAXIES = (PHOTOS / f"{name}.jpg" for name in ("astronaut", "cat", "galaxies"))


def edited(photo: Path) -> bytes:
    out = io.BytesIO()
    with Image.open(photo) as image:
        image.resize((image.width // 2, image.height // 2)).save(out, "JPEG", quality=40)
    return out.getvalue()


def said_at(bank: Bank, keys: dict[str, str]) -> list[tuple[str, str]]:
    """What platforms said of the bank's one signal."""
    headers = {"x-functions-key": keys["fetch_key"], "Ocp-Apim-Subscription-Key": keys["subscription_key"]}
    feed: Any = urllib3.request("GET", f"{bank.url}/FetchHashes?startTimestamp=10", headers=headers).json()
    (record,) = feed["hashRecords"]
    return [(word["source"], word["feedbackValue"]) for word in record["CSPFeedbacks"]]


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass within 30 seconds"
        time.sleep(0.1)


def test_from_the_bank_to_a_decision_and_back_and_a_withdrawal(
    platform: Platform, fresh_bank: Bank, new_name: Callable[[], str], tmp_path: Path
) -> None:
    watcher = fresh_bank.add_platform(new_name())
    name = json.loads((platform.data / "bank.json").read_text())["name"]
    case = fresh_bank.submit(ASTRONAUT)
    assert platform.json("sync")["active"] == 1
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(edited(ASTRONAUT))

    held = platform.json("match", copy)
    assert held["status"] == "held"
    (match,) = held["matches"]
    assert (match["turn"], match["relation"]["how"]) == ("original", "same")
    assert platform.json("matches")["match"] == match["match"]
    platform.command("tick")
    assert said_at(fresh_bank, watcher) == [(name, "PendingReview")]

    decided = platform.json("decide", match["match"], "blocked", "--by", "Ada")
    assert decided["bank_told"] is True
    assert decided["upload_status"] == "blocked"
    assert said_at(fresh_bank, watcher) == [(name, "Blocked")]
    assert platform.json("decide", match["match"], "blocked", "--by", "Ada")["status"] == "blocked"
    assert platform.command("matches") == ""

    fresh_bank.withdraw(case)
    report = platform.json("sync")
    assert (report["tombstones"], report["acknowledged"], report["held"]) == (1, 1, 0)
    assert platform.json("match", copy)["status"] == "clear"


def case_page(bank: Bank, case: dict[str, Any]) -> str:
    """What the person reads under her case number and PIN."""
    site = bank.url.removesuffix("/v1")
    form = urlencode({"number": case["case_number"], "pin": case["pin"]})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    signed_in = urllib3.request("POST", f"{site}/case/", body=form, headers=headers, redirect=False)
    cookie = signed_in.headers["Set-Cookie"].partition(";")[0]
    return urllib3.request("GET", f"{site}/case/pictures/", headers={"Cookie": cookie}).data.decode()


def test_whoever_reports_a_known_picture_later_reads_of_later_removals(platform: Platform, fresh_bank: Bank) -> None:
    fresh_bank.submit(ASTRONAUT)
    platform.command("sync")
    (match,) = platform.json("match", ASTRONAUT)["matches"]
    assert platform.json("decide", match["match"], "blocked")["bank_told"] is True
    second = fresh_bank.submit(ASTRONAUT)
    platform.command("sync")
    # What was removed before this person came was removed for somebody else, of whom the page must not speak.
    assert 'data-what="removed"' not in case_page(fresh_bank, second)
    (match,) = platform.json("match", ASTRONAUT)["matches"]
    platform.command("tick")
    platform.command("decide", match["match"], "blocked")
    assert 'data-what="removed" data-count="1"' in case_page(fresh_bank, second)


def test_a_serving_platform_follows_the_bank_by_itself(platform: Platform, fresh_bank: Bank) -> None:
    case = fresh_bank.submit(ASTRONAUT)
    platform.start(every="0.3")
    wait_until(lambda: platform.upload(edited(ASTRONAUT))["status"] == "held")
    fresh_bank.withdraw(case)
    wait_until(lambda: platform.upload(edited(ASTRONAUT))["status"] == "clear")
    assert platform.call("GET", "/api/matches").json()["matches"] == []
    wait_until(lambda: not fresh_bank.holds(case["signals"][0]["value"]))


def test_a_server_that_has_looked_up_before_knows_of_a_withdrawal_right_after_another_process_synced(
    platform: Platform, fresh_bank: Bank
) -> None:
    case = fresh_bank.submit(ASTRONAUT)
    platform.start()
    platform.command("sync")
    # More often than the server has threads.
    for _ in range(10):
        assert platform.upload(edited(ASTRONAUT))["status"] == "held"
    fresh_bank.withdraw(case)
    platform.command("sync")
    for _ in range(10):
        assert platform.upload(edited(ASTRONAUT))["status"] == "clear"


def test_a_decision_while_the_bank_is_away_reaches_it_later(
    platform: Platform, fresh_bank: Bank, new_name: Callable[[], str]
) -> None:
    watcher = fresh_bank.add_platform(new_name())
    fresh_bank.submit(ASTRONAUT)
    platform.command("sync")
    (match,) = platform.json("match", ASTRONAUT)["matches"]
    fresh_bank.stop()
    kept = platform.run("decide", match["match"], "not-blocked", "--reason", "allowed-here", "--json")
    assert kept.returncode == 0
    assert json.loads(kept.stdout)["bank_told"] is False
    assert "told later" in kept.stderr
    # Not all of the recurring work could be done, and the exit code says so.
    assert platform.run("tick").returncode == 1
    fresh_bank.start()
    platform.command("tick")
    assert [word for _, word in said_at(fresh_bank, watcher)] == ["NotBlocked"]


def test_a_bank_that_is_away_or_refuses_gives_a_sentence_and_its_own_exit_code(
    platform: Platform, fresh_bank: Bank
) -> None:
    fresh_bank.stop()
    away = platform.run("sync")
    assert (away.returncode, len(away.stderr.splitlines())) == (32, 1)
    fresh_bank.start()
    keys = json.loads((platform.data / "bank.json").read_text())
    platform.join(fresh_bank.url, {**keys, "fetch_key": "reclaim_fetch_no-such-key"})
    refused = platform.run("sync")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (33, 1)
    assert "reclaim_fetch" not in refused.stderr


def test_new_keys_leave_the_upload_key_as_it_is_unless_asked(platform: Platform, fresh_bank: Bank) -> None:
    keys = (platform.data / "bank.json").read_text()
    assert stat.S_IMODE((platform.data / "bank.json").stat().st_mode) == 0o600
    assert platform.json("init", "--bank", fresh_bank.url, stdin=keys)["upload_key"] is None
    platform.start()
    assert platform.call("GET", "/api/matches").status == 200
    assert platform.json("init", "--bank", fresh_bank.url, "--new-upload-key", stdin=keys)["upload_key"]
    assert platform.call("GET", "/api/matches").status == 401


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["--bank", "http://127.0.0.1:1"], "not json"),
        (["--bank", "http://127.0.0.1:1"], "[]"),
        (["--bank", "http://127.0.0.1:1"], '{"name":"x"}'),
        (["--bank", "ftp://bank.example"], "KEYS"),
        (["--bank", "http://bank.example"], "KEYS"),
    ],
)
def test_keys_or_addresses_that_cannot_be_right_are_refused(joined: Platform, arguments: list[str], stdin: str) -> None:
    before = (joined.data / "bank.json").read_text()
    done = joined.run("init", *arguments, stdin=stdin.replace("KEYS", before))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "Traceback" not in done.stderr
    assert (joined.data / "bank.json").read_text() == before


def test_bad_files_get_an_error_each_while_the_rest_goes_on(
    platform: Platform, fresh_bank: Bank, tmp_path: Path
) -> None:
    fresh_bank.submit(CAT)
    platform.command("sync")
    empty, text = tmp_path / "empty.jpg", tmp_path / "text.jpg"
    empty.write_bytes(b"")
    text.write_text("no picture")
    done = platform.run("match", empty, CAT, text, GALAXIES, tmp_path / "missing.jpg", "--json")
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.get("status") for line in lines] == [None, "held", None, "clear", None]
    assert [bool(line.get("error")) for line in lines] == [True, False, True, False, True]
    for file, code in ((text, 10), (empty, 11), (tmp_path / "missing.jpg", 15)):
        assert platform.run("match", file).returncode == code


@pytest.mark.parametrize("match", ["1", "0b5c7c39-6a52-4f3e-9a43-2f6f4a8f6f0e"])
def test_a_match_that_is_none_is_said_so(joined: Platform, match: str) -> None:
    done = joined.run("decide", match, "blocked")
    assert done.returncode in (1, 2)
    assert len(done.stderr.splitlines()) == 1


def test_300_mb_over_a_socket_get_a_clear_answer(platform: Platform) -> None:
    platform.start()
    answer = platform.call("POST", "/api/uploads", body=bytes(300 * 1024 * 1024))
    assert answer.status == 413
    assert "MiB" in answer.json()["detail"]
    assert platform.upload(CAT.read_bytes())["status"] == "clear"


def test_the_member_command_makes_an_account_that_can_be_set_up(platform: Platform) -> None:
    made = platform.json("member", "add", "Ada", "--role", "reviewer")
    assert platform.run("member", "add", "Ada", "--role", "lead").returncode == 31
    platform.start()
    form = urlencode({"name": "Ada", "password": made["password"]})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = platform.call("POST", "/sign-in/", body=form, headers=headers, redirect=False)
    assert (answer.status, answer.headers["Location"]) == (302, "/sign-in/set-up/")
    assert answer.headers["Set-Cookie"].startswith("r=")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert "SameSite=Strict" in answer.headers["Set-Cookie"]
