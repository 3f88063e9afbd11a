"""What a member has to themselves: how they like to work, their shift, their breaks. And the rules, for admins."""

from __future__ import annotations

import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from reclaim.platform.inbox.deciding import change_rules
from reclaim.platform.inbox.queries import rules as present_rules
from reclaim.platform.review.forms import MatchingForm, PreferencesForm, RulesForm
from reclaim.platform.review.pages import quiet_page, review_page
from reclaim.platform.review.queries import breaks_of_all, decider, exposure, last_shift, preferences_of
from reclaim.platform.review.services import end_shift, postpone_break, save_preferences
from reclaim.platform.subscription.queries import holds_descriptors
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.permissions import Permission, access_member, fresh, needs


@require_http_methods(["GET", "POST"])
@requires(Access.REVIEWER)
@needs(Permission.REVIEW_MATCHES)
def preferences(request: HttpRequest) -> HttpResponse:
    """How the member likes to work."""
    member = access_member(request)
    form = PreferencesForm(request.POST or None, instance=preferences_of(member))
    if request.method == "POST" and form.is_valid():
        save_preferences(form.instance, member)
        messages.success(request, "Saved.")
        return redirect("review-preferences")
    return review_page(request, "review/preferences.html", form=form, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires(Access.REVIEWER)
@needs(Permission.CHANGE_RULES)
@fresh
def rules(request: HttpRequest) -> HttpResponse:
    """The rules of the review, and whether breaks are taken."""
    form = RulesForm(request.POST or None, instance=present_rules())
    if request.method == "POST" and form.is_valid():
        change_rules(form.instance, decider(access_member(request)))
        messages.success(request, "Saved. The rules hold from now on.")
        return redirect("review-rules")
    status = 400 if form.errors else 200
    return review_page(request, "review/rules.html", form=form, breaks=breaks_of_all(), status=status)


@require_http_methods(["GET", "POST"])
@requires(Access.REVIEWER)
@needs(Permission.CHANGE_RULES)
@fresh
def matching(request: HttpRequest) -> HttpResponse:
    """What is looked for, and what becomes of it."""
    form = MatchingForm(request.POST or None, instance=present_rules())
    if request.method == "POST" and form.is_valid():
        change_rules(form.instance, decider(access_member(request)))
        messages.success(request, "Saved. It holds for uploads from now on.")
        return redirect("review-matching")
    status = 400 if form.errors else 200
    return review_page(request, "review/matching.html", form=form, described=holds_descriptors(), status=status)


@require_GET
@requires(Access.REVIEWER)
@needs(Permission.REVIEW_MATCHES)
def shift(request: HttpRequest) -> HttpResponse:
    """The member's own shift so far, or the summary of the one that has just ended."""
    found = last_shift(access_member(request))
    return quiet_page(request, "review/shift.html", own_shift=found, seen=exposure(found) if found else None)


@require_POST
@requires(Access.REVIEWER)
@needs(Permission.REVIEW_MATCHES)
def shift_end(request: HttpRequest) -> HttpResponse:
    """End the shift."""
    end_shift(access_member(request))
    return redirect("review-shift")


@require_GET
@requires(Access.REVIEWER)
@needs(Permission.REVIEW_MATCHES)
def pause(request: HttpRequest) -> HttpResponse:
    """A page to leave open during a break. It asks for nothing: the way back is always open."""
    until = timezone.now() + datetime.timedelta(minutes=present_rules().break_minutes)
    return quiet_page(request, "review/pause.html", until=until)


@require_POST
@requires(Access.REVIEWER)
@needs(Permission.REVIEW_MATCHES)
def pause_later(request: HttpRequest) -> HttpResponse:
    """Be reminded in ten minutes; once for each break."""
    postpone_break(access_member(request))
    return redirect("staff-home")
