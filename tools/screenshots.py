"""Take the pictures of the person's pages that the documents show, from a real bank in a real browser.

    python -m tools.screenshots

Writes docs/images/person-*.png, and docs/images/languages/<code>.png for four languages.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from reclaim.cli.processes import Site, reclaim
from tests.browser.chromium import ARGUMENTS, HOW_TO_GET_IT, find_chromium

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
PHOTO = ROOT / "tests" / "photos" / "coffee.jpg"
LANGUAGES = ("ar", "hi", "ja", "fr")
PHONE = {"width": 360, "height": 740}


def _case(page: Page, bank: str) -> None:
    """The way to a case, with pictures of the two pages that the README shows."""
    page.goto(f"{bank}/start/files/")
    page.locator('[data-panel="choose"]').wait_for(state="visible")
    page.screenshot(path=IMAGES / "person-files.png")
    page.locator("[data-files]").first.set_input_files(PHOTO)
    page.locator('[data-panel="check"]').wait_for(state="visible")
    page.locator('[data-act="write"]').click()
    page.locator('[data-act="send"]:visible').click()
    page.locator('[data-panel="done"]').wait_for(state="visible")
    number, pin = (page.locator(f"[data-{what}]").inner_text() for what in ("number", "pin"))
    page.goto(f"{bank}/case/")
    page.locator("#number").fill(number)
    page.locator("#pin").fill(pin)
    page.locator("main form button").click()
    page.wait_for_url("**/case/pictures/")
    page.screenshot(path=IMAGES / "person-case.png")


def main() -> int:
    """Take them all; 1 without a browser."""
    path = find_chromium()
    if path is None:
        print(HOW_TO_GET_IT)
        return 1
    (IMAGES / "languages").mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        Site(["bank", "serve", "--data", folder], 8077) as bank,
    ):
        reclaim("bank", "platform", "add", "Example Social", "--data", folder)
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
        page.goto(bank.url)
        page.screenshot(path=IMAGES / "person-start.png")
        _case(page, bank.url)
        for code in LANGUAGES:
            page.goto(f"{bank.url}/{code}/start/what/")
            page.screenshot(path=IMAGES / "languages" / f"{code}.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
