"""Reads on case files. ``access_case_file`` is the only way to get one, and ``visible_to`` the only list."""

from __future__ import annotations

import uuid

from django.db.models import Q, QuerySet
from django.http import Http404

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.organisations.models import Practitioner
from reclaim.sitekit import audit


def visible_to(practitioner: Practitioner) -> QuerySet[CaseFile]:
    """The case files in a practitioner's scope: own, of the team, or of the organisation."""
    scope = Q(owner=practitioner)
    if practitioner.scope == Practitioner.Scope.ORGANISATION:
        scope = Q()
    elif practitioner.scope == Practitioner.Scope.TEAM and practitioner.team_id is not None:
        scope |= Q(team=practitioner.team_id)
    return CaseFile.objects.filter(scope, organisation=practitioner.organisation_id)


def access_case_file(practitioner: Practitioner, case_file: uuid.UUID) -> CaseFile:
    """A case file that the practitioner may see, and the trace that they looked. Raises ``Http404``."""
    found = (
        visible_to(practitioner).select_related("organisation", "team", "owner__member").filter(pk=case_file).first()
    )
    if found is None:
        raise Http404
    audit.record(practitioner.actor, "casefile.read", f"casefile:{found.pk}")
    return found
