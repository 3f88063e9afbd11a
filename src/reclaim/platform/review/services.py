"""Writes on preferences and shifts.

Shifts leave no audit events: a trail of breaks would be a watch on people.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from reclaim.platform.inbox.queries import rules
from reclaim.platform.review.models import BreakWeek, Look, Preferences, Shift
from reclaim.platform.review.queries import (
    LONGEST_LOOK,
    hour_is_full_until,
    is_break_due,
    open_shift,
)
from reclaim.sitekit import audit
from reclaim.sitekit.accounts.models import Member

SHIFT_ENDS_AFTER = datetime.timedelta(hours=4)
"""Without a sign of its member."""
KEPT_AFTER_END = datetime.timedelta(hours=1)
"""So that its member can read the summary, and a cap for the hour still counts what it has to."""
POSTPONE = datetime.timedelta(minutes=10)


class EnoughForNowError(Exception):
    """The hour's cap for clear pictures is reached, and it is a hard one."""

    def __init__(self, until: datetime.datetime) -> None:
        super().__init__(f"Pictures can be shown clearly again at {until:%H:%M} UTC.")
        self.until = until


def save_preferences(preferences: Preferences, member: Member) -> None:
    """Keep how a member likes to work."""
    with transaction.atomic():
        preferences.member_id = member.pk
        preferences.save()
        audit.record(member.actor, "preferences.change", f"member:{member.pk}")


@contextmanager
def _locked(member: Member) -> Iterator[Shift]:
    """The member's shift, a new one where there is none or the last one was left hours ago."""
    now = timezone.now()
    with transaction.atomic():
        # The member's row is the lock: pages with several pictures ask for them all at once.
        Member.objects.select_for_update().get(pk=member.pk)
        shift = open_shift(member)
        if shift is not None and now - shift.last_seen_at > SHIFT_ENDS_AFTER:
            _end(shift, shift.last_seen_at)
            shift = None
        if shift is None:
            shift = Shift.objects.create(member=member, started_at=now, last_seen_at=now, works_since=now)
        yield shift
        shift.save()


def note_presence(member: Member) -> Shift:
    """A member is here: what was shown clearly is shown no longer, and a pause that was long enough was a break."""
    now = timezone.now()
    with _locked(member) as shift:
        _note_presence(shift, now)
    return shift


def _note_presence(shift: Shift, now: datetime.datetime) -> None:
    _end_looks(shift, now)
    if now - shift.last_seen_at >= datetime.timedelta(minutes=rules().break_minutes):
        shift.breaks_taken += 1
        shift.works_since, shift.was_reminded, shift.postponed_until = now, False, None
    elif is_break_due(shift, now) and not shift.was_reminded:
        shift.was_reminded = True
        shift.breaks_due += 1
    shift.last_seen_at = now


def _end_looks(shift: Shift, now: datetime.datetime) -> None:
    for look in shift.looks.filter(seconds=None):
        look.seconds = round(min(now - look.began_at, LONGEST_LOOK).total_seconds())
        look.save(update_fields=["seconds"])


def begin_look(member: Member) -> None:
    """A picture is about to be shown clearly. Raises ``EnoughForNowError`` where the rules say so."""
    now = timezone.now()
    with _locked(member) as shift:
        full_until = hour_is_full_until(member, now)
        if full_until is not None and rules().hourly_cap_is_hard:
            raise EnoughForNowError(full_until)
        _end_looks(shift, now)
        Look.objects.create(shift=shift, began_at=now)
        shift.last_seen_at = now


def postpone_break(member: Member) -> None:
    """Ten minutes more; once for each break."""
    now = timezone.now()
    with _locked(member) as shift:
        if is_break_due(shift, now) and shift.postponed_until is None:
            shift.postponed_until = now + POSTPONE


def end_shift(member: Member) -> None:
    """End the shift; where there is none, nothing happens."""
    with transaction.atomic():
        shift = open_shift(member)
        if shift is not None:
            _end(shift, timezone.now())


def _end(shift: Shift, at: datetime.datetime) -> None:
    _end_looks(shift, at)
    shift.ended_at = at
    shift.save()
    day = at.date()
    week, _ = BreakWeek.objects.get_or_create(monday=day - datetime.timedelta(days=day.weekday()))
    BreakWeek.objects.filter(pk=week.pk).update(
        due=F("due") + shift.breaks_due, taken=F("taken") + min(shift.breaks_taken, shift.breaks_due)
    )


def forget_shifts() -> int:
    """End shifts that were left, and delete those that ended an hour ago; returns how many are gone."""
    now = timezone.now()
    for shift in Shift.objects.filter(ended_at=None, last_seen_at__lt=now - SHIFT_ENDS_AFTER):
        with transaction.atomic():
            _end(shift, shift.last_seen_at)
    gone = Shift.objects.filter(ended_at__lt=now - KEPT_AFTER_END)
    count = gone.count()
    gone.delete()
    return count
