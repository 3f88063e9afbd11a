"""«See for yourself»: with the connection off, the page that takes files does all that it does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.hashing.videos import encoded, film
from tests.browser.person.conftest import Person, person_with
from tests.browser.person.pictures import OTHER_PHOTO, PHOTO
from tests.browser.person.test_leave import NOTHING, STORED, assert_left

KEPT = """async () => ({
  paths: (await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys())))).flat()
    .map(({ url }) => new URL(url).pathname).sort(),
  scopes: (await navigator.serviceWorker.getRegistrations()).map(({ scope }) => new URL(scope).pathname).sort(),
})"""


KEPT_FOLDERS = {"components", "hashing", "icons", "person", "vendor"}
UNTIL_GONE = """async () => {
  for (let tries = 0; tries < 100 && (await navigator.serviceWorker.getRegistrations()).length; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}"""


def assert_gone(person: Person) -> None:
    """Going away is asked for at once, and takes the browser a moment."""
    person.page.evaluate(UNTIL_GONE)
    assert person.page.evaluate(STORED) == NOTHING


def get_ready(person: Person, path: str = "/start/files/") -> None:
    person.open(path)
    person.panel("choose")
    person.act("prepare")
    expect(person.page.locator("[data-offline-status]")).to_contain_text("Ready")


@pytest.fixture
def ready(person: Person) -> Iterator[Person]:
    get_ready(person)
    return person


def fingerprints(person: Person, *files: Any) -> Any:
    person.choose(*files)
    person.panel("check")
    return json.loads(person.page.locator("[data-body]").text_content() or "")["items"]


def test_nothing_is_kept_before_the_person_asks(person: Person) -> None:
    person.open("/start/files/")
    person.panel("choose")
    assert person.page.evaluate(STORED) == NOTHING


def test_what_is_kept_is_this_page_and_its_files_and_no_other_page_is_answered_for(ready: Person) -> None:
    kept = ready.page.evaluate(KEPT)
    assert kept["scopes"] == ["/start/files/", "/static/"]
    published = ready.page.evaluate("fetch('/files.json').then((answer) => answer.json())")["files"]
    needed = {f"/static/{path}" for path in published if path.split("/")[0] in KEPT_FOLDERS} | {"/static/site.css"}
    # Larger than all else, and no picture needs it.
    needed = {path for path in needed if not path.startswith("/static/vendor/c2pa-wasm/")}
    assert set(kept["paths"]) == needed | {"/start/files/"}
    stored = {**NOTHING, "caches": 1, "workers": 2}
    assert ready.page.evaluate(STORED) == stored
    assert ready.context.cookies() == []


def test_fingerprints_are_made_with_the_connection_off_also_after_a_reload(ready: Person) -> None:
    ready.context.set_offline(True)
    first = fingerprints(ready, PHOTO, OTHER_PHOTO)
    assert [signal["type"] for item in first for signal in item["signals"]] == ["pdq", "pdq"]
    expect(ready.page.locator("[data-requests]")).to_have_text("0")
    ready.page.reload()
    ready.panel("choose")
    assert fingerprints(ready, PHOTO, OTHER_PHOTO) == first
    ready.context.set_offline(False)
    ready.faults.clear()  # the browser reports that no puzzle could be fetched
    ready.sends()
    ready.writes_down()
    # Sent, so nothing of it is kept any longer.
    assert_gone(ready)


def test_decoders_that_are_loaded_only_when_needed_are_there_with_the_connection_off(ready: Person) -> None:
    heic, mp4 = BytesIO(), encoded(film(seconds=2))
    with Image.open(PHOTO) as photo:
        pillow_heif.from_pillow(photo).save(heic, quality=80)
    ready.context.set_offline(True)
    items = fingerprints(
        ready,
        {"name": "a.heic", "mimeType": "image/heic", "buffer": heic.getvalue()},
        {"name": "b.mp4", "mimeType": "video/mp4", "buffer": mp4},
    )
    assert [[signal["type"] for signal in item["signals"]] for item in items] == [["pdq"], ["md5", "vpdq"]]
    ready.context.set_offline(False)
    ready.faults.clear()  # the browser reports that no puzzle could be fetched


def test_leaving_takes_away_what_was_kept(ready: Person) -> None:
    ready.page.locator(".leave").click()
    assert_left(ready)
    ready.open("/privacy/")
    assert ready.page.evaluate(STORED) == NOTHING


def test_leaving_with_the_connection_off_takes_it_away_too(ready: Person) -> None:
    ready.context.set_offline(True)
    ready.page.locator(".leave").click(no_wait_after=True)
    expect(ready.page.locator("[data-journey]")).to_have_count(0)
    ready.context.set_offline(False)
    ready.open("/start/files/")
    ready.panel("choose")
    assert ready.page.evaluate(STORED) == NOTHING
    ready.faults.clear()  # the browser reports that it is offline


def test_going_on_to_another_page_takes_it_away(ready: Person) -> None:
    ready.open("/")
    assert_gone(ready)


def test_another_page_in_a_second_tab_leaves_it_as_long_as_the_first_is_open(ready: Person) -> None:
    second = ready.context.new_page()
    second.goto(ready.bank + "/privacy/")
    second.wait_for_timeout(1500)
    ready.context.set_offline(True)
    ready.page.reload()
    ready.panel("choose")
    ready.context.set_offline(False)
    ready.faults.clear()  # the browser reports that no puzzle could be fetched
    ready.page.close()
    second.reload()
    second.evaluate(UNTIL_GONE)
    assert second.evaluate(STORED) == NOTHING


def test_a_page_in_another_language_is_kept_as_it_is(person: Person) -> None:
    person.open("/ar/start/files/")
    person.panel("choose")
    person.act("prepare")
    ready = person.page.locator('template[data-word="offline-ready"]').evaluate("found => found.content.textContent")
    expect(person.page.locator("[data-offline-status]")).to_have_text(ready)
    person.context.set_offline(True)
    person.page.reload()
    person.panel("choose")
    assert person.page.evaluate(KEPT)["scopes"] == ["/ar/start/files/", "/static/"]
    person.context.set_offline(False)
    person.faults.clear()  # the browser reports that no puzzle could be fetched


def test_a_file_that_is_not_as_published_is_not_kept(browser: Browser, bank: str) -> None:
    person = person_with(browser, bank)
    person.open("/start/files/")
    person.panel("choose")

    def change(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text() + "\n// changed on its way")

    person.page.route("**/hashing/pdq.js", change)
    person.act("prepare")
    expect(person.page.locator("[data-offline-status]")).not_to_contain_text("Ready")
    expect(person.page.locator("[data-offline-status]")).to_contain_text("cannot")
    assert person.page.evaluate(STORED) == NOTHING
    person.context.close()
