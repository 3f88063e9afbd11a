"""The review pages. They work without scripts; a picture is blurred until a reviewer asks to see it."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from reclaim.platform.inbox import pictures
from reclaim.platform.inbox import services as inbox
from reclaim.platform.inbox.models import Decision, Match
from reclaim.platform.review import services
from reclaim.platform.review.forms import DecisionForm, PasswordForm, SignInForm
from reclaim.platform.review.models import Reviewer
from reclaim.platform.review.queries import MOST_LISTED, access_reviewer, actor_of, read_match, read_queue
from reclaim.platform.review.words import TURNS, WORDS, nearness_in_words
from reclaim.platform.subscription.bank import BankFileError, load_bank
from reclaim.platform.subscription.queries import subscription
from reclaim.protocol.stopncii_v1 import MADE_WITH_AI
from reclaim.sitekit import audit
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.limits import Limit, network_of, seconds_to_wait
from reclaim.sitekit.problems import refusal

PER_NETWORK_AND_NAME = Limit("reviewer sign-in, network and name", tries=10, window=300)
PER_NETWORK = Limit("reviewer sign-in, network", tries=30, window=300)
PER_NAME = Limit("reviewer sign-in, name", tries=30, window=300)


def _too_many_tries(request: HttpRequest, name: str) -> int:
    network, who = network_of(request), name.casefold().encode()
    # The narrow limit alone first: tries that it refuses must not use up what the name has for other networks.
    wait = seconds_to_wait([(PER_NETWORK_AND_NAME, network + b"\0" + who)])
    return wait or seconds_to_wait([(PER_NETWORK, network), (PER_NAME, who)])


@require_http_methods(["GET", "POST"])
@requires(Access.PUBLIC)
def sign_in(request: HttpRequest) -> HttpResponse:
    """Name and password, with limited tries."""
    if request.method == "GET":
        return render(request, "review/sign_in.html")
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _sign_in_again(request, "Please type your name and your password.", 400)
    wait = _too_many_tries(request, form.cleaned_data["name"])
    if wait:
        again = _sign_in_again(request, f"Too many tries. You can try again in {wait} seconds.", 429)
        again["Retry-After"] = str(wait)
        return again
    user = authenticate(request, username=form.cleaned_data["name"], password=form.cleaned_data["password"])
    reviewer = Reviewer.objects.filter(user_id=user.pk).first() if user else None
    if user is None or reviewer is None:
        return _sign_in_again(request, "There is no reviewer with this name and password. Please check both.", 403)
    login(request, user)
    audit.record(actor_of(reviewer), "reviewer.sign_in", actor_of(reviewer))
    return redirect("review-queue")


def _sign_in_again(request: HttpRequest, error: str, status: int) -> HttpResponse:
    return render(request, "review/sign_in.html", {"error": error}, status=status)


@require_POST
@requires(Access.REVIEWER)
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    reviewer = access_reviewer(request)
    audit.record(actor_of(reviewer), "reviewer.sign_out", actor_of(reviewer))
    logout(request)
    return redirect("review-sign-in")


@require_http_methods(["GET", "POST"])
@requires(Access.REVIEWER)
def password(request: HttpRequest) -> HttpResponse:
    """Choose a password of one's own."""
    reviewer = access_reviewer(request)
    if request.method == "GET":
        return render(request, "review/password.html", {"reviewer": reviewer})
    form = PasswordForm(request.POST)
    errors = []
    if form.is_valid():
        try:
            user = services.choose_password(reviewer, form.cleaned_data["password"])
        except ValidationError as error:
            errors = list(error.messages)
        else:
            # Every session with the old password ends here; this browser gets a new one.
            login(request, user)
            return redirect("review-queue")
    errors = errors or ["The two passwords are not the same, or one is missing. Please type both again."]
    return render(request, "review/password.html", {"reviewer": reviewer, "errors": errors}, status=400)


@require_GET
@requires(Access.REVIEWER)
def queue(request: HttpRequest) -> HttpResponse:
    """The matches that wait."""
    reviewer = access_reviewer(request)
    waiting = [(match, nearness_in_words(match)) for match in read_queue(reviewer)]
    about = {"reviewer": reviewer, "waiting": waiting, "most": MOST_LISTED, "subscription": subscription()}
    return render(request, "review/queue.html", about)


@require_GET
@requires(Access.REVIEWER)
def match(request: HttpRequest, number: str) -> HttpResponse:
    """One match: the picture, blurred or shown, what is known, and the decision."""
    reviewer = access_reviewer(request)
    shown = "shown" in request.GET
    found = read_match(reviewer, number, what="match")
    if found is None:
        return _no_such_match(request)
    about = {
        "reviewer": reviewer,
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
def picture(request: HttpRequest, number: str) -> HttpResponse:
    """The review copy: blurred, or as it is if asked for."""
    shown = "shown" in request.GET
    found = read_match(access_reviewer(request), number, what="shown" if shown else "blurred")
    if found is None:
        return _no_such_match(request)
    try:
        content = pictures.shown(found.upload_id) if shown else pictures.blurred(found.upload_id)
    except pictures.PictureGoneError:
        return refusal(request, 410, "This picture is gone", "It was deleted when its upload was decided.")
    return HttpResponse(content, content_type="image/jpeg")


@require_POST
@requires(Access.REVIEWER)
def decision(request: HttpRequest, number: str) -> HttpResponse:
    """Decide a match, then go on to the next."""
    reviewer = access_reviewer(request)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return refusal(request, 400, "This decision could not be read", "Go back one page and decide again.")
    found = read_match(reviewer, number, what="match")
    if found is None:
        return _no_such_match(request)
    try:
        decided = inbox.decide(
            found.pk,
            Decision.Verdict(form.cleaned_data["decision"]),
            reviewer=reviewer.user.get_username(),
            note=form.cleaned_data["note"],
            actor=actor_of(reviewer),
            reason=Decision.Reason(form.cleaned_data["reason"]) if form.cleaned_data["reason"] else None,
        )
    except inbox.AlreadyDecidedError as error:
        return refusal(request, 409, "Nothing to decide", str(error))
    done = "Blocked: the upload is to be removed." if decided.status == "blocked" else "Not blocked."
    messages.success(request, f"{done} The bank is told.")
    return redirect("review-queue")


def _no_such_match(request: HttpRequest) -> HttpResponse:
    return refusal(request, 404, "There is no such match", "It may have been decided. Go back to the list.")
