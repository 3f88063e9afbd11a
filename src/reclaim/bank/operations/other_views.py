"""The pages on which staff watch lookups without a list, and other banks."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from reclaim.bank.federation.queries import peer_states
from reclaim.bank.lookup.queries import USUAL_ALLOWANCE, lookup_states
from reclaim.bank.lookup.services import allow, close_alarm
from reclaim.bank.platforms.queries import vetted_platforms
from reclaim.sitekit import audit
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.permissions import Permission, access_member, fresh, may, needs

MOST_A_DAY = 10_000_000


def _lookups(request: HttpRequest, member: Member, error: str = "", status: int = 200) -> HttpResponse:
    audit.record(member.actor, "lookups.read", "lookups")
    platforms = {each.name: each for each in vetted_platforms()}
    states = sorted(lookup_states(), key=lambda each: each.alarm is None)
    about = {
        "states": [(each, platforms[each.name]) for each in states],
        "platforms": platforms.values(),
        "usual": USUAL_ALLOWANCE,
        "manages": may(member, Permission.MANAGE_KEYS),
        "error": error,
    }
    return render(request, "operations/lookups.html", about, status=status)


@requires(Access.STAFF)
@needs(Permission.WATCH_PLATFORMS)
@require_safe
def lookups(request: HttpRequest) -> HttpResponse:
    """Platforms that look uploads up, those that have raised the alarm first."""
    return _lookups(request, access_member(request))


@requires(Access.STAFF)
@needs(Permission.MANAGE_KEYS)
@fresh
@require_POST
def change_lookups(request: HttpRequest) -> HttpResponse:
    """Close an alarm (POST ``platform`` and ``do`` close), or say how much a day (``do`` allow and ``a_day``)."""
    member = access_member(request)
    chosen = {str(each.pk): each for each in vetted_platforms()}.get(request.POST.get("platform", ""))
    if chosen is None:
        return _lookups(request, member, "Choose a platform.", status=422)
    if request.POST.get("do") == "close":
        if close_alarm(chosen, member.actor):
            messages.success(request, f"The alarm is closed; lookups of «{chosen.name}» go on.")
        else:
            messages.info(request, "Nothing was done: somebody has closed this alarm already.")
        return redirect("lookups")
    text = request.POST.get("a_day", "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= MOST_A_DAY):
        return _lookups(request, member, f"Write a whole number from 0 to {MOST_A_DAY:,}.", status=422)
    allow(chosen, int(text), member.actor)
    messages.success(request, f"«{chosen.name}» may look up {int(text):,} uploads a day.")
    return redirect("lookups")


@requires(Access.STAFF)
@needs(Permission.WATCH_PLATFORMS)
@require_safe
def peers(request: HttpRequest) -> HttpResponse:
    """Other banks and servers that this bank reads, those with a fault first."""
    audit.record(access_member(request).actor, "peers.read", "peers")
    states = sorted(peer_states(), key=lambda each: (not each.fault, each.name.casefold()))
    return render(request, "operations/peers.html", {"states": states})
