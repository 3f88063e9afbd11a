"""The bank's recurring work, done by ``reclaim bank tick``."""

from __future__ import annotations

from django.core.management import call_command
from django.utils import timezone

from reclaim.bank.cases.services import forget_answers
from reclaim.bank.feedback.services import erase_tombstones
from reclaim.sitekit.database import empty_write_ahead_log
from reclaim.sitekit.events import log_failure
from reclaim.sitekit.limits import forget_old


def tick() -> bool:
    """Do each piece of work once; whether all went well.

    One that fails is logged and tried again at the next tick; the others go on.
    """
    well = True
    for piece in (
        erase_tombstones,
        forget_answers,
        lambda: forget_old(timezone.now()),
        lambda: call_command("clearsessions"),
        # Last: what was erased above, and since the tick before, must not live on in the log.
        empty_write_ahead_log,
    ):
        try:
            piece()
        except Exception as error:
            log_failure("recurring work failed", error)
            well = False
    return well
