"""What all pages of the review share: who is there, how they like it, whether a break is due."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from reclaim.platform.inbox.queries import rules
from reclaim.platform.review.queries import appeals_waiting, exposure, hour_is_full_until, is_break_due, preferences_of
from reclaim.platform.review.services import note_presence
from reclaim.sitekit.permissions import Permission, access_member, may


def review_page(request: HttpRequest, template: str, *, status: int = 200, **about: Any) -> HttpResponse:
    """Render a page of the review, and note that its member is there."""
    member = access_member(request)
    shift = note_presence(member)
    now = timezone.now()
    shared = {
        "likes": preferences_of(member),
        "exposure": exposure(shift),
        "rules": rules(),
        "break_due": is_break_due(shift, now),
        "can_postpone": shift.postponed_until is None,
        "full_until": hour_is_full_until(member, now),
    }
    return quiet_page(request, template, status=status, **shared | about)


def quiet_page(request: HttpRequest, template: str, *, status: int = 200, **about: Any) -> HttpResponse:
    """Render a page that may stay open in a break or after a shift: nothing is noted of it."""
    member = access_member(request)
    shared = {
        "may_change_rules": may(member, Permission.CHANGE_RULES),
        "may_decide_appeals": may(member, Permission.DECIDE_APPEALS),
        "appeals_waiting": appeals_waiting() if may(member, Permission.DECIDE_APPEALS) else 0,
    }
    return render(request, template, shared | about, status=status)
