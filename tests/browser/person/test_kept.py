"""What helpers keep, a link of theirs and asking for help, as a small screen shows it: in English and right to left."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client
from playwright.sync_api import Browser, Route, expect

from reclaim.bank.casework.models import Note
from reclaim.bank.casework.services import add_note, new_invitation
from reclaim.bank.cooperation.plans import agree_check_in, choose_steps
from reclaim.bank.cooperation.queries import day_of
from reclaim.bank.takedown.services import add_links
from reclaim.bank.vault.services import case_key
from reclaim.sitekit.served import served_files
from tests.browser.axe import violations
from tests.browser.person.test_access_for_all import SMALL_TARGETS
from tests.cooperating import unlocked
from tests.helped import Helped, a_case_file
from tests.members import OWN_PAGE
from tests.personas import ActingOrganisation

pytestmark = [pytest.mark.django_db(databases=["default", "keys"]), pytest.mark.urls("reclaim.bank.urls")]

ORIGIN = "http://bank.test"


def everything(language: str) -> dict[str, HttpResponse]:
    """The pages as the site answers, with all that they can have in them."""
    helped = Helped.by_code()
    practitioner, case_file = helped.helper.practitioner, helped.case_file
    key = case_key(unlocked(practitioner), case_file.pk)
    add_note(case_file, practitioner, key, "https://" + "very-long-word" * 12, Note.Kind.PERSON)
    add_note(case_file, practitioner, key, "for ourselves")
    add_links(case_file, practitioner, f"https://{'long-name.' * 12}example/a https://b.example/b")
    choose_steps(practitioner, case_file, ["safe-at-home"])
    agree_check_in(practitioner, unlocked(practitioner), case_file, day_of(practitioner), "call")
    other = ActingOrganisation.let_in("Another Helpline")
    visitor = Client(headers=OWN_PAGE)
    visitor.get(f"/i/{new_invitation(a_case_file(other), other.practitioner).token}/")
    secrets = {"number": helped.made.number, "pin": helped.made.pin}
    person, at = helped.person, f"{language}{helped.address}"
    return {
        "/locked": person.get(at),
        "/opened": person.post(at, secrets),
        "/erase": person.get(f"{at}erase/"),
        "/helper": person.get(f"{language}/case/helper/"),
        "/ask": person.post(f"{language}/case/helper/", {"organisation": other.organisation.pk}),
        "/used": Client().get(f"{language}/i/"),
        "/invited": visitor.get(f"{language}/i/"),
    }


@pytest.mark.parametrize("language", ["", "/ar"])
def test_the_pages_of_helpers_are_accessible_on_a_small_screen_in_either_direction(
    browser: Browser, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The browser's library has a loop of its own in this thread; the database does not care.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    answers = everything(language)

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        if path in answers:
            found = answers[path]
            route.fulfill(status=200, headers=dict(found.items()), body=found.content)
        elif path.endswith((".css", ".svg", ".woff2")) and path.removeprefix("/static/") in served_files():
            route.fulfill(path=served_files()[path.removeprefix("/static/")].path)
        else:
            route.fulfill(status=404)

    # No script is let in: every one of these pages does without.
    context = browser.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.route("**/*", answer)
    for path in answers:
        page.goto(ORIGIN + path)
        assert violations(page) == [], path
        width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= window, f"{path} scrolls sideways"
        assert page.evaluate(SMALL_TARGETS) == [], path
        expect(page.locator("h1:visible"), path).to_have_count(1)
        assert (page.title() == "Help") == (language == ""), path
    context.close()
