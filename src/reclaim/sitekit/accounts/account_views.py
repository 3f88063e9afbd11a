"""A member's own account: password, second factors, recovery codes. Every change asks for the second factor anew."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reclaim.sitekit import audit
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.accounts import ceremony, services, sessions
from reclaim.sitekit.accounts.forms import PASSWORDS_DIFFER, PasswordForm
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.accounts.queries import factors, has_app
from reclaim.sitekit.accounts.signals import password_chosen
from reclaim.sitekit.permissions import access_member, fresh


@requires(Access.MEMBER)
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """What the account has."""
    member = access_member(request)
    own, limits = factors(member), sessions.limits_of(member)
    about = {
        "factors": own,
        "has_app": has_app(member),
        "only_one": len(own) == 1,
        "sessions": sessions.sessions_of(member),
        "this_session": request.session.session_key,
        "idle_minutes": sessions.IDLE_MINUTES,
        "hours": limits.seconds // 3600,
        "most_sessions": limits.most,
    }
    return render(request, "accounts/account.html", about)


@requires(Access.MEMBER)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Choose another password; every other session of the member ends."""
    member = access_member(request)
    if request.method != "POST":
        return render(request, "accounts/password.html")
    form = PasswordForm(request.POST)
    errors = [PASSWORDS_DIFFER]
    if form.is_valid():
        try:
            chosen = form.cleaned_data["password"]
            with transaction.atomic():
                services.choose_password(member, chosen)
                password_chosen.send(Member, request=request, member=member, password=chosen, first=False)
        except ValidationError as error:
            errors = list(error.messages)
        else:
            sessions.end_all(member)
            update_session_auth_hash(request, member)
            sessions.begin(request, member)
            messages.success(request, "Your password is changed. Other sessions of yours have ended.")
            return redirect("member-account")
    return render(request, "accounts/password.html", {"errors": errors}, status=400)


@requires(Access.MEMBER)
@require_POST
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """End every session of the member, this one too."""
    member = access_member(request)
    audit.record(member.actor, "member.sign_out.everywhere", member.actor)
    sessions.end_all(member)
    logout(request)
    return redirect("member-sign-in")


@requires(Access.MEMBER)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def app(request: HttpRequest) -> HttpResponse:
    """Add an authenticator app, or replace it."""
    member = access_member(request)
    errors = []
    if request.method == "POST":
        shown = ceremony.new_app(request)
        if shown:
            services.add_app(member, shown)
            ceremony.forget_offer(request)
            messages.success(request, "Your authenticator app is set up.")
            return redirect("member-account")
        errors = [ceremony.NOT_THE_APPS_CODE]
    offer = ceremony.offer_app(request, member, anew=not errors)
    return render(request, "accounts/app.html", {"app": offer, "errors": errors}, status=400 if errors else 200)


@requires(Access.MEMBER)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def key(request: HttpRequest) -> HttpResponse:
    """Add a security key."""
    member = access_member(request)
    errors = []
    if request.method == "POST":
        credential = ceremony.new_key(request)
        if credential is not None:
            services.add_key(member, request.POST.get("name", ""), credential)
            messages.success(request, "Your security key is set up.")
            return redirect("member-account")
        errors = ["This security key could not be set up. Try again, or use another one."]
    about = {"key_options": ceremony.offer_key(member), "longest": services.LONGEST_KEY_NAME, "errors": errors}
    return render(request, "accounts/key.html", about, status=400 if errors else 200)


@requires(Access.MEMBER)
@fresh
@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    """Remove a second factor that is not the only one."""
    try:
        services.remove_factor(access_member(request), request.POST.get("factor", ""))
    except services.LastFactorError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Removed.")
    return redirect("member-account")


@requires(Access.MEMBER)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Show the recovery codes the first time (GET); make new ones (POST)."""
    member = access_member(request)
    if request.method == "POST":
        services.new_recovery_codes(member)
        return redirect("member-recovery-codes")
    codes = [] if request.method == "HEAD" else services.show_recovery_codes(member)
    return render(request, "accounts/recovery_codes.html", {"codes": [f"{code[:5]} {code[5:]}" for code in codes]})
