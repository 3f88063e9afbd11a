"""Every table of ``make bench``, each in a process of its own so that none measures another's memory."""

from __future__ import annotations

import subprocess
import sys

PARTS = (
    ("hash",),
    ("video",),
    ("derive",),
    ("leakage",),
    ("browser",),
    ("network",),
    ("browser_video",),
    ("index", "--n", "100000"),
    ("index", "--n", "1000000"),
    ("index", "--n", "10000000"),
    ("candidates", "--n", "10000"),
    ("service",),
    ("scan",),
    ("blind",),
    ("canaries",),
    ("exchange",),
    ("exchange_latency",),
    ("casework",),
    ("recheck",),
)


def main() -> int:
    """Measure and show everything; 1 if a part failed."""
    failed = False
    for module, *arguments in PARTS:
        failed |= subprocess.run([sys.executable, "-m", f"bench.{module}", *arguments], check=False).returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
