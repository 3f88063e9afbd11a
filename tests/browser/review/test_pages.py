"""The review pages in a real browser: by keyboard, without scripts, small and large, light and dark."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.axe import violations
from tests.browser.review.conftest import ReviewSite, as_ada, sign_in
from tests.members import Account
from tests.members import sign_in as sign_in_member

Open = Callable[..., BrowserContext]


def fits(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def check(page: Page) -> None:
    assert violations(page) == []
    assert fits(page)


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the wanted element has the focus, as somebody without a mouse does."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError("the element cannot be reached by Tab")


def pixels(shot: bytes) -> npt.NDArray[np.int16]:
    with Image.open(io.BytesIO(shot)) as image:
        return np.asarray(image.convert("RGB"), dtype=np.int16)


def detail(values: npt.NDArray[np.int16]) -> float:
    inner = values[8:-8, 8:-8]
    return float(np.abs(np.diff(inner, axis=1)).mean())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_every_page_passes_axe_and_fits(site: ReviewSite, open_browser: Open, width: int, scheme: str) -> None:
    page = open_browser(viewport={"width": width, "height": 720}, color_scheme=scheme).new_page()
    page.goto(f"{site.url}/sign-in/")
    check(page)
    page.get_by_label("Name").fill("Eve")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_be_visible()
    check(page)
    as_ada(page, site)
    match = site.hold_an_upload()
    page.goto(f"{site.url}/")
    check(page)
    page.goto(f"{site.url}/matches/{match}/")
    check(page)
    page.get_by_role("button", name="Show the picture").click()
    check(page)
    page.get_by_role("button", name="Do not block").click()
    page.wait_for_url(f"{site.url}/")
    expect(page.get_by_role("status")).to_be_visible()
    check(page)
    page.goto(f"{site.url}/matches/{match}/")
    check(page)
    page.goto(f"{site.url}/nothing-here")
    check(page)


def test_the_picture_is_blurred_until_asked_and_always_grey(site: ReviewSite, open_browser: Open) -> None:
    page = open_browser().new_page()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    as_ada(page, site)
    match = site.hold_an_upload()
    page.goto(f"{site.url}/matches/{match}/")
    blurred = pixels(page.locator("figure img").screenshot())
    assert not any("shown" in url for url in fetched), "the clear picture was not even fetched"
    page.get_by_role("button", name="Show the picture").click()
    shown = pixels(page.locator("figure img").screenshot())
    assert detail(blurred) < detail(shown) / 4
    for picture in (blurred[8:-8, 8:-8], shown[8:-8, 8:-8]):
        assert np.abs(picture - picture.mean(axis=2, keepdims=True)).max() <= 2
    page.get_by_role("button", name="Blur it again").click()
    again = pixels(page.locator("figure img").screenshot())
    assert detail(again) < detail(shown) / 4
    assert all(url.startswith(site.url) for url in fetched)


def test_a_reviewer_decides_with_the_keyboard_alone_and_without_scripts(site: ReviewSite, open_browser: Open) -> None:
    match = site.hold_an_upload()
    page = open_browser(java_script_enabled=False).new_page()
    sign_in(page, site)
    tab_to(page, page.locator(f'a[href="/matches/{match}/"]'))
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/matches/{match}/")
    tab_to(page, page.get_by_role("button", name="Show the picture"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/?shown=1")
    tab_to(page, page.get_by_label("Note"))
    page.keyboard.type("decided by keyboard")
    page.keyboard.press("Tab")
    focused = page.get_by_role("button", name="Block this upload")
    assert focused.evaluate("element => element.matches(':focus-visible')")
    page.keyboard.press("Space")
    page.wait_for_url(f"{site.url}/")
    answer = site.platform.call("POST", f"/api/matches/{match}/decision", json={"decision": "blocked", "reviewer": "x"})
    assert answer.json()["status"] == "blocked"


def test_single_keys_show_choose_decide_and_take_back_and_can_be_turned_off(
    site: ReviewSite, open_browser: Open
) -> None:
    match = site.hold_an_upload()
    page = open_browser().new_page()
    broken: list[str] = []
    page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: broken.append(str(error)))
    as_ada(page, site)
    page.goto(f"{site.url}/matches/{match}/")
    page.keyboard.press("s")
    page.wait_for_url("**/?shown=1")
    page.keyboard.press("s")
    page.get_by_role("button", name="Show the picture").wait_for()
    page.keyboard.press("?")
    expect(page.get_by_text("Take back your last decision")).to_be_visible()
    page.keyboard.press("d")
    expect(page.locator("[data-say]")).to_contain_text("press Enter")
    page.keyboard.press("3")
    expect(page.get_by_label("If you do not block it")).to_have_value("allowed-here")
    page.get_by_label("Note").press_sequentially("but sd")
    expect(page.get_by_role("button", name="Show the picture"), "what is typed is no key").to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("d")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/")
    page.get_by_role("button", name="Take that back").click()
    page.wait_for_url(f"{site.url}/matches/{match}/")
    expect(page.get_by_text("undone", exact=True)).to_be_visible()
    page.goto(f"{site.url}/preferences/")
    page.get_by_label("Single keys").uncheck()
    page.get_by_role("button", name="Save").click()
    page.goto(f"{site.url}/matches/{match}/")
    page.keyboard.press("s")
    page.keyboard.press("b")
    assert page.evaluate("document.activeElement === document.body")
    page.goto(f"{site.url}/preferences/")
    page.get_by_label("Single keys").check()
    page.get_by_label("Blur a picture again").fill("1")
    page.get_by_role("button", name="Save").click()
    page.goto(f"{site.url}/matches/{match}/?shown=1")
    page.wait_for_url(f"{site.url}/matches/{match}/?")
    assert broken == []


def test_an_admin_s_pages_and_an_appeal_pass_axe_at_320_pixels_in_the_dark(
    site: ReviewSite, open_browser: Open
) -> None:
    match = site.hold_an_upload()
    decided = {"decision": "blocked", "reviewer": "x"}
    upload = site.platform.call("POST", f"/api/matches/{match}/decision", json=decided).json()["upload"]
    asked = {"text": "It is me, at work."}
    appeal = site.platform.call("POST", f"/api/uploads/{upload}/appeal", json=asked).json()["appeal"]
    password = site.platform.json("member", "add", "Cleo", "--role", "admin")["password"]
    page = open_browser(viewport={"width": 320, "height": 640}, color_scheme="dark").new_page()
    sign_in_member(page, Account(site.url, "Cleo", password))
    for path in (
        "",
        "preferences/",
        "rules/",
        "rules/matching/",
        "shift/",
        "break/",
        "appeals/",
        f"appeals/{appeal}/",
        f"matches/{match}/",
    ):
        page.goto(f"{site.url}/{path}")
        check(page)


def test_the_back_button_after_signing_out_shows_nothing_of_a_match(site: ReviewSite, open_browser: Open) -> None:
    page = open_browser().new_page()
    sign_in(page, site)
    match = site.hold_an_upload()
    page.goto(f"{site.url}/matches/{match}/?shown=1")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{site.url}/sign-in/")
    page.go_back()
    expect(page.locator("figure img")).to_have_count(0)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("width", [320, 360])
def test_targets_are_large_enough_for_a_finger(site: ReviewSite, open_browser: Open, width: int) -> None:
    page = open_browser(viewport={"width": width, "height": 640}).new_page()
    as_ada(page, site)
    page.goto(f"{site.url}/matches/{site.hold_an_upload()}/")
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
