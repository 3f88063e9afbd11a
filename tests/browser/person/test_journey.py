"""A person's whole way, in a real browser against a real bank."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from reclaim.signals import hamming
from tests.browser.hashing.videos import encoded, film
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


def test_from_the_first_page_to_a_withdrawal(person: Person) -> None:
    page = person.page
    person.open("/")
    page.get_by_role("link", name="Start", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("First: how to leave quickly")
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_role("main")).to_contain_text("Example Social")
    page.get_by_role("link", name="Go on").click()
    page.get_by_role("link", name="Yes, both").click()
    page.get_by_role("link", name="I want to make fingerprints now").click()
    number, pin = person.makes_a_case(PHOTO, OTHER_PHOTO, PHOTOS / "bee.jpg")
    assert re.fullmatch(r"(?:[0-9A-Z]{6}-){2}[0-9A-Z]{6}", number)
    assert re.fullmatch(r"[0-9]{8}", pin)
    person.act("written")
    person.panel("end")
    assert number not in page.content()
    assert pin[:4] not in re.sub(r"<[^>]+>", "", page.content())

    person.signs_in(number, pin)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your case")
    expect(page.locator('[data-platform="Picture Board"]')).to_contain_text("Gets them the next time")

    page.get_by_role("link", name="Add more").click()
    person.panel("choose")
    page.locator("[data-files]").first.set_input_files(PHOTOS / "moose.jpg")
    person.panel("check")
    person.act("send")
    expect(person.panel("added")).to_contain_text("One picture or video was added.")
    page.get_by_role("link", name="Back to your case").click()
    expect(page.get_by_role("listitem").filter(has_text="Picture 4")).to_contain_text("In place")

    page.get_by_role("link", name="Withdraw").click()
    page.get_by_label("Picture 2").check()
    page.get_by_role("button", name="Withdraw what I ticked").click()
    page.get_by_role("button", name="Yes, withdraw").click()
    expect(page.get_by_role("listitem").filter(has_text="Picture 2")).to_contain_text("Withdrawn")
    expect(page.get_by_role("listitem").filter(has_text="Picture 1")).to_contain_text("In place")

    page.get_by_role("link", name="Withdraw").click()
    page.get_by_role("button", name="Withdraw everything").click()
    page.get_by_role("button", name="Yes, withdraw").click()
    expect(page.get_by_role("main")).to_contain_text("Nobody is asked to look for anything of yours any more.")
    page.get_by_role("button", name="Close my case here").click()
    assert person.context.cookies() == []


def test_files_that_cannot_be_used_are_named_by_number_and_reason_and_the_rest_is_sent(person: Person) -> None:
    person.choose(NOT_A_PICTURE, PHOTO, POOR_PHOTO, EMPTY, PHOTO, OTHER_PHOTO)
    lines = person.panel("check").locator("li").all_inner_texts()
    said = [" ".join(line.split()) for line in lines]
    assert len(said) == 6
    assert re.fullmatch(
        "File 1 Left out Unknown kind of file, 1 kB, from .* This is not a picture or video .*", said[0]
    )
    assert re.fullmatch(r"File 2 Ready: picture 1 JPEG picture, 56 kB, from \w+ \d+, 20\d\d", said[1])
    assert re.fullmatch("File 3 Too plain JPEG picture, 4 kB, from .* There is too little to see .*", said[2])
    assert re.fullmatch("File 4 Left out Unknown kind of file, 0 kB, .* This file is empty.*", said[3])
    assert said[4].endswith("The same as file 2. Once is enough.")
    assert said[5].startswith("File 6 Ready: picture 2")
    assert len(person.body()["items"]) == 2
    person.sends()
    expect(person.panel("done")).to_contain_text("It holds 2 pictures and videos.")


def test_a_picture_that_is_too_plain_is_offered_an_exact_fingerprint_and_never_a_weak_one(person: Person) -> None:
    person.choose(POOR_PHOTO, PHOTO)
    panel = person.panel("check")
    expect(panel).to_contain_text("It finds only the very same file")
    assert [signal["type"] for item in person.body()["items"] for signal in item["signals"]] == ["pdq"]
    person.page.get_by_label("Use exact fingerprints for these files").check()
    expect(panel.locator("li").first).to_contain_text("An exact fingerprint will be used")
    md5 = hashlib.md5(POOR_PHOTO.read_bytes()).hexdigest()
    assert person.body()["items"][0] == {"kind": "picture", "signals": [{"type": "md5", "value": md5}]}
    person.sends()
    expect(person.panel("done")).to_contain_text("It holds 2 pictures and videos.")


def test_only_a_picture_that_is_too_plain_can_be_sent_once_the_person_wants_that(person: Person) -> None:
    person.choose(POOR_PHOTO)
    panel = person.panel("check")
    expect(panel.get_by_role("button", name="Go on")).to_be_disabled()
    person.page.get_by_label("Use exact fingerprints for these files").check()
    person.sends()
    expect(person.panel("done")).to_contain_text("It holds one picture or video.")


def test_the_part_inside_a_screenshot_is_shown_as_an_outline_and_sent_unless_the_person_takes_it_away(
    person: Person,
) -> None:
    person.choose(screenshot(), PHOTO)
    panel = person.panel("check")
    first, second = panel.locator("[data-list] > li").all()
    expect(first).to_contain_text("lie inside a screenshot or a frame. A fingerprint of the part inside is made too.")
    expect(first).to_contain_text("It is about 31% of the whole.")
    expect(first.locator("svg rect")).to_have_count(2)
    expect(second.locator("svg, input")).to_have_count(0)
    inside, photo = person.body()["items"][0]["trimmed"]["value"], person.body()["items"][1]["signals"][0]["value"]
    assert hamming(inside, photo) <= 31
    first.get_by_label("Use the part inside too").uncheck()
    box = panel.locator("[data-list]").get_by_label("Use the part inside too")
    expect(box).to_be_focused()
    expect(box).not_to_be_checked()
    assert "trimmed" not in person.body()["items"][0]
    box.check()
    assert person.body()["items"][0]["trimmed"]["value"] == inside


def test_an_ordinary_picture_is_never_sent_as_its_very_file(person: Person) -> None:
    """By that alone websites would block it wherever it is; only its looks are of a type that they treat otherwise."""
    person.open("/start/files/")
    sorted_out = """async () => {
      const { sortOut } = await import('/static/person/choice.js');
      const trimmed = { value: 'a', quality: 90, box: {} };
      const exact = { type: 'md5', value: 'b' };
      const results = [{ number: 1, ok: true, kind: 'picture', poor: true, why: 'flat', signals: [], exact, trimmed }];
      const chosen = { useExact: true, mostFrames: 9, described: new Map(), untrimmed: new Set([1]) };
      const given = [[], [1]].map((ordinary) => sortOut(results, { ...chosen, ordinary: new Set(ordinary) }));
      return given.map(({ items, plain }) => [items.map(({ signals }) => signals[0].type), plain]);
    }"""
    assert person.page.evaluate(sorted_out) == [[["md5"], 1], [[], 0]]


def test_patches_are_made_when_the_person_asks_and_taken_back_alone(person: Person) -> None:
    page = person.page
    person.choose(PHOTO, OTHER_PHOTO)
    panel = person.panel("check")
    loaded = [request.url for request in person.requests]
    assert not [url for url in loaded if "descriptors" in url or "c2pa" in url or "provenance" in url]
    panel.get_by_text("Also find cut or changed copies").click()
    wanted = panel.get_by_label("Yes, also describe patches")
    expect(wanted).not_to_be_checked()
    wanted.check()
    expect(panel.get_by_text("Patches are ready for 2 of 2 files.")).to_be_visible(timeout=30_000)
    assert all("descriptors" in item for item in person.body()["items"])
    wanted.uncheck()
    assert not [item for item in person.body()["items"] if "descriptors" in item or "placement" in item]
    wanted.check()
    expect(panel.get_by_text("Patches are ready for 2 of 2 files.")).to_be_visible(timeout=30_000)
    panel.get_by_text("An ordinary picture that a fake was made from").click()
    panel.locator("[data-ordinary]").get_by_label("File 2").check()
    expect(panel.locator("[data-list] > li").nth(1)).to_contain_text("only websites for adult content look for it")
    person.sends()
    person.signs_in(*person.writes_down())
    expect(page.get_by_role("main")).to_contain_text("Cut or changed copies are looked for too.")
    expect(page.get_by_role("listitem").filter(has_text="Picture 2")).to_contain_text("An ordinary picture")
    page.get_by_role("button", name="Take the patches back").click()
    expect(page.get_by_role("main")).to_contain_text("The patches are taken back. Your fingerprints stay.")
    expect(page.get_by_role("main")).to_contain_text("Cut or changed copies are not looked for.")
    expect(page.get_by_role("listitem").filter(has_text="Picture 1")).to_contain_text("In place")


def test_no_more_pictures_and_stills_are_described_than_one_sending_takes(person: Person) -> None:
    person.open("/start/files/")
    chosen = """async () => {
      const { withinReach } = await import('/static/person/extras.js');
      const bounds = document.querySelector('[data-journey]').dataset;
      const files = [...Array(24).fill([0, 'video']), ...Array(9).fill([0, 'picture'])];
      return [withinReach(files, bounds).length, withinReach(Array(26).fill([0, 'video']), bounds).length];
    }"""
    assert person.page.evaluate(chosen) == [32, 25]


def test_patches_of_a_video_are_those_of_moments_all_over_it(person: Person) -> None:
    video = {"name": "a.mp4", "mimeType": "video/mp4", "buffer": encoded(film())}
    person.choose(video, PHOTO)
    panel = person.panel("check")
    panel.get_by_text("Also find cut or changed copies").click()
    panel.get_by_label("Yes, also describe patches").check()
    expect(panel.get_by_text("Patches are ready for 2 of 2 files.")).to_be_visible(timeout=30_000)
    first, second = person.body()["items"]
    assert set(first) == {"kind", "signals", "stills"}
    assert [set(still) for still in first["stills"]] == [{"descriptors", "placement"}] * 4
    assert "stills" not in second
    person.sends()
    person.signs_in(*person.writes_down())
    expect(person.page.get_by_role("main")).to_contain_text("are looked for too.")
    person.page.get_by_role("button", name="Take the patches back").click()
    expect(person.page.get_by_role("listitem").filter(has_text="Video 1")).to_contain_text("In place")


def test_the_person_may_say_that_it_was_made_with_a_computer(person: Person) -> None:
    person.choose(PHOTO)
    person.panel("check")
    assert person.body()["made_with_ai"] == "unsaid"
    person.page.get_by_label("Yes", exact=True).check()
    assert person.body()["made_with_ai"] == "yes"
    person.sends()
    assert person.writes_down()


def test_what_is_sent_is_what_was_shown_to_the_letter(person: Person) -> None:
    person.choose(PHOTO)
    person.panel("check")
    expect(person.page.locator("[data-body]")).to_contain_text('"proof"')
    shown = person.page.locator("[data-body]").text_content()
    person.sends()
    person.writes_down()
    assert [request.post_data for request in person.requests if request.method == "POST"] == [shown]


# From the page's own side, as it may be done before a click from here arrives.
AS_IT_BEGINS = """(what) => new MutationObserver((_, observer) => {
  observer.disconnect();
  window.seen = ['pause', 'resume', 'paused'].map((name) => document.querySelector(`[data-${name}]`).hidden);
  if (what) document.querySelector(`[data-act=${what}]`).click();
}).observe(document.querySelector('[data-panel=making]'), { attributes: true })"""


def test_making_fingerprints_can_be_paused(person: Person) -> None:
    person.open("/start/files/")
    person.panel("choose")
    person.page.evaluate(AS_IT_BEGINS, "pause")
    person.choose(PHOTO, OTHER_PHOTO)
    panel = person.panel("making")
    expect(panel.get_by_text("Paused. Nothing happens until you go on.")).to_be_visible()
    expect(panel.get_by_role("button", name="Go on")).to_be_focused()
    person.act("resume")
    expect(person.panel("check").locator("li")).to_have_count(2)


def test_whoever_stops_while_it_is_paused_begins_anew_with_work_that_goes_on(person: Person) -> None:
    person.open("/start/files/")
    person.panel("choose")
    person.page.evaluate(AS_IT_BEGINS, "pause")
    person.choose(PHOTO)
    expect(person.panel("making").get_by_role("button", name="Go on")).to_be_focused()
    person.act("stop")
    person.panel("choose")
    person.page.evaluate(AS_IT_BEGINS, "")
    person.choose(PHOTO)
    person.panel("check")
    assert person.page.evaluate("window.seen") == [False, True, True]


def test_a_whole_folder_can_be_chosen(person: Person, tmp_path: Path) -> None:
    folder = tmp_path / "holiday"
    (folder / "more").mkdir(parents=True)
    for name in ("coffee.jpg", "more/astronaut.jpg"):
        (folder / name).write_bytes((PHOTOS / Path(name).name).read_bytes())
    (folder / ".DS_Store").write_bytes(b"a note of the system")
    person.open("/start/files/")
    person.panel("choose")
    person.page.locator("[data-files][webkitdirectory]").set_input_files(folder)
    expect(person.panel("check").locator("li")).to_have_count(2)


def test_the_card_to_save_holds_the_number_and_the_pin_and_says_nothing(person: Person) -> None:
    number, pin = person.makes_a_case(PHOTO)
    with person.page.expect_download() as saved:
        person.act("save")
    assert saved.value.suggested_filename == "note.txt"
    assert Path(saved.value.path()).read_text().replace("\u00a0", "").split() == [number, pin]


def test_the_card_to_print_says_nothing_but_the_number_and_the_pin(person: Person) -> None:
    number, pin = person.makes_a_case(PHOTO)
    person.page.emulate_media(media="print")
    printed = person.page.evaluate("document.body.innerText")
    assert re.sub(r"[\s\u00a0]", "", printed) == number + pin


def test_if_no_file_can_be_used_nothing_is_sent_and_others_can_be_chosen(person: Person) -> None:
    person.choose(NOT_A_PICTURE, EMPTY)
    expect(person.panel("none").locator("li")).to_have_count(2)
    person.act("again")
    number, _ = person.makes_a_case(PHOTO)
    assert number


def test_more_files_than_a_case_takes_are_refused_before_anything_is_read(person: Person) -> None:
    many = [dict(EMPTY, name=f"{n}.jpg") for n in range(501)]
    person.choose(*many)
    expect(person.panel("choose").get_by_role("alert").first).to_contain_text("500 at most")
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
    person.faults.clear()  # the browser reports that the puzzle could not be asked for


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
    expect(person.page).to_have_url(re.compile("/case/pictures/$"))
    expect(person.page.get_by_role("listitem").filter(has_text="Picture 1")).to_have_count(1)
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


def test_a_wrong_code_of_a_helper_can_be_mended_without_choosing_the_files_again(browser: Browser, bank: str) -> None:
    person = person_with(browser, bank)
    person.choose(PHOTO)
    person.panel("check")
    person.page.get_by_text("I have a code from a helper").click()
    person.page.get_by_label("Code", exact=True).fill("AAAA-AAAA")
    person.sends()
    panel = person.panel("failed")
    expect(panel.get_by_role("heading", level=1)).to_have_text("Something went wrong here")
    expect(panel).to_contain_text("This code is not known")
    expect(panel.get_by_role("button", name="Send again")).to_be_hidden()
    person.act("check")
    person.page.get_by_label("Code", exact=True).fill("")
    person.sends()
    assert person.writes_down()
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
    assert person.page.locator("[data-files]").first.is_hidden()
    assert person.page.evaluate("document.activeElement.textContent").startswith("Your browser changes")
    person.context.close()


def test_an_old_browser_is_told_so(browser: Browser, bank: str) -> None:
    person = person_with(browser, bank)
    person.context.add_init_script("delete globalThis.Worker; delete globalThis.createImageBitmap;")
    person.open("/start/files/")
    expect(person.panel("unsupported")).to_contain_text("cannot make fingerprints")
    person.context.close()
