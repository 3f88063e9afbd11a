"""Referral, evidence, letters, plans and demands in a real browser: small, and every page passes axe."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from reclaim.bank.exchange.identity import public_key
from reclaim.bank.takedown.services import add_links
from reclaim.protocol import evidence as pack_wire
from reclaim.protocol import referral as wire
from reclaim.sitekit.permissions import Role
from tests.browser.staff.pages import SMALL, be, check_page
from tests.cooperating import PNG, Cooperating
from tests.members import signed_in

check = partial(check_page, "cooperation")

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])


@pytest.fixture
def one(live_server: LiveServer, settings: Settings) -> Cooperating:
    # The test's server serves files by itself, from here.
    settings.STATIC_ROOT = settings.STATICFILES_DIRS[0]
    return Cooperating.begun("One")


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, one: Cooperating) -> Iterator[Page]:
    context = browser.new_context(viewport=SMALL, base_url=live_server.url)
    be(context, one.acting.client.cookies, live_server.url)
    yield context.new_page()
    context.close()


def test_a_practitioner_works_with_others(page: Page, one: Cooperating, tmp_path: Path) -> None:
    two = Cooperating.begun("Two")
    identity, recipient = wire.new_identity()
    one.checked_officer(recipient)
    add_links(one.case_file, one.acting.practitioner, "https://site.example/" + "a" * 200)
    page.goto(f"/helpline/cooperation/{one.case_file.pk}/")
    check(page, "case")

    page.get_by_role("link", name="Refer").click()
    check(page, "refer")
    page.get_by_label("To which organisation").select_option(f"0.{two.party.number}")
    page.get_by_role("checkbox", name="What happened").check()
    page.get_by_label("What was agreed, in the person's words").fill("That much.")
    page.locator("#part-happened").fill("He threatens to send it.")
    page.get_by_role("button", name="See what they will see").click()
    check(page, "preview")
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_text("He threatens to send it.")).to_be_visible()
    check(page, "sent")

    page.goto(f"/helpline/cooperation/{one.case_file.pk}/evidence/")
    check(page, "evidence")
    page.get_by_label("For which officer").select_option(index=1)
    page.get_by_label("What the person allows, in their words").fill("The link and this message.")
    page.locator("input[name=link]").check()
    shot = {"name": "x.png", "mimeType": "image/png", "buffer": PNG}
    page.get_by_label("Screenshots").set_input_files(files=[shot])  # type: ignore[list-item]
    with page.expect_download() as given:
        page.get_by_role("button", name="Make the pack").click()
    given.value.save_as(tmp_path / "pack.age")
    opened = wire.open_bytes(identity, (tmp_path / "pack.age").read_bytes())
    assert len(pack_wire.verify(opened, public_key()).manifest.files) == 2

    page.goto(f"/helpline/cooperation/{one.case_file.pk}/")
    page.get_by_role("link", name="For Example Police").click()
    check(page, "pack")

    page.goto(f"/helpline/cooperation/{one.case_file.pk}/letter/")
    page.get_by_label("To whom").fill("Example Hosting")
    page.locator("input[name=link]").check()
    page.get_by_role("button", name="Write it").click()
    check(page, "letter")

    page.goto(f"/helpline/cooperation/{one.case_file.pk}/plan/")
    page.get_by_role("checkbox", name="Sleep and quiet").check()
    page.get_by_role("button", name="Begin the plan").click()
    page.get_by_label("Day").fill("2027-01-01")
    page.get_by_label("Which way is safe").fill("Signal, after six.")
    page.get_by_role("button", name="Note it").click()
    check(page, "plan")
    for path, name in (("", "home"), ("officers/", "officers")):
        page.goto(f"/helpline/cooperation/{path}")
        check(page, name)

    page.context.clear_cookies()
    be(page.context, two.acting.client.cookies, page.url.partition("/helpline")[0])
    page.goto("/helpline/cooperation/")
    page.get_by_role("link", name="One, GB").click()
    check(page, "received")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("It was referred by One")).to_be_visible()


def test_staff_log_a_demand_and_everybody_reads_how_many_there_were(page: Page, one: Cooperating) -> None:
    operator = one.acting.client.__class__()
    signed_in(operator, Role.OPERATOR)
    page.context.clear_cookies()
    page.goto("/demands/")
    check(page, "demands-none")
    be(page.context, operator.cookies, page.url.partition("/demands")[0])
    page.goto("/staff/demands/")
    check(page, "demands")
    page.get_by_label("Came on").fill("2026-05-19")
    page.get_by_label("Who asks").fill("Example Court")
    page.get_by_label("Country").fill("GB")
    page.get_by_label("Law and article that it names").fill("none named")
    page.get_by_label("What kind of thing it asks for").select_option("picture")
    page.locator("#asked").fill("All pictures of a person.")
    page.get_by_label("Telling the person is forbidden").check()
    page.get_by_role("button", name="Log it").click()
    check(page, "demand")
    page.get_by_label("Forbidden until this day").fill("2027-05-19")
    page.get_by_role("button", name="Propose this day").click()
    expect(page.get_by_text("it waits for the second person")).to_be_visible()
    check(page, "demand-ban")
    page.get_by_label("Nothing is held").check()
    page.get_by_label("Why, and who advised").fill("No picture is here.")
    page.get_by_role("button", name="Propose it").click()
    expect(page.get_by_text("Waits for the second person", exact=True)).to_be_visible()
    page.goto("/demands/")
    check(page, "demands-public")
