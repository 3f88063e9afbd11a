"""Uploaders who ask again: the list, the page, the answer."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from reclaim.platform.inbox import deciding
from reclaim.platform.inbox.models import Appeal, Decision
from reclaim.platform.inbox.queries import has_decided, head_of_upload, history
from reclaim.platform.review.forms import AppealForm
from reclaim.platform.review.pages import review_page
from reclaim.platform.review.queries import decider, read_appeal, read_appeals
from reclaim.platform.review.shapes import shapes_of
from reclaim.platform.review.words import nearness_in_words, relation_in_words, stills_of
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.permissions import Permission, access_member, needs
from reclaim.sitekit.problems import refusal


@require_GET
@requires(Access.REVIEWER)
@needs(Permission.DECIDE_APPEALS)
def appeals(request: HttpRequest) -> HttpResponse:
    """The appeals that wait."""
    member = access_member(request)
    waiting = [(each, has_decided(each.upload, member.actor)) for each in read_appeals(member)]
    return review_page(request, "review/appeals.html", waiting=waiting)


@require_GET
@requires(Access.REVIEWER)
@needs(Permission.DECIDE_APPEALS)
def appeal(request: HttpRequest, number: str) -> HttpResponse:
    """One appeal: what was decided, what the uploader says, and the answer."""
    member = access_member(request)
    found = read_appeal(member, number)
    if found is None:
        return _no_such_appeal(request)
    head = head_of_upload(found.upload)
    is_open = found.status == Appeal.Status.OPEN and head is not None
    conflict = has_decided(found.upload, member.actor)
    return review_page(
        request,
        "review/appeal.html",
        appeal=found,
        match=head,
        is_open=is_open,
        conflict=conflict,
        own=found.decisions.filter(actor=member.actor).first(),
        history=history(head) if head else [],
        shown="shown" in request.GET,
        stills=stills_of(found.upload) if is_open and not conflict else [],
        distance=nearness_in_words(head) if head else "",
        related=relation_in_words(head) if head else "",
        shapes=shapes_of(head) if head else None,
        reasons=Decision.Reason.choices,
    )


@require_POST
@requires(Access.REVIEWER)
@needs(Permission.DECIDE_APPEALS)
def appeal_decision(request: HttpRequest, number: str) -> HttpResponse:
    """Answer an appeal."""
    member = access_member(request)
    form = AppealForm(request.POST)
    if not form.is_valid():
        return refusal(request, 400, "This answer could not be read", "Go back one page and write to the uploader too.")
    found = read_appeal(member, number)
    if found is None:
        return _no_such_appeal(request)
    said = form.cleaned_data
    try:
        answered = deciding.decide_appeal(
            found.pk,
            Decision.Verdict(said["decision"]),
            decider(member),
            answer=said["answer"],
            note=said["note"],
            reason=Decision.Reason(said["reason"]) if said["reason"] else None,
        )
    except deciding.TwoPeopleError as error:
        return refusal(request, 403, "Not yours to decide", str(error))
    except deciding.AlreadyDecidedError as error:
        return refusal(request, 409, "Nothing to decide", str(error))
    done = {
        Appeal.Status.OPEN: "Noted. Another person has to decide too.",
        Appeal.Status.UPHELD: "It stays blocked. The uploader can read your answer.",
        Appeal.Status.OVERTURNED: "It is let through. The uploader can read your answer, and the bank is told.",
    }
    messages.success(request, done[Appeal.Status(answered.status)])
    return redirect("review-appeals")


def _no_such_appeal(request: HttpRequest) -> HttpResponse:
    return refusal(request, 404, "There is no such question", "Go back to the list.")
