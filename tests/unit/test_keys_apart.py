"""What is no bank comes near no bank's keys."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.environment import plain_environment


@pytest.mark.parametrize("mark", ["staging", "sandbox"])
def test_a_staging_bank_or_a_sandbox_is_told_a_database_of_keys(mark: str, tmp_path: Path) -> None:
    (tmp_path / mark).write_text("")
    keys = {"RECLAIM_KEYS_DATABASE_URL": "postgresql://127.0.0.1/keys-of-a-bank"}
    environment = plain_environment(RECLAIM_DATA=str(tmp_path), **keys)
    command = [sys.executable, "-c", "import reclaim.bank.settings"]
    loaded = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert loaded.returncode != 0
    assert "Leave RECLAIM_KEYS_DATABASE_URL out" in loaded.stderr
