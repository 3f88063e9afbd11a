"""Accounts of staff: the commands that make them, and what a member does with their own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from click.testing import CliRunner, Result
from django.test import Client

from reclaim.cli import main
from reclaim.cli.exits import Exit
from reclaim.sitekit.accounts import services
from reclaim.sitekit.models import AuditEvent
from reclaim.sitekit.permissions import Role
from tests.members import OWN_PAGE, app_secret, code_of, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("reclaim.platform.urls")]


@pytest.mark.parametrize(("site", "roles"), [("bank", ("watcher", "operator")), ("platform", ("reviewer", "lead"))])
def test_accounts_are_made_changed_and_ended_by_commands(
    site: str, roles: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RECLAIM_DATA", "DJANGO_SETTINGS_MODULE"):
        monkeypatch.setenv(name, os.environ[name])

    def member(*arguments: str) -> Result:
        return CliRunner().invoke(main, [site, "member", *arguments, "--data", str(tmp_path)])

    first = json.loads(member("add", "Ada", "--role", roles[0], "--json").stdout)
    assert member("add", " Ada ", "--role", roles[0]).exit_code == Exit.NAME_TAKEN
    assert member("add", "a\x07", "--role", roles[0]).exit_code == Exit.USAGE
    assert "nobody" in member("add", "Bea", "--role", "nobody").stderr
    assert member("role", "Ada", "--role", roles[1]).exit_code == 0
    again = json.loads(member("reset", "Ada", "--json").stdout)
    assert first["password"] != again["password"]
    listed = json.loads(member("list", "--json").stdout)
    assert (listed["name"], listed["role"], listed["factors"]) == ("Ada", roles[1], [])
    assert "waits for the first sign-in" in member("list").stdout
    assert member("remove", "Ada").exit_code == 0
    for gone in (member("reset", "Ada"), member("remove", "Ada"), member("role", "Ada", "--role", roles[0])):
        assert (gone.exit_code, gone.stdout, gone.stderr.count("\n")) == (Exit.ERROR, "", 1)
    assert member("add", "Ada", "--role", roles[0]).exit_code == 0, "somebody who was removed may come back"
    assert list(AuditEvent.objects.values_list("action", flat=True)) == [
        f"member.add.{roles[0]}",
        f"member.role.{roles[1]}",
        "member.reset",
        "member.remove",
        f"member.add.{roles[0]}",
    ]


def test_an_app_is_replaced_and_new_recovery_codes_end_the_old() -> None:
    client = Client()
    member = signed_in(client, Role.REVIEWER)
    before = app_secret(member)
    client.get("/account/app/", headers=OWN_PAGE)
    offered = client.session["mfa.totp.secret"]
    wrong = client.post("/account/app/", {"code": code_of(before)}, headers=OWN_PAGE)
    assert (wrong.status_code, client.session["mfa.totp.secret"]) == (400, offered), "the picture scanned still holds"
    assert client.post("/account/app/", {"code": code_of(offered)}, headers=OWN_PAGE)["Location"] == "/account/"
    assert app_secret(member) == offered
    codes = Authenticator.objects.get(user=member, type="recovery_codes")
    assert client.post("/account/recovery-codes/", headers=OWN_PAGE).status_code == 302
    assert not Authenticator.objects.filter(pk=codes.pk).exists()
    assert client.get("/account/recovery-codes/", headers=OWN_PAGE).content.decode().count("<li><code>") == 10


def test_a_key_is_called_as_its_owner_likes_in_plain_characters() -> None:
    member = signed_in(Client(), Role.REVIEWER)
    for name in ("My\0 <b>key", "\0\x07", "k" * 100):
        services.add_key(member, name, {})
    names = [key.data["name"] for key in Authenticator.objects.filter(type="webauthn").order_by("pk")]
    assert names == ["My <b>key", "Security key", "k" * 60]


def test_pages_of_staff_are_english_whatever_the_browser_asks_for() -> None:
    client = Client()
    signed_in(client, Role.REVIEWER)
    for path in ("/sign-in/", "/account/", "/"):
        page = client.get(path, headers={"Accept-Language": "ar", "Accept": "text/html"})
        assert '<html lang="en" dir="ltr">' in page.content.decode()
        assert page["Content-Language"] == "en"
