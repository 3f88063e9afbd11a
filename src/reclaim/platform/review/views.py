"""The review pages. They work without scripts; a picture is blurred until a reviewer asks to see it."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from reclaim.platform.inbox import pictures
from reclaim.platform.inbox import services as inbox
from reclaim.platform.inbox.models import Decision, Match
from reclaim.platform.review.forms import DecisionForm
from reclaim.platform.review.queries import MOST_LISTED, read_match, read_queue
from reclaim.platform.review.words import TURNS, WORDS, nearness_in_words
from reclaim.platform.subscription.bank import BankFileError, load_bank
from reclaim.platform.subscription.queries import subscription
from reclaim.protocol.stopncii_v1 import MADE_WITH_AI
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.permissions import Permission, access_member, needs
from reclaim.sitekit.problems import refusal


@require_GET
@requires(Access.REVIEWER)
@needs(Permission.REVIEW_MATCHES)
def queue(request: HttpRequest) -> HttpResponse:
    """The matches that wait."""
    member = access_member(request)
    waiting = [(match, nearness_in_words(match)) for match in read_queue(member)]
    about = {"waiting": waiting, "most": MOST_LISTED, "subscription": subscription()}
    return render(request, "review/queue.html", about)


@require_GET
@requires(Access.REVIEWER)
@needs(Permission.REVIEW_MATCHES)
def match(request: HttpRequest, number: str) -> HttpResponse:
    """One match: the picture, blurred or shown, what is known, and the decision."""
    member = access_member(request)
    shown = "shown" in request.GET
    found = read_match(member, number, what="match")
    if found is None:
        return _no_such_match(request)
    about = {
        "match": found,
        "is_open": found.status == Match.Status.OPEN,
        "decision": Decision.objects.filter(match=found).first(),
        "shown": shown,
        "distance": nearness_in_words(found),
        "turn": TURNS.get(found.turn, ""),
        "others": _others(found),
        "made_with_ai": found.signal is not None and MADE_WITH_AI in found.signal.labels,
        "reasons": Decision.Reason.choices,
        "to_see": pictures.is_stored(found.upload_id),
        "same_upload": found.upload.matches.filter(status=Match.Status.OPEN).exclude(pk=found.pk).count(),
    }
    return render(request, "review/match.html", about)


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
    """The review copy: blurred, or as it is if asked for."""
    shown = "shown" in request.GET
    found = read_match(access_member(request), number, what="shown" if shown else "blurred")
    if found is None:
        return _no_such_match(request)
    try:
        content = pictures.shown(found.upload_id) if shown else pictures.blurred(found.upload_id)
    except pictures.PictureGoneError:
        return refusal(request, 410, "This picture is gone", "It was deleted when its upload was decided.")
    return HttpResponse(content, content_type="image/jpeg")


@require_POST
@requires(Access.REVIEWER)
@needs(Permission.REVIEW_MATCHES)
def decision(request: HttpRequest, number: str) -> HttpResponse:
    """Decide a match, then go on to the next."""
    member = access_member(request)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return refusal(request, 400, "This decision could not be read", "Go back one page and decide again.")
    found = read_match(member, number, what="match")
    if found is None:
        return _no_such_match(request)
    try:
        decided = inbox.decide(
            found.pk,
            Decision.Verdict(form.cleaned_data["decision"]),
            reviewer=member.name,
            note=form.cleaned_data["note"],
            actor=member.actor,
            reason=Decision.Reason(form.cleaned_data["reason"]) if form.cleaned_data["reason"] else None,
        )
    except inbox.AlreadyDecidedError as error:
        return refusal(request, 409, "Nothing to decide", str(error))
    done = "Blocked: the upload is to be removed." if decided.status == "blocked" else "Not blocked."
    messages.success(request, f"{done} The bank is told.")
    return redirect("staff-home")


def _no_such_match(request: HttpRequest) -> HttpResponse:
    return refusal(request, 404, "There is no such match", "It may have been decided. Go back to the list.")
