"""Promises 1 and 2: the picture never leaves the device, and no third party is there to receive anything."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import expect

from reclaim.signals.descriptors import parse_descriptors, parse_placement
from tests.browser.hashing.videos import encoded, film
from tests.browser.person.conftest import Person
from tests.browser.person.pictures import (
    EXIF_MARKER,
    FILE_NAME,
    OTHER_PHOTO,
    photo_with_exif,
    says_that_it_was_made_with_ai,
    screenshot,
)
from tests.pages import PERSON_PAGES

DOCUMENTED = Path(__file__).parents[3] / "docs" / "proof.md"


def documented() -> dict[str, set[str]]:
    """The keys that docs/proof.md says are sent, by what they are keys of."""
    keys: dict[str, set[str]] = {}
    for of, name in re.findall(r"^\| (\w+) \| `(\w+)` \|", DOCUMENTED.read_text("utf-8"), re.MULTILINE):
        keys.setdefault(of, set()).add(name)
    return keys


def test_from_page_load_to_the_case_only_the_documented_keys_leave(person: Person) -> None:
    photo, on_screen, made = photo_with_exif(), screenshot(), says_that_it_was_made_with_ai()
    assert EXIF_MARKER.encode() in photo["buffer"]
    assert b"trainedAlgorithmicMedia" in made["buffer"]
    video = {"name": FILE_NAME, "mimeType": "video/mp4", "buffer": encoded(film())}
    person.choose(photo, OTHER_PHOTO, on_screen, made, video)
    panel = person.panel("check")
    expect(person.page.locator("[data-body]")).to_contain_text('"proof"')
    plain = person.body()
    assert set(plain) == {"receipt", "made_with_ai", "proof", "items"}
    assert plain["made_with_ai"] == "unsaid"
    assert [set(item) - {"kind", "signals"} for item in plain["items"]] == [set(), set(), {"trimmed"}, set(), set()]

    # All that a person may ask for besides.
    for summary in panel.locator("summary").all():
        summary.click()
    person.act("look")
    expect(panel.locator("#looking-status")).to_contain_text("At least one file says", timeout=30_000)
    panel.locator("[data-describe]").check()
    expect(panel.locator("#patches-status")).to_have_text("Patches are ready for 5 of 5 files.", timeout=30_000)
    panel.locator("[data-ordinary]").get_by_label("File 2").check()
    shown = person.body()
    before = list(person.requests)
    assert all(request.method == "GET" and request.post_data_buffer is None for request in before)
    person.sends()
    person.writes_down()
    person.act("written")
    person.panel("end")

    [sent] = [request for request in person.requests if request not in before]
    assert (sent.method, urlsplit(sent.url).path) == ("POST", "/start/case/")
    body = json.loads(sent.post_data or "")
    assert body == shown
    assert body["made_with_ai"] == "yes"
    assert re.fullmatch(r"[0-9a-f]{64}", body["receipt"])
    keys = documented()
    assert set(body) | {"code"} == keys["all"]
    assert set().union(*body["items"]) == keys["item"]
    assert [item.get("source") for item in body["items"]] == [None, True, None, None, None]
    *pictures, film_sent = body["items"]
    for item in pictures:
        [signal] = item["signals"]
        for each in (signal, {**item.get("trimmed", signal), "type": "pdq"}):
            assert set(each) == {"type", "value", "quality"} < keys["signal"]
            assert re.fullmatch(r"[0-9a-f]{64}", each["value"])
            assert 50 <= each["quality"] <= 100
    assert set(film_sent) == {"kind", "signals", "stills"}
    assert set().union(*film_sent["signals"]) == {"type", "value", "frames"} < keys["signal"]
    for described in (*pictures, *film_sent["stills"]):
        assert set(described["placement"]) == keys["placement"]
        count = len(parse_descriptors(described["descriptors"]))
        assert len(parse_placement(**described["placement"], count=count).places) <= 64
    assert all(set(still) == keys["still"] for still in film_sent["stills"])

    told = [
        FILE_NAME,
        FILE_NAME.split(".")[0],
        OTHER_PHOTO.name,
        EXIF_MARKER,
        "trainedAlgorithmicMedia",
        "c2pa.actions",
    ]
    pieces = []
    for contents in (each["buffer"] for each in (photo, on_screen, made, video)):
        pieces += [contents[start : start + 24] for start in range(0, len(contents) - 24, 4096)]
    told += [base64.b64encode(piece).decode()[:24] for piece in pieces]
    for request in person.requests:
        headers = " ".join(f"{name} {value}" for name, value in request.all_headers().items())
        everything = request.url + headers + (request.post_data or "")
        assert not [secret for secret in told if secret in everything]
        assert urlsplit(request.url).query == ""
        assert not any(piece in (request.post_data_buffer or b"") for piece in pieces)


def test_the_page_never_holds_a_picture_or_its_name(person: Person) -> None:
    person.choose(photo_with_exif())
    person.panel("check")
    assert FILE_NAME not in person.page.content()
    expect(person.page.locator("img, canvas, video, picture")).to_have_count(0)
    expect(person.page.locator("[data-files]").first).to_have_value("")


def test_what_the_person_sees_counted_is_what_the_browser_sent(person: Person) -> None:
    person.choose(OTHER_PHOTO)
    person.panel("check")
    expect(person.page.locator("[data-requests]")).to_have_text("0")
    # The demonstration must be able to fail: a request of the page is counted.
    person.page.evaluate("fetch('/', { cache: 'no-store' }).then((answer) => answer.text())")
    expect(person.page.locator("[data-requests]")).to_have_text("1")


def test_every_request_and_every_address_in_a_file_is_our_own(person: Person) -> None:
    for path in PERSON_PAGES:
        person.open(path)
    person.makes_a_case(OTHER_PHOTO)
    # Asked for again, with the page's own cookies: the browser forgets an answer's body when it moves on.
    bodies: dict[str, str] = {}
    for url in dict.fromkeys(request.url for request in person.requests if request.method == "GET"):
        answer = person.page.request.get(url)
        if re.match(r"text/(html|css|javascript)|application/javascript", answer.headers.get("content-type", "")):
            bodies[url] = answer.text()
    assert {f"{urlsplit(request.url).scheme}://{urlsplit(request.url).netloc}" for request in person.requests} == {
        person.bank
    }
    assert len(bodies) > len(PERSON_PAGES) + 8
    for url, body in bodies.items():
        assert not re.findall(r"""(?:https?:|wss?:)?//[a-z0-9-]+\.[a-z]""", re.sub(r"(?m)^\s*//.*$", "", body)), url
        assert "data:" not in body, url
