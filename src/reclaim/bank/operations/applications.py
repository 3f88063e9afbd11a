"""Writes on applications: asking, vetting, the second person's consent, and picking up the keys."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Sequence
from dataclasses import asdict

from django.db import transaction
from django.utils import timezone

from reclaim.bank.ledger.queries import is_synthetic
from reclaim.bank.operations.applying import NewApplication, Wanted
from reclaim.bank.operations.models import Application
from reclaim.bank.operations.queries import pickup_mac
from reclaim.bank.platforms.key_text import new_key
from reclaim.bank.platforms.models import PlatformKey
from reclaim.bank.platforms.queries import vetted_platforms
from reclaim.bank.platforms.services import (
    KEY_LIFE,
    NameTakenError,
    add_platform,
    end_keys,
    rekey_platform,
)
from reclaim.sitekit import audit
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.events import log_event
from reclaim.sitekit.readable import ALPHABET

NUMBER_CHARACTERS = 20
LONGEST_REASON = 2000
PICKUP_LASTS = datetime.timedelta(days=30)
"""So long after the consent the keys wait."""
ENDED_KEPT = datetime.timedelta(days=180)
"""What was declined or withdrawn, or never answered, is forgotten after so long."""
STAGING_KEY_LIFE = datetime.timedelta(days=30)
_OPEN = (Application.State.ASKED, Application.State.VETTED, Application.State.CONSENTED)


class NotNowError(Exception):
    """The application is not in a state in which this can be done; the message says so in a sentence."""


class SamePersonError(Exception):
    """The second person's consent came from the first person."""


def apply(asked: NewApplication) -> tuple[Application, str]:
    """Keep an application; returns it with its pick-up secret, which is given out this once.

    At a staging bank its keys can be picked up at once. Raises ``NameTakenError``.
    """
    _insist_on_free_name(asked.name)
    secret = new_key("pickup")
    with transaction.atomic():
        synthetic = is_synthetic()
        state = Application.State.CONSENTED if synthetic else Application.State.ASKED
        application = Application.objects.create(
            number="".join(secrets.choice(ALPHABET) for _ in range(NUMBER_CHARACTERS)),
            pickup_mac=pickup_mac(secret),
            state=state,
            name=asked.name,
            web=asked.web,
            contact=asked.contact,
            country=asked.country,
            kind=asked.kind,
            people=asked.people,
            media=list(asked.media),
            review=asked.review,
            wanted=list(asked.scopes),
            addresses=list(asked.addresses),
            granted=list(asked.scopes) if synthetic else [],
            synthetic=synthetic,
        )
        audit.record("applicant", "application.ask", _target(application))
    log_event("a service asks to become a platform")
    return application, secret


def _insist_on_free_name(name: str) -> None:
    # Persons read the platforms' names: that one is taken is no secret.
    if vetted_platforms().filter(name=name).exists():
        raise NameTakenError(
            "A platform of this name is there already. Choose another name; if it is yours, ask the bank for new keys."
        )


def _target(application: Application) -> str:
    return f"application:{application.pk}"


def _locked(application: Application, *states: str) -> Application:
    now = Application.objects.select_for_update().get(pk=application.pk)
    if now.state not in states:
        raise NotNowError("This application has moved on meanwhile; look at it again.")
    return now


def _move(application: Application, state: Application.State, *fields: str) -> None:
    application.state, application.changed_at = state, timezone.now()
    application.save(update_fields=["state", "changed_at", *fields])


def checked_reason(reason: str) -> str:
    """A reason without what surrounds it. Raises ``ValueError``."""
    reason = reason.replace("\r\n", "\n").strip()
    if not 1 <= len(reason) <= LONGEST_REASON or not all(line.isprintable() for line in reason.split("\n")):
        raise ValueError(f"Write your reason in plain text of at most {LONGEST_REASON} characters.")
    return reason


def vet(application: Application, member: Member, reason: str, scopes: Sequence[str]) -> None:
    """Propose that it becomes a platform with keys of these scopes.

    Raises ``ValueError``, ``NotNowError``, ``NameTakenError``.
    """
    reason = checked_reason(reason)
    granted = [scope.value for scope in Wanted if scope in scopes]
    if not granted or set(scopes) - set(granted):
        raise ValueError("Tick at least one thing that its keys are to open.")
    with transaction.atomic():
        now = _locked(application, Application.State.ASKED)
        _insist_on_free_name(now.name)
        now.vetted_by, now.reason, now.granted = member, reason, granted
        _move(now, Application.State.VETTED, "vetted_by", "reason", "granted")
        audit.record(member.actor, "application.vet", _target(now))


def consent(application: Application, member: Member) -> None:
    """The second person agrees: the applicant may pick its keys up. Raises ``SamePersonError``, ``NotNowError``."""
    with transaction.atomic():
        now = _locked(application, Application.State.VETTED)
        if now.vetted_by_id == member.pk:
            raise SamePersonError("You proposed it yourself. Somebody else must consent.")
        now.consented_by = member
        _move(now, Application.State.CONSENTED, "consented_by")
        audit.record(member.actor, "application.consent", _target(now))


def decline(application: Application, member: Member, reason: str) -> None:
    """Refuse it, before its keys were picked up; the applicant reads the reason. Raises as ``vet``."""
    reason = checked_reason(reason)
    with transaction.atomic():
        now = _locked(application, *_OPEN)
        now.declined_by, now.declined_because = member, reason
        _move(now, Application.State.DECLINED, "declined_by", "declined_because")
        audit.record(member.actor, "application.decline", _target(now))


def withdraw(application: Application) -> None:
    """The applicant does not ask any more. Raises ``NotNowError`` once it has joined, or was declined."""
    with transaction.atomic():
        now = _locked(application, *_OPEN)
        _move(now, Application.State.WITHDRAWN)
        audit.record("applicant", "application.withdraw", _target(now))


def pick_up(application: Application) -> dict[str, str]:
    """Make the platform and its keys, and give them out this once: ``name``, then keys as ``platform add`` names them,
    as far as they were granted.

    Raises ``NotNowError`` before the consent, after the first time, and too late; ``NameTakenError``.
    """
    with transaction.atomic():
        now = Application.objects.select_for_update().get(pk=application.pk)
        if now.state == Application.State.JOINED:
            raise NotNowError("The keys were picked up already. If it was not you, write to the bank at once.")
        if now.state != Application.State.CONSENTED:
            raise NotNowError("There are no keys to pick up.")
        if timezone.now() > now.changed_at + PICKUP_LASTS:
            raise NotNowError("The keys waited for thirty days. Ask the bank to let you pick them up again.")
        life = STAGING_KEY_LIFE if now.synthetic else KEY_LIFE
        scopes = [PlatformKey.Scope(scope) for scope in now.granted]
        if now.platform is None:
            _insist_on_free_name(now.name)
        made = (
            rekey_platform(now.platform.name, actor="applicant", addresses=now.addresses, life=life)
            if now.platform is not None
            else add_platform(now.name, scopes, actor="applicant", addresses=now.addresses, life=life)
        )
        if made is None:
            raise NotNowError("This platform has lost its access. It must apply anew.")
        now.platform, keys = made
        _move(now, Application.State.JOINED, "platform")
        audit.record("applicant", "application.pick_up", _target(now))
    log_event("a platform picked up its keys", platform=now.platform.pk)
    given = {name: key for name, key in asdict(keys).items() if key}
    return {"name": now.platform.name, **given}


def offer_again(application: Application, member: Member) -> None:
    """Let the applicant pick keys up once more with the same secret: the first were lost on their way, or waited too
    long. Those that were picked up end now. Raises ``NotNowError``."""
    with transaction.atomic():
        now = _locked(application, Application.State.JOINED, Application.State.CONSENTED)
        if now.platform is not None:
            if now.platform.revoked_at is not None:
                raise NotNowError("This platform has lost its access. It must apply anew.")
            if now.platform.applications.filter(pk__gt=now.pk).exists():
                raise NotNowError("This platform has joined anew since, by a later application.")
            end_keys(now.platform, actor=member.actor)
        _move(now, Application.State.CONSENTED)
        audit.record(member.actor, "application.offer_again", _target(now))


def forget_applications() -> int:
    """Delete applications that ended, or that nobody answered, long ago; returns how many."""
    old = Application.objects.filter(
        changed_at__lt=timezone.now() - ENDED_KEPT,
        state__in=[*_OPEN, Application.State.DECLINED, Application.State.WITHDRAWN],
    )
    ids = list(old.filter(platform=None).values_list("pk", flat=True))
    deleted, _ = Application.objects.filter(pk__in=ids).delete()
    audit.forget("application", ids)
    return deleted
