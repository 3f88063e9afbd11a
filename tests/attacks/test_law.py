"""Attacks by what is written into the law, and on who may write it."""

from __future__ import annotations

import pytest
from django.test import Client

from reclaim.bank.law.models import LawVersion
from reclaim.bank.law.services import edit_law, sync_shipped
from reclaim.sitekit.models import AuditEvent
from reclaim.sitekit.roles import Role
from tests.members import OWN_PAGE, make_member, signed_in
from tests.site.bank.test_law import KEY, a_member, form, shipped

pytestmark = pytest.mark.django_db


def test_the_words_of_a_row_are_words_on_every_page_and_run_nothing() -> None:
    operator = a_member(Role.OPERATOR)
    script = "</title><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7|add:7 }}"
    told = dict.fromkeys(("name", "note", "due", "authority", "in_force_note"), script)
    sent = form(shipped(), **told) | {"request": script, "why": script}
    assert operator.post(f"/staff/law/{KEY}/edit/", sent).status_code == 302
    for path in ("/law/", "/law/US/", "/staff/law/", f"/staff/law/{KEY}/", f"/staff/law/{KEY}/edit/"):
        page = operator.get(path).content.decode()
        assert "&lt;script&gt;" in page, path
        assert "<script>" not in page, path
        assert "onerror=alert(1)>" not in page, path


@pytest.mark.parametrize("source", ["javascript:alert(1)", "data:text/html,x", "//x.org", "https://a:b@x.org/", "\x00"])
def test_a_reader_is_led_to_no_script_and_to_no_address_in_disguise(source: str) -> None:
    operator = a_member(Role.OPERATOR)
    answer = operator.post(f"/staff/law/{KEY}/edit/", form(shipped(), sources=[source]))
    assert answer.status_code == 422
    assert LawVersion.objects.filter(key=KEY).count() == 1


@pytest.mark.parametrize("role", [Role.OVERSEER, Role.WATCHER, Role.PRACTITIONER, Role.SUPERVISOR])
def test_nobody_but_an_operator_writes_law(role: Role) -> None:
    client = Client(headers=OWN_PAGE)
    signed_in(client, role)
    for path in ("add/", f"{KEY}/edit/"):
        assert client.post(f"/staff/law/{path}", form(shipped(), note="x") | {"key": "us-x"}).status_code == 403
    assert LawVersion.objects.filter(written_by__isnull=False).count() == 0


def test_another_site_s_form_writes_no_law() -> None:
    operator = a_member(Role.OPERATOR)
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://example.org"}
    answer = operator.post(f"/staff/law/{KEY}/edit/", form(shipped(), note="x"), headers=foreign)
    assert answer.status_code == 403
    assert LawVersion.objects.filter(key=KEY).count() == 1


def test_a_reader_cannot_find_out_what_is_hidden() -> None:
    hidden = Client().get("/law/source/pk-peca-21/1/")
    nothing = Client().get("/law/source/pk-nothing-there/1/")
    assert (hidden.status_code, hidden.content) == (nothing.status_code, nothing.content)


def test_a_file_that_comes_later_does_not_undo_what_an_operator_corrected() -> None:
    operator = make_member(Role.OPERATOR)
    facts = {name: value for name, value in form(shipped(), amount="24").items() if name not in ("version", "why")}
    facts["reach"] = ["person", "platform"]
    edit_law(operator, KEY, 1, facts, "The act says so.")
    assert sync_shipped() == 0
    latest = LawVersion.objects.filter(key=KEY).order_by("-number")[0]
    assert latest.facts["amount"] == 24
    assert AuditEvent.objects.filter(action="law.edit", actor=operator.actor).count() == 1
