"""Promise 2: every page, style and script names same-origin addresses only."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client, override_settings

from tests.personas import ActingPlatform, a_case
from tests.routes import SITES, path_of, patterns_of

ANOTHER_ORIGIN = re.compile(r"""(?:\b(?:https?|wss?|ftp):)?//[a-z0-9\[]""", re.IGNORECASE)
# A namespace is a name, not an address: no browser fetches it.
NAMESPACES = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink")


def other_origins_in(text: str) -> list[str]:
    for name in NAMESPACES:
        text = text.replace(name, "")
    without_comments = re.sub(r"/\*.*?\*/|(?m:^\s*//.*$)", "", text, flags=re.DOTALL)
    return [match[0] for match in ANOTHER_ORIGIN.finditer(without_comments)]


@pytest.mark.parametrize("text", ['<a href="https://x.org">', "url(//x.org/a.png)", "fetch('wss://x')"])
def test_the_check_finds_another_origin(text: str) -> None:
    assert other_origins_in(text)


def test_no_file_that_is_served_names_another_origin() -> None:
    # The libraries in vendor/ name addresses of standards and of their authors. That none is ever asked is seen in
    # tests/browser/hashing/test_heic.py and test_trust.py, where every request is recorded; the policy lets none out.
    files = [file for file in settings.WEB.rglob("*") if file.suffix in (".js", ".css", ".svg", ".html")]
    files = [file for file in files if not file.is_relative_to(settings.WEB / "vendor")]
    assert len(files) > 12
    assert {file.name: other_origins_in(file.read_text()) for file in files if other_origins_in(file.read_text())} == {}


@pytest.mark.django_db
@pytest.mark.parametrize("site", SITES)
def test_no_page_names_another_origin(site: str) -> None:
    ActingPlatform.vetted()
    made = a_case(1, 2)
    client = Client(raise_request_exception=False)
    client.post("/case/", {"number": made.number, "pin": made.pin})
    with override_settings(ROOT_URLCONF=site):
        pages = 0
        for path in {path_of(route) for route, _ in patterns_of(site)} | {"/nothing-here"}:
            answer = client.get(path, headers={"Accept": "text/html"})
            if answer.get("Content-Type", "").startswith("text/html"):
                pages += 1
                assert other_origins_in(answer.content.decode()) == [], path
        assert pages >= 2
