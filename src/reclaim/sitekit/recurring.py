"""A site's recurring work: pieces done one after the other, none of which stops the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.core.management import call_command
from django.utils import timezone

from reclaim.sitekit.database import empty_write_ahead_log
from reclaim.sitekit.events import log_event, log_failure
from reclaim.sitekit.limits import forget_old


class LeftForNowError(Exception):
    """A piece of work could not be done, for a reason that passes; the message is logged, so it holds no secret."""


def do_pieces(pieces: Iterable[Callable[[], object]]) -> bool:
    """Do each piece once, then what every site needs; whether all went well.

    One that fails is logged and tried again at the next tick; the others go on.
    """
    well = True
    for piece in (
        *pieces,
        lambda: forget_old(timezone.now()),
        lambda: call_command("clearsessions"),
        # Last: what was erased above, and since the tick before, must not live on in the log.
        empty_write_ahead_log,
    ):
        try:
            piece()
        except LeftForNowError as error:
            log_event(str(error))
            well = False
        except Exception as error:
            log_failure("recurring work failed", error)
            well = False
    return well
