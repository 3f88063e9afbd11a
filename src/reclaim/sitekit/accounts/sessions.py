"""How many sessions a member may have and how long one lasts; ending them. An idle one ends after ``IDLE_MINUTES``."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from reclaim.sitekit import audit
from reclaim.sitekit.accounts.models import Member, MemberSession
from reclaim.sitekit.roles import HELPLINE_ROLES

IDLE_MINUTES = settings.SESSION_COOKIE_AGE // 60


@dataclass(frozen=True)
class SessionLimits:
    """For one kind of member."""

    seconds: int
    """However busy the session is, it ends then."""
    most: int | None = None
    """At a time; a new one ends the oldest. ``None`` for no limit."""


STAFF = SessionLimits(12 * 3600)
HELPLINE = SessionLimits(10 * 3600, most=2)


def limits_of(member: Member) -> SessionLimits:
    """What holds for the member's role."""
    return HELPLINE if member.role in HELPLINE_ROLES else STAFF


def sessions_of(member: Member) -> list[MemberSession]:
    """The member's sessions that last, the latest first."""
    lasting = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    return list(member.sessions.filter(session_key__in=lasting).order_by("-began_at", "-pk"))


def begin(request: HttpRequest, member: Member) -> None:
    """Note that the session of ``request`` is the member's; end the oldest if there are too many now."""
    request.session.save()
    key = request.session.session_key or ""
    with transaction.atomic():
        # The member's row, so that of two sign-ins at once each sees the other's.
        Member.objects.select_for_update().get(pk=member.pk)
        MemberSession.objects.create(member=member, session_key=key)
        lasting = sessions_of(member)
        kept = [each.pk for each in lasting[: limits_of(member).most]]
        _end(member, [each.session_key for each in lasting if each.pk not in kept])
        # Rows of sessions that ended by themselves go too.
        member.sessions.exclude(pk__in=kept).delete()


def _end(member: Member, keys: list[str]) -> None:
    Session.objects.filter(session_key__in=keys).delete()
    if keys:
        audit.record(member.actor, "session.end", member.actor)


def end_all(member: Member) -> None:
    """End every session of the member at once."""
    with transaction.atomic():
        _end(member, list(member.sessions.values_list("session_key", flat=True)))
        member.sessions.all().delete()
