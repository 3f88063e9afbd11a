"""Writes on organisations."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone

from reclaim.bank.organisations.models import Organisation
from reclaim.bank.organisations.queries import active_organisations, key_mac
from reclaim.sitekit import audit
from reclaim.sitekit.places import is_country

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", re.ASCII)


class NameTakenError(Exception):
    """An organisation of this name is there already."""


def add_organisation(name: str, country: str, languages: Sequence[str], contact: str = "") -> tuple[Organisation, str]:
    """Let an organisation in; returns it and its key, which is shown once. One that lost its access may come back.

    ``country`` is an ISO 3166-1 code of two letters, ``languages`` are codes such as «en» or «pt-br». Raises
    ``NameTakenError``; ``ValueError``, with a sentence, for anything that cannot be used.
    """
    name, contact, country = name.strip(), contact.strip(), country.strip().upper()
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise ValueError("An organisation's name has 1 to 80 printable characters.")
    if not is_country(country):
        raise ValueError("A country is two letters of ISO 3166, such as GB.")
    spoken = [language.strip().lower() for language in languages]
    if not spoken or not all(_LANGUAGE.fullmatch(language) for language in spoken):
        raise ValueError("Name at least one language by its code, such as en or pt-br.")
    if len(contact) > 300 or not contact.isprintable():
        raise ValueError("The words about how to reach it have at most 300 printable characters.")
    facts = {"country": country, "languages": spoken, "contact": contact}
    key = _new_key()
    keyed = {"key_mac": key_mac(key), "keyed_at": timezone.now(), "revoked_at": None}
    try:
        with transaction.atomic():
            organisation = Organisation.objects.select_for_update().filter(name=name).first()
            if organisation is None:
                organisation = Organisation.objects.create(name=name, **facts, **keyed)
            elif organisation.revoked_at is None:
                raise NameTakenError(_taken(name))
            else:
                Organisation.objects.filter(pk=organisation.pk).update(**facts, **keyed)
                organisation.refresh_from_db()
            audit.record("operator", "organisation.add", f"organisation:{organisation.pk}")
    except IntegrityError as error:
        raise NameTakenError(_taken(name)) from error
    return organisation, key


def _taken(name: str) -> str:
    return f"An organisation named «{name}» is there already. Choose another name, or «rekey» it for a new key."


def _new_key() -> str:
    # The prefix lets a secret scanner recognise a key that was published by mistake.
    return f"reclaim_organisation_{secrets.token_urlsafe(32)}"


def rekey_organisation(name: str) -> tuple[Organisation, str] | None:
    """Make a new key, ending the old one and its sessions at once; ``None`` if none of this name has access."""
    key = _new_key()
    with transaction.atomic():
        organisation = active_organisations().select_for_update().filter(name=name).first()
        if organisation is None:
            return None
        organisation.key_mac, organisation.keyed_at = key_mac(key), timezone.now()
        organisation.save(update_fields=["key_mac", "keyed_at"])
        audit.record("operator", "organisation.rekey", f"organisation:{organisation.pk}")
    return organisation, key


def revoke_organisation(name: str) -> bool:
    """End an organisation's access at once, and every consent with it; ``False`` if none of this name has any."""
    with transaction.atomic():
        organisation = active_organisations().select_for_update().filter(name=name).first()
        if organisation is None:
            return False
        organisation.revoked_at = timezone.now()
        organisation.save(update_fields=["revoked_at"])
        organisation.consents.all().delete()
        audit.record("operator", "organisation.revoke", f"organisation:{organisation.pk}")
    return True
