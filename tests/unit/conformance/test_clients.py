"""The suite for clients: what it finds in the stock client, in ours and in ones that are broken on purpose."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from reclaim.cli.conformance import command
from reclaim.cli.exits import Exit
from reclaim.conformance.clients.scenarios import CLIENT_CHECKS
from reclaim.conformance.outcome import Outcome

ROOT = Path(__file__).resolve().parents[3]


def outcomes(*arguments: str, code: int = Exit.OK) -> dict[str, Outcome]:
    done = CliRunner().invoke(command, [*arguments, "--json"])
    assert done.exit_code == code, done.output
    return {each["name"]: Outcome(each["outcome"]) for each in map(json.loads, done.output.splitlines())}


def only(*names: str) -> list[str]:
    return [word for name in names for word in ("--only", name)]


def test_the_stock_client_never_deletes_what_was_withdrawn(tmp_path: Path) -> None:
    report = tmp_path / "results.xml"
    done = CliRunner().invoke(command, ["--client", "threatexchange", *only("withdrawal"), "--junit", str(report)])
    assert done.exit_code == Exit.DOES_NOT_CONFORM
    assert "FAILED  A withdrawn signal is deleted" in done.output
    assert "Look at hashStatus" in " ".join(done.output.split())
    [suite] = ElementTree.parse(report).getroot()
    assert [len(case.findall("failure")) for case in suite] == [1]


@pytest.mark.parametrize("wire", ["v1", "v2"])
def test_our_client_loses_nothing_and_confirms_withdrawals(wire: str) -> None:
    names = ("acknowledgement", "cursor-gone" if wire == "v2" else "malformed")
    found = outcomes("--client", "reclaim", "--wire", wire, *only(*names))
    assert found == dict.fromkeys(names, Outcome.PASSED)


def broken(tmp_path: Path, body: str) -> str:
    script = tmp_path / "client.py"
    script.write_text(f"import sys\nact = sys.argv[1]\n{body}\n")
    return f"{sys.executable} {script}"


def test_a_client_that_hangs_is_stopped_and_said(tmp_path: Path) -> None:
    client = broken(tmp_path, "import time; time.sleep(60)")
    found = outcomes("--client", client, *only("first-fetch"), "--seconds", "0.3", code=Exit.DOES_NOT_CONFORM)
    assert found == {"first-fetch": Outcome.FAILED}


def test_a_client_that_does_nothing_well_fails(tmp_path: Path) -> None:
    found = outcomes("--client", broken(tmp_path, ""), *only("first-fetch"), code=Exit.DOES_NOT_CONFORM)
    assert found == {"first-fetch": Outcome.FAILED}


def test_a_wire_that_a_client_does_not_speak_is_skipped(tmp_path: Path) -> None:
    found = outcomes("--client", broken(tmp_path, "sys.exit(77)"), *only("first-fetch"))
    assert found == {"first-fetch": Outcome.SKIPPED}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--client", "reclaim", "--against", "https://bank.example"],
        ["--against", "https://bank.example"],
        ["--client", "/no/such/command"],
        ["--client", "reclaim", "--only", "no-such-check"],
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused_in_a_sentence(arguments: list[str]) -> None:
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == Exit.USAGE
    assert "Traceback" not in done.output


def test_the_document_lists_every_check() -> None:
    page = (ROOT / "docs" / "conformance.md").read_text()
    from reclaim.conformance.banks.checks import BANK_CHECKS

    assert [check.name for check in (*CLIENT_CHECKS, *BANK_CHECKS) if f"`{check.name}`" not in page] == []
