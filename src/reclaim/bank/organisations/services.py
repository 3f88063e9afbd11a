"""Writes on organisations and their practitioners."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from reclaim.bank.organisations.models import Organisation, Practitioner, Team
from reclaim.bank.organisations.queries import active_organisations, active_practitioners
from reclaim.sitekit import audit
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.accounts.services import add_member, remove_member, reset_member
from reclaim.sitekit.places import is_country
from reclaim.sitekit.roles import HELPLINE_ROLES, Role

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", re.ASCII)


class NameTakenError(Exception):
    """An organisation of this name is there already."""


def _codes(languages: Sequence[str]) -> list[str]:
    spoken = [language.strip().lower() for language in languages]
    if not spoken or not all(_LANGUAGE.fullmatch(language) for language in spoken):
        raise ValueError("Name at least one language by its code, such as en or pt-br.")
    return spoken


def _words(text: str, longest: int, what: str) -> str:
    text = text.strip()
    if len(text) > longest or not text.isprintable():
        raise ValueError(f"The words about {what} have at most {longest} printable characters.")
    return text


@dataclass(frozen=True)
class About:
    """What people see of an organisation, and why it was let in."""

    country: str
    """ISO 3166-1, two letters."""
    languages: Sequence[str]
    """Codes such as «en» or «pt-br»."""
    contact: str = ""
    hours: str = ""
    remit: str = ""
    reason: str = ""

    def checked(self) -> dict[str, Any]:
        """As it is stored. Raises ``ValueError``, with a sentence."""
        country = self.country.strip().upper()
        if not is_country(country):
            raise ValueError("A country is two letters of ISO 3166, such as GB.")
        return {
            "country": country,
            "languages": _codes(self.languages),
            "contact": _words(self.contact, 300, "how to reach it"),
            "hours": _words(self.hours, 200, "its hours"),
            "remit": _words(self.remit, 300, "its remit"),
            "reason": _words(self.reason, 300, "why it is let in"),
        }


def add_organisation(
    name: str,
    country: str,
    languages: Sequence[str],
    contact: str = "",
    *,
    hours: str = "",
    remit: str = "",
    reason: str = "",
    actor: str = "operator",
) -> Organisation:
    """Let an organisation in. One that lost its access may come back.

    ``country`` is an ISO 3166-1 code of two letters, ``languages`` are codes such as «en» or «pt-br». Raises
    ``NameTakenError``; ``ValueError``, with a sentence, for anything that cannot be used.
    """
    name = name.strip()
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise ValueError("An organisation's name has 1 to 80 printable characters.")
    facts = About(country, languages, contact, hours, remit, reason).checked()
    try:
        with transaction.atomic():
            organisation = Organisation.objects.select_for_update().filter(name=name).first()
            if organisation is None:
                organisation = Organisation.objects.create(name=name, **facts)
            elif organisation.revoked_at is None:
                raise NameTakenError(_taken(name))
            else:
                Organisation.objects.filter(pk=organisation.pk).update(**facts, revoked_at=None)
                organisation.refresh_from_db()
            audit.record(actor, "organisation.add", f"organisation:{organisation.pk}")
    except IntegrityError as error:
        raise NameTakenError(_taken(name)) from error
    return organisation


def add_organisation_with_supervisor(
    name: str,
    country: str,
    languages: Sequence[str],
    supervisor: str,
    contact: str = "",
    *,
    hours: str = "",
    remit: str = "",
    reason: str = "",
    actor: str = "operator",
) -> tuple[Organisation, str]:
    """Let an organisation in with its first supervisor; returns it and the supervisor's one-time password.

    Raises what ``add_organisation`` and ``add_practitioner`` raise.
    """
    with transaction.atomic():
        organisation = add_organisation(
            name, country, languages, contact, hours=hours, remit=remit, reason=reason, actor=actor
        )
        scope = Practitioner.Scope.ORGANISATION
        _, password = add_practitioner(
            organisation, supervisor, Role.SUPERVISOR, scope=scope, languages=languages, actor=actor
        )
    return organisation, password


def _taken(name: str) -> str:
    return f"An organisation named «{name}» is there already. Choose another name."


def edit_organisation(organisation: Organisation, about: About, actor: str) -> None:
    """Change what people see of an organisation. Raises ``ValueError``, with a sentence."""
    facts = about.checked()
    with transaction.atomic():
        Organisation.objects.filter(pk=organisation.pk).update(**facts)
        audit.record(actor, "organisation.edit", f"organisation:{organisation.pk}")


def revoke_organisation(name: str, actor: str = "operator") -> bool:
    """End an organisation's access at once, and every consent with it; ``False`` if none of this name has any."""
    with transaction.atomic():
        organisation = active_organisations().select_for_update().filter(name=name).first()
        if organisation is None:
            return False
        organisation.revoked_at = timezone.now()
        organisation.save(update_fields=["revoked_at"])
        organisation.consents.all().delete()
        audit.record(actor, "organisation.revoke", f"organisation:{organisation.pk}")
    return True


def add_practitioner(
    organisation: Organisation,
    name: str,
    role: Role = Role.PRACTITIONER,
    *,
    scope: Practitioner.Scope = Practitioner.Scope.OWN,
    team: str = "",
    languages: Sequence[str] = ("en",),
    actor: str = "operator",
) -> tuple[Practitioner, str]:
    """Let a practitioner or a supervisor of an organisation in; returns them and a one-time password.

    ``team`` is made if the organisation has none of this name. Raises what ``add_member`` raises, and ``ValueError``.
    """
    if role not in HELPLINE_ROLES:
        raise ValueError(f"Somebody of an organisation is one of these: {', '.join(HELPLINE_ROLES)}.")
    spoken, team = _codes(languages), _words(team, 80, "the team")
    with transaction.atomic():
        former = Member.objects.filter(name=name.strip()).exclude(removed_at=None).first()
        if former is not None and former.role not in HELPLINE_ROLES:
            raise ValueError("Somebody of this name has run the bank. Choose another name.")
        password = add_member(name, role, actor)
        member = Member.objects.get(name=name.strip())
        if Practitioner.objects.filter(member=member).exclude(organisation=organisation).exists():
            raise ValueError("Somebody of this name has worked for another organisation. Choose another name.")
        facts = {
            "team": Team.objects.get_or_create(organisation=organisation, name=team)[0] if team else None,
            "scope": scope,
            "languages": spoken,
        }
        practitioner, _ = Practitioner.objects.update_or_create(
            member=member, defaults=facts, create_defaults={"organisation": organisation, **facts}
        )
    return practitioner, password


def change_practitioner(
    practitioner: Practitioner,
    *,
    scope: Practitioner.Scope,
    team: str,
    languages: Sequence[str],
    actor: str,
) -> None:
    """Change which case files a practitioner sees, in which team, and which languages they help in.

    Keys of case files do not follow by themselves (``casework.keys.settle``). Raises ``ValueError``, with a sentence.
    """
    spoken, team = _codes(languages), _words(team, 80, "the team")
    with transaction.atomic():
        own = Practitioner.objects.select_for_update().get(pk=practitioner.pk)
        own.team = Team.objects.get_or_create(organisation_id=own.organisation_id, name=team)[0] if team else None
        own.scope, own.languages = scope, spoken
        own.save(update_fields=["team", "scope", "languages"])
        audit.record(actor, f"practitioner.scope.{scope}", own.actor)


class LastSupervisorError(Exception):
    """It is the organisation's only supervisor."""


def remove_practitioner(practitioner: Practitioner, actor: str) -> None:
    """End a practitioner's account at once, with its sessions and keys; their case files wait for somebody else.

    Raises ``LastSupervisorError``: an organisation without a supervisor lets nobody in any more.
    """
    with transaction.atomic():
        Organisation.objects.select_for_update().get(pk=practitioner.organisation_id)
        others = active_practitioners(practitioner.organisation).exclude(pk=practitioner.pk)
        supervises = practitioner.member.role == Role.SUPERVISOR
        if supervises and not others.filter(member__role=Role.SUPERVISOR).exists():
            raise LastSupervisorError("This is the only supervisor. Let another one in first.")
        remove_member(practitioner.name, actor)


def reset_practitioner(practitioner: Practitioner, actor: str) -> str:
    """Start a practitioner's account anew; returns the one-time password. What they could open must be shared again."""
    return reset_member(practitioner.name, actor)
