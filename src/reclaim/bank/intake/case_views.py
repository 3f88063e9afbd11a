"""The person's case: sign in, see what happened, add, withdraw, sign out."""

from __future__ import annotations

from django.contrib import messages
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reclaim.bank.cases import numbers
from reclaim.bank.cases.models import Case
from reclaim.bank.cases.own_keys import make_known
from reclaim.bank.cases.queries import SESSION_KEY, access_case, access_session_case
from reclaim.bank.cases.services import withdraw as withdraw_items
from reclaim.bank.cases.services import withdraw_descriptors
from reclaim.bank.casework.queries import keepers_of
from reclaim.bank.intake.told import told
from reclaim.bank.intake.views import files_page
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.events import log_failure
from reclaim.sitekit.limits import SlowDownError, network_of
from reclaim.sitekit.problems import refusal

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
        if case is not None:
            make_known(case, number, pin)
    except numbers.MistypedError as error:
        return _not_signed_in(request, _(error.mistake.value))
    except SlowDownError as error:
        return slow_down(request, error.seconds)
    except DatabaseError as error:
        log_failure("a sign-in could not be checked", error)
        response = refusal(request, 503, _("We cannot check this just now"), _("Please try again in a minute."))
        response["Retry-After"] = "60"
        return response
    if case is None:
        return _not_signed_in(request, _("We cannot find a case with this number and PIN. Please check both."))
    # A new key: whoever planted or saw the old one does not share the case.
    request.session.cycle_key()
    request.session[SESSION_KEY] = str(case.pk)
    return redirect("case")


def _not_signed_in(request: HttpRequest, error: str) -> HttpResponse:
    return render(request, "intake/sign_in.html", {"error": error}, status=422)


def slow_down(request: HttpRequest, seconds: int) -> HttpResponse:
    """After too many tries: when the next one may be."""
    context = {"minutes": -(-seconds // 60)}
    response = render(request, "intake/slow_down.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response


@requires(Access.PUBLIC)
@require_safe
def lost(request: HttpRequest) -> HttpResponse:
    """What can and cannot be done without number or PIN."""
    return render(request, "intake/case_lost.html")


@requires(Access.CASE)
@require_safe
def items(request: HttpRequest) -> HttpResponse:
    """The case: each picture and video by its number, and what each platform did."""
    case = access_session_case(request)
    return render(request, "intake/case.html", {"case": told(case), "keepers": keepers_of(case)})


@requires(Access.CASE)
@require_safe
def add(request: HttpRequest) -> HttpResponse:
    """From more files to more of this case; all of it happens in the page."""
    return files_page(request, reverse("case-add-send"), adding=True)


@requires(Access.CASE)
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest) -> HttpResponse:
    """Ask what to withdraw (GET), what it means (POST ``item``: numbers, or ``all``), and do it (with ``sure``)."""
    case = access_session_case(request)
    seen = told(case)
    if request.method != "POST":
        return render(request, "intake/withdraw.html", {"case": seen})
    sent = set(request.POST.getlist("item"))
    chosen = [item for item in seen.can_be_withdrawn if ALL in sent or str(item.number) in sent]
    known = {ALL, *(str(item.number) for item in seen.items)}
    if not sent or not sent <= known or not chosen:
        if ALL in sent and not chosen:
            messages.info(request, _("Everything was withdrawn before."))
            return redirect("case")
        context = {"case": seen, "error": _("Please choose what to withdraw.")}
        return render(request, "intake/withdraw.html", context, status=422)
    if "sure" not in request.POST:
        whole = len(chosen) == len(seen.can_be_withdrawn)
        return render(request, "intake/case_withdraw_sure.html", {"chosen": chosen, "whole": whole})
    return _withdraw(request, case, None if ALL in sent else [item.number for item in chosen])


def _withdraw(request: HttpRequest, case: Case, item_numbers: list[int] | None) -> HttpResponse:
    count = withdraw_items(case, item_numbers)
    said = ngettext("One picture or video is withdrawn.", "%(n)d pictures and videos are withdrawn.", count)
    messages.success(request, said % {"n": count})
    return redirect("case")


@requires(Access.CASE)
@require_POST
def take_patches_back(request: HttpRequest) -> HttpResponse:
    """Withdraw the descriptors of all that is in the case, and nothing else. Again is harmless."""
    withdraw_descriptors(access_session_case(request))
    messages.success(request, _("The patches are taken back. Your fingerprints stay."))
    return redirect("case")


@requires(Access.CASE)
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Close the case in this browser."""
    request.session.flush()
    return redirect("case-sign-in")
