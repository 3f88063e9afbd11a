"""The commands on platforms' keys, within the process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reclaim.bank.platforms.services import add_platform
from reclaim.cli.bank_platform import platform
from reclaim.cli.exits import Exit

pytestmark = pytest.mark.django_db


def test_single_keys_are_added_changed_rotated_and_ended_by_their_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RECLAIM_DATA", "DJANGO_SETTINGS_MODULE"):
        monkeypatch.setenv(name, "")

    def key(*arguments: str) -> Result:
        return CliRunner().invoke(platform, ["key", *arguments, "--data", str(tmp_path)])

    add_platform("Example")
    added = json.loads(key("add", "Example", "--scope", "fetch", "--address", "192.0.2.7", "--json").stdout)
    number = str(added["number"])
    assert added["key"].startswith("reclaim_fetch_")
    assert key("change", number, "--scope", "lookup", "--address", "192.0.2.0/24").exit_code == 0
    rotated = json.loads(key("rotate", number, "--overlap-days", "1", "--json").stdout)
    assert key("revoke", number).exit_code == 0
    last = json.loads(key("list", "Example", "--json").stdout.splitlines()[-1])
    assert (last["number"], last["scopes"]) == (rotated["number"], ["lookup"])
    assert last["addresses"] == ["192.0.2.0/24"]
    assert added["key"] not in key("list", "Example").stdout
    for refused, code in (
        (key("rotate", number), Exit.ERROR),
        (key("list", "Nobody"), Exit.ERROR),
        (key("add", "Example", "--scope", "fetch", "--address", "nowhere"), Exit.USAGE),
    ):
        assert refused.exit_code == code
        assert refused.stderr.count("\n") == 1
