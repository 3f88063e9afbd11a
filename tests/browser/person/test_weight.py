"""What comes over the wire before a person chooses a file: little enough for a slow phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.person.conftest import person_with

MOST_BYTES = 64_000
PAGES = ["/", "/start/", "/start/notes/", "/start/age/", "/start/other/", "/start/what/", "/start/checking/"]
PAGES += ["/start/files/", "/hi/start/files/", "/case/", "/privacy/"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_weighs_less_than_sixty_four_kilobytes_compressed(browser: Browser, bank: str, path: str) -> None:
    person = person_with(browser, bank)
    person.open(path)
    if path.endswith("/files/"):
        person.panel("choose")
    person.page.wait_for_load_state("networkidle")
    # By address, since Workers ask for what the browser has, and by what the server said that it sends: developer
    # tools give no length of a Worker's own script.
    answers = {request.url: request.response() for request in person.requests}
    lengths = {url: int(answer.headers["content-length"]) for url, answer in answers.items() if answer}
    scripts = [answer for url, answer in answers.items() if answer and url.endswith(".js")]
    assert len(lengths) >= 4
    assert {answer.headers.get("content-encoding") for answer in scripts} == {"gzip"}
    assert sum(lengths.values()) < MOST_BYTES, lengths
    person.context.close()
