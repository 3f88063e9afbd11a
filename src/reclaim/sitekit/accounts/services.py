"""Writes on members and their second factors."""

from __future__ import annotations

import datetime
import secrets
import time
from dataclasses import dataclass
from typing import Any

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.webauthn.internal.auth import WebAuthn
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from reclaim.sitekit import audit
from reclaim.sitekit.accounts import sessions
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.accounts.queries import factors
from reclaim.sitekit.accounts.signals import member_removed, member_reset
from reclaim.sitekit.roles import HELPLINE_ROLES

LONGEST_NAME = 80
LONGEST_KEY_NAME = 60
ONE_TIME_LASTS = datetime.timedelta(days=7)
CODE_LIVES = 120
"""Seconds in which an authenticator app's code could be read anew: its own half minute and one more either way."""


@dataclass(frozen=True)
class ShownApp:
    """An authenticator app's secret, and the code by which its owner showed that the app has it."""

    secret: str
    code: str


class NameTakenError(Exception):
    """A member of this name is there already."""


class NoSuchMemberError(Exception):
    """No member of this name may sign in."""


class LastFactorError(Exception):
    """It is the member's only second factor."""


def _checked_role(role: str) -> str:
    if role not in settings.STAFF_ROLES:
        raise ValueError(f"A member is one of these: {', '.join(settings.STAFF_ROLES)}.")
    return str(role)


def _one_time(member: Member) -> str:
    """Give the member a one-time password and forget every second factor; the caller saves the member."""
    password = secrets.token_urlsafe(12)
    member.set_password(password)
    member.one_time_until = timezone.now() + ONE_TIME_LASTS
    Authenticator.objects.filter(user_id=member.pk).delete()
    return password


def _locked(name: str) -> Member:
    member = Member.objects.select_for_update().filter(name=name.strip(), removed_at=None).first()
    if member is None:
        raise NoSuchMemberError(f"There is no member named «{name.strip()}». «member list» names them.")
    return member


def add_member(name: str, role: str, actor: str = "operator") -> str:
    """Make an account; returns its one-time password, which opens the set-up page for seven days.

    Somebody who was removed may come back under the same name. Raises ``NameTakenError``; ``ValueError``, with a
    sentence, for a name that is empty, too long or not plain text, and for a role that this site has not.
    """
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise ValueError(f"A member's name has 1 to {LONGEST_NAME} printable characters.")
    role = _checked_role(role)
    taken = NameTakenError(f"A member named «{name}» is there already. Choose another name.")
    try:
        with transaction.atomic():
            member = Member.objects.select_for_update().filter(name=name).first() or Member(name=name)
            if member.pk is not None and member.removed_at is None:
                raise taken
            member.role, member.removed_at = role, None
            password = _one_time(member)
            member.save()
            audit.record(actor, f"member.add.{role}", member.actor)
    except IntegrityError as error:
        raise taken from error
    return password


def reset_member(name: str, actor: str = "operator") -> str:
    """Start an account anew: a new one-time password, no second factor, no session. Raises ``NoSuchMemberError``."""
    with transaction.atomic():
        member = _locked(name)
        password = _one_time(member)
        member.save()
        audit.record(actor, "member.reset", member.actor)
        sessions.end_all(member)
        member_reset.send(Member, member=member)
    return password


def change_role(name: str, role: str) -> None:
    """Give a member another role; their sessions end. Raises ``NoSuchMemberError``; ``ValueError``, with a sentence.

    Nobody becomes a practitioner by it, and no practitioner staff: case files and keys hang on the account.
    """
    role = _checked_role(role)
    with transaction.atomic():
        member = _locked(name)
        if (role in HELPLINE_ROLES) != (member.role in HELPLINE_ROLES):
            raise ValueError(
                "Practitioners and those who run the bank have accounts of their own. Remove this one, and make "
                "another under another name."
            )
        member.role = role
        member.save(update_fields=["role"])
        audit.record("operator", f"member.role.{role}", member.actor)
        sessions.end_all(member)


def remove_member(name: str, actor: str = "operator") -> None:
    """End an account at once, with its sessions and second factors. Raises ``NoSuchMemberError``."""
    with transaction.atomic():
        member = _locked(name)
        member.removed_at, member.one_time_until = timezone.now(), None
        member.set_unusable_password()
        member.save()
        Authenticator.objects.filter(user_id=member.pk).delete()
        audit.record(actor, "member.remove", member.actor)
        sessions.end_all(member)
        member_removed.send(Member, member=member, actor=actor)


def _choose(member: Member, password: str) -> None:
    validate_password(password, member)
    if member.check_password(password):
        raise ValidationError("This is the password that you have now. Choose another one.")
    member.set_password(password)


def set_up(member: Member, password: str, factor: ShownApp | dict[str, Any]) -> None:
    """Replace the one-time password by an own one, with the first second factor and recovery codes, in one go.

    The factor is an authenticator app or a security key's credential, which the caller has checked.
    Raises Django's ``ValidationError`` for a password that is too weak or the one-time one.
    """
    with transaction.atomic():
        member = Member.objects.select_for_update().get(pk=member.pk)
        if member.one_time_until is None:
            raise ValidationError(
                "This account has been set up meanwhile. If it was not you, tell the operator at once."
            )
        _choose(member, password)
        member.one_time_until = None
        member.save()
        Authenticator.objects.filter(user_id=member.pk).delete()
        if isinstance(factor, ShownApp):
            _keep_app(member, factor)
        else:
            WebAuthn.add(member, "Security key", factor)
        RecoveryCodes.activate(member)
        audit.record(member.actor, "member.set_up", member.actor)


def _keep_app(member: Member, app: ShownApp) -> None:
    kept = TOTP.activate(member, app.secret).instance
    kept.data["used"] = [[normalize_user_code(app.code), time.time()]]
    kept.save(update_fields=["data"])


def choose_password(member: Member, password: str) -> None:
    """Give a member another password, which ends their sessions. Raises Django's ``ValidationError``."""
    with transaction.atomic():
        _choose(member, password)
        member.save(update_fields=["password"])
        audit.record(member.actor, "password.choose", member.actor)


def add_app(member: Member, app: ShownApp) -> None:
    """Add an authenticator app, or replace the present one."""
    with transaction.atomic():
        Authenticator.objects.filter(user_id=member.pk, type=Authenticator.Type.TOTP).delete()
        _keep_app(member, app)
        audit.record(member.actor, "factor.add.app", member.actor)


def add_key(member: Member, name: str, credential: dict[str, Any]) -> None:
    """Add a security key that has been checked."""
    plain = "".join(each for each in name if each.isprintable()).strip()[:LONGEST_KEY_NAME]
    with transaction.atomic():
        WebAuthn.add(member, plain or "Security key", credential)
        audit.record(member.actor, "factor.add.key", member.actor)


def remove_factor(member: Member, number: str) -> None:
    """Remove an app or a key by its number; a number that is none of the member's does nothing.

    Raises ``LastFactorError``.
    """
    with transaction.atomic():
        # The member's row, so that of two removals at once the second sees the first.
        Member.objects.select_for_update().get(pk=member.pk)
        own = factors(member)
        chosen = [factor for factor in own if str(factor.pk) == number]
        if not chosen:
            return
        if len(own) == 1:
            raise LastFactorError("It is your only second factor. Add another one first.")
        chosen[0].delete()
        audit.record(member.actor, f"factor.remove.{'key' if chosen[0].type == 'webauthn' else 'app'}", member.actor)


def new_recovery_codes(member: Member) -> None:
    """Make new recovery codes; the old ones end."""
    with transaction.atomic():
        Authenticator.objects.filter(user_id=member.pk, type=Authenticator.Type.RECOVERY_CODES).delete()
        RecoveryCodes.activate(member)
        audit.record(member.actor, "recovery_codes.new", member.actor)


def show_recovery_codes(member: Member) -> list[str]:
    """The recovery codes, the first time; none after that."""
    with transaction.atomic():
        kept = Authenticator.objects.select_for_update().filter(
            user_id=member.pk, type=Authenticator.Type.RECOVERY_CODES
        )
        codes = [each.wrap() for each in kept if not each.wrap().did_view]
        shown = [code for each in codes for code in each.get_unused_codes()]
        for each in codes:
            each.mark_as_viewed()
        audit.record(member.actor, "recovery_codes.show", member.actor)
    return shown


def _fits(factor: Authenticator, code: str) -> bool:
    try:
        return bool(factor.wrap().validate_code(code))
    except InvalidToken:
        # Encrypted under another site's secret: it opens nothing, and the member needs a reset.
        return False


def accept_code(member: Member, code: str) -> bool:
    """Whether this is a code of the member's app that was not used before, or a recovery code, which is used up now.

    The library remembers an app's used codes in its process and for one period; here they are kept with the factor,
    for as long as they could be read again, so that no other process takes them either.
    """
    # As the library reads it, so that no comma makes a used code another one.
    bare = normalize_user_code(code)
    with transaction.atomic():
        Member.objects.select_for_update().get(pk=member.pk)
        for factor in Authenticator.objects.filter(user_id=member.pk).exclude(type=Authenticator.Type.WEBAUTHN):
            is_app = factor.type == Authenticator.Type.TOTP
            used = [each for each in factor.data.get("used", []) if time.time() - each[1] < CODE_LIVES]
            if (is_app and any(bare == each[0] for each in used)) or not _fits(factor, bare):
                continue
            if is_app:
                factor.data["used"] = [*used, [bare, time.time()]]
                factor.save(update_fields=["data"])
            audit.record(member.actor, "factor.show.app" if is_app else "factor.show.recovery_code", member.actor)
            return True
        audit.record(member.actor, "factor.refused", member.actor)
        return False
