"""The real command, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SCAN = [sys.executable, "-c", "from reclaim.cli.scan import command; command(prog_name='reclaim scan')"]


def run(*arguments: str | Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """``reclaim scan`` with these arguments."""
    command = [*SCAN, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)


def figures(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What ``--json`` printed, of a command that went well."""
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
