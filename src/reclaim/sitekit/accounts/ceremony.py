"""Showing and setting up second factors: what a page carries, and what it sends back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import (
    SECRET_SESSION_KEY,
    clear_totp_secret,
    get_totp_secret,
    validate_totp_code,
)
from allauth.mfa.webauthn.internal import auth as webauthn
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe

from reclaim.sitekit import audit
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.accounts.queries import has_keys
from reclaim.sitekit.accounts.services import ShownApp, accept_code

LARGEST_CREDENTIAL = 64 * 1024
LONGEST_CODE = 40
NOT_THE_APPS_CODE = (
    "The code is not the one that your app shows now. Check your device's clock, and type the next code."
)


@dataclass(frozen=True)
class AppOffer:
    """An authenticator app's secret, as a page shows it."""

    picture: SafeString
    """QR code, ``<svg>``."""
    spelled: str
    """The secret in groups of four, to type."""
    address: str
    """``otpauth://…``"""


def offer_app(request: HttpRequest, member: Member, *, anew: bool) -> AppOffer:
    """A secret for an app; it stays the session's until another is asked for."""
    secret = get_totp_secret(regenerate=anew)
    address = get_adapter().build_totp_url(member, secret)
    spelled = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    picture = mark_safe(get_adapter().build_totp_svg(address))  # noqa: S308 made of numbers only
    return AppOffer(picture, spelled, address)


def forget_offer(request: HttpRequest) -> None:
    """Forget a secret that was offered: it is an app's now."""
    clear_totp_secret(request)


def offer_key(member: Member) -> str:
    """What the browser needs to set up a security key, as JSON."""
    return _as_json(webauthn.begin_registration(member, False))


def ask_for_key(member: Member) -> str:
    """What the browser needs to ask for one of the member's security keys, as JSON; empty if there is none."""
    return _as_json(webauthn.begin_authentication(member)) if has_keys(member) else ""


def _as_json(options: dict[str, Any]) -> str:
    return json.dumps(options["publicKey"], default=dict)


def new_app(request: HttpRequest) -> ShownApp | None:
    """The app that was offered to this session, if the code that was sent is its present one."""
    secret: str = request.session.get(SECRET_SESSION_KEY, "")
    code = request.POST.get("code", "")[:LONGEST_CODE]
    return ShownApp(secret, code) if secret and validate_totp_code(secret, code) else None


def new_key(request: HttpRequest) -> dict[str, Any] | None:
    """The credential that was sent, if it answers what this session asked for; no more of it than is checked."""
    sent = _sent_credential(request) or {}
    try:
        webauthn.parse_registration_response(sent)
        webauthn.complete_registration(sent)
        response = {part: sent["response"][part] for part in ("clientDataJSON", "attestationObject")}
        return {**{part: sent[part] for part in ("id", "rawId", "type")}, "response": response}
    except Exception:
        # Whatever a parser of foreign bytes stumbles over, the answer is no.
        return None


def _sent_credential(request: HttpRequest) -> dict[str, Any] | None:
    text = request.POST.get("credential", "")
    try:
        sent = json.loads(text) if len(text) <= LARGEST_CREDENTIAL else None
    except (ValueError, RecursionError):
        return None
    return sent if isinstance(sent, dict) else None


def shows_factor(request: HttpRequest, member: Member) -> bool:
    """Whether what was sent, a code or a security key's answer, shows one of the member's second factors."""
    if not request.POST.get("credential"):
        return accept_code(member, request.POST.get("code", "")[:LONGEST_CODE])
    sent = _sent_credential(request)
    try:
        webauthn.parse_authentication_response(sent)
        factor = webauthn.complete_authentication(member, sent or {})
    except Exception:
        audit.record(member.actor, "factor.refused", member.actor)
        return False
    factor.record_usage()
    audit.record(member.actor, "factor.show.key", member.actor)
    return True
