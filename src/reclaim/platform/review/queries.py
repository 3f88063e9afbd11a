"""What members of the review read: each read of a match leaves its trace."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from reclaim.platform.inbox import pictures
from reclaim.platform.inbox.deciding import Decider, can_lead_undo, can_undo_alone, why_final
from reclaim.platform.inbox.models import CLOSE_DISTANCE, CLOSE_PERCENT, Appeal, Decision, Match
from reclaim.platform.inbox.queries import (
    access_appeal,
    access_match,
    head_of,
    is_to_be_seen,
    last_decision,
    open_appeals,
    open_matches,
    rules,
    standing,
)
from reclaim.platform.review.models import BreakWeek, Look, Preferences, Shift
from reclaim.protocol.stopncii_v1 import MADE_WITH_AI
from reclaim.sitekit import audit
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.permissions import Permission, may

MOST_LISTED = 100
LONGEST_LOOK = datetime.timedelta(minutes=2)
"""Nobody knows how long somebody looks at a page that stays open; no look counts for longer."""
LEAST_MEMBERS, LEAST_BREAKS = 3, 5
"""Below these, what all members do together would tell what one of them does."""


@dataclass(frozen=True)
class Filters:
    """Which of the matches that wait somebody wants to see."""

    kind: str = ""
    near: str = ""
    found: str = ""
    ai: bool = False
    waits: str = ""
    newest: bool = False


def decider(member: Member) -> Decider:
    """The member as those who decide are known."""
    return Decider(
        member.name,
        member.actor,
        is_lead=may(member, Permission.DECIDE_SECOND),
        undoes=may(member, Permission.UNDO_DECISIONS),
        decides_appeals=may(member, Permission.DECIDE_APPEALS),
    )


def preferences_of(member: Member) -> Preferences:
    """How the member likes to work; the mildest of everything, unsaved, if they never said."""
    return Preferences.objects.filter(member=member).first() or Preferences(member=member)


_FOUND = {
    "same": Q(relation=None) | Q(relation__how="same"),
    "turned": Q(relation__how="turned"),
    "cut": Q(relation__how__in=["tilted", "trimmed", "part", "inset"]),
    "parts": Q(relation__how="parts"),
    "altered": Q(relation__partly_altered=True),
    "source": Q(of_a_source=True),
}
"""Ways in which matches are found, as filters know them."""


def _queue(member: Member, filters: Filters) -> QuerySet[Match]:
    rows = open_matches()
    stand = Decision.objects.filter(appeal=None, undone_at=None, match__status=Match.Status.OPEN)
    own = stand.filter(actor=member.actor).values("match")
    if filters.waits == "own":
        rows = rows.filter(pk__in=own)
    else:
        rows = rows.exclude(pk__in=own)
        if filters.waits == "second":
            rows = rows.filter(pk__in=stand.values("match"))
        if not may(member, Permission.DECIDE_SECOND):
            # What a lead alone has begun, anybody can join; the rest waits for a lead.
            led = stand.filter(by_lead=True).values("match")
            let_through = stand.filter(verdict=Decision.Verdict.NOT_BLOCKED).values("match")
            disputed = stand.filter(verdict=Decision.Verdict.BLOCKED, match__in=let_through).values("match")
            rows = rows.exclude(Q(pk__in=stand.values("match")) & ~Q(pk__in=led)).exclude(pk__in=disputed)
    if filters.kind:
        rows = rows.filter(upload__kind=filters.kind)
    rows = rows.filter(unchecked=True) if filters.found == "unchecked" else rows.filter(unchecked=False)
    if filters.found in _FOUND:
        rows = rows.filter(_FOUND[filters.found])
    if filters.ai:
        rows = rows.annotate(said_of=Cast("signal__labels", TextField())).filter(said_of__contains=f'"{MADE_WITH_AI}"')
    close = (
        Q(distance__lte=CLOSE_DISTANCE, of_a_source=False)
        | Q(query_percent__gte=CLOSE_PERCENT)
        | Q(video_percent__gte=CLOSE_PERCENT)
    )
    if filters.near:
        rows = rows.filter(close) if filters.near == "near" else rows.exclude(close)
    return rows.order_by("-found_at", "-pk") if filters.newest else rows


def read_queue(member: Member, filters: Filters) -> list[Match]:
    """The matches that wait for this member, longest waiting first, at most ``MOST_LISTED``."""
    audit.record(member.actor, "queue.read", "matches:open")
    return list(_queue(member, filters)[:MOST_LISTED])


def waiting_for_others(member: Member) -> int:
    """How many matches this member has decided that wait for a second person."""
    return _queue(member, Filters(waits="own")).count()


def waiting_unchecked(member: Member) -> int:
    """How many matches wait for this member that the bank could not be asked about yet."""
    return _queue(member, Filters(found="unchecked")).count()


def appeals_waiting() -> int:
    """How many appeals wait."""
    return open_appeals().count()


def neighbours(member: Member, match: Match, filters: Filters) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """The numbers of the matches before and after this one in the member's queue; the first one, if it is in it no
    longer."""
    numbers = list(_queue(member, filters).values_list("pk", flat=True)[:MOST_LISTED])
    if match.pk not in numbers:
        return None, numbers[0] if numbers else None
    at = numbers.index(match.pk)
    return (numbers[at - 1] if at else None), (numbers[at + 1] if at + 1 < len(numbers) else None)


def read_match(member: Member, number: str) -> Match | None:
    """One match."""
    match = access_match(number)
    if match is not None:
        audit.record(member.actor, "match.read", f"match:{match.pk}")
    return match


def read_picture(member: Member, match: Match, still: int, *, clear: bool) -> bytes:
    """A review copy of a match's upload, blurred or clear, a JPEG, of which is on record that it was looked at.

    Raises ``pictures.PictureGoneError`` where there is none, or no reason for this member to see it.
    """
    if not is_to_be_seen(match, member.actor, decides_appeals=may(member, Permission.DECIDE_APPEALS)):
        raise pictures.PictureGoneError
    likes = preferences_of(member)
    if clear:
        content = pictures.shown(match.upload_id, still, likes.size)
    else:
        content = pictures.blurred(match.upload_id, still, likes.size, likes.blur)
    audit.record(member.actor, "shown.read" if clear else "blurred.read", f"match:{match.pk}")
    return content


def read_appeals(member: Member) -> list[Appeal]:
    """The appeals that wait, longest waiting first, at most ``MOST_LISTED``."""
    audit.record(member.actor, "appeals.read", "appeals:open")
    return list(open_appeals()[:MOST_LISTED])


def read_appeal(member: Member, number: str) -> Appeal | None:
    """One appeal."""
    appeal = access_appeal(number)
    if appeal is not None:
        audit.record(member.actor, "appeal.read", f"appeal:{appeal.pk}")
    return appeal


@dataclass(frozen=True)
class Undoing:
    """Whether a member can take something back, and how."""

    match: Match
    needs_reason: bool


def undoing(member: Member, match: Match) -> Undoing | None:
    """How this member can undo what was decided about a match; ``None`` if not."""
    head, now = head_of(match), timezone.now()
    if head.status != Match.Status.OPEN and why_final(head):
        return None
    own = any(each.actor == member.actor for each in standing(head))
    if own and can_undo_alone(head, now):
        return Undoing(head, needs_reason=False)
    if may(member, Permission.UNDO_DECISIONS) and can_lead_undo(head, now):
        return Undoing(head, needs_reason=True)
    return None


def last_undoable(member: Member) -> Decision | None:
    """The member's latest decision, if they can still take it back by themselves."""
    last = last_decision(member.actor)
    if last is None or (last.match.status != Match.Status.OPEN and why_final(last.match)):
        return None
    recent = last.match.decided_at or last.decided_at
    within = timezone.now() <= recent + datetime.timedelta(minutes=rules().undo_minutes)
    return last if within and can_undo_alone(last.match, timezone.now()) else None


def open_shift(member: Member) -> Shift | None:
    """The member's shift, if one has begun."""
    return Shift.objects.filter(member=member, ended_at=None).first()


def last_shift(member: Member) -> Shift | None:
    """The member's shift, or the one that ended within the hour."""
    return Shift.objects.filter(member=member).order_by("-started_at").first()


def is_break_due(shift: Shift, now: datetime.datetime) -> bool:
    """Whether it is time for a break."""
    due = shift.works_since + datetime.timedelta(minutes=rules().break_after_minutes)
    return now >= max(due, shift.postponed_until or due)


@dataclass(frozen=True)
class Exposure:
    """How much was shown clearly."""

    pictures: int
    minutes: int


def exposure(shift: Shift) -> Exposure:
    """What was shown clearly in a shift, in whole minutes, the present look left out."""
    sums = shift.looks.aggregate(pictures=Count("pk"), seconds=Sum("seconds"))
    return Exposure(sums["pictures"], round((sums["seconds"] or 0) / 60))


def hour_is_full_until(member: Member, now: datetime.datetime) -> datetime.datetime | None:
    """When pictures can be shown clearly again under the hour's cap; ``None`` while it is not reached."""
    most = datetime.timedelta(minutes=rules().hourly_minutes)
    if not most:
        return None
    hour = datetime.timedelta(hours=1)
    shown = datetime.timedelta()
    for look in Look.objects.filter(shift__member=member, began_at__gt=now - hour).order_by("-began_at"):
        length = datetime.timedelta(seconds=look.seconds) if look.seconds is not None else now - look.began_at
        shown += min(length, LONGEST_LOOK)
        if shown >= most:
            return look.began_at + hour
    return None


def breaks_of_all() -> list[BreakWeek]:
    """Of the last four weeks, those in which enough breaks were due; none where there are too few members."""
    if Member.objects.filter(removed_at=None).count() < LEAST_MEMBERS:
        return []
    return list(BreakWeek.objects.filter(due__gte=LEAST_BREAKS).order_by("-monday")[:4])
