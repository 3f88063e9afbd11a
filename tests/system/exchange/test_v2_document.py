"""The worked examples of docs/exchange-v2.md, run as they stand against a real bank."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from reclaim.conformance.values import new_pdq
from tests.system.environment import plain_environment
from tests.system.site_process import Bank

_CASES_AND_A_PLATFORM = """
from dataclasses import asdict
from reclaim.bank.cases.numbers import shown
from reclaim.bank.cases.services import NewItem, create_case
from reclaim.bank.platforms.services import add_platform
cases, name = arguments
for values in cases:
    made = create_case([NewItem.picture(number, value) for number, value in enumerate(values, start=1)])
    say({"case_number": shown(made.number), "pin": made.pin})
say(asdict(add_platform(name)[1]))
"""
PAGE = Path(__file__).parents[3] / "docs" / "exchange-v2.md"


def test_the_python_of_the_document_syncs_acknowledges_and_gives_feedback(
    bank: Bank, new_name: Callable[[], str], tmp_path: Path
) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 7
    *cases, keys = bank.run(_CASES_AND_A_PLATFORM, [[new_pdq() for _ in range(3)], [new_pdq()]], new_name())
    # What is withdrawn once the snapshot is there.
    program = (
        blocks[0] + "".join(blocks[1:3]) + "\nprint('has a snapshot', flush=True); input()\n" + "".join(blocks[3:])
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=plain_environment(BANK=bank.url.removesuffix("/v1"), KEY=keys["platform_key"]),
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        said = ""
        while "has a snapshot" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        bank.withdraw(cases[1])
        process.stdin.write("\n")
        process.stdin.close()
        said += process.stdout.read()
    assert process.returncode == 0, said
    assert "1 signals were withdrawn." in said
    assert "Acknowledged: 1" in said
    assert "Feedback taken: 1 refused: []" in said
    assert "Finds taken: 1" in said
    assert "still waits" not in said


def test_every_path_that_the_document_names_is_in_the_openapi_document(bank: Bank) -> None:
    import urllib3

    answer = urllib3.request("GET", bank.url.removesuffix("/v1") + "/v2/openapi.json", retries=False)
    known = {f"/v2{path}" for path in answer.json()["paths"]} | {"/v2/openapi.json"}
    in_rows = re.compile(r"^\| `(?:GET|POST) (/v2/[\w.]*(?:/\w+)*)", re.MULTILINE)
    named = {path.rstrip("`") for path in in_rows.findall(PAGE.read_text())}
    assert named - known == set()
    assert {path for path in known if "{" not in path and "applications" not in path} <= named
