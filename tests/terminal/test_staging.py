"""The staging bank, as an operator serves it and a platform's engineer tries it."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import urllib3

from reclaim.cli.exits import Exit
from tests.conftest import secrets_in
from tests.system.environment import RECLAIM, plain_environment

PHOTO = "tests/photos/pagoda.jpg"
EXAMPLE = Path(__file__).parents[2] / "src" / "reclaim" / "cli" / "data" / "example.jpg"


def reclaim(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [RECLAIM, "bank", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=plain_environment())


def call(method: str, url: str, message: Any = None, key: str = "") -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return urllib3.request(method, url, json=message, headers=headers, redirect=False, retries=False)


def test_anybody_may_try_a_staging_bank_and_nobody_can_report_to_it(tmp_path: Path) -> None:
    data, log = tmp_path / "staging", tmp_path / "log"
    command = [RECLAIM, "bank", "staging", "--data", data, "--port", "0", "--no-events"]
    with log.open("wb") as out:
        server = subprocess.Popen(command, stderr=out, env=plain_environment(), start_new_session=True)
    try:
        while not (said := re.search(r"the staging bank is serving port=(\d+)", log.read_text())):
            assert server.poll() is None, log.read_text()
            time.sleep(0.02)
        site = f"http://127.0.0.1:{said[1]}"
        asked = {
            "name": "Example",
            "web": "https://www.example.org",
            "contact": "safety@example.org",
            "country": "GB",
            "kind": "social",
            "people": "up to 10,000",
            "media": ["pictures", "videos"],
            "review": "Two moderators look within a day.",
            "scopes": ["fetch", "feedback"],
        }
        taken = call("POST", f"{site}/v2/applications", asked).json()
        secret = {"secret": taken["pickup_secret"]}
        keys = call("POST", f"{site}/v2/applications/{taken['application']}/keys", secret).json()
        assert call("GET", f"{site}/v2/").json()["staging"] is True
        page = call("GET", f"{site}/v2/signals?limit=2000", key=keys["platform_key"]).json()
        assert len(page["records"]) > 1000
        assert {record["type"] for record in page["records"]} >= {"pdq", "md5"}

        assert call("GET", f"{site}/").headers["Location"] == "/platforms/join/"
        assert b"A staging bank." in call("GET", f"{site}/platforms/join/").data
        assert {call("GET", f"{site}{path}").status for path in ("/start/files/", "/case/", "/helpline/")} == {403}
        assert call("POST", f"{site}/start/case/", {"items": []}).status == 403
    finally:
        server.terminate()
        assert server.wait(timeout=30) == 0
    assert secrets_in(log.read_text()) == []

    refused = reclaim("submit", PHOTO, "--data", data)
    assert refused.returncode == Exit.USAGE
    assert "takes no case" in refused.stderr
    served = reclaim("serve", "--data", data, "--port", "0", "--no-events")
    assert served.returncode == Exit.ERROR
    assert "reclaim bank staging" in served.stderr


def test_a_real_bank_never_becomes_a_staging_bank(tmp_path: Path) -> None:
    real = tmp_path / "real"
    assert reclaim("submit", PHOTO, "--data", real, "--json").returncode == 0
    refused = reclaim("staging", "--data", real)
    assert refused.returncode == Exit.ERROR
    assert refused.stderr.count("\n") == 1
    # Nor by its mark put there by hand, nor by its database beside a new folder.
    (real / "staging").write_text("")
    assert reclaim("serve", "--data", real, "--port", "0", "--no-events").returncode == Exit.ERROR
    assert reclaim("staging", "--data", real, "--port", "0", "--no-events").returncode == Exit.ERROR
    (real / "staging").unlink()
    listed = reclaim("platform", "list", "--data", real, "--json")
    assert json.loads(listed.stdout or "[]") == []
