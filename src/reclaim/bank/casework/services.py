"""Writes on case files."""

from __future__ import annotations

import uuid

from django.db import transaction

from reclaim.bank.cases.designations import designation
from reclaim.bank.casework.models import CaseFile
from reclaim.bank.organisations.models import Practitioner
from reclaim.sitekit import audit


def open_case_file(
    practitioner: Practitioner, channel: CaseFile.Channel, *, country: str = "", language: str = "en"
) -> CaseFile:
    """Begin a case file, which the practitioner then owns."""
    key = uuid.uuid4()
    with transaction.atomic():
        case_file = CaseFile.objects.create(
            pk=key,
            designation=designation(key),
            organisation=practitioner.organisation,
            team=practitioner.team,
            owner=practitioner,
            channel=channel,
            country=country,
            language=language,
        )
        audit.record(practitioner.actor, "casefile.open", f"casefile:{key}")
    return case_file
