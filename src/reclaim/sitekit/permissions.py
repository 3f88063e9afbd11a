"""What each role of a site's staff may do: one table. docs/permissions.md shows it; a test holds the two together.

A view of staff names its access, then one permission, and, where it does something dangerous, that the second factor
must have been shown again just now::

    @requires(Access.STAFF)
    @needs(Permission.VET_PLATFORMS)
    @fresh
    def decide(request): ...
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from reclaim.sitekit.origin import SAFE_METHODS
from reclaim.sitekit.problems import problem, refusal, wants_page
from reclaim.sitekit.roles import Role as Role

if TYPE_CHECKING:
    from reclaim.sitekit.accounts.models import Member

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

FACTOR_AT = "factor_at"
"""In a session: when its member last showed a second factor, epoch seconds."""
FRESH_SECONDS = 5 * 60


class Permission(StrEnum):
    """What may be done, in words that follow «may»."""

    WATCH_PLATFORMS = "see how platforms, peers and the exchange do"
    VET_PLATFORMS = "take up, refuse and propose platforms that apply"
    CONSENT_TO_PLATFORMS = "give the second person's consent to what an operator proposed"
    MANAGE_KEYS = "make and change the keys of platforms and peers"
    REVOKE_KEYS = "end a key or a platform's access at once"
    MANAGE_PEERS = "join and leave other banks"
    DECIDE_HELD = "let in or refuse what is held"
    CORRECT_SIGNALS = "correct what platforms are told of a signal"
    TRACE_LEAKS = "find out whose copy a leaked list is"

    VET_ORGANISATIONS = "let organisations that help people in, and end their access"
    EDIT_DIRECTORY = "change laws, contacts and the support directory"
    REVIEW_DIRECTORY = "mark what another has written there as checked"
    HANDLE_DEMANDS = "log legal demands, and propose an answer"
    READ_DEMANDS = "read legal demands and how they were answered"
    RELEASE_DEMANDS = "give the second person's consent to an answer to a legal demand"

    WORK_CASES = "work on the case files in their scope"
    SUPERVISE_CASES = "hand over case files that others have, and see how everybody's work stands"
    EXPORT_CASES = "take case files out of the site"
    MANAGE_PRACTITIONERS = "let colleagues of their organisation in and out"

    REVIEW_MATCHES = "see matches that wait, and decide them"
    DECIDE_SECOND = "give the second decision where two are asked for"
    UNDO_DECISIONS = "undo a decision"
    DECIDE_APPEALS = "decide appeals"
    CHANGE_RULES = "change the rules of the review"


TABLE: Mapping[Permission, frozenset[Role]] = MappingProxyType(
    {
        Permission.WATCH_PLATFORMS: frozenset({Role.OPERATOR, Role.OVERSEER, Role.WATCHER}),
        Permission.VET_PLATFORMS: frozenset({Role.OPERATOR}),
        Permission.CONSENT_TO_PLATFORMS: frozenset({Role.OVERSEER}),
        Permission.MANAGE_KEYS: frozenset({Role.OPERATOR}),
        # Stopping harm must not wait for one person.
        Permission.REVOKE_KEYS: frozenset({Role.OPERATOR, Role.OVERSEER}),
        Permission.MANAGE_PEERS: frozenset({Role.OPERATOR}),
        Permission.DECIDE_HELD: frozenset({Role.OPERATOR, Role.OVERSEER}),
        Permission.CORRECT_SIGNALS: frozenset({Role.OPERATOR}),
        Permission.TRACE_LEAKS: frozenset({Role.OPERATOR, Role.OVERSEER}),
        Permission.VET_ORGANISATIONS: frozenset({Role.OPERATOR}),
        Permission.EDIT_DIRECTORY: frozenset({Role.OPERATOR}),
        Permission.REVIEW_DIRECTORY: frozenset({Role.OPERATOR, Role.OVERSEER}),
        Permission.HANDLE_DEMANDS: frozenset({Role.OPERATOR}),
        Permission.READ_DEMANDS: frozenset({Role.OPERATOR, Role.OVERSEER}),
        Permission.RELEASE_DEMANDS: frozenset({Role.OVERSEER}),
        Permission.WORK_CASES: frozenset({Role.PRACTITIONER, Role.SUPERVISOR}),
        Permission.SUPERVISE_CASES: frozenset({Role.SUPERVISOR}),
        Permission.EXPORT_CASES: frozenset({Role.SUPERVISOR}),
        Permission.MANAGE_PRACTITIONERS: frozenset({Role.SUPERVISOR}),
        Permission.REVIEW_MATCHES: frozenset({Role.REVIEWER, Role.LEAD, Role.ADMIN}),
        Permission.DECIDE_SECOND: frozenset({Role.LEAD, Role.ADMIN}),
        Permission.UNDO_DECISIONS: frozenset({Role.LEAD, Role.ADMIN}),
        Permission.DECIDE_APPEALS: frozenset({Role.LEAD, Role.ADMIN}),
        Permission.CHANGE_RULES: frozenset({Role.ADMIN}),
    }
)


def may(member: Member, permission: Permission) -> bool:
    """Whether the member's role has the permission."""
    return member.role in TABLE[permission]


def access_member(request: HttpRequest) -> Member:
    """The signed-in member; the route's access check has already found them."""
    member: Member = request.member  # type: ignore[attr-defined]
    return member


def needs(permission: Permission) -> Callable[[View], View]:
    """Name the permission of a view; a member without it gets a 403 that says who has it."""

    def mark(view: View) -> View:
        @wraps(view)
        def check_first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if may(access_member(request), permission):
                return view(request, *args, **kwargs)
            who = ", ".join(role for role in Role if role in TABLE[permission])
            return refusal(request, 403, "Not for your role", f"Ask somebody who may {permission}: {who}.")

        check_first.permission = permission  # type: ignore[attr-defined]
        return cast(View, check_first)

    return mark


def permission_of(view: Callable[..., Any]) -> Permission | None:
    """The permission that a view names, or ``None``."""
    return getattr(view, "permission", None)


def fresh(view: View) -> View:
    """Let a member in who showed a second factor within ``FRESH_SECONDS``; ask others for it, and lead them back.

    What a stale form sent is not kept: its sender comes back to the page of that form.
    """

    @wraps(view)
    def ask_first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if time.time() - request.session.get(FACTOR_AT, 0) <= FRESH_SECONDS:
            return view(request, *args, **kwargs)
        if not wants_page(request):
            return problem(401, "Show your second factor again", "This is asked for within five minutes of it.")
        return redirect(f"{reverse('member-again')}?{urlencode({'next': page_of(request)})}")

    return cast(View, ask_first)


def page_of(request: HttpRequest) -> str:
    """The page to come back to: the one that is asked for, or the one whose form was sent."""
    if request.method in SAFE_METHODS:
        return request.get_full_path()
    came_from = request.headers.get("Referer", "")
    own = url_has_allowed_host_and_scheme(came_from, request.get_host())
    return own_page(request, urlsplit(came_from)._replace(scheme="", netloc="").geturl() if own else "")


def own_page(request: HttpRequest, address: str) -> str:
    """``address`` if it is a path of this site, else the first page of staff."""
    own = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if own else reverse("staff-home")
