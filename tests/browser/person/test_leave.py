"""Promise 12: a person can leave at any time with one gesture, and nothing of the visit stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person.conftest import LEAVE_ADDRESS, Person, person_with
from tests.browser.person.pictures import PHOTO

STORED = """async () => ({
  cookie: document.cookie, local: { ...localStorage }, session: { ...sessionStorage },
  databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length,
  workers: (await navigator.serviceWorker.getRegistrations()).length,
})"""
NOTHING = {"cookie": "", "local": {}, "session": {}, "databases": 0, "caches": 0, "workers": 0}


@pytest.fixture
def signed_in(person: Person) -> Iterator[Person]:
    number, pin = person.makes_a_case(PHOTO)
    assert person.page.url == person.bank + "/start/files/"
    assert person.page.evaluate(STORED) == NOTHING
    assert person.context.cookies() == []
    person.signs_in(number, pin)
    person.page.wait_for_url("**/case/pictures/")
    return person


def assert_left(person: Person) -> None:
    person.page.wait_for_url(LEAVE_ADDRESS)
    assert person.context.cookies() == []


def test_one_click_ends_the_visit_and_leaves_nothing(signed_in: Person) -> None:
    person = signed_in
    assert len(person.context.cookies()) == 1
    person.page.locator(".leave").click()
    assert_left(person)
    person.open("/case/pictures/")
    assert person.page.url == person.bank + "/case/"
    assert person.page.evaluate(STORED) == NOTHING


def test_shift_three_times_does_the_same(signed_in: Person) -> None:
    for _ in range(3):
        signed_in.page.keyboard.press("Shift")
    assert_left(signed_in)


def test_the_page_is_blank_before_anything_is_asked_of_the_network(person: Person) -> None:
    # Heard after the page's own listener, in the same turn: no answer can have come yet.
    look = "document.body.innerText.trim() + getComputedStyle(document.body).backgroundColor"
    person.context.add_init_script(f"addEventListener('click', () => console.info('seen ' + ({look})))")
    said: list[str] = []
    person.page.on("console", lambda message: said.append(message.text))
    person.open("/start/limits/")
    person.page.locator(".leave").click()
    assert_left(person)
    assert [text for text in said if text.startswith("seen")] == ["seen rgb(255, 255, 255)"]


def test_leaving_while_the_number_and_pin_are_shown_takes_them_away(person: Person) -> None:
    person.makes_a_case(PHOTO)
    person.page.locator(".leave").click()
    assert_left(person)
    person.page.go_back()
    assert "data-number></dd>" in person.page.content() or person.page.url == "about:blank"


def test_the_place_in_the_history_is_taken_by_where_leaving_leads(person: Person) -> None:
    person.open("/start/")
    length = person.page.evaluate("history.length")
    person.page.locator(".leave").click()
    assert_left(person)
    assert person.page.evaluate("history.length") == length


def test_the_presses_that_are_left_are_said(person: Person) -> None:
    person.open("/start/")
    status = person.page.locator("[data-leave-status]")
    person.page.keyboard.press("Shift")
    expect(status).to_have_text("To leave this page, press Shift 2 more times.")
    person.page.keyboard.press("Shift")
    expect(status).to_have_text("To leave this page, press Shift once more.")
    person.page.keyboard.press("a")
    expect(status).to_have_text("")


def test_typing_capital_letters_is_no_wish_to_leave(person: Person) -> None:
    person.open("/case/")
    field = person.page.get_by_label("Number")
    field.focus()
    for letter in "ABCDEF":
        person.page.keyboard.down("Shift")
        person.page.keyboard.press(letter)
        person.page.keyboard.up("Shift")
    expect(field).to_have_value("ABCDEF")
    assert person.page.url == person.bank + "/case/"


def test_three_presses_over_a_longer_time_are_no_wish_to_leave(person: Person) -> None:
    person.page.clock.install()
    person.open("/start/")
    person.page.keyboard.press("Shift")
    person.page.keyboard.press("Shift")
    person.page.clock.run_for(5100)
    person.page.keyboard.press("Shift")
    expect(person.page.locator("[data-leave-status]")).to_contain_text("2 more times")
    assert person.page.url == person.bank + "/start/"


def test_the_first_tab_stop_of_a_page_is_the_way_out(person: Person) -> None:
    for path in ("/", "/start/limits/", "/case/", "/nothing-here/"):
        person.open(path)
        person.page.keyboard.press("Tab")
        focused = person.page.locator(":focus")
        expect(focused).to_have_text("Leave this page now")
        box = focused.bounding_box()
        assert box is not None
        assert box["y"] >= 0
    person.faults.clear()  # the browser reports the page that is not there


@pytest.mark.parametrize("path", ["/", "/start/files/", "/case/"])
def test_without_scripts_the_way_out_is_a_link(browser: Browser, bank: str, path: str) -> None:
    person = person_with(browser, bank, java_script_enabled=False)
    person.open(path)
    person.page.locator(".leave").click()
    assert_left(person)
    person.context.close()


def test_without_scripts_the_file_page_says_what_still_works(browser: Browser, bank: str) -> None:
    person = person_with(browser, bank, java_script_enabled=False)
    person.open("/start/files/")
    expect(person.page.get_by_role("heading", level=1)).to_have_text("This step needs scripts")
    assert person.page.locator("[data-files]").is_hidden()
    person.page.get_by_role("link", name="see your case").click()
    expect(person.page.get_by_label("Number")).to_be_visible()
    person.context.close()
