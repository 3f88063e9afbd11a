"""The queue and the page of a match. They work without scripts; a picture is blurred until somebody asks to see it."""

from __future__ import annotations

import math

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from reclaim.platform.inbox import deciding, pictures
from reclaim.platform.inbox.models import Decision, Match, Upload
from reclaim.platform.inbox.queries import access_match, head_of, history, standing
from reclaim.platform.review.forms import DecisionForm, FilterForm, UndoForm
from reclaim.platform.review.pages import review_page
from reclaim.platform.review.queries import (
    MOST_LISTED,
    Filters,
    decider,
    last_undoable,
    neighbours,
    preferences_of,
    read_match,
    read_picture,
    read_queue,
    undoing,
    waiting_for_others,
    waiting_unchecked,
)
from reclaim.platform.review.services import EnoughForNowError, begin_look
from reclaim.platform.review.shapes import shapes_of
from reclaim.platform.review.words import (
    WORDS,
    nearness_in_words,
    relation_in_words,
    stands_in_words,
    stills_of,
    tags_of,
)
from reclaim.platform.subscription.bank import BankFileError, load_bank
from reclaim.platform.subscription.queries import subscription
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.permissions import Permission, access_member, needs
from reclaim.sitekit.problems import refusal


@require_GET
@requires(Access.REVIEWER)
@needs(Permission.REVIEW_MATCHES)
def queue(request: HttpRequest) -> HttpResponse:
    """The matches that wait."""
    member = access_member(request)
    form = FilterForm(request.GET)
    if not form.is_valid():
        return refusal(request, 400, "There is no such list", "Go back to the first page and choose again.")
    waiting = [
        (match, nearness_in_words(match), tags_of(match), len(standing(match)))
        for match in read_queue(member, form.filters())
    ]
    return review_page(
        request,
        "review/queue.html",
        waiting=waiting,
        most=MOST_LISTED,
        subscription=subscription(),
        form=form,
        filtered=form.filters() != Filters(),
        chosen=request.GET.urlencode(),
        for_others=waiting_for_others(member),
        unchecked=0 if form.filters().found == "unchecked" else waiting_unchecked(member),
        last=last_undoable(member),
    )


def _filters(request: HttpRequest) -> Filters:
    """The filters that came along in the address; all matches where they cannot be read."""
    form = FilterForm(request.GET)
    return form.filters() if form.is_valid() else Filters()


def _chosen(request: HttpRequest) -> str:
    """The filters of the address, to be handed on."""
    kept = request.GET.copy()
    for name in [*kept]:
        if name not in FilterForm.base_fields:
            del kept[name]
    return kept.urlencode()


@require_GET
@requires(Access.REVIEWER)
@needs(Permission.REVIEW_MATCHES)
def match(request: HttpRequest, number: str) -> HttpResponse:
    """One match: the picture, blurred or shown, what is known, and the decision."""
    member = access_member(request)
    found = read_match(member, number)
    if found is None:
        return _no_such_match(request)
    now_stands = standing(found)
    before, after = neighbours(member, found, _filters(request))
    own = next((each for each in now_stands if each.actor == member.actor), None)
    return review_page(
        request,
        "review/match.html",
        match=found,
        is_open=found.status == Match.Status.OPEN,
        stands=stands_in_words(now_stands),
        own=own if found.status == Match.Status.OPEN else None,
        history=history(found),
        decided=found.decided_at is not None,
        together=found.together,
        shown="shown" in request.GET,
        stills=stills_of(found.upload),
        distance=nearness_in_words(found),
        related=relation_in_words(found),
        tags=tags_of(found),
        shapes=shapes_of(found),
        others=_others(found),
        reasons=Decision.Reason.choices,
        same_upload=len(deciding.decided_together(found)),
        undoing=undoing(member, found),
        last=last_undoable(member),
        before=before,
        after=after,
        chosen=_chosen(request),
        kept=[(name, request.GET[name]) for name in request.GET if name in FilterForm.base_fields],
    )


def _others(found: Match) -> list[tuple[str, str]]:
    """What other platforms said of the signal: their names and what they did."""
    try:
        own = load_bank(settings.BANK_FILE).name
    except BankFileError:
        own = None
    said = found.signal.feedback if found.signal else []
    return [(word["source"], WORDS[word["value"]]) for word in said if word["value"] in WORDS and word["source"] != own]


@require_GET
@requires(Access.REVIEWER)
@needs(Permission.REVIEW_MATCHES)
def picture(request: HttpRequest, number: str) -> HttpResponse:
    """A review copy: blurred, or clear if asked for."""
    member = access_member(request)
    clear = "shown" in request.GET
    still = request.GET.get("still", "1")
    found = access_match(number)
    if found is None or still not in {str(each) for each in range(1, 10)}:
        return _no_such_match(request)
    try:
        if clear:
            begin_look(member)
        content = read_picture(member, found, int(still), clear=clear)
    except EnoughForNowError as error:
        refused = refusal(request, 429, "Enough for this hour", f"{error} Blurred ones are shown as always.")
        refused["Retry-After"] = str(max(1, math.ceil((error.until - timezone.now()).total_seconds())))
        return refused
    except pictures.PictureGoneError:
        return refusal(request, 410, "This picture is not to be seen", "It is shown while you can decide about it.")
    return HttpResponse(content, content_type="image/jpeg")


@require_POST
@requires(Access.REVIEWER)
@needs(Permission.REVIEW_MATCHES)
def decision(request: HttpRequest, number: str) -> HttpResponse:
    """Decide a match, then go on."""
    member = access_member(request)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return refusal(request, 400, "This decision could not be read", "Go back one page and decide again.")
    found = read_match(member, number)
    if found is None:
        return _no_such_match(request)
    filters = _filters(request)
    _, after = neighbours(member, found, filters)
    try:
        decided = deciding.decide(
            found.pk,
            Decision.Verdict(form.cleaned_data["decision"]),
            decider(member),
            note=form.cleaned_data["note"],
            reason=Decision.Reason(form.cleaned_data["reason"]) if form.cleaned_data["reason"] else None,
        )
    except deciding.TwoPeopleError as error:
        return refusal(request, 403, "Two people decide this", str(error))
    except deciding.AlreadyDecidedError as error:
        return refusal(request, 409, "Nothing to decide", str(error))
    messages.success(request, _said(decided))
    if after is not None and preferences_of(member).goes_on:
        return _to(request, reverse("review-match", args=[after]))
    return _to(request, reverse("staff-home"))


def _said(decided: Match) -> str:
    if decided.status == Match.Status.OPEN:
        if len({each.verdict for each in standing(decided)}) > 1:
            return "Noted. You two see it differently, so it stays as it is until a lead has decided."
        return "Noted. It stays as it is until a second person has decided."
    done = "Not blocked."
    if decided.status == Match.Status.BLOCKED and decided.of_a_source:
        done = "Blocked as a fake: the upload is to be removed."
    elif decided.status == Match.Status.BLOCKED:
        done = "Blocked: the upload is to be removed."
    elif decided.upload.status == Upload.Status.HELD:
        done = "Not blocked; the upload stays held, since it matches something else too."
    return f"{done} The bank is told."


def _to(request: HttpRequest, address: str) -> HttpResponse:
    chosen = _chosen(request)
    return redirect(f"{address}?{chosen}" if chosen else address)


@require_POST
@requires(Access.REVIEWER)
@needs(Permission.REVIEW_MATCHES)
def undo(request: HttpRequest, number: str) -> HttpResponse:
    """Take a decision back, and show its match again."""
    member = access_member(request)
    form = UndoForm(request.POST)
    if not form.is_valid():
        return refusal(request, 400, "This reason could not be read", "Use at most 500 characters.")
    found = read_match(member, number)
    if found is None:
        return _no_such_match(request)
    try:
        deciding.undo(found.pk, decider(member), why=form.cleaned_data["why"])
    except deciding.NotDecidedError as error:
        return refusal(request, 409, "This cannot be undone", str(error))
    messages.success(request, "Undone. It waits for a decision again, and the bank is told.")
    return _to(request, reverse("review-match", args=[head_of(found).pk]))


def _no_such_match(request: HttpRequest) -> HttpResponse:
    return refusal(request, 404, "There is no such match", "It may have been decided. Go back to the list.")
