"""A service becomes a platform, in real browsers: small, and every page passes axe."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.staff.pages import SMALL, check_page
from tests.members import Account, sign_in
from tests.system.site_process import Bank

PHOTO = Path(__file__).parents[2] / "photos" / "astronaut.jpg"
check = partial(check_page, "joining")


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    bank = Bank(tmp_path_factory.mktemp("joining") / "bank")
    bank.start()
    yield bank
    bank.stop()


@pytest.fixture
def open_browser(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    opened: list[BrowserContext] = []

    def open_context(**options: object) -> BrowserContext:
        opened.append(browser.new_context(viewport=SMALL, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield open_context
    for context in opened:
        context.close()


def staff(bank: Bank, page: Page, role: str) -> str:
    """Sign in as a new member of the role; where the pages of staff begin."""
    made = json.loads(bank.command("member", "add", role, "--role", role, "--json").stdout)
    pages = f"http://127.0.0.1:{bank.port}/staff"
    sign_in(page, Account(pages, role, made["password"]))
    return pages


def test_a_service_applies_two_people_decide_and_it_picks_its_keys_up(
    bank: Bank, open_browser: Callable[..., BrowserContext]
) -> None:
    refused: list[str] = []
    applicant, operator, overseer = (
        open_browser(color_scheme=scheme).new_page() for scheme in ("light", "dark", "light")
    )
    for each in (applicant, operator, overseer):
        each.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)

    applicant.goto(f"http://127.0.0.1:{bank.port}/platforms/join/")
    check(applicant, "join")
    applicant.get_by_label("Name of your service").fill("Acme Forum")
    applicant.get_by_role("button", name="Apply").click()
    expect(applicant.get_by_role("alert").get_by_role("link")).to_have_count(7)
    check(applicant, "join-faults")
    expect(applicant.get_by_label("Name of your service")).to_have_value("Acme Forum")
    applicant.get_by_label("Its web address").fill("https://forum.example")
    applicant.get_by_label("Whom we write to").fill("safety@forum.example")
    applicant.get_by_label("Country").fill("gb")
    applicant.get_by_label("What it is").select_option(label="Forum or community")
    applicant.get_by_label("How many people").select_option("up to 10,000")
    applicant.get_by_label("Pictures").check()
    applicant.get_by_label("How you review").fill(
        "Two moderators look within a day.\nWhat is shared without consent goes."
    )
    applicant.get_by_role("button", name="Apply").click()
    check(applicant, "applied")
    secret = applicant.locator("pre").nth(1).inner_text()
    applicant.get_by_role("link", name="See where it stands").click()
    check(applicant, "standing")

    pages = staff(bank, operator, "operator")
    check(operator, "home")
    operator.get_by_role("link", name="Applications").click()
    check(operator, "applications")
    operator.get_by_role("link", name="Acme Forum").click()
    check(operator, "application")
    operator.get_by_label("Why you propose it").fill("We met their moderators and saw how they work.")
    operator.get_by_role("button", name="Propose it").click()
    expect(operator.get_by_text("You proposed it. Somebody else must consent.")).to_be_visible()
    expect(operator.get_by_role("button", name="I consent")).to_have_count(0)

    staff(bank, overseer, "overseer")
    overseer.get_by_role("link", name="Applications").click()
    overseer.get_by_role("link", name="Acme Forum").click()
    check(overseer, "application-consent")
    overseer.get_by_role("button", name="I consent").click()

    applicant.reload()
    applicant.get_by_label("Your secret").fill(secret)
    applicant.get_by_role("button", name="Pick the keys up, once").click()
    check(applicant, "picked-up")
    keys = json.loads(applicant.locator("pre").first.inner_text())
    assert keys["name"] == "Acme Forum"

    bank.withdraw(bank.submit(PHOTO))
    for key, signals in ((keys["feedback_key"], 3), (keys["platform_key"], 1)):
        for _ in range(signals):
            applicant.request.get(f"{pages[:-6]}/v2/signals", headers={"Authorization": f"Bearer {key}"})
    operator.goto(f"{pages}/platforms/")
    check(operator, "platforms")
    operator.get_by_role("link", name="Acme Forum").click()
    operator.get_by_text("Change or rotate key").first.click()
    expect(operator.get_by_role("img", name="Errors by the hour, at most 3 in one hour")).to_be_visible()
    check(operator, "platform")
    operator.get_by_role("button", name="Make a new key beside").first.click()
    check(operator, "key")
    for path in ("lookups", "peers"):
        operator.goto(f"{pages}/{path}/")
        check(operator, path)
    assert [text for text in refused if "422" not in text] == [], "the policy allows everything that the pages need"
