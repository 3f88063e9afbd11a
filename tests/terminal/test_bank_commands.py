"""The commands of a bank, as others script against them."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reclaim.cli.exits import Exit

PHOTO = "tests/photos/pagoda.jpg"


def reclaim(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reclaim", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def made_case(data: Path) -> dict[str, str]:
    done = reclaim("bank", "submit", PHOTO, "--data", data, "--json")
    assert done.returncode == 0, done.stderr
    case: dict[str, str] = json.loads(done.stdout)
    return case


def test_adding_a_platform_prints_its_keys_as_json(tmp_path: Path) -> None:
    done = reclaim("bank", "platform", "add", "Example", "--data", tmp_path, "--json")
    assert done.returncode == 0
    keys = json.loads(done.stdout)
    assert list(keys) == ["name", "fetch_key", "submit_key", "feedback_key", "subscription_key", "platform_key"]
    assert keys["name"] == "Example"
    values = [value for name, value in keys.items() if name != "name"]
    assert len(set(values)) == 5
    assert not any("," in value for value in values)


def test_a_second_platform_of_the_same_name_is_refused(tmp_path: Path) -> None:
    reclaim("bank", "platform", "add", "Example", "--data", tmp_path)
    again = reclaim("bank", "platform", "add", "Example", "--data", tmp_path)
    assert again.returncode == Exit.NAME_TAKEN
    assert again.stderr.count("\n") == 1


def test_a_submitted_case_can_be_withdrawn_with_its_pin_from_standard_input(tmp_path: Path) -> None:
    case = made_case(tmp_path)
    assert len(case["signals"][0]["value"]) == 64  # type: ignore[index]
    done = reclaim("bank", "withdraw", case["case_number"], "--data", tmp_path, stdin=case["pin"] + "\n")
    assert done.returncode == 0, done.stderr
    assert "Withdrawn: 1" in done.stdout


@pytest.mark.parametrize("number", ["nonsense", "000000-000000-000000"])
def test_a_case_that_is_not_there_is_refused_in_one_sentence(tmp_path: Path, number: str) -> None:
    done = reclaim("bank", "withdraw", number, "--data", tmp_path, stdin="12345678\n")
    assert done.returncode == Exit.WRONG_NUMBER_OR_PIN
    assert done.stderr.count("\n") == 1


def test_a_wrong_pin_is_refused_and_the_right_one_still_works(tmp_path: Path) -> None:
    case = made_case(tmp_path)
    wrong = f"{(int(case['pin']) + 1) % 10**8:08}"
    assert reclaim("bank", "withdraw", case["case_number"], "--data", tmp_path, stdin=wrong).returncode == 30
    assert reclaim("bank", "withdraw", case["case_number"], "--data", tmp_path, stdin=case["pin"]).returncode == 0


def test_a_case_is_made_from_the_good_files_and_the_bad_ones_are_named(tmp_path: Path) -> None:
    bad = tmp_path / "letter.txt"
    bad.write_text("hello " * 100)
    done = reclaim("bank", "submit", PHOTO, bad, "--data", tmp_path / "bank", "--json")
    assert done.returncode == Exit.ERROR
    report = json.loads(done.stdout)
    assert len(report["signals"]) == 1
    assert report["refused"][0]["file"] == str(bad)


def test_no_case_is_made_from_nothing_but_bad_files(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jpg"
    empty.touch()
    done = reclaim("bank", "submit", empty, "--data", tmp_path / "bank")
    assert done.returncode == Exit.EMPTY_FILE
    assert done.stdout == ""


def test_the_secret_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    made_case(tmp_path / "bank")
    assert stat.S_IMODE((tmp_path / "bank" / "secret.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "bank").stat().st_mode) == 0o700


def test_a_damaged_secret_is_not_replaced_by_a_new_one(tmp_path: Path) -> None:
    made_case(tmp_path)
    (tmp_path / "secret.key").write_bytes(b"short")
    done = reclaim("bank", "platform", "list", "--data", tmp_path)
    assert done.returncode == Exit.ERROR
    assert "backup" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "secret.key").read_bytes() == b"short"


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    done = reclaim("bank", "submit", PHOTO, "--data", file)
    assert done.returncode == Exit.USAGE
    assert "Traceback" not in done.stderr


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    url = "postgresql://nobody@127.0.0.1:1/nothing"
    done = reclaim("bank", "platform", "list", "--data", tmp_path, "--database-url", url)
    assert done.returncode == Exit.ERROR
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") <= 2


def test_revoking_ends_access_and_an_unknown_name_is_said(tmp_path: Path) -> None:
    reclaim("bank", "platform", "add", "Example", "--data", tmp_path)
    assert "never" in reclaim("bank", "platform", "list", "--data", tmp_path).stdout
    assert reclaim("bank", "platform", "revoke", "Example", "--data", tmp_path).returncode == 0
    assert reclaim("bank", "platform", "revoke", "Example", "--data", tmp_path).returncode == Exit.ERROR
    assert reclaim("bank", "platform", "list", "--data", tmp_path).stdout == ""


def test_one_time_codes_are_printed_once_and_counted_and_ended(tmp_path: Path) -> None:
    made = reclaim("bank", "codes", "make", "--for", "Helpline", "--count", "3", "--data", tmp_path, "--json")
    assert made.returncode == 0, made.stderr
    codes = json.loads(made.stdout)["codes"]
    assert len(set(codes)) == 3
    listed = reclaim("bank", "codes", "list", "--data", tmp_path)
    assert listed.stdout == "Helpline: unused 3, used 0, revoked 0\n"
    assert not any(code in listed.stdout for code in codes)
    assert reclaim("bank", "codes", "revoke", "--for", "Helpline", "--data", tmp_path).returncode == 0
    assert reclaim("bank", "codes", "revoke", "--for", "Helpline", "--data", tmp_path).returncode == Exit.ERROR


def test_a_harmless_picture_is_added_listed_and_removed(tmp_path: Path) -> None:
    added = reclaim("bank", "harmless", "add", PHOTO, "--what", "our logo", "--data", tmp_path)
    assert added.stdout == "Harmless values added: 9.\n"
    assert reclaim("bank", "harmless", "list", "--data", tmp_path, "--json").stdout.count("our logo") == 9
    assert reclaim("bank", "harmless", "remove", "our logo", "--data", tmp_path).returncode == 0
    again = reclaim("bank", "harmless", "add", "no-such-file", "--what", "x", "--data", tmp_path)
    assert again.returncode == Exit.USAGE
    assert again.stderr.count("\n") == 1


def test_limits_with_a_fault_end_the_start_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "limits.toml"
    file.write_text("[network]\ncases = 0\n")
    monkeypatch.setenv("RECLAIM_LIMITS", str(file))
    done = reclaim("bank", "serve", "--data", tmp_path / "bank", "--port", "0")
    assert done.returncode == Exit.ERROR
    assert "network.cases" in done.stderr
    assert done.stderr.count("\n") == 1
