"""Who may call routes of staff, and what a member's second factors are."""

from __future__ import annotations

import time

from allauth.mfa.models import Authenticator
from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.crypto import constant_time_compare

from reclaim.sitekit.access import Access, check_for
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.accounts.sessions import limits_of
from reclaim.sitekit.permissions import FACTOR_AT, access_member
from reclaim.sitekit.problems import problem, refusal, wants_page
from reclaim.sitekit.roles import HELPLINE_ROLES

SIGNED_IN_AT = "signed_in_at"
PENDING = "pending_member"
"""In a session: who has shown their password, by which state of the account, and when (epoch seconds)."""
CARRIED = "carried"
"""In a session: what another app keeps of the password, from when it was shown to the session's end."""
PENDING_SECONDS = 10 * 60


def members() -> list[Member]:
    """Members who may sign in, by name."""
    return list(Member.objects.filter(removed_at=None).order_by("name"))


def factors(member: Member) -> list[Authenticator]:
    """The member's second factors without recovery codes, oldest first."""
    own = Authenticator.objects.filter(user_id=member.pk).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return list(own.order_by("pk"))


def has_app(member: Member) -> bool:
    """Whether one of the factors is an authenticator app."""
    return any(factor.type == Authenticator.Type.TOTP for factor in factors(member))


def has_keys(member: Member) -> bool:
    """Whether one of the factors is a security key."""
    return any(factor.type == Authenticator.Type.WEBAUTHN for factor in factors(member))


def recovery_codes(member: Member) -> Authenticator | None:
    """What the member's recovery codes are made from."""
    return Authenticator.objects.filter(user_id=member.pk, type=Authenticator.Type.RECOVERY_CODES).first()


def access_pending_member(request: HttpRequest) -> Member:
    """Who has shown their password; the route's access check has already found them."""
    member: Member = request.pending_member  # type: ignore[attr-defined]
    return member


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if wants_page(request):
        return redirect("member-sign-in")
    return problem(401, "Sign in first", "This is for members of the staff.")


@check_for(Access.PASSWORD_SHOWN)
def _check_password_shown(request: HttpRequest) -> HttpResponse | None:
    translation.activate("en")
    who, state, since = request.session.get(PENDING) or (0, "", 0)
    found = Member.objects.filter(pk=who, removed_at=None).first() if time.time() - since < PENDING_SECONDS else None
    if found is None or not constant_time_compare(found.get_session_auth_hash(), state):
        return _to_sign_in(request)
    request.pending_member = found  # type: ignore[attr-defined]
    return None


@check_for(Access.MEMBER)
@check_for(Access.REVIEWER)
def check_member(request: HttpRequest) -> HttpResponse | None:
    """Let a member in whose session has a second factor; ``access_member`` then gives them."""
    # Pages of staff are English only.
    translation.activate("en")
    user = get_user(request)
    if not isinstance(user, Member) or user.one_time_until is not None or FACTOR_AT not in request.session:
        return _to_sign_in(request)
    if time.time() - request.session.get(SIGNED_IN_AT, 0) > limits_of(user).seconds:
        request.session.flush()
        return _to_sign_in(request)
    request.session.modified = True
    request.user = request.member = user  # type: ignore[attr-defined]
    return None


@check_for(Access.STAFF)
def _check_staff(request: HttpRequest) -> HttpResponse | None:
    refused = check_member(request)
    if refused is None and access_member(request).role in HELPLINE_ROLES:
        return refusal(request, 403, "Not for your role", "This page is for those who run the bank.")
    return refused
