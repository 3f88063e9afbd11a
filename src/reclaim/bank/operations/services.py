"""From asking to become a platform to its keys: one vets, another consents, the applicant picks the keys up."""

from __future__ import annotations

import datetime
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from reclaim.bank.operations.models import Application
from reclaim.bank.operations.words import KINDS, MEDIA, PEOPLE, SCOPES
from reclaim.bank.platforms.key_text import new_key
from reclaim.bank.platforms.queries import vetted_platforms
from reclaim.bank.platforms.services import NameTakenError, checked_networks, join
from reclaim.sitekit import audit
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.events import log_event
from reclaim.sitekit.permissions import Permission, may
from reclaim.sitekit.places import is_country
from reclaim.sitekit.secrets import mac

MOST_OPEN = 300
"""Applications that wait, of everybody together: more cannot be read by anybody."""
PICK_UP_WITHIN = datetime.timedelta(days=30)
ENDED_KEPT = datetime.timedelta(days=90)
LEAST_REASON, MOST_REASON = 10, 2000
_State = Application.State
_OPEN = (_State.ASKED, _State.VETTED, _State.CONSENTED)


class FullError(Exception):
    """Too many applications wait."""


class NotNowError(Exception):
    """The application is not, or no longer, where this could be done; the message says so."""


@dataclass(frozen=True)
class Facts:
    """What an applicant says."""

    name: str
    web: str
    contact: str
    country: str
    kind: str
    people: str
    media: Sequence[str]
    review: str
    scopes: Sequence[str]
    addresses: Sequence[str] = ()


def faults(facts: Facts) -> dict[str, str]:
    """What does not fit, by the name of its field: a sentence that says what to do."""
    found = {}
    for name, most in (("name", 80), ("web", 200), ("contact", 200), ("review", 2000)):
        text = getattr(facts, name).strip()
        plain = text.replace("\n", "").replace("\r", "") if name == "review" else text
        if not 1 <= len(text) <= most or not plain.isprintable():
            found[name] = f"Write 1 to {most} characters of plain text."
    try:
        address = urlsplit(facts.web.strip())
        is_web = address.scheme in ("http", "https") and bool(address.hostname)
    except ValueError:
        is_web = False
    if not is_web:
        found["web"] = "Write the address as https://example.org."
    if not is_country(facts.country.strip().upper()):
        found["country"] = "Write two letters of ISO 3166, such as GB."
    for name, allowed in (("kind", KINDS), ("people", PEOPLE)):
        if getattr(facts, name) not in allowed:
            found[name] = f"Choose one of: {', '.join(allowed)}."
    for name, choices in (("media", MEDIA), ("scopes", SCOPES)):
        chosen = getattr(facts, name)
        if not chosen or set(chosen) - set(choices):
            found[name] = f"Choose one or more of: {', '.join(choices)}."
    try:
        if len(facts.addresses) > 20:
            raise ValueError("Name at most 20 networks.")
        checked_networks(facts.addresses)
    except ValueError as error:
        found["addresses"] = str(error)
    if "name" not in found and vetted_platforms().filter(name=facts.name.strip()).exists():
        found["name"] = "A platform of this name is there already. If it is yours, ask the bank for new keys."
    return found


def apply(facts: Facts) -> tuple[Application, str]:
    """Ask to become a platform; returns the secret for picking the keys up, of which only a MAC is kept.

    A staging bank lets everybody in at once. Raises ``ValueError`` for ``faults`` and ``FullError``.
    """
    if faults(facts):
        raise ValueError("Some fields do not fit.")
    secret = new_key("pickup")
    now = timezone.now()
    with transaction.atomic():
        if Application.objects.filter(state__in=(_State.ASKED, _State.VETTED)).count() >= MOST_OPEN:
            raise FullError
        made = Application.objects.create(
            number=secrets.token_hex(12),
            pickup_mac=_mac(secret),
            state=_State.CONSENTED if settings.STAGING else _State.ASKED,
            synthetic=settings.STAGING,
            changed_at=now,
            name=facts.name.strip(),
            web=facts.web.strip(),
            contact=facts.contact.strip(),
            country=facts.country.strip().upper(),
            kind=facts.kind,
            people=facts.people,
            media=[each for each in MEDIA if each in facts.media],
            review=facts.review.strip(),
            wanted=_ordered(facts.scopes),
            granted=_ordered(facts.scopes) if settings.STAGING else [],
            addresses=checked_networks(facts.addresses),
        )
        audit.record("applicant", "application.ask", f"application:{made.pk}")
    log_event("a platform asks to join")
    return made, secret


def _ordered(scopes: Sequence[str]) -> list[str]:
    return [scope for scope in SCOPES if scope in scopes]


def _mac(secret: str) -> bytes:
    return mac("application-pickup", secret.encode())


def vet(application: Application, member: Member, reason: str, scopes: Sequence[str]) -> None:
    """Propose an applicant, with a reason and the scopes of its keys. Raises ``ValueError``, ``NotNowError``."""
    _insist(member, Permission.VET_PLATFORMS)
    reason, granted = checked_reason(reason), _ordered(scopes)
    if not granted or set(granted) - set(application.wanted):
        raise ValueError("Tick one or more of the scopes that it asks for.")
    with transaction.atomic():
        row = _locked(application, _State.ASKED)
        row.vetted_by, row.reason, row.granted = member, reason, granted
        _move(row, _State.VETTED, member.actor, "application.vet")


def consent(application: Application, member: Member) -> None:
    """The second person's consent. Raises ``NotNowError``, also for whoever vetted it themselves."""
    _insist(member, Permission.CONSENT_TO_PLATFORMS)
    with transaction.atomic():
        row = _locked(application, _State.VETTED)
        if row.vetted_by_id == member.pk:
            raise NotNowError("You proposed it yourself: somebody else must consent.")
        if vetted_platforms().filter(name=row.name).exists():
            raise NotNowError("A platform of this name is there already: decline it, and say so.")
        row.consented_by = member
        _move(row, _State.CONSENTED, member.actor, "application.consent")


def decline(application: Application, member: Member, because: str) -> None:
    """Refuse an applicant, who reads why. Raises ``ValueError``, ``NotNowError``."""
    if not may(member, Permission.CONSENT_TO_PLATFORMS):
        _insist(member, Permission.VET_PLATFORMS)
    because = checked_reason(because)
    with transaction.atomic():
        row = _locked(application, *_OPEN)
        row.declined_by, row.declined_because = member, because
        _move(row, _State.DECLINED, member.actor, "application.decline")


def _insist(member: Member, permission: Permission) -> None:
    if not may(member, permission):
        raise PermissionError(f"This member may not {permission}.")


def checked_reason(text: str) -> str:
    """A reason, for the record; raises ``ValueError`` for one that says nothing."""
    text = text.strip()
    if not LEAST_REASON <= len(text) <= MOST_REASON:
        raise ValueError(f"Write the reason down, in {LEAST_REASON} to {MOST_REASON} characters.")
    return text


def shows_secret(application: Application, secret: str) -> bool:
    """Whether this is the secret that the applicant was given."""
    return hmac.compare_digest(bytes(application.pickup_mac), _mac(secret))


def take_back(application: Application) -> None:
    """The applicant, who has shown the secret, asks no more. Raises ``NotNowError``."""
    with transaction.atomic():
        _move(_locked(application, *_OPEN), _State.WITHDRAWN, "applicant", "application.take_back")


def pick_up(application: Application) -> dict[str, str]:
    """The keys, in the clear, once: for the applicant, who has shown the secret.

    The platform is there from now on. Raises ``NotNowError``.
    """
    try:
        with transaction.atomic():
            row = _locked(application, _State.CONSENTED)
            row.platform, keys = join(row.name, row.granted, row.addresses, actor="applicant")
            _move(row, _State.JOINED, "applicant", "application.pick_up")
    except NameTakenError as error:
        raise NotNowError("Another platform has taken this name meanwhile. Apply again under another one.") from error
    return {"name": row.name, **keys}


def _locked(application: Application, *states: str) -> Application:
    row = Application.objects.select_for_update().get(pk=application.pk)
    if row.state not in states:
        raise NotNowError(f"Nothing was done: the application is «{row.state}» by now.")
    return row


def _move(row: Application, state: str, actor: str, action: str) -> None:
    row.state, row.changed_at = state, timezone.now()
    row.save()
    audit.record(actor, action, f"application:{row.pk}")


def forget_applications() -> int:
    """Delete what ended, or was never answered or picked up; returns how many."""
    now = timezone.now()
    late = Application.objects.filter(state=_State.CONSENTED, changed_at__lt=now - PICK_UP_WITHIN)
    late.update(state=_State.WITHDRAWN, changed_at=now)
    ended = Application.objects.filter(state__in=(_State.DECLINED, _State.WITHDRAWN), changed_at__lt=now - ENDED_KEPT)
    keys = list(ended.values_list("pk", flat=True))
    with transaction.atomic():
        audit.forget("application", keys)
        Application.objects.filter(pk__in=keys).delete()
    return len(keys)
