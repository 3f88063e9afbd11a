"""A platform that has joined a bank, both real, with uploads that wait; and a reviewer in front of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

from tests.system.platform.site import Platform
from tests.system.site_process import Bank

PHOTO = Path(__file__).parents[2] / "photos" / "astronaut.jpg"
PASSWORD = "a kettle, an owl"


@dataclass
class ReviewSite:
    """The platform under test and its first reviewer."""

    platform: Platform
    password: str
    """The one-time password, until Ada has chosen her own."""
    cookies: list[Any] = field(default_factory=list)
    """Of a session that stays signed in: the number of sign-ins in a time is limited."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.platform.port}"

    def hold_an_upload(self) -> str:
        """Upload an edited copy of the reported picture; the number of its match."""
        out = io.BytesIO()
        with Image.open(PHOTO) as image:
            image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(out, "JPEG", quality=70)
        return str(self.platform.upload(out.getvalue())["matches"][0]["match"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReviewSite]:
    folder = tmp_path_factory.mktemp("review")
    bank, platform = Bank(folder / "bank"), Platform(folder / "platform")
    bank.start()
    try:
        platform.join(bank.url, bank.add_platform("Example"))
        bank.submit(PHOTO)
        platform.command("sync")
        password = platform.json("reviewer", "add", "Ada")["password"]
        platform.start()
        yield ReviewSite(platform, password)
        platform.stop()
    finally:
        bank.stop()


@pytest.fixture
def open_browser(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Opens browser windows that close with the test."""
    opened: list[BrowserContext] = []

    def open_context(**options: object) -> BrowserContext:
        opened.append(browser.new_context(**options))  # type: ignore[arg-type]
        return opened[-1]

    yield open_context
    for context in opened:
        context.close()


def sign_in(page: Page, site: ReviewSite) -> None:
    """Sign in as Ada, with her own password; the first time she chooses it."""
    page.goto(f"{site.url}/")
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Sign in").click()
    if page.get_by_label("New password").count():
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("The same again").fill(PASSWORD)
        page.get_by_role("button", name="Save").click()
        site.password = PASSWORD
    page.wait_for_url(f"{site.url}/")


def as_ada(page: Page, site: ReviewSite) -> None:
    """Be Ada, in the session that stays signed in."""
    if not site.cookies:
        sign_in(page, site)
        site.cookies = page.context.cookies()
    page.context.add_cookies(site.cookies)
