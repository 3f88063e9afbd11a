"""Finds the Chromium that the browser tests and the browser benchmark drive."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

HOW_TO_GET_IT = (
    "no Chromium was found: install it (on Debian and Ubuntu: apt-get install chromium) "
    "or set RECLAIM_CHROMIUM to the path of a Chromium or Chrome"
)


def find_chromium() -> str | None:
    """Path of the browser: RECLAIM_CHROMIUM if it is set, else the first known name on PATH; None if there is none."""
    wished = os.environ.get("RECLAIM_CHROMIUM")
    if wished:
        return shutil.which(wished)
    return next((path for path in map(shutil.which, NAMES) if path), None)
