"""The sandbox, as an organisation starts it and a group trains in it."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from reclaim.cli.exits import Exit
from tests.browser.axe import violations
from tests.conftest import secrets_in
from tests.system.environment import RECLAIM, plain_environment
from tests.system.new_sites import BANK, make_site


def reclaim(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [RECLAIM, "bank", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=plain_environment())


@dataclass
class Sandbox:
    """A sandbox that runs."""

    data: Path
    url: str
    code: str


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("sandbox")
    data, log, said = folder / "data", folder / "log", folder / "said"
    make_site(BANK, data, "")
    # A new database, so that it need not be made here; the command makes it a sandbox's.
    (data / "sandbox").write_text("")
    command = [RECLAIM, "bank", "sandbox", "--data", data, "--port", "0"]
    with log.open("wb") as errors, said.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=errors, env=plain_environment(), start_new_session=True)
    try:
        while not (serving := re.search(r"the sandbox is serving port=(\d+)", log.read_text())):
            assert server.poll() is None, log.read_text()
            time.sleep(0.02)
        code = re.search(r"code: ([0-9A-Z-]{9})\n", said.read_text())
        assert code is not None
        yield Sandbox(data, f"http://127.0.0.1:{serving[1]}", code[1])
    finally:
        server.terminate()
        assert server.wait(timeout=30) == 0
    assert secrets_in(log.read_text()) == []


SHOTS = os.environ.get("RECLAIM_TEST_SHOTS", "")


def faults(page: Page, name: str) -> list[str]:
    found = violations(page)
    if SHOTS:
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 760})
            page.screenshot(path=f"{SHOTS}/training-{name}-{width}.png", full_page=True)
    return found


def test_a_facilitator_and_a_trainee_go_through_a_scenario(sandbox: Sandbox, browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    seen: dict[str, list[str]] = {}

    page.goto(f"{sandbox.url}/training/facilitator/")
    page.get_by_label("The facilitator’s code").fill(sandbox.code.lower())
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name").fill("Monday")
    seen["groups"] = faults(page, "groups")
    page.get_by_role("button", name="Make it").click()
    group = page.url
    code = page.locator(".count.code").inner_text()

    page.goto(f"{sandbox.url}/")
    seen["join"] = faults(page, "join")
    page.get_by_label("The group’s code").fill(code)
    page.get_by_label("A nickname").fill("Robin")
    page.get_by_role("button", name="Join").click()
    seen["home"] = faults(page, "home")
    page.get_by_role("link", name="It is online, and comes back").click()
    page.get_by_role("button", name="Begin").click()
    with context.expect_page() as opened:
        page.get_by_role("button", name="Open the links").click()
    bank = opened.value
    bank.wait_for_load_state()
    expect(bank.locator("main")).to_contain_text("gallery.example")
    assert bank.get_by_role("complementary", name="Training").inner_text().startswith("Training: nothing here is real.")
    seen["links"] = faults(bank, "links")
    bank.close()
    for answer in ("Address, date and time", "The site's own form", "You say that you act", "You tell Ana"):
        # One step is like another, but for a reply in the second.
        looked = "form" in answer
        if looked:
            seen["step"] = faults(page, "step")
        page.get_by_label(re.compile(re.escape(answer))).check()
        page.get_by_role("button", name="Decide").click()
        if looked:
            seen["told"] = faults(page, "told")
        page.locator("a.button").click()
    expect(page.locator(".tally")).to_contain_text("100 %")
    seen["debrief"] = faults(page, "debrief")
    page.goto(group)
    expect(page.locator("main")).to_contain_text("Robin")
    seen["group"] = faults(page, "group")
    # The mark is on paper too.
    page.emulate_media(media="print")
    expect(page.get_by_role("complementary", name="Training")).to_be_visible()
    mark = page.evaluate("getComputedStyle(document.body, '::after').backgroundImage")
    assert "watermark.svg" in mark
    context.close()
    assert {what: found for what, found in seen.items() if found} == {}
    assert all(url.startswith(sandbox.url) for url in asked)


def test_a_sandbox_is_no_bank_and_a_bank_no_sandbox(sandbox: Sandbox, tmp_path: Path) -> None:
    refused = reclaim("recheck", "--data", sandbox.data)
    assert refused.returncode == Exit.ERROR
    assert refused.stderr.count("\n") == 1

    real = tmp_path / "real"
    make_site(BANK, real, "")
    assert reclaim("member", "add", "operator", "--role", "operator", "--data", real).returncode == 0
    assert reclaim("sandbox", "--data", real).returncode == Exit.ERROR
    # Nor by the mark put there by hand.
    (real / "sandbox").write_text("")
    refused = reclaim("sandbox", "--data", real, "--port", "0")
    assert refused.returncode == Exit.ERROR
    assert "never becomes a sandbox" in refused.stderr
    assert (real / "sandbox").exists()
    # Nor a sandbox a bank, by its mark taken away.
    (sandbox.data / "sandbox").unlink()
    refused = reclaim("serve", "--data", sandbox.data, "--port", "0", "--no-events")
    (sandbox.data / "sandbox").write_text("")
    assert refused.returncode == Exit.ERROR
    assert "training sandbox's" in refused.stderr
