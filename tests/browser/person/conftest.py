"""A real bank in a process of its own, and a person in front of it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Request

from tests.browser.person.pictures import PHOTO, as_payload
from tests.system.site_process import Bank

LEAVE_ADDRESS = "https://www.bbc.co.uk/weather"


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of a bank that `reclaim bank serve` serves, with two platforms and a helpline."""
    limits = str(Path(__file__).parents[1] / "limits.toml")
    bank = Bank(tmp_path_factory.mktemp("bank") / "bank", environment={"RECLAIM_LIMITS": limits})
    for name in ("Example Social", "Picture Board"):
        assert bank.add_platform(name)["fetch_key"]
    helpline = ("organisation", "add", "Example Helpline", "--country", "GB", "--language", "en")
    bank.command(*helpline, "--contact", "By telephone, on working days.", "--supervisor", "Sam")
    bank.start()
    yield f"http://127.0.0.1:{bank.port}"
    bank.stop()


@dataclass
class Person:
    """Somebody with a browser of their own. Every request it makes is kept in ``requests``."""

    bank: str
    context: BrowserContext
    page: Page
    devtools: CDPSession
    requests: list[Request] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(self.bank + path)

    def panel(self, name: str, timeout: float = 30_000) -> Any:
        """Wait for one panel of the journey and return it."""
        found = self.page.locator(f'[data-panel="{name}"]')
        found.wait_for(state="visible", timeout=timeout)
        return found

    def act(self, name: str) -> None:
        self.page.locator(f'[data-act="{name}"]:visible').click()

    def choose(self, *files: Path | dict[str, Any]) -> None:
        """Choose files on the page that takes them."""
        if not self.page.url.endswith("/start/files/"):
            self.open("/start/files/")
        self.panel("choose")
        self.page.locator("[data-files]").first.set_input_files([as_payload(file) for file in files])

    def body(self) -> dict[str, Any]:
        """What will be sent, as the page shows it."""
        return json.loads(self.page.locator("[data-body]").text_content() or "")  # type: ignore[no-any-return]

    def sends(self) -> None:
        """From the checked fingerprints to the answer."""
        self.panel("check")
        self.act("write")
        self.panel("write")
        self.act("send")

    def writes_down(self) -> tuple[str, str]:
        """The case number and the PIN, read off the page."""
        done = self.panel("done")
        number = done.locator("[data-number]").inner_text()
        pin = done.locator("[data-pin]").inner_text()
        return re.sub(r"\s", "", number), re.sub(r"\s", "", pin)

    def makes_a_case(self, *files: Path | dict[str, Any]) -> tuple[str, str]:
        self.choose(*(files or (PHOTO,)))
        self.sends()
        return self.writes_down()

    def signs_in(self, number: str, pin: str) -> None:
        self.open("/case/")
        self.page.get_by_label("Number").fill(number)
        self.page.get_by_label("PIN", exact=True).fill(pin)
        self.page.get_by_role("button", name="Go on").click()


def person_with(browser: Browser, bank: str, **options: Any) -> Person:
    """A person whose browser has these options (viewport, colour scheme, scripts)."""
    context = browser.new_context(**options)
    page = context.new_page()
    person = Person(bank, context, page, context.new_cdp_session(page))
    _answer_other_sites(person.devtools)
    context.on("request", lambda request: person.requests.append(request))
    page.on("pageerror", lambda error: person.faults.append(str(error)))
    page.on("console", lambda said: person.faults.append(said.text) if said.type == "error" else None)
    return person


def _answer_other_sites(devtools: CDPSession) -> None:
    """Answer what goes to other sites here, redirects too (Playwright's own routes miss those): nothing gets out."""

    def answer(paused: dict[str, Any]) -> None:
        body = base64.b64encode(b"<!doctype html><title>Weather</title>Sunny").decode()
        headers = [{"name": "Content-Type", "value": "text/html"}]
        devtools.send(
            "Fetch.fulfillRequest",
            {"requestId": paused["requestId"], "responseCode": 200, "responseHeaders": headers, "body": body},
        )

    devtools.on("Fetch.requestPaused", answer)
    devtools.send("Fetch.enable", {"patterns": [{"urlPattern": "https://*"}]})


@pytest.fixture
def person(browser: Browser, bank: str) -> Iterator[Person]:
    """A person with an ordinary browser. The page must throw no error and break no policy."""
    person = person_with(browser, bank, viewport={"width": 1280, "height": 900})
    yield person
    person.context.close()
    assert person.faults == []
