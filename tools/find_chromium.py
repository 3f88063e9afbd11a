"""Find a Chromium for the browser tests; with ``--install``, try Debian's package where that is allowed.

Prints what it did. Never fails: without a browser the browser tests are skipped and counted, and say how to get one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW_TO = "Install Chromium (Debian: apt-get install chromium) or set RECLAIM_CHROMIUM to its path."


def find() -> str | None:
    """The path of a Chromium on this machine."""
    named = os.environ.get("RECLAIM_CHROMIUM")
    if named:
        return named if shutil.which(named) else None
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def install() -> None:
    """Install Debian's Chromium, if this machine has apt-get and we are root."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return
    print("No Chromium here; installing Debian's …", flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update"], check=False, env=environment, **quiet)  # type: ignore[call-overload]
    subprocess.run(  # type: ignore[call-overload]
        ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"],
        check=False,
        env=environment,
        **quiet,
    )


def main() -> None:
    """Find, install if asked to, and say so."""
    if not find() and "--install" in sys.argv:
        install()
    print(f"Browser: {find() or 'none. ' + HOW_TO}")


if __name__ == "__main__":
    main()
