"""What takedown writes into the timelines of case files."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from django.utils import timezone

if TYPE_CHECKING:
    from reclaim.bank.casework.models import CaseFile
    from reclaim.bank.organisations.models import Practitioner


class Kind(enum.Enum):
    """What happened, as the timeline names it."""

    ADDED = "links.added"
    DOWN = "link.down"
    RELISTED = "link.relisted"
    GIVEN_UP = "link.given-up"
    TAKEN_UP = "link.taken-up"
    SENT = "request.sent"
    ANSWERED = "request.answered"
    REFUSED = "request.refused"
    DUE = "request.due"


def note(case_file: CaseFile, practitioner: Practitioner | None, kind: Kind, **facts: str | int) -> None:
    """Write that something happened; ``practitioner`` is ``None`` for what the bank saw by itself. In the caller's
    transaction."""
    type(case_file).objects.filter(pk=case_file.pk).update(touched_at=timezone.now())
