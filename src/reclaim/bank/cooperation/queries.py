"""Reads on referrals, officers, packs and plans. ``access_*`` is the only way to one, and each read is audited.

What shows something of a person counts as a reading of their case file (``organisations.alarms``).
"""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils import timezone

from reclaim.bank.casework.queries import visible_to
from reclaim.bank.cooperation.models import CheckIn, EvidencePack, Officer, ReceivedReferral, RecoveryPlan, Referral
from reclaim.bank.law.clocks import zone_of
from reclaim.bank.organisations.alarms import note_read
from reclaim.bank.organisations.models import Practitioner
from reclaim.sitekit import audit

MOST_SHOWN = 100


def sent_referrals(practitioner: Practitioner) -> QuerySet[Referral]:
    """Referrals of case files in the practitioner's scope, and their own, the latest first."""
    of_scope = Q(case_file__in=visible_to(practitioner)) | Q(case_file=None, sent_by=practitioner)
    found = Referral.objects.filter(of_scope, organisation=practitioner.organisation_id)
    return found.select_related("case_file").order_by("-sent_at")


def received_referrals(practitioner: Practitioner) -> QuerySet[ReceivedReferral]:
    """Referrals that wait for anybody of the organisation, and others of case files in the practitioner's scope."""
    waits = Q(state=ReceivedReferral.State.WAITING)
    of_scope = Q(case_file__in=visible_to(practitioner)) | Q(case_file=None)
    found = ReceivedReferral.objects.filter(waits | of_scope, organisation=practitioner.organisation_id)
    return found.select_related("case_file").order_by("-received_at")


def access_referral(practitioner: Practitioner, key: uuid.UUID) -> Referral:
    """A referral that was sent. Raises ``Http404``."""
    found = sent_referrals(practitioner).select_related("case_file", "consent", "organisation", "peer").filter(pk=key)
    referral = found.first()
    if referral is None:
        raise Http404
    if referral.case_file_id is not None:
        note_read(practitioner, referral.case_file_id)
    audit.record(practitioner.actor, "referral.read", f"referral:{referral.pk}")
    return referral


def access_received(practitioner: Practitioner, key: int) -> ReceivedReferral:
    """A referral that came. Raises ``Http404``."""
    rows = received_referrals(practitioner).select_related("case_file", "organisation", "peer", "answered_by__member")
    found = rows.filter(pk=key).first() if key < 2**63 else None
    if found is None:
        raise Http404
    if found.sealed:
        # What was told of a person counts as their case file, also before there is one.
        note_read(practitioner, found.case_file_id or found.name)
    audit.record(practitioner.actor, "referral.read", f"received:{found.pk}")
    return found


def officers_of(practitioner: Practitioner) -> QuerySet[Officer]:
    """Officers whose keys the organisation has noted and not ended, by authority and name."""
    found = Officer.objects.filter(organisation=practitioner.organisation_id, ended_at=None)
    return found.select_related("added_by__member", "checked_by__member").order_by("agency", "name")


def access_officer(practitioner: Practitioner, key: int) -> Officer:
    """One of them. Raises ``Http404``."""
    found = officers_of(practitioner).filter(pk=key).first() if key < 2**63 else None
    if found is None:
        raise Http404
    return found


def access_pack(practitioner: Practitioner, key: uuid.UUID) -> EvidencePack:
    """A pack of a case file in the practitioner's scope. Raises ``Http404``."""
    packs = EvidencePack.objects.filter(case_file__in=visible_to(practitioner), pk=key)
    found = packs.select_related("case_file", "officer", "made_by__member").first()
    if found is None:
        raise Http404
    note_read(practitioner, found.case_file_id)
    audit.record(practitioner.actor, "evidence.read", f"evidence:{found.pk}")
    return found


def plan_of(case_file_key: uuid.UUID) -> RecoveryPlan | None:
    """The plan of a case file, also one that was ended; the case file's read was audited."""
    return RecoveryPlan.objects.filter(case_file=case_file_key).first()


def agreed_check_ins(case_file: uuid.UUID) -> list[CheckIn]:
    """The check-ins to come that the person of a case file agreed to, for the person."""
    return list(CheckIn.objects.filter(plan__case_file=case_file, plan__ended_at=None, state=CheckIn.State.AGREED))


@dataclass(frozen=True)
class Today:
    """What waits for a practitioner here."""

    check_ins: list[CheckIn]
    """Due, the oldest first; at most twenty."""
    referrals: int
    """Referrals that wait for an answer, or whose case file has to be erased."""


def today_of(practitioner: Practitioner) -> Today:
    """What stands on a practitioner's first page: two statements."""
    states = (ReceivedReferral.State.WAITING, ReceivedReferral.State.ENDED)
    waiting = received_referrals(practitioner).filter(state__in=states)
    return Today(list(due_check_ins(practitioner)[:20]), waiting.count())


def day_of(practitioner: Practitioner) -> datetime.date:
    """Which day it is in the country of the practitioner's organisation."""
    return timezone.now().astimezone(zone_of(practitioner.organisation.country)).date()


def due_check_ins(practitioner: Practitioner) -> QuerySet[CheckIn]:
    """Check-ins in the practitioner's scope that are due today or were before, the oldest first.

    Each comes with ``plan.case_file``; how to reach the person is sealed, and on the plan's page.
    """
    due = CheckIn.objects.filter(
        state=CheckIn.State.AGREED,
        due_on__lte=day_of(practitioner),
        plan__ended_at=None,
        plan__case_file__in=visible_to(practitioner),
    )
    return due.select_related("plan__case_file").order_by("due_on", "pk")
