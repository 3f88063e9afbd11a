"""Promise 7: no permission exists outside the table, and every staff read is audited."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings

from reclaim.sitekit.access import Access, DenyByDefault, access_of, accesses_of
from reclaim.sitekit.permissions import TABLE, Permission, permission_of
from tests.routes import SITES, path_of, patterns_of

pytestmark = pytest.mark.django_db

PUBLIC = {
    "reclaim.bank.urls": {
        "case-lost",
        "case-new",
        "case-sign-in",
        "checking",
        "demands-public",
        "files",
        "go",
        "help-ai",
        "help-device",
        "help-nofile",
        "help-now",
        "help-online",
        "help-threat",
        "invited",
        "invited-by",
        "keep",
        "law-article",
        "law-convention",
        "law-convention-source",
        "law-country",
        "law-home",
        "law-source",
        "leave",
        "limits",
        "manifest",
        "member-sign-in",
        "privacy",
        "puzzle",
        "situation",
        "start",
        "start-age",
        "platform-application",
        "platform-join",
        "start-leaving",
        "under-18",
        "v2-about",
        "v2-application",
        "v2-apply",
        "v2-openapi",
        "v2-pick-up",
        "v2-withdraw-application",
    },
    "reclaim.platform.urls": {"member-sign-in"},
}


@pytest.mark.parametrize("site", SITES)
def test_every_route_names_who_may_call_it(site: str) -> None:
    for route, pattern in patterns_of(site):
        assert all(access in Access for access in accesses_of(pattern.callback)), route


@pytest.mark.parametrize("site", SITES)
def test_only_these_routes_are_open_to_everybody(site: str) -> None:
    public = {pattern.name for _, pattern in patterns_of(site) if Access.PUBLIC in accesses_of(pattern.callback)}
    assert public == PUBLIC[site]


@pytest.mark.parametrize("site", SITES)
def test_every_other_route_refuses_a_visitor_who_shows_nothing(site: str) -> None:
    with override_settings(ROOT_URLCONF=site):
        for route, pattern in patterns_of(site):
            if Access.PUBLIC in accesses_of(pattern.callback):
                continue
            for method in ("get", "post"):
                answer = getattr(Client(), method)(path_of(route))
                assert answer.status_code in (302, 401, 403), route
                if answer.status_code == 302:
                    assert "sign-in" in answer["Location"] or answer["Location"] == "/case/", route


@pytest.mark.parametrize("site", SITES)
def test_every_route_of_staff_names_a_permission_of_the_table(site: str) -> None:
    for route, pattern in patterns_of(site):
        if access_of(pattern.callback) in (Access.STAFF, Access.REVIEWER, Access.PRACTITIONER):
            assert permission_of(pattern.callback) in TABLE, route


def test_every_permission_is_some_roles_and_the_document_shows_the_same_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "permissions.md").read_text()
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", page.partition("| may | who |\n| --- | --- |\n")[2], re.MULTILINE)
    written = {words: frozenset(who.split(", ")) for words, who in rows}
    assert written == {permission.value: frozenset(map(str, roles)) for permission, roles in TABLE.items()}
    assert set(TABLE) == set(Permission)
    assert all(TABLE.values())


def test_a_view_that_names_nobody_is_closed() -> None:
    def forgotten(request: HttpRequest) -> HttpResponse:
        return HttpResponse("secret")

    gate = DenyByDefault(forgotten)
    refusal = gate.process_view(RequestFactory().get("/"), forgotten, [], {})
    assert refusal is not None
    assert refusal.status_code == 403
