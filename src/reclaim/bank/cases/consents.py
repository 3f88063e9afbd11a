"""Consent: a person lets an organisation see the case, and ends it again. Writes and reads."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from reclaim.bank.cases import codes
from reclaim.bank.cases.models import Case, Consent
from reclaim.bank.organisations.models import Organisation, Practitioner
from reclaim.sitekit import audit
from reclaim.sitekit.events import log_event

CODE_LIFE = datetime.timedelta(days=7)


@dataclass(frozen=True)
class GivenConsent:
    """The code that a person hands to the organisation, once, and how long it can be used."""

    code: str
    organisation: Organisation
    until: datetime.datetime


def consents_of(case: Case) -> QuerySet[Consent]:
    """Who can see the case, or could with a code that can still be used."""
    usable = Q(code_mac=None) | Q(code_until__gt=timezone.now())
    return case.consents.filter(usable, organisation__revoked_at=None).select_related("organisation").order_by("pk")


def open_consents(organisation: Organisation) -> QuerySet[Consent]:
    """The cases that an organisation can see."""
    return (
        Consent.objects.filter(organisation=organisation, code_mac=None).select_related("case").order_by("-opened_at")
    )


def give_consent(case: Case, organisation: Organisation) -> GivenConsent:
    """Make a one-time code for the organisation. One that it has not used yet ends; it sees nothing before."""
    given = GivenConsent(codes.new_code(), organisation, timezone.now() + CODE_LIFE)
    with transaction.atomic():
        # Locked, so that two clicks at once leave one code.
        Case.objects.select_for_update().get(pk=case.pk)
        Consent.objects.filter(case=case, organisation=organisation).delete()
        Consent.objects.create(
            case=case,
            organisation=organisation,
            code_mac=codes.code_mac(given.code, organisation.pk),
            code_until=given.until,
        )
        audit.record("person", "consent.give", f"case:{case.pk}")
    log_event("a person made a code for a helper", organisation=organisation.pk)
    return given


def open_consent(case: Case, organisation: Organisation) -> Consent:
    """Let the organisation see the case from now on, without a code: the person says so to the bank itself."""
    with transaction.atomic():
        Case.objects.select_for_update().get(pk=case.pk)
        opened = {"code_mac": None, "code_until": None, "opened_at": timezone.now()}
        consent, _ = Consent.objects.update_or_create(case=case, organisation=organisation, defaults=opened)
        audit.record("person", "consent.give", f"case:{case.pk}")
    log_event("a person let a helper see a case", organisation=organisation.pk)
    return consent


def revoke_consent(case: Case, consent: int) -> bool:
    """End a consent at once, used or not; ``False`` if the case has none of this key."""
    with transaction.atomic():
        deleted, _ = Consent.objects.filter(case=case, pk=consent).delete()
        if deleted:
            audit.record("person", "consent.revoke", f"case:{case.pk}")
    return bool(deleted)


def open_case(practitioner: Practitioner, code: str) -> Consent | None:
    """Use a one-time code (parsed): the practitioner's organisation sees the case from now on.

    ``None`` for a code that is unknown, used, expired, revoked or another organisation's: all look the same.
    """
    with transaction.atomic():
        consent = (
            Consent.objects.select_for_update()
            .filter(code_mac=codes.code_mac(code, practitioner.organisation_id), code_until__gt=timezone.now())
            .first()
        )
        if consent is None:
            return None
        consent.code_mac = consent.code_until = None
        consent.opened_at = timezone.now()
        consent.save(update_fields=["code_mac", "code_until", "opened_at"])
        audit.record(practitioner.actor, "consent.use", f"case:{consent.case_id}")
    return consent


def access_consented_case(practitioner: Practitioner, consent: int) -> Consent | None:
    """A case that the practitioner's organisation may see now, and the note that it looked; ``None`` if it may not."""
    with transaction.atomic():
        found = open_consents(practitioner.organisation).select_for_update(of=("self",)).filter(pk=consent).first()
        if found is None:
            return None
        found.last_read_at = timezone.now()
        found.save(update_fields=["last_read_at"])
        audit.record(practitioner.actor, "case.read", f"case:{found.case_id}")
    return found


def forget_codes() -> int:
    """Forget codes that nobody used in time; returns how many."""
    deleted, _ = Consent.objects.filter(code_until__lte=timezone.now()).delete()
    return deleted
