"""Signing in: name and password, then a second factor; the first time, setting both up. Works without scripts, but for
security keys."""

from __future__ import annotations

import time

from django.contrib.auth import authenticate, login, logout
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from reclaim.sitekit import audit
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.accounts import ceremony, services, sessions
from reclaim.sitekit.accounts.forms import PASSWORDS_DIFFER, PasswordForm, SignInForm
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.accounts.queries import CARRIED, PENDING, SIGNED_IN_AT, access_pending_member, has_app
from reclaim.sitekit.accounts.signals import password_chosen, password_shown
from reclaim.sitekit.events import log_failure
from reclaim.sitekit.languages import in_english
from reclaim.sitekit.limits import Limit, network_of, seconds_to_wait
from reclaim.sitekit.permissions import FACTOR_AT, access_member, own_page
from reclaim.sitekit.problems import refusal

BACKEND = "django.contrib.auth.backends.ModelBackend"

PER_NETWORK_AND_NAME = Limit("member sign-in, network and name", tries=10, window=300)
PER_NETWORK = Limit("member sign-in, network", tries=30, window=300)
PER_NAME = Limit("member sign-in, name", tries=30, window=300)
# Only somebody with the password comes this far, so a day's limit locks nobody else's account. With three of a million
# codes right at a time, it leaves one chance in ten thousand a day.
FACTOR_SOON = Limit("second factor, member", tries=5, window=300)
FACTOR_DAY = Limit("second factor, member, day", tries=30, window=24 * 3600)

WRONG_PASSWORD = "There is no member with this name and password. Please check both."  # noqa: S105 a sentence
WRONG_FACTOR = "This does not open your account. A code works once, and for a minute at most; wait for the next one."


def _too_many_tries(request: HttpRequest, name: str) -> int:
    network, who = network_of(request), name.casefold().encode()
    # The narrow limit alone first: tries that it refuses must not use up what the name has for other networks.
    wait = seconds_to_wait([(PER_NETWORK_AND_NAME, network + b"\0" + who)])
    return wait or seconds_to_wait([(PER_NETWORK, network), (PER_NAME, who)])


def _cannot_check(request: HttpRequest, error: DatabaseError) -> HttpResponse:
    log_failure("a member's sign-in could not be checked", error)
    return refusal(request, 503, "We cannot check this just now", "Please try again in a minute.")


def _slow_down(request: HttpRequest, template: str, about: dict[str, object], wait: int) -> HttpResponse:
    minutes = -(-wait // 60)
    when = f"{wait} seconds" if wait < 90 else f"{minutes} minutes" if minutes < 90 else f"{-(-minutes // 60)} hours"
    about = {**about, "errors": [f"Too many tries. You can try again in {when}."]}
    response = render(request, template, about, status=429)
    response["Retry-After"] = str(wait)
    return response


@in_english
@requires(Access.PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Name and password, with limited tries. Nobody is signed in by them: they lead to the second factor."""
    page = "accounts/sign_in.html"
    if request.method != "POST":
        return render(request, page)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return render(request, page, {"errors": ["Please type your name and your password."]}, status=400)
    name, password = form.cleaned_data["name"], form.cleaned_data["password"]
    try:
        wait = _too_many_tries(request, name)
    except DatabaseError as error:
        return _cannot_check(request, error)
    if wait:
        return _slow_down(request, page, {}, wait)
    member = authenticate(request, username=name, password=password)
    if not isinstance(member, Member) or (member.one_time_until and member.one_time_until < timezone.now()):
        return render(request, page, {"errors": [WRONG_PASSWORD]}, status=403)
    # Nothing of an earlier visit stays: whoever planted or saw the old key of the session does not share it.
    request.session.flush()
    request.session[PENDING] = [member.pk, member.get_session_auth_hash(), time.time()]
    password_shown.send(Member, request=request, member=member, password=password)
    return redirect("member-set-up" if member.one_time_until else "member-second-factor")


def _enter(request: HttpRequest, member: Member) -> None:
    carried = request.session.get(CARRIED)
    request.session.flush()
    login(request, member, backend=BACKEND)
    if carried is not None:
        request.session[CARRIED] = carried
    request.session[SIGNED_IN_AT] = request.session[FACTOR_AT] = time.time()
    sessions.begin(request, member)
    audit.record(member.actor, "member.sign_in", member.actor)


def _try_factor(request: HttpRequest, member: Member, page: str) -> HttpResponse | None:
    """The answer to somebody who shows no factor, or too often; ``None`` where it was shown."""
    counted = str(member.pk).encode()
    try:
        wait = seconds_to_wait([(FACTOR_SOON, counted), (FACTOR_DAY, counted)])
    except DatabaseError as error:
        return _cannot_check(request, error)
    if wait:
        return _slow_down(request, page, _factor_context(request, member), wait)
    if ceremony.shows_factor(request, member):
        return None
    return render(request, page, {**_factor_context(request, member), "errors": [WRONG_FACTOR]}, status=403)


def _factor_context(request: HttpRequest, member: Member) -> dict[str, object]:
    next_page = own_page(request, request.POST.get("next") or request.GET.get("next", ""))
    return {"who": member, "app": has_app(member), "key_options": ceremony.ask_for_key(member), "next": next_page}


@requires(Access.PASSWORD_SHOWN)
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """A code of the app, a recovery code, or a security key; then the member is signed in."""
    member = access_pending_member(request)
    if member.one_time_until:
        return redirect("member-set-up")
    page = "accounts/second_factor.html"
    if request.method != "POST":
        return render(request, page, _factor_context(request, member))
    refused = _try_factor(request, member, page)
    if refused is not None:
        return refused
    _enter(request, member)
    return redirect("staff-home")


@requires(Access.PASSWORD_SHOWN)
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """After a one-time password: an own password and the first second factor, together or not at all."""
    member = access_pending_member(request)
    if not member.one_time_until:
        return redirect("member-second-factor")
    if request.method != "POST":
        return render(request, "accounts/set_up.html", _set_up_context(request, member, anew=True))
    errors = _set_up(request, member)
    if errors:
        about = {**_set_up_context(request, member, anew=False), "errors": errors}
        return render(request, "accounts/set_up.html", about, status=400)
    member.refresh_from_db()
    _enter(request, member)
    return redirect("member-recovery-codes")


def _set_up_context(request: HttpRequest, member: Member, *, anew: bool) -> dict[str, object]:
    app = ceremony.offer_app(request, member, anew=anew)
    return {"who": member, "app": app, "key_options": ceremony.offer_key(member)}


def _set_up(request: HttpRequest, member: Member) -> list[str]:
    form = PasswordForm(request.POST)
    if not form.is_valid():
        return [PASSWORDS_DIFFER]
    password = form.cleaned_data["password"]
    by_key = bool(request.POST.get("credential"))
    factor = ceremony.new_key(request) if by_key else ceremony.new_app(request)
    if factor is None and by_key:
        return ["This security key could not be set up. Try again, or use an authenticator app."]
    if factor is None:
        return [ceremony.NOT_THE_APPS_CODE]
    try:
        with transaction.atomic():
            services.set_up(member, password, factor)
            password_chosen.send(Member, request=request, member=member, password=password, first=True)
    except ValidationError as error:
        return list(error.messages)
    return []


@requires(Access.MEMBER)
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    member = access_member(request)
    audit.record(member.actor, "member.sign_out", member.actor)
    logout(request)
    return redirect("member-sign-in")


@requires(Access.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def again(request: HttpRequest) -> HttpResponse:
    """Show the second factor again, before something dangerous."""
    member = access_member(request)
    page = "accounts/again.html"
    if request.method != "POST":
        return render(request, page, _factor_context(request, member))
    refused = _try_factor(request, member, page)
    if refused is not None:
        return refused
    request.session[FACTOR_AT] = time.time()
    return redirect(own_page(request, request.POST.get("next", "")))
