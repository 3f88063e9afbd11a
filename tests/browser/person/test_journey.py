"""A person's whole way, in a real browser against a real bank."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person.conftest import Person, person_with
from tests.browser.person.pictures import EMPTY, NOT_A_PICTURE, OTHER_PHOTO, PHOTO, PHOTOS, POOR_PHOTO


def test_from_the_first_page_to_a_withdrawal(person: Person) -> None:
    page = person.page
    person.open("/")
    page.get_by_role("link", name="Start", exact=True).click()
    page.get_by_role("link", name="Yes, both").click()
    expect(page.get_by_role("main")).to_contain_text("Example Social")
    page.get_by_role("link", name="Go on").click()
    number, pin = person.makes_a_case(PHOTO, OTHER_PHOTO, PHOTOS / "bee.jpg")
    assert re.fullmatch(r"(?:[0-9A-Z]{6}-){2}[0-9A-Z]{6}", number)
    assert re.fullmatch(r"[0-9]{8}", pin)
    person.act("written")
    person.panel("end")
    assert number not in page.content()
    assert pin[:4] not in re.sub(r"<[^>]+>", "", page.content())

    person.signs_in(number, pin)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your pictures")
    expect(page.locator('[data-platform="Picture Board"]')).to_contain_text("Gets them the next time")

    page.get_by_role("link", name="Withdraw pictures").click()
    page.get_by_label("Picture 2").check()
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_role("listitem").filter(has_text="Picture 2")).to_contain_text("Withdrawn")
    expect(page.get_by_role("listitem").filter(has_text="Picture 1")).to_contain_text("In place")

    page.get_by_role("link", name="Withdraw pictures").click()
    page.get_by_label("All my pictures").check()
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_role("main")).to_contain_text("All your pictures are withdrawn.")
    page.get_by_role("button", name="Close my case here").click()
    assert person.context.cookies() == []


def test_files_that_cannot_be_used_are_named_by_number_and_reason_and_the_rest_is_sent(person: Person) -> None:
    person.choose(NOT_A_PICTURE, PHOTO, POOR_PHOTO, EMPTY, PHOTO, OTHER_PHOTO)
    lines = person.panel("check").locator("li").all_inner_texts()
    said = [" ".join(line.split()) for line in lines]
    assert len(said) == 6
    assert said[0].startswith("File 1 Left out This is not a picture")
    assert said[1] == "File 2 Ready: picture 1"
    assert said[2].startswith("File 3 Left out This picture is too blurred")
    assert said[3].startswith("File 4 Left out This file is empty")
    assert said[4].startswith("File 5 Left out The same picture as file 2")
    assert said[5] == "File 6 Ready: picture 2"
    shown = json.loads(person.page.locator("[data-body]").text_content() or "")
    assert len(shown["signals"]) == 2
    person.sends()
    expect(person.panel("done")).to_contain_text("It holds 2 pictures.")


def test_if_no_file_can_be_used_nothing_is_sent_and_others_can_be_chosen(person: Person) -> None:
    person.choose(NOT_A_PICTURE, POOR_PHOTO)
    assert person.panel("none").locator("li").count() == 2
    person.act("again")
    number, _ = person.makes_a_case(PHOTO)
    assert number


def test_more_files_than_a_case_takes_are_refused_before_anything_is_read(person: Person) -> None:
    many = [dict(EMPTY, name=f"{n}.jpg") for n in range(501)]
    person.choose(*many)
    expect(person.page.get_by_role("alert")).to_contain_text("500 at most")
    person.panel("choose")


def test_making_fingerprints_can_be_stopped(person: Person) -> None:
    person.open("/start/files/")
    person.panel("choose")
    person.page.evaluate(
        "() => new MutationObserver(() => document.querySelector('[data-act=stop]').click())"
        ".observe(document.querySelector('[data-panel=making]'), { attributes: true })"
    )
    person.choose(*[PHOTOS / name for name in ("coffee.jpg", "grass.jpg", "galaxies.jpg", "bee.jpg")])
    person.panel("choose")
    assert person.page.locator("[data-panel=check]").is_hidden()


def test_the_fingerprints_are_made_with_the_connection_switched_off(person: Person) -> None:
    person.open("/start/files/")
    person.panel("choose")
    person.context.set_offline(True)
    expect(person.panel("choose")).to_contain_text("Your connection is off")
    person.choose(PHOTO)
    expect(person.panel("check")).to_contain_text("Your connection is off")
    expect(person.page.locator("[data-requests]")).to_have_text("0")
    person.context.set_offline(False)
    person.sends()
    assert person.writes_down()


def test_a_lost_answer_is_asked_for_again_with_the_same_receipt(browser: Browser, bank: str) -> None:
    person = person_with(browser, bank)
    bodies: list[str] = []

    def lose_the_first(route: object) -> None:
        bodies.append(route.request.post_data)  # type: ignore[attr-defined]
        if len(bodies) == 1:
            # The bank gets it and answers; the answer never arrives.
            route.fetch()  # type: ignore[attr-defined]
            route.abort()  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    person.context.route("**/start/case/", lose_the_first)
    number, pin = person.makes_a_case(PHOTO)
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    person.signs_in(number, pin)
    assert person.page.url.endswith("/case/pictures/")
    assert person.page.get_by_role("listitem").filter(has_text="Picture 1").count() == 1
    person.context.close()


def test_if_no_answer_comes_the_person_can_send_again_without_a_second_case(browser: Browser, bank: str) -> None:
    person = person_with(browser, bank)
    bodies: list[str] = []

    def lose_three(route: object) -> None:
        bodies.append(route.request.post_data)  # type: ignore[attr-defined]
        if len(bodies) <= 3:
            route.abort()  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    person.context.route("**/start/case/", lose_three)
    person.choose(PHOTO)
    person.sends()
    expect(person.panel("failed")).to_contain_text("no answer came back")
    person.act("send")
    assert person.writes_down()
    assert len(bodies) == 4
    assert len(set(bodies)) == 1
    person.context.close()


@pytest.mark.parametrize("place", ["worker", "page"])
def test_a_browser_that_falsifies_pictures_is_told_what_to_do_before_it_chooses_any(
    browser: Browser, bank: str, place: str
) -> None:
    person = person_with(browser, bank)
    falsify = """
      for (const kind of ['OffscreenCanvasRenderingContext2D', 'CanvasRenderingContext2D']) {
        const context = globalThis[kind];
        if (!context) continue;
        const read = context.prototype.getImageData;
        context.prototype.getImageData = function (...where) {
          const image = read.apply(this, where);
          for (let i = 0; i < image.data.length; i += 101) image.data[i] ^= 1;
          return image;
        };
      }
    """
    if place == "worker":

        def falsified(route: object) -> None:
            answer = route.fetch()  # type: ignore[attr-defined]
            route.fulfill(response=answer, body=falsify + answer.text())  # type: ignore[attr-defined]

        person.context.route("**/hashing/decode.js", falsified)
    else:
        person.context.add_init_script("delete globalThis.Worker;" + falsify)
    person.open("/start/files/")
    panel = person.panel("canvas-falsified")
    expect(panel).to_contain_text("another browser")
    expect(panel).to_contain_text("protection for this page")
    assert person.page.locator("[data-files]").is_hidden()
    assert person.page.evaluate("document.activeElement.textContent").startswith("Your browser changes")
    person.context.close()


def test_an_old_browser_is_told_so(browser: Browser, bank: str) -> None:
    person = person_with(browser, bank)
    person.context.add_init_script("delete globalThis.Worker; delete globalThis.createImageBitmap;")
    person.open("/start/files/")
    expect(person.panel("unsupported")).to_contain_text("cannot make fingerprints")
    person.context.close()
