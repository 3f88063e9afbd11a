"""Promise 12: a person can leave at any time with one gesture, and nothing of the visit stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
    expect(person.page).to_have_url(person.bank + "/start/files/")
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
    expect(person.page).to_have_url(person.bank + "/case/")
    assert person.page.evaluate(STORED) == NOTHING


def test_shift_three_times_does_the_same(signed_in: Person) -> None:
    for _ in range(3):
        signed_in.page.keyboard.press("Shift")
    assert_left(signed_in)


def test_the_page_is_blank_before_anything_is_asked_of_the_network(person: Person) -> None:
    # Heard after the page's own listener, in the same turn: no answer can have come yet.
    look = """[document.body.innerText.trim(), getComputedStyle(document.body).backgroundColor,
      [...document.body.querySelectorAll('*')].map((part) => part.getBoundingClientRect()).filter(
        (box) => box.width > 1 && box.height > 1 && box.x < innerWidth && box.y < innerHeight).length]"""
    person.context.add_init_script(f"addEventListener('click', () => console.info('seen ' + {look}.join(' ')))")
    said: list[str] = []
    person.page.on("console", lambda message: said.append(message.text))
    person.open("/start/notes/")
    person.page.locator(".leave").click()
    assert_left(person)
    # All that is left is the word for a screen reader, and nothing to be seen.
    assert [text for text in said if text.startswith("seen")] == ["seen Loading. rgb(255, 255, 255) 0"]


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


def dots(person: Person) -> str:
    """The dots as they are seen: «» for none, else one sign each, filled or not."""
    return str(
        person.page.evaluate(
            """() => [...document.querySelectorAll('[data-leave-presses] > span')].map((dot) => {
              const { width, height } = dot.getBoundingClientRect();
              const border = parseFloat(getComputedStyle(dot).borderTopWidth);
              return width === 0 ? '' : border * 2 >= height ? '●' : '○';
            }).join('')"""
        )
    )


def test_the_presses_that_are_left_are_said_and_seen(person: Person) -> None:
    person.open("/start/")
    status = person.page.locator("[data-leave-status]")
    assert dots(person) == ""
    person.page.keyboard.press("Shift")
    expect(status).to_have_text("Shift, press 2 more times to leave.")
    assert dots(person) == "●○○"
    person.page.keyboard.press("Shift")
    expect(status).to_have_text("Shift, press 1 more time to leave.")
    assert dots(person) == "●●○"
    person.page.keyboard.press("a")
    expect(status).to_have_text("")
    assert dots(person) == ""


LOOKS = [{"forced_colors": "active"}, {"reduced_motion": "reduce"}, {"viewport": {"width": 320, "height": 500}}]


@pytest.mark.parametrize("look", LOOKS, ids=["forced colours", "reduced motion", "small"])
def test_the_dots_are_seen_and_nothing_moves_however_the_person_looks(
    browser: Browser, bank: str, look: dict[str, Any]
) -> None:
    person = person_with(browser, bank, **look)
    person.open("/ar/start/")
    assert person.page.locator("html").get_attribute("dir") == "rtl"
    person.page.keyboard.press("Shift")
    assert dots(person) == "●○○"
    assert person.page.evaluate("document.getAnimations().length") == 0
    button, first = person.page.locator(".leave"), person.page.locator("[data-leave-presses] > span").first
    box, dot, last = button.bounding_box(), first.bounding_box(), button.locator("[data-leave-presses] > span").last
    assert box
    assert dot
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= person.page.evaluate("innerWidth")
    assert box["x"] <= dot["x"] <= box["x"] + box["width"]
    # From right to left the first press is the rightmost dot.
    assert dot["x"] > (last.bounding_box() or dot)["x"]
    person.context.close()


def test_the_way_out_says_what_it_is_for(person: Person) -> None:
    person.open("/start/")
    expect(person.page.locator(".leave")).to_have_accessible_name("Emergency Leave this page")
    assert person.page.locator(".leave").get_attribute("rel") == "nofollow noreferrer"


def test_typing_capital_letters_is_no_wish_to_leave(person: Person) -> None:
    person.open("/case/")
    field = person.page.get_by_label("Number")
    field.focus()
    for letter in "ABCDEF":
        person.page.keyboard.down("Shift")
        person.page.keyboard.press(letter)
        person.page.keyboard.up("Shift")
    expect(field).to_have_value("ABCDEF")
    expect(person.page).to_have_url(person.bank + "/case/")


def test_three_presses_over_a_longer_time_are_no_wish_to_leave_and_this_is_said(person: Person) -> None:
    person.page.clock.install()
    person.open("/start/")
    status = person.page.locator("[data-leave-status]")
    person.page.keyboard.press("Shift")
    person.page.keyboard.press("Shift")
    person.page.clock.run_for(5100)
    expect(status).to_have_text("Timed out. You are still on this page.")
    assert dots(person) == ""
    person.page.keyboard.press("Shift")
    expect(status).to_contain_text("2 more times")
    person.page.clock.run_for(5100)
    person.page.clock.run_for(5100)
    expect(status).to_have_text("")
    expect(person.page).to_have_url(person.bank + "/start/")


def test_going_back_after_leaving_shows_nothing_of_the_case(signed_in: Person) -> None:
    person = signed_in
    shown = person.page.locator("main").inner_text()
    person.open("/privacy/")
    person.page.locator(".leave").click()
    assert_left(person)
    person.page.go_back()
    expect(person.page).to_have_url(person.bank + "/case/")
    assert person.page.locator("main").inner_text() != shown
    expect(person.page.get_by_label("PIN", exact=True)).to_have_value("")


def test_the_first_tab_stop_of_a_page_is_the_way_out(person: Person) -> None:
    for path in ("/", "/start/notes/", "/case/", "/nothing-here/"):
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
    expect(person.page.locator("[data-files]:visible")).to_have_count(0)
    person.page.get_by_role("main").get_by_role("link", name="See my case").click()
    expect(person.page.get_by_label("Number")).to_be_visible()
    person.context.close()
