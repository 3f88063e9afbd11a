"""Find a Chromium for the browser tests; with ``--install``, try Debian's package where that is allowed.

Prints what it did. Never fails: without a browser the browser tests are skipped and counted, and say how to get one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tests.browser.chromium import HOW_TO_GET_IT, find_chromium


def _apt_get(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", *arguments], check=False, env=environment, capture_output=True)


def main() -> None:
    """Find, install if asked to and allowed (apt-get is there and we are root), and say so."""
    if not find_chromium() and "--install" in sys.argv and shutil.which("apt-get") and os.geteuid() == 0:
        print("No Chromium here; installing Debian's …", flush=True)
        _apt_get("update")
        _apt_get("install", "--yes", "--no-install-recommends", "chromium")
    print(f"Browser: {find_chromium() or HOW_TO_GET_IT}")


if __name__ == "__main__":
    main()
