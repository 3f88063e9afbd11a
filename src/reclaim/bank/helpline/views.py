"""A practitioner opens people's cases with their codes, and reads. English only, like every page for staff."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from reclaim.bank.cases.codes import parse_code
from reclaim.bank.cases.consents import access_consented_case, open_case, open_consents
from reclaim.bank.cases.designations import designation
from reclaim.bank.intake.told import told
from reclaim.bank.organisations.queries import access_practitioner
from reclaim.sitekit import audit
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.limits import Limit, seconds_to_wait
from reclaim.sitekit.permissions import Permission, needs
from reclaim.sitekit.problems import refusal

CODE_TRIES = Limit("consent code, organisation", tries=20, window=600)
NO_SUCH_CODE = (
    "This code opens nothing. It may be mistyped, used before, older than seven days, ended by the person, or meant "
    "for another organisation."
)


def _slow_down(request: HttpRequest, seconds: int) -> HttpResponse:
    minutes = -(-seconds // 60)
    response = refusal(request, 429, "Too many tries", f"Please try again in {minutes} minutes.")
    response["Retry-After"] = str(seconds)
    return response


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def cases(request: HttpRequest) -> HttpResponse:
    """The cases that people let this organisation see (GET); open one more with a person's code (POST ``code``)."""
    practitioner = access_practitioner(request)
    error = ""
    if request.method == "POST":
        wait = seconds_to_wait([(CODE_TRIES, str(practitioner.organisation_id).encode())])
        if wait:
            return _slow_down(request, wait)
        code = parse_code(request.POST.get("code", "")[:100])
        consent = open_case(practitioner, code) if code else None
        if consent is not None:
            return redirect("consented-case", consent.pk)
        error = NO_SUCH_CODE
    audit.record(practitioner.actor, "cases.list", f"organisation:{practitioner.organisation_id}")
    rows = [(consent, designation(consent.case_id)) for consent in open_consents(practitioner.organisation)]
    context = {"practitioner": practitioner, "rows": rows, "error": error}
    return render(request, "helpline/cases.html", context, status=422 if error else 200)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_safe
def case(request: HttpRequest, consent: int) -> HttpResponse:
    """One case as its person sees it, and no more; nothing can be changed here."""
    practitioner = access_practitioner(request)
    found = access_consented_case(practitioner, consent) if consent < 2**63 else None
    if found is None:
        raise Http404
    context = {"practitioner": practitioner, "name": designation(found.case_id), "case": told(found.case)}
    return render(request, "helpline/case.html", context)
