"""Accounts of staff in a real browser: set up and sign in by app and by security key, small, and passing axe."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.axe import violations
from tests.members import PASSWORD, Account, set_up, type_password
from tests.system.platform.site import Platform

Open = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    platform = Platform(tmp_path_factory.mktemp("members") / "platform")
    platform.start()
    yield platform
    platform.stop()


def account(platform: Platform, name: str, host: str = "127.0.0.1") -> Account:
    password = platform.json("member", "add", name, "--role", "reviewer")["password"]
    return Account(f"http://{host}:{platform.port}", name, password)


def check(page: Page) -> None:
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_every_page_of_an_account_passes_axe_at_320_pixels(platform: Platform, open_browser: Open) -> None:
    ada = account(platform, "Ada")
    page = open_browser(viewport={"width": 320, "height": 640}, color_scheme="dark").new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    type_password(page, ada)
    check(page)
    set_up(page, ada)
    check(page)
    for path in ("account/", "account/password/", "account/app/", "account/key/", "account/recovery-codes/", "again/"):
        page.goto(f"{ada.url}/{path}")
        check(page)
    page.get_by_role("button", name="Sign out").click()
    type_password(page, ada)
    page.get_by_label("Code").fill("123")
    page.get_by_role("button", name="Use this code").click()
    expect(page.get_by_role("alert")).to_be_visible()
    check(page)
    assert [text for text in refused if "403" not in text] == [], "the policy allows everything that the pages need"


def test_a_security_key_sets_an_account_up_and_opens_it(platform: Platform, open_browser: Open) -> None:
    # Browsers know security keys by host names only.
    eve = account(platform, "Eve", host="localhost")
    page = open_browser(viewport={"width": 320, "height": 640}).new_page()
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True}
    added = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": key | {"automaticPresenceSimulation": True}})
    type_password(page, eve)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Save, with a security key").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    eve.password = PASSWORD
    page.get_by_role("button", name="Sign out").click()
    type_password(page, eve)
    check(page)
    page.get_by_role("button", name="Use your security key").click()
    page.wait_for_url(f"{eve.url}/")
    devtools.send("WebAuthn.removeVirtualAuthenticator", added)
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": key | {"automaticPresenceSimulation": True}})
    page.goto(f"{eve.url}/again/")
    page.get_by_role("button", name="Use your security key").click()
    page.get_by_role("alert").wait_for()
    expect(page, "another key opens nothing").to_have_url(f"{eve.url}/again/")
