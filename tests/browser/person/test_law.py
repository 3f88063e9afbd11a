"""The pages of the law in a real browser: what axe-core finds, small and dark, and the map by keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import violations
from tests.browser.person.conftest import person_with
from tests.browser.person.test_access_for_all import SMALL_TARGETS

PAGES = ("/law/", "/law/US/", "/law/convention/", "/law/convention/34/")
LOOKS: list[dict[str, Any]] = [
    {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
    {"viewport": {"width": 1280, "height": 800}, "forced_colors": "active"},
]


@pytest.mark.parametrize("look", LOOKS, ids=["small and dark", "forced colours"])
def test_every_page_of_the_law_is_accessible(browser: Browser, bank: str, look: dict[str, Any]) -> None:
    person = person_with(browser, bank, **look)
    for path in PAGES:
        person.open(path)
        assert violations(person.page) == [], path
        width, window = person.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= window, f"{path} scrolls sideways"
        expect(person.page.locator("h1"), path).to_have_count(1)
        assert person.page.evaluate(SMALL_TARGETS) == [], path
    person.context.close()


def test_the_map_is_walked_with_the_keyboard_and_leads_to_a_country(browser: Browser, bank: str) -> None:
    person = person_with(browser, bank, viewport={"width": 320, "height": 640})
    person.open("/law/")
    person.page.get_by_role("link", name="New Zealand: 48 hours").focus()
    # It is the last tile, far to the right and outside of what a small screen shows at first.
    box = person.page.evaluate("document.activeElement.getBoundingClientRect().toJSON()")
    assert box["left"] >= 0
    assert box["right"] <= 320
    person.page.keyboard.press("Shift+Tab")
    assert "Australia" in person.page.evaluate("document.activeElement.getAttribute('aria-label')")
    person.page.keyboard.press("Enter")
    person.page.wait_for_url("**/law/AU/")
    expect(person.page.get_by_role("heading", level=1)).to_have_text("Australia")
    person.context.close()
