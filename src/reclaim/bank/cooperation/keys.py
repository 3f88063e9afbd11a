"""An organisation's key pair: others seal to it, its practitioners open."""

from __future__ import annotations

import uuid

from django.db import transaction

from reclaim.bank.cooperation.models import OrganisationKey
from reclaim.bank.organisations.models import Organisation, Practitioner
from reclaim.bank.organisations.queries import active_practitioners
from reclaim.bank.vault import people
from reclaim.bank.vault import services as vault
from reclaim.bank.vault.keys import Unlocked
from reclaim.protocol.referral import new_identity
from reclaim.sitekit import audit

_LABEL = "age identity"


class NoOrganisationKeyError(Exception):
    """The organisation takes no part in referrals yet; the message says who begins it."""


def take_part(practitioner: Practitioner) -> OrganisationKey:
    """Make the organisation's key pair, if it has none: it then stands on the list that other banks read.

    Its number is the name of its key in the vault, which everybody there who has signed in once can open.
    """
    with transaction.atomic():
        Organisation.objects.select_for_update().get(pk=practitioner.organisation_id)
        found = OrganisationKey.objects.filter(organisation=practitioner.organisation_id).first()
        if found is not None:
            return found
        identity, recipient = new_identity()
        number = uuid.uuid4()
        key = vault.new_key(number, people.readers_of(active_practitioners(practitioner.organisation)))
        made = OrganisationKey.objects.create(
            organisation=practitioner.organisation,
            number=number,
            recipient=recipient,
            sealed_identity=key.seal(_LABEL, identity),
        )
        audit.record(practitioner.actor, "referral.take-part", f"organisation:{practitioner.organisation_id}")
    return made


def key_of(organisation: Organisation) -> OrganisationKey:
    """The organisation's public key. Raises ``NoOrganisationKeyError``."""
    found = OrganisationKey.objects.filter(organisation=organisation).first()
    if found is None:
        raise NoOrganisationKeyError("Your organisation takes no part in referrals yet. A supervisor begins that.")
    return found


def identity_of(unlocked: Unlocked, organisation: Organisation) -> str:
    """What opens what was sealed to the organisation. Raises ``NoOrganisationKeyError``; what the vault raises."""
    own = key_of(organisation)
    return vault.case_key(unlocked, own.number).open(_LABEL, bytes(own.sealed_identity))


def share_with_colleagues(practitioner: Practitioner, unlocked: Unlocked) -> int:
    """Let colleagues who came since open the organisation's key too; returns how many."""
    own = key_of(practitioner.organisation)
    readers = people.readers_of(active_practitioners(practitioner.organisation))
    missing = [reader for reader in readers if not vault.readable(reader.name, [own.number])]
    return sum(vault.share_many(unlocked, [own.number], reader, practitioner.actor) for reader in missing)


def organisation_keys_there(some: list[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these are numbers of organisations' keys."""
    return set(OrganisationKey.objects.filter(number__in=some).values_list("number", flat=True))
