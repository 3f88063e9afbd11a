"""The person's case: sign in, see what happened, withdraw, sign out."""

from __future__ import annotations

from django.contrib import messages
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reclaim.bank.cases import numbers
from reclaim.bank.cases.queries import SESSION_KEY, SlowDownError, access_case, access_session_case
from reclaim.bank.cases.services import withdraw as withdraw_pictures
from reclaim.bank.intake.told import told
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.events import log_failure
from reclaim.sitekit.limits import network_of
from reclaim.sitekit.problems import refusal

NOT_FOUND = "We cannot find a case with this number and PIN. Please check both and try again."
ALL = "all"


@requires(Access.PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Case number and PIN. An unknown number and a wrong PIN get the same answer."""
    if request.method != "POST":
        return render(request, "intake/sign_in.html", {"has_session": SESSION_KEY in request.session})
    try:
        number = numbers.parse_number(request.POST.get("number", "")[:100])
        pin = numbers.parse_pin(request.POST.get("pin", "")[:100])
        case = access_case(number, pin, network_of(request))
    except numbers.MistypedError as error:
        return render(request, "intake/sign_in.html", {"error": str(error)}, status=422)
    except SlowDownError as error:
        return _slow_down(request, error.seconds)
    except DatabaseError as error:
        log_failure("a sign-in could not be checked", error)
        response = refusal(request, 503, "We cannot check this just now", "Please try again in a minute.")
        response["Retry-After"] = "60"
        return response
    if case is None:
        return render(request, "intake/sign_in.html", {"error": NOT_FOUND}, status=422)
    # A new key: whoever planted or saw the old one does not share the case.
    request.session.cycle_key()
    request.session[SESSION_KEY] = str(case.pk)
    return redirect("case")


def _slow_down(request: HttpRequest, seconds: int) -> HttpResponse:
    context = {"minutes": -(-seconds // 60)}
    response = render(request, "intake/slow_down.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response


@requires(Access.CASE)
@require_safe
def pictures(request: HttpRequest) -> HttpResponse:
    """The case: each picture by its number, and what each platform did."""
    return render(request, "intake/case.html", {"case": told(access_session_case(request))})


@requires(Access.CASE)
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest) -> HttpResponse:
    """Ask which pictures and what it means (GET), or do it (POST ``picture``: a number, or ``all``)."""
    case = access_session_case(request)
    error = None
    if request.method == "POST":
        chosen = request.POST.get("picture", "")
        in_place = case.signals.filter(withdrawn_on=None)
        if chosen == ALL:
            return _withdrawn(request, withdraw_pictures(case))
        # At most nine digits, so that no number is too large for the database to look for.
        if chosen.isdecimal() and len(chosen) < 10 and in_place.filter(number=int(chosen)).exists():
            return _withdrawn(request, withdraw_pictures(case, [int(chosen)]))
        error = "Please choose what to withdraw."
    context = {"case": told(case), "error": error}
    return render(request, "intake/withdraw.html", context, status=422 if error else 200)


def _withdrawn(request: HttpRequest, count: int) -> HttpResponse:
    if count == 1:
        messages.success(request, "One picture is withdrawn.")
    elif count:
        messages.success(request, f"{count} pictures are withdrawn.")
    else:
        messages.info(request, "All your pictures were withdrawn before.")
    return redirect("case")


@requires(Access.CASE)
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Close the case in this browser."""
    request.session.flush()
    return redirect("case-sign-in")
