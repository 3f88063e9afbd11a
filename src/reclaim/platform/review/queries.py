"""Who a reviewer is, and what a reviewer reads: each read leaves its trace."""

from __future__ import annotations

from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from reclaim.platform.inbox.models import Match
from reclaim.platform.inbox.queries import access_match, open_matches
from reclaim.platform.review.models import Reviewer
from reclaim.sitekit import audit
from reclaim.sitekit.access import Access, check_for
from reclaim.sitekit.problems import problem, wants_page

MOST_LISTED = 100
_BEFORE_A_PASSWORD_IS_CHOSEN = ("review-password", "review-sign-out")


def access_reviewer(request: HttpRequest) -> Reviewer:
    """The signed-in reviewer; the route's access check has already found them."""
    reviewer: Reviewer = request.reviewer  # type: ignore[attr-defined]
    return reviewer


def actor_of(reviewer: Reviewer) -> str:
    """The reviewer as the audit trail names them."""
    return f"reviewer:{reviewer.pk}"


@check_for(Access.REVIEWER)
def _check_reviewer(request: HttpRequest) -> HttpResponse | None:
    user = get_user(request)
    reviewer = None
    if user.is_authenticated and user.is_active:
        reviewer = Reviewer.objects.select_related("user").filter(user_id=user.pk).first()
    if reviewer is None:
        if wants_page(request):
            return redirect("review-sign-in")
        return problem(401, "Sign in first", "This is for reviewers; sign in at /sign-in/.")
    view = request.resolver_match.view_name if request.resolver_match else ""
    if reviewer.must_choose_password and view not in _BEFORE_A_PASSWORD_IS_CHOSEN:
        return redirect("review-password")
    request.session.modified = True
    request.reviewer = reviewer  # type: ignore[attr-defined]
    return None


def read_queue(reviewer: Reviewer) -> list[Match]:
    """The matches that wait, longest waiting first, at most ``MOST_LISTED``."""
    audit.record(actor_of(reviewer), "queue.read", "matches:open")
    return list(open_matches()[:MOST_LISTED])


def read_match(reviewer: Reviewer, number: str, *, what: str) -> Match | None:
    """One match; ``what`` is read of it: ``match``, ``blurred`` or ``shown``."""
    match = access_match(number)
    if match is not None:
        audit.record(actor_of(reviewer), f"{what}.read", f"match:{match.pk}")
    return match
