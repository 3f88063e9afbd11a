"""Members of the staff for tests: signed in within the process, or in a browser by password and code."""

from __future__ import annotations

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.test import Client

from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.accounts.queries import SIGNED_IN_AT
from reclaim.sitekit.accounts.views import BACKEND
from reclaim.sitekit.permissions import FACTOR_AT, FRESH_SECONDS, Role

PASSWORD = "a kettle, an owl"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
"""Headers of a browser that sends a form of our own."""


def code_of(secret: str, *, later: int = 0) -> str:
    """What an authenticator app shows now, or ``later`` periods from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later))


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


def app_secret(member: Member) -> str:
    """The secret of a member's authenticator app, as the app has it."""
    from allauth.mfa.utils import decrypt

    return str(decrypt(Authenticator.objects.get(user=member, type=Authenticator.Type.TOTP).data["secret"]))
