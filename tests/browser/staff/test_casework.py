"""A practitioner works on a case file in a real browser: small, by keyboard, and every page passes axe."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from functools import partial

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from reclaim.bank.cases.consents import give_consent
from reclaim.bank.casework.models import CaseFile, Channel
from reclaim.bank.casework.services import open_case_file
from reclaim.bank.organisations.models import Team
from tests.browser.staff.pages import SMALL, be, check_page
from tests.members import practitioner
from tests.personas import ActingOrganisation, a_case

check = partial(check_page, "casework")

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])


@pytest.fixture
def acting(live_server: LiveServer, settings: Settings) -> ActingOrganisation:
    # The test's server serves files by itself, from here.
    settings.STATIC_ROOT = settings.STATICFILES_DIRS[0]
    return ActingOrganisation.let_in()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, acting: ActingOrganisation) -> Iterator[Page]:
    context = browser.new_context(viewport=SMALL, base_url=live_server.url)
    be(context, acting.client.cookies, live_server.url)
    yield context.new_page()
    context.close()


def test_a_case_file_from_its_first_talk_to_its_end(page: Page, acting: ActingOrganisation) -> None:
    Team.objects.create(organisation=acting.organisation, name="Night team")
    page.goto("/helpline/new/")
    expect(page.get_by_text("How did they come to you?")).to_be_hidden()
    check(page, "new-first")
    page.get_by_label("No, or not sure").check()
    page.get_by_role("button", name="Show who helps").click()
    check(page, "under-18")
    page.goto("/helpline/new/")
    page.get_by_role("radio", name="Yes", exact=True).first.check()
    # By keyboard: the advice of an answer appears with the answer.
    thoughts = page.get_by_label("Thoughts, no plan")
    thoughts.focus()
    advice = page.get_by_text("Say the crisis line, and ask whether you may call back")
    expect(advice).to_be_hidden()
    page.keyboard.press("Space")
    expect(advice).to_be_visible()
    page.get_by_role("button", name="Open the case file").click()
    expect(page.get_by_role("alert")).to_be_visible()
    check(page, "new-faults")
    page.get_by_label("Telephone").check()
    page.get_by_label("Somebody online demands money").check()
    page.get_by_label("Threatened", exact=True).check()
    page.get_by_label("Where?").fill("Instagram")
    page.get_by_label("How and when is it safe").fill("By signal, weekday mornings. «Blue» means not now.")
    page.get_by_label("A few words").fill("Met in a game, asks for 300 euros until Friday.")
    page.get_by_label("They know what is kept here").check()
    page.get_by_role("button", name="Open the case file").click()
    page.get_by_label("What is to be done").fill("Call back and ask how the night was")
    page.get_by_role("button", name="Add the task").click()
    page.get_by_label("New note").fill("Spoke for ten minutes.\nHas kept the messages.")
    page.get_by_role("button", name="Add the note").click()
    case_file = CaseFile.objects.get()
    root = f"/helpline/cases/{case_file.pk}/"
    code = give_consent(a_case(1, 2).case, acting.organisation).code
    page.get_by_label("Their code").fill(code)
    page.get_by_role("button", name="Link their case").click()
    check(page, "file")
    page.get_by_role("link", name="Correct the note").click()
    check(page, "correct")
    for name in ("facts", "hand-over", "close", "erase"):
        page.goto(f"{root}{name}/")
        check(page, name)
    page.goto(f"{root}close/")
    page.get_by_label("It was not shared").check()
    page.get_by_role("button", name="Close it").click()
    page.goto(root)
    check(page, "closed")


def test_a_day_of_somebody_with_many_case_files(page: Page, acting: ActingOrganisation) -> None:
    who = acting.practitioner
    colleague = practitioner(Client(), acting.organisation, name="Grace")
    made = [open_case_file(colleague if n % 3 else who, Channel.PHONE, adults=True) for n in range(4)]
    for n, each in enumerate(made):
        CaseFile.objects.filter(pk=each.pk).update(
            risk=("urgent", "watch", "none")[n % 3], touched_at=timezone.now() - datetime.timedelta(days=9 * n)
        )
    client = acting.client
    day = timezone.now().date()
    for each, due in ((made[0], day - datetime.timedelta(days=2)), (made[3], day)):
        sent = {"text": "Call back", "due_on": due.isoformat()}
        assert (
            client.post(f"/helpline/cases/{each.pk}/tasks/", sent, headers={"Origin": "http://testserver"}).status_code
            == 302
        )
    CaseFile.objects.filter(pk=made[1].pk).update(owner=None)
    for name in ("", "cases/", "supervision/", "numbers/", "export/", "break/"):
        page.goto(f"/helpline/{name}")
        check(page, name.strip("/") or "today")
    page.goto(f"/helpline/cases/{made[0].pk}/")
    page.get_by_role("button", name="Make a link for their device").click()
    expect(page.locator("a", has_text="/i/")).to_have_count(0)
    check(page, "invited")
