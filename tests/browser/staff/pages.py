"""Pages of people who work: looked at by axe, and in a browser in which somebody is signed in."""

from __future__ import annotations

import os
from http.cookies import SimpleCookie

from playwright.sync_api import BrowserContext, Page

from tests.browser.axe import violations

SHOTS = os.environ.get("RECLAIM_TEST_SHOTS", "")
"""A folder for pictures of every page, for whoever changes one."""
SMALL = {"width": 320, "height": 640}
"""A small phone."""


def check_page(part: str, page: Page, name: str) -> None:
    """Axe finds nothing, and nothing is wider than the window."""
    assert violations(page) == [], name
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
    if SHOTS:
        for width in (1280, 360, 320):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=f"{SHOTS}/{part}-{name}-{width}.png", full_page=True)


def be(context: BrowserContext, cookies: SimpleCookie, url: str) -> None:
    """Be signed in at ``url`` as whoever has these cookies."""
    context.add_cookies([{"name": name, "value": each.value, "url": url} for name, each in cookies.items()])
