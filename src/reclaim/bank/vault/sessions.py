"""A practitioner's private key while they are signed in.

It lies in the session, sealed under a random key that only a cookie of the practitioner's browser has: a copy of the
database with its sessions opens nothing, and neither does the cookie without the session.
"""

from __future__ import annotations

import base64
import binascii
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from nacl.utils import random

from reclaim.bank.organisations.queries import access_practitioner
from reclaim.bank.vault import keys, people
from reclaim.bank.vault.keys import DamagedError, Unlocked
from reclaim.bank.vault.services import NoKeyError
from reclaim.sitekit.accounts.queries import CARRIED
from reclaim.sitekit.events import GetResponse
from reclaim.sitekit.permissions import page_of
from reclaim.sitekit.problems import problem, refusal, wants_page

COOKIE = "__Host-k" if settings.SECURE else "k"
_NEW_COOKIE = "_vault_cookie"


class LockedError(Exception):
    """The practitioner's key is not at hand in this session: the password is needed once more."""


def _bound(name: str) -> bytes:
    return b"reclaim.session\0" + name.encode()


def sealed_for_session(unlocked: Unlocked) -> tuple[str, str]:
    """What the session keeps, and what the cookie has to open it; both are text."""
    key = random(keys.KEY_BYTES)
    sealed = keys.seal(key, _bound(unlocked.name), unlocked.private_key)
    return base64.b64encode(sealed).decode(), base64.urlsafe_b64encode(key).decode()


def hold(request: HttpRequest, unlocked: Unlocked) -> None:
    """Keep a private key for the rest of the session; the answer to this request sets the cookie."""
    request.session[CARRIED], cookie = sealed_for_session(unlocked)
    setattr(request, _NEW_COOKIE, cookie)


def unlocked(request: HttpRequest) -> Unlocked:
    """The signed-in practitioner's private key. Raises ``LockedError``, which ``KeyOfTheSession`` answers."""
    return unlocked_as(request, people.name_of(access_practitioner(request)))


def unlocked_as(request: HttpRequest, name: str) -> Unlocked:
    """The private key of the reader whose session this is. Raises ``LockedError``."""
    return opened(name, request.session.get(CARRIED), request.COOKIES.get(COOKIE, ""))


def opened(name: str, sealed: str | None, other: str) -> Unlocked:
    """What ``sealed_for_session`` was given, from both of its texts. Raises ``LockedError``."""
    try:
        key = base64.b64decode(other, altchars=b"-_", validate=True)
        if not sealed or len(key) != keys.KEY_BYTES:
            raise LockedError
        return Unlocked(name, keys.unseal(key, _bound(name), base64.b64decode(sealed)))
    except (DamagedError, binascii.Error, ValueError) as error:
        raise LockedError from error


class KeyOfTheSession:
    """Set the cookie, take it away with the session, and answer what cannot be opened."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        cookie = getattr(request, _NEW_COOKIE, None)
        if cookie:
            response.set_cookie(COOKIE, cookie, secure=settings.SECURE, httponly=True, samesite="Strict")
        elif COOKIE in request.COOKIES and not request.session.get(CARRIED):
            response.delete_cookie(COOKIE, samesite="Strict")
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Ask for the password once more, or say whom to ask for a key."""
        if isinstance(error, LockedError):
            if not wants_page(request):
                return problem(401, "Type your password again", "What is sealed opens with it; see /helpline/unlock/.")
            return redirect(f"{reverse('vault-unlock')}?{urlencode({'next': page_of(request)})}")
        if isinstance(error, NoKeyError | people.NoKeyPairError):
            return refusal(request, 403, "You have no key to this", str(error))
        if isinstance(error, DamagedError):
            return refusal(request, 409, "This cannot be opened", f"{error} Tell the operator of the bank.")
        return None
