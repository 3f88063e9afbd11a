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

from tests.members import Account
from tests.members import sign_in as sign_in_member
from tests.system.platform.site import Platform
from tests.system.site_process import Bank

PHOTO = Path(__file__).parents[2] / "photos" / "astronaut.jpg"


@dataclass
class ReviewSite:
    """The platform under test and its first reviewer."""

    platform: Platform
    ada: Account
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
        password = platform.json("member", "add", "Ada", "--role", "reviewer")["password"]
        platform.start()
        yield ReviewSite(platform, Account(f"http://127.0.0.1:{platform.port}", "Ada", password))
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
    """Sign in as Ada; the first time with the set-up of her account."""
    sign_in_member(page, site.ada)
    page.wait_for_url(f"{site.url}/")


def as_ada(page: Page, site: ReviewSite) -> None:
    """Be Ada, in the session that stays signed in."""
    if not site.cookies:
        sign_in(page, site)
        site.cookies = page.context.cookies()
    page.context.add_cookies(site.cookies)
