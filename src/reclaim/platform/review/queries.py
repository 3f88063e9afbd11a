"""What members of the review read: each read leaves its trace."""

from __future__ import annotations

from reclaim.platform.inbox.models import Match
from reclaim.platform.inbox.queries import access_match, open_matches
from reclaim.sitekit import audit
from reclaim.sitekit.accounts.models import Member

MOST_LISTED = 100


def read_queue(member: Member) -> list[Match]:
    """The matches that wait, longest waiting first, at most ``MOST_LISTED``."""
    audit.record(member.actor, "queue.read", "matches:open")
    return list(open_matches()[:MOST_LISTED])


def read_match(member: Member, number: str, *, what: str) -> Match | None:
    """One match; ``what`` is read of it: ``match``, ``blurred`` or ``shown``."""
    match = access_match(number)
    if match is not None:
        audit.record(member.actor, f"{what}.read", f"match:{match.pk}")
    return match
