"""The pages on which staff watch platforms, and tend their keys."""

from __future__ import annotations

import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from reclaim.bank.operations.queries import (
    MOST_COUNTED,
    access_watched,
    access_watched_platform,
    errors_by_hour,
    given_signals,
    usable,
)
from reclaim.bank.platforms.models import Platform, PlatformKey
from reclaim.bank.platforms.services import (
    add_key,
    change_key,
    grantable,
    revoke_key,
    revoke_platform,
    rotate_key,
)
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.permissions import Permission, access_member, fresh, may, needs

MOST_DAYS = 731
LONGEST_OVERLAP = 90


@requires(Access.STAFF)
@needs(Permission.WATCH_PLATFORMS)
@require_safe
def platforms(request: HttpRequest) -> HttpResponse:
    """How every platform does; those with overdue withdrawals first."""
    watched = access_watched(access_member(request))
    return render(request, "operations/platforms.html", {"platforms": watched, "most": MOST_COUNTED})


@requires(Access.STAFF)
@needs(Permission.WATCH_PLATFORMS)
@require_safe
def platform(request: HttpRequest, key: int) -> HttpResponse:
    """How one platform does, and its keys."""
    return _page(request, access_member(request), key)


def _page(request: HttpRequest, member: Member, key: int, error: str = "", status: int = 200) -> HttpResponse:
    found = access_watched_platform(member, key)
    if found is None:
        raise Http404
    watched, keys = found
    given = given_signals(watched.platform)
    bars = errors_by_hour(watched.platform)
    about = {
        "watched": watched,
        "platform": watched.platform,
        "given": given,
        "share": 100 * min(watched.said, given) / given if given else None,
        "most": MOST_COUNTED,
        "bars": bars,
        "highest": max(bar.refused + bar.failed for bar in bars),
        "keys": [(each, usable(each) and watched.platform.revoked_at is None) for each in keys],
        "scopes": grantable(watched.platform),
        "manages": may(member, Permission.MANAGE_KEYS) and watched.platform.revoked_at is None,
        "revokes": may(member, Permission.REVOKE_KEYS) and watched.platform.revoked_at is None,
        "error": error,
    }
    return render(request, "operations/platform.html", about, status=status)


def _platform(key: int) -> Platform:
    found = Platform.objects.filter(pk=key, revoked_at=None).first()
    if found is None:
        raise Http404
    return found


def _key(platform_key: int, key: int) -> PlatformKey:
    found = PlatformKey.objects.filter(pk=key, platform=platform_key, platform__revoked_at=None).first()
    if found is None:
        raise Http404
    return found


def _days(request: HttpRequest, most: int, least: int = 0) -> datetime.timedelta:
    text = request.POST.get("days", "")
    if not (text.isascii() and text.isdigit() and len(text) < 6 and least <= int(text) <= most):
        raise ValueError(f"Write a whole number of days from {least} to {most}.")
    return datetime.timedelta(days=int(text))


def _networks(request: HttpRequest) -> list[str]:
    return request.POST.get("addresses", "")[:2000].replace(",", " ").split()


def _shown(request: HttpRequest, made: tuple[PlatformKey, str], old: PlatformKey | None = None) -> HttpResponse:
    row, text = made
    return render(request, "operations/key.html", {"platform": row.platform, "key": row, "text": text, "old": old})


@requires(Access.STAFF)
@needs(Permission.MANAGE_KEYS)
@fresh
@require_POST
def add(request: HttpRequest, key: int) -> HttpResponse:
    """One more key (POST ``scope``, ``addresses``, ``label``, ``days``), shown once."""
    member, found = access_member(request), _platform(key)
    try:
        made = add_key(
            found,
            request.POST.getlist("scope"),
            actor=member.actor,
            label=request.POST.get("label", "").strip(),
            addresses=_networks(request),
            life=_days(request, MOST_DAYS, 1),
        )
    except ValueError as error:
        return _page(request, member, key, str(error), status=422)
    return _shown(request, made)


@requires(Access.STAFF)
@needs(Permission.MANAGE_KEYS)
@fresh
@require_POST
def rotate(request: HttpRequest, key: int, number: int) -> HttpResponse:
    """A new key beside an old one, which goes on for some days (POST ``days``)."""
    member, old = access_member(request), _key(key, number)
    try:
        made = rotate_key(old, actor=member.actor, overlap=_days(request, LONGEST_OVERLAP))
    except ValueError as error:
        return _page(request, member, key, str(error), status=422)
    old.refresh_from_db()
    return _shown(request, made, old)


@requires(Access.STAFF)
@needs(Permission.MANAGE_KEYS)
@fresh
@require_POST
def change(request: HttpRequest, key: int, number: int) -> HttpResponse:
    """What a key opens, and from where (POST ``scope`` and ``addresses``)."""
    member, row = access_member(request), _key(key, number)
    try:
        change_key(row, actor=member.actor, scopes=request.POST.getlist("scope"), addresses=_networks(request))
    except ValueError as error:
        return _page(request, member, key, str(error), status=422)
    messages.success(request, f"Key {row.pk} was changed. It holds from its next request on.")
    return redirect("platform", key=key)


@requires(Access.STAFF)
@needs(Permission.REVOKE_KEYS)
@fresh
@require_POST
def revoke(request: HttpRequest, key: int, number: int) -> HttpResponse:
    """End a key at once."""
    row = _key(key, number)
    revoke_key(row, actor=access_member(request).actor)
    messages.success(request, f"Key {row.pk} opens nothing any more.")
    return redirect("platform", key=key)


@requires(Access.STAFF)
@needs(Permission.REVOKE_KEYS)
@fresh
@require_POST
def end(request: HttpRequest, key: int) -> HttpResponse:
    """End a platform's access at once (POST ``name``, typed as it is)."""
    member, found = access_member(request), _platform(key)
    if request.POST.get("name", "").strip() != found.name:
        return _page(request, member, key, "Type the platform's name exactly, to say that you mean it.", status=422)
    revoke_platform(found.name, actor=member.actor)
    messages.success(request, f"«{found.name}» has no access any more.")
    return redirect("platforms")
