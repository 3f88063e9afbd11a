"""What becomes of a practitioner's case files when they leave."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from reclaim.bank.casework.models import CaseFile, Handover, Task
from reclaim.bank.organisations.models import Practitioner
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.accounts.signals import member_removed


def listen() -> None:
    """Connect to the accounts' signal."""
    member_removed.connect(_leave, dispatch_uid="casework")


def _leave(member: Member, **_: Any) -> None:
    leaving = Practitioner.objects.filter(member=member).first()
    if leaving is None:
        return
    offers = Handover.objects.filter(practitioner=leaving, state=Handover.State.OFFERED)
    offers.update(state=Handover.State.TAKEN_BACK, answered_at=timezone.now())
    Task.objects.filter(practitioner=leaving, done_at=None).update(practitioner=None)
    CaseFile.objects.filter(owner=leaving).update(owner=None)
