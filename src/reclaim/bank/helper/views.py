"""An organisation signs in with its key, opens cases with people's codes, and reads. English only, like every page for
staff."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reclaim.bank.cases.codes import parse_code
from reclaim.bank.cases.consents import access_consented_case, open_case, open_consents
from reclaim.bank.cases.designations import designation
from reclaim.bank.intake.told import told
from reclaim.bank.organisations.models import Organisation
from reclaim.bank.organisations.queries import (
    SESSION_KEY,
    access_organisation,
    access_session_organisation,
    session_of,
)
from reclaim.sitekit import audit
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.events import log_failure
from reclaim.sitekit.languages import in_english
from reclaim.sitekit.limits import Limit, SlowDownError, network_of, seconds_to_wait
from reclaim.sitekit.problems import refusal

CODE_TRIES = Limit("consent code, organisation", tries=20, window=600)
NO_SUCH_CODE = (
    "This code opens nothing. It may be mistyped, used before, older than seven days, ended by the person, or meant "
    "for another organisation."
)


def _actor(organisation: Organisation) -> str:
    return f"organisation:{organisation.pk}"


def _slow_down(request: HttpRequest, seconds: int) -> HttpResponse:
    minutes = -(-seconds // 60)
    response = refusal(request, 429, "Too many tries", f"Please try again in {minutes} minutes.")
    response["Retry-After"] = str(seconds)
    return response


@in_english
@requires(Access.PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The organisation's key."""
    if request.method != "POST":
        return render(request, "helper/sign_in.html")
    try:
        organisation = access_organisation(request.POST.get("key", ""), network_of(request))
    except SlowDownError as error:
        return _slow_down(request, error.seconds)
    except DatabaseError as error:
        log_failure("an organisation's sign-in could not be checked", error)
        return refusal(request, 503, "We cannot check this just now", "Please try again in a minute.")
    if organisation is None:
        context = {"error": "This key is not known. Ask the operator of the bank for a new one."}
        return render(request, "helper/sign_in.html", context, status=422)
    # Nothing of an earlier visit stays: whoever planted or saw the old key of the session does not share it.
    request.session.flush()
    request.session[SESSION_KEY] = session_of(organisation)
    return redirect("helper-cases")


@in_english
@requires(Access.ORGANISATION)
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    request.session.flush()
    return redirect("helper-sign-in")


@in_english
@requires(Access.ORGANISATION)
@require_http_methods(["GET", "HEAD", "POST"])
def cases(request: HttpRequest) -> HttpResponse:
    """The cases that people let this organisation see (GET); open one more with a person's code (POST ``code``)."""
    organisation = access_session_organisation(request)
    error = ""
    if request.method == "POST":
        wait = seconds_to_wait([(CODE_TRIES, str(organisation.pk).encode())])
        if wait:
            return _slow_down(request, wait)
        code = parse_code(request.POST.get("code", "")[:100])
        consent = open_case(organisation, code) if code else None
        if consent is not None:
            return redirect("helper-case", consent.pk)
        error = NO_SUCH_CODE
    audit.record(_actor(organisation), "cases.list", _actor(organisation))
    rows = [(consent, designation(consent.case_id)) for consent in open_consents(organisation)]
    context = {"organisation": organisation, "rows": rows, "error": error}
    return render(request, "helper/cases.html", context, status=422 if error else 200)


@in_english
@requires(Access.ORGANISATION)
@require_safe
def case(request: HttpRequest, consent: int) -> HttpResponse:
    """One case as its person sees it, and no more; nothing can be changed here."""
    organisation = access_session_organisation(request)
    found = access_consented_case(organisation, consent) if consent < 2**63 else None
    if found is None:
        raise Http404
    context = {"organisation": organisation, "name": designation(found.case_id), "case": told(found.case)}
    return render(request, "helper/case.html", context)
