"""The command under test, and an environment for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

RECLAIM = str(Path(sys.executable).with_name("reclaim"))


def plain_environment(**more: str) -> dict[str, str]:
    """This process's environment without what would steer a site or a client."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RECLAIM_", "TX_", "DJANGO_"))}
    return {**kept, **more}
