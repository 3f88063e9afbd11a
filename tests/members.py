"""Members of the staff for tests: signed in within the process, or in a browser by password and code."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client

from reclaim.bank.organisations.models import Organisation, Practitioner, Team
from reclaim.bank.vault import people
from reclaim.bank.vault import services as vault
from reclaim.bank.vault.sessions import COOKIE, sealed_for_session
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.accounts.queries import CARRIED, SIGNED_IN_AT
from reclaim.sitekit.accounts.views import BACKEND
from reclaim.sitekit.permissions import FACTOR_AT, FRESH_SECONDS, Role

if TYPE_CHECKING:
    from playwright.sync_api import Page

PASSWORD = "a kettle, an owl"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
"""Headers of a browser that sends a form of our own."""


class LightHasher(Argon2PasswordHasher):
    """Argon2 that costs next to nothing."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1


def code_of(secret: str, *, later: int = 0) -> str:
    """What an authenticator app shows now, or ``later`` periods from now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later)))


def make_member(role: Role, name: str = "", *, secret: str = "") -> Member:
    """A member with ``PASSWORD``, an authenticator app and recovery codes; named after the role if not otherwise."""
    member = Member(name=name or f"the {role.value}", role=role.value)
    member.set_password(PASSWORD)
    member.save()
    TOTP.activate(member, secret or generate_totp_secret())
    RecoveryCodes.activate(member)
    return member


def signed_in(client: Client, role: Role, *, fresh: bool = True, name: str = "") -> Member:
    """A new member whose session ``client`` has; with ``fresh``, the second factor was shown just now."""
    member = make_member(role, name)
    client.force_login(member, backend=BACKEND)
    session = client.session
    session[SIGNED_IN_AT] = time.time()
    session[FACTOR_AT] = time.time() - (0 if fresh else FRESH_SECONDS + 1)
    session.save()
    return member


def practitioner(
    client: Client,
    organisation: Organisation,
    role: Role = Role.PRACTITIONER,
    *,
    scope: Practitioner.Scope = Practitioner.Scope.OWN,
    team: Team | None = None,
    fresh: bool = True,
    name: str = "",
) -> Practitioner:
    """A new practitioner of an organisation whose session ``client`` has."""
    member = signed_in(client, role, fresh=fresh, name=name or f"{role.value} {Practitioner.objects.count() + 1}")
    made = Practitioner.objects.create(member=member, organisation=organisation, team=team, scope=scope)
    unlock(client, made)
    return made


def unlock(client: Client, practitioner: Practitioner) -> None:
    """Have the practitioner's private key in the session of ``client``, as after typing the password."""
    name = people.name_of(practitioner)
    key = vault.unlock(name, PASSWORD) or vault.make_pair(name, PASSWORD)
    session = client.session
    session[CARRIED], client.cookies[COOKIE] = sealed_for_session(key)
    session.save()


def app_secret(member: Member) -> str:
    """The secret of a member's authenticator app, as the app has it."""
    return str(decrypt(Authenticator.objects.get(user=member, type=Authenticator.Type.TOTP).data["secret"]))


@dataclass
class Account:
    """A member of a site that runs by itself, as a browser test knows them."""

    url: str
    """Where the pages of the site's staff begin, e.g. ``http://127.0.0.1:8000/staff``."""
    name: str
    password: str
    """The one-time password, until an own one is chosen."""
    secret: str = ""
    codes: list[str] = field(default_factory=list)
    """Recovery codes that were not used yet: unlike an app's, they need no waiting for the next half minute."""

    def code(self) -> str:
        """A code that opens the account; each is good once."""
        return self.codes.pop(0)


def set_up(page: Page, account: Account) -> None:
    """First sign-in: choose ``PASSWORD`` and an authenticator app, and note the recovery codes."""
    type_password(page, account)
    account.secret = page.locator("code.key").inner_text().replace(" ", "")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_label("Code").fill(code_of(account.secret))
    page.get_by_role("button", name="Save, with this app").click()
    account.password = PASSWORD
    account.codes = re.findall(r"\d{5} \d{5}", page.locator(".codes").inner_text())


def type_password(page: Page, account: Account) -> None:
    """The first page of signing in."""
    page.goto(f"{account.url}/sign-in/")
    page.get_by_label("Name").fill(account.name)
    page.get_by_label("Password").fill(account.password)
    page.get_by_role("button", name="Go on").click()


def sign_in(page: Page, account: Account) -> None:
    """Sign in by password and code; the first time with the set-up. Ends at the staff's first page."""
    if not account.secret:
        set_up(page, account)
        page.get_by_role("link", name="Go on").click()
        return
    type_password(page, account)
    page.get_by_label("Code").fill(account.code())
    page.get_by_role("button", name="Use this code").click()
    page.wait_for_url(lambda url: "sign-in" not in url)
