"""Everybody can use every page: keyboard, small screens, dark, and what axe-core finds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.browser.axe import violations
from tests.browser.person.conftest import Person, person_with
from tests.browser.person.pictures import (
    EMPTY,
    NOT_A_PICTURE,
    OTHER_PHOTO,
    PHOTO,
    PHOTOS,
    POOR_PHOTO,
    screenshot,
)
from tests.pages import PERSON_PAGES

SMALL: ViewportSize = {"width": 320, "height": 640}
WIDE: ViewportSize = {"width": 1280, "height": 800}
LOOKS: dict[str, tuple[ViewportSize, dict[str, Any]]] = {
    "small": (SMALL, {}),
    "small and dark": (SMALL, {"color_scheme": "dark"}),
    "wide": (WIDE, {}),
    "wide with forced colours": (WIDE, {"forced_colors": "active"}),
}
COLOUR_RULES = ("color-contrast", "link-in-text-block")
"""What axe-core judges by colours; everything else it finds in the same page in plain colours."""
# The page of files has states of its own, which are looked at one by one.
PAGES = [*(path for path in PERSON_PAGES if path != "/start/files/"), "/nothing-here/"]

SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, input, summary')].filter((target) => {
  const box = target.getBoundingClientRect();
  const inText = target.matches('p a, li a');
  return box.width > 0 && !inText && (box.height < 24 || box.width < 24);
}).map((target) => target.outerHTML)"""


@pytest.fixture
def visitor(browser: Browser, bank: str) -> Iterator[Person]:
    person = person_with(browser, bank, viewport=SMALL)
    yield person
    person.context.close()


def check(person: Person, state: str) -> None:
    """The page as it stands now, in every look; it ends in the look that it had at first, a small screen."""
    page = person.page
    for look, (size, colours) in LOOKS.items():
        if page.viewport_size != size:
            page.set_viewport_size(size)
        page.emulate_media(**{"color_scheme": "light", "forced_colors": "none", **colours})
        # Colours that are still on their way from the look before.
        page.evaluate("document.getAnimations().forEach((each) => each.finish())")
        assert violations(page, COLOUR_RULES if colours else ()) == [], f"{state}, {look}"
        width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= window, f"{state}, {look} scrolls sideways"
        assert page.evaluate(SMALL_TARGETS) == [], f"{state}, {look}"
        expect(page.locator("h1:visible"), f"{state}, {look}").to_have_count(1)
    assert page.title() == "Help", state
    page.set_viewport_size(SMALL)
    page.emulate_media(color_scheme="light", forced_colors="none")


def test_every_page_and_state_is_accessible(visitor: Person) -> None:
    for path in PAGES:
        visitor.open(path)
        check(visitor, path)

    visitor.choose(EMPTY, NOT_A_PICTURE)
    visitor.panel("none")
    check(visitor, "none")
    visitor.act("again")
    visitor.panel("choose")
    check(visitor, "choose")
    visitor.choose(PHOTO, POOR_PHOTO, OTHER_PHOTO, screenshot())
    visitor.panel("check")
    for summary in visitor.page.locator("[data-panel=check] summary").all():
        summary.click()
    visitor.page.locator("[data-describe]").check()
    expect(visitor.page.locator("#patches-status")).to_contain_text("Patches are ready")
    check(visitor, "check")
    visitor.act("write")
    check(visitor, "write")
    visitor.act("send")
    number, pin = visitor.writes_down()
    check(visitor, "done")
    visitor.act("written")
    check(visitor, "end")

    visitor.signs_in(number, "00000000" if pin != "00000000" else "11111111")
    check(visitor, "wrong PIN")
    visitor.signs_in(number, pin)
    check(visitor, "case")
    visitor.open("/case/add/")
    visitor.panel("choose")
    check(visitor, "adding")
    visitor.page.locator("[data-files]").first.set_input_files(PHOTOS / "bee.jpg")
    visitor.panel("check")
    visitor.act("send")
    visitor.panel("added")
    check(visitor, "added")
    visitor.open("/case/helper/")
    check(visitor, "helper")
    visitor.page.get_by_label("Example Helpline").check()
    visitor.page.get_by_role("button", name="Go on").click()
    check(visitor, "helper, sure")
    visitor.page.get_by_role("button", name="Yes, make a code").click()
    check(visitor, "helper, code")
    visitor.open("/case/withdraw/")
    check(visitor, "withdraw")
    visitor.page.get_by_label("Picture 1").check()
    visitor.page.get_by_role("button", name="Withdraw what I ticked").click()
    check(visitor, "withdraw, sure")
    visitor.page.get_by_role("button", name="Yes, withdraw").click()
    check(visitor, "one withdrawn")
    visitor.open("/case/")
    check(visitor, "case open")


def test_the_states_that_say_what_is_wrong_are_accessible(visitor: Person) -> None:
    visitor.open("/start/files/")
    visitor.panel("choose")
    for name in ("preparing", "making", "sending", "failed", "canvas-falsified", "unsupported"):
        visitor.page.evaluate(
            """(name) => document.querySelectorAll('[data-panel]').forEach((panel) => {
              panel.hidden = panel.dataset.panel !== name;
            })""",
            name,
        )
        check(visitor, name)


def press_until(person: Person, key: str, there: Callable[[], bool]) -> None:
    for _ in range(40):
        if there():
            return
        person.page.keyboard.press(key)
    raise AssertionError("the keyboard does not lead there")


def reach(person: Person, name: str) -> None:
    """Go on with the Tab key to what is called so, which must be visible and clear of the fixed bar."""
    page = person.page
    said = """() => {
      const here = document.activeElement;
      return here.matches('a, button, input, summary') ? (here.labels?.[0] ?? here).innerText : '';
    }"""
    press_until(person, "Tab", lambda: name in page.evaluate(said))
    hidden = page.evaluate(
        """() => {
          const box = document.activeElement.getBoundingClientRect();
          const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
          return !(top && (document.activeElement.contains(top) || top.contains(document.activeElement)));
        }"""
    )
    assert not hidden, f"«{name}» is covered when it has the focus"


def test_the_whole_way_with_the_keyboard_alone(browser: Browser, bank: str) -> None:
    person = person_with(browser, bank, viewport={"width": 400, "height": 500})
    page = person.page
    # Asked for only at the moment of the key, choosers may be caught too late.
    page.on("filechooser", lambda chooser: None)
    person.open("/")
    for name in ("Start", "Go on", "Go on", "Yes, both", "I want to make fingerprints now"):
        reach(person, name)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    person.panel("choose")
    press_until(person, "Tab", lambda: page.evaluate("document.activeElement.type === 'file'"))
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(PHOTO)
    person.panel("check")
    assert page.evaluate("document.activeElement.textContent") == "Your fingerprints are ready"
    reach(person, "Go on")
    page.keyboard.press("Enter")
    reach(person, "Send the fingerprints")
    page.keyboard.press("Enter")
    number, pin = person.writes_down()
    assert page.evaluate("document.activeElement.textContent") == "Write these down now"
    reach(person, "I have written them down")
    page.keyboard.press("Space")
    person.panel("end")
    reach(person, "See my case")
    page.keyboard.press("Enter")
    page.wait_for_url("**/case/")
    reach(person, "Number")
    page.keyboard.type(number)
    page.keyboard.press("Tab")
    page.keyboard.type(pin)
    page.keyboard.press("Enter")
    page.wait_for_url("**/case/pictures/")
    reach(person, "Withdraw")
    page.keyboard.press("Enter")
    page.wait_for_url("**/case/withdraw/")
    reach(person, "Picture 1")
    page.keyboard.press("Space")
    for name in ("Withdraw what I ticked", "Yes, withdraw"):
        reach(person, name)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_contain_text("Nobody is asked to look for anything of yours any more.")
    person.context.close()


# 320 CSS pixels are also what is left of 1280 at 400 % zoom. Of the languages, those with the longest words, without
# spaces between them, and from right to left.
@pytest.mark.parametrize("code", ["ar", "de", "th", "ur"])
def test_no_page_scrolls_sideways_in_other_languages(browser: Browser, bank: str, code: str) -> None:
    person = person_with(browser, bank, viewport={"width": 320, "height": 640})
    for path in [*PAGES, "/start/files/"]:
        person.open(f"/{code}{path}")
        width, window = person.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= window, path
    person.open(f"/{code}/start/what/")
    assert violations(person.page) == []
    person.context.close()


def test_a_person_can_do_everything_in_her_own_language(browser: Browser, bank: str) -> None:
    person = person_with(browser, bank, locale="ar-EG", viewport={"width": 360, "height": 740})
    page = person.page
    person.open("/start/files/")
    assert page.evaluate("document.documentElement.dir") == "rtl"
    person.choose(PHOTO, POOR_PHOTO)
    said = person.panel("check").inner_text()
    assert not re.findall(r"[A-Za-z]{3,}", re.sub(r"JPEG|AI|PIN", "", said.split("{")[0]))
    person.sends()
    number, pin = person.writes_down()
    person.act("written")
    person.open("/ar/case/")
    page.locator("#number").fill(number)
    page.locator("#pin").fill(pin.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")))
    page.locator("main form button").click()
    page.wait_for_url("**/ar/case/pictures/")
    assert page.evaluate("document.documentElement.lang") == "ar"
    person.context.close()


def test_the_language_can_be_changed_with_the_keyboard_and_without_scripts(browser: Browser, bank: str) -> None:
    person = person_with(browser, bank, java_script_enabled=False, viewport={"width": 320, "height": 640})
    person.open("/start/")
    person.page.locator(".languages summary").press("Enter")
    person.page.get_by_role("link", name="Français").press("Enter")
    person.page.wait_for_url("**/fr/start/")
    assert person.page.evaluate("document.documentElement.lang") == "fr"
    assert person.context.cookies() == []
    person.context.close()
