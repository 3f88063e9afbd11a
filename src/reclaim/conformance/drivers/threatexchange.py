"""The stock client: the ``tx`` command of the ``threatexchange`` package, unchanged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from reclaim.conformance.clients.scripted_bank import V1
from reclaim.conformance.clients.stage import UNSUPPORTED

_COLLABORATION = "CONFORMANCE"
_TYPES = ("pdq", "video_md5")


def _tx(*arguments: str) -> subprocess.CompletedProcess[str]:
    given = {name.removeprefix("RECLAIM_CONFORMANCE_"): value for name, value in os.environ.items()}
    state = Path(given["STATE"])
    keys = f"{given['FETCH_KEY']},{given['SUBSCRIPTION_KEY']},{given['BANK']}"
    environment = {
        **os.environ,
        "TX_STOPNCII_KEYS": keys,
        "TX_STATEDIR": str(state / "tx"),
        "HOME": str(state),
        "PYTHONWARNINGS": "ignore",
    }
    tx = Path(sys.executable).with_name("tx")
    return subprocess.run(  # noqa: S603 the package's own command
        [tx, *arguments], capture_output=True, text=True, check=False, cwd=state, env=environment
    )


def main(act: str) -> int:
    """Do what the suite asks; the exit code."""
    if os.environ["RECLAIM_CONFORMANCE_WIRE"] != V1:
        return UNSUPPORTED
    if not (Path(os.environ["RECLAIM_CONFORMANCE_STATE"]) / "tx").exists():
        made = _tx("config", "collab", "edit", "stop_ncii", "--create", _COLLABORATION)
        if made.returncode:
            return made.returncode
    if act == "sync":
        return _tx("fetch").returncode
    for kind in _TYPES:
        listed = _tx("dataset", "-P", "-S", "-s", kind)
        if listed.returncode:
            return listed.returncode
        for value in listed.stdout.split():
            sys.stdout.write(f"{kind} {value}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
