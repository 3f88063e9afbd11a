"""The bank's recurring work, done by ``reclaim bank tick``."""

from __future__ import annotations

from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone

from reclaim.bank.cases.services import forget_receipts
from reclaim.bank.feedback.services import erase_old_tombstones
from reclaim.sitekit.events import log_failure
from reclaim.sitekit.limits import forget_old


def tick() -> None:
    """Do each piece of work once. One that fails is logged and tried again at the next tick; the others go on."""
    for piece in (
        erase_old_tombstones,
        forget_receipts,
        lambda: forget_old(timezone.now()),
        lambda: call_command("clearsessions"),
    ):
        try:
            piece()
        except DatabaseError as error:
            log_failure("recurring work failed", error)
