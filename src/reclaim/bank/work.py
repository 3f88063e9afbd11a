"""The bank's recurring work, done by ``reclaim bank tick``."""

from __future__ import annotations

from reclaim.bank.cases.services import forget_answers
from reclaim.bank.feedback.services import erase_tombstones
from reclaim.sitekit.recurring import do_pieces


def tick() -> bool:
    """Do each piece of work once; whether all went well."""
    return do_pieces([erase_tombstones, forget_answers])
