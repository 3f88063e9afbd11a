"""Handing over, supervising, numbers and export."""

from __future__ import annotations

import uuid
from dataclasses import asdict

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.casework.numbers import Quarter, numbers_of, quarters
from reclaim.bank.casework.queries import (
    Filter,
    access_case_file,
    access_offer,
    filtered,
    open_offer,
    supervision_of,
)
from reclaim.bank.casework.services import StateError, accept, decline, note_export, offer, take_back
from reclaim.bank.helpline.forms import OfferForm, spoken
from reclaim.bank.helpline.opening import key_of, opened
from reclaim.bank.helpline.pages import helpline_page, sent_to, supervises
from reclaim.bank.organisations import alarms
from reclaim.bank.organisations.queries import access_practitioner
from reclaim.sitekit import audit, csvs
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.permissions import Permission, fresh, needs
from reclaim.sitekit.places import country_name
from reclaim.sitekit.problems import refusal

MOST_EXPORTED = 10_000
_EXPORTED = (
    "designation",
    "channel",
    "status",
    "outcome",
    "risk",
    "country",
    "language",
    "stage",
    "happened",
    "places",
    "since",
    "made_with_ai",
    "at_risk",
    "police",
    "opened_at",
    "closed_at",
)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over(request: HttpRequest, case_file: uuid.UUID) -> HttpResponse:
    """Offer a case file to a colleague or a team (``to``, ``text``)."""
    practitioner = access_practitioner(request)
    found = access_case_file(practitioner, case_file)
    if found.owner_id != practitioner.pk and not supervises(request):
        what = "Its owner hands it over, or a supervisor. Take it first if nobody has it."
        return refusal(request, 403, "Not yours to hand over", what)
    key = key_of(request, found)
    form = OfferForm(practitioner, practitioner.organisation, sent_to(request))
    if request.method == "POST" and form.is_valid():
        whom = form.whom()
        try:
            offer(found, practitioner, key, form.cleaned_data["text"], to=whom)
            messages.success(
                request, f"«{found.designation}» is offered to {whom.name}. Until they accept, it stays where it is."
            )
        except StateError as error:
            messages.error(request, str(error))
        return redirect("case-file", found.pk)
    status = 422 if form.errors else 200
    return helpline_page(request, "helpline/hand_over.html", status=status, case_file=found, form=form)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_POST
def hand_over_back(request: HttpRequest, case_file: uuid.UUID) -> HttpResponse:
    """Take back an offer that nobody has answered."""
    practitioner = access_practitioner(request)
    found = access_case_file(practitioner, case_file)
    waiting = open_offer(found)
    try:
        if waiting is None:
            raise StateError("This offer was answered meanwhile.")
        take_back(waiting, practitioner, key_of(request, found))
    except StateError as error:
        messages.error(request, str(error))
    return redirect("case-file", found.pk)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def offered(request: HttpRequest, handover: uuid.UUID) -> HttpResponse:
    """What a colleague offers (GET); accept it or not (POST ``answer``: «accept» or «decline»)."""
    practitioner = access_practitioner(request)
    waiting = access_offer(practitioner, handover)
    key = key_of(request, waiting.case_file)
    if request.method == "POST":
        try:
            if request.POST.get("answer") == "accept":
                return redirect("case-file", accept(waiting, practitioner, key).pk)
            if request.POST.get("answer") == "decline":
                decline(waiting, practitioner, key)
                messages.success(request, "You have declined it.")
        except StateError as error:
            messages.error(request, str(error))
        return redirect("casework-home")
    text = opened(key, f"handover:{waiting.pk}", waiting.sealed)
    found = waiting.case_file
    return helpline_page(
        request,
        "helpline/offered.html",
        offer=waiting,
        case_file=found,
        text=text,
        place=country_name(found.country) if found.country else "",
        language=spoken(found.language),
    )


@requires(Access.PRACTITIONER)
@needs(Permission.SUPERVISE_CASES)
@require_safe
def supervision(request: HttpRequest) -> HttpResponse:
    """How everybody's work stands."""
    day = timezone.now().date()
    found = supervision_of(access_practitioner(request), day)
    return helpline_page(request, "helpline/supervision.html", found=found, day=day)


def _asked_quarter(request: HttpRequest) -> Quarter:
    known = quarters(timezone.now().date())
    return next((quarter for quarter in known if quarter.key == request.GET.get("quarter")), known[0])


@requires(Access.PRACTITIONER)
@needs(Permission.SUPERVISE_CASES)
@require_safe
def numbers(request: HttpRequest) -> HttpResponse:
    """Counts of a whole quarter, with nothing that is about fewer than five people."""
    practitioner, quarter = access_practitioner(request), _asked_quarter(request)
    return helpline_page(
        request,
        "helpline/numbers.html",
        numbers=numbers_of(practitioner, quarter),
        quarter=quarter,
        quarters=quarters(timezone.now().date()),
    )


@requires(Access.PRACTITIONER)
@needs(Permission.SUPERVISE_CASES)
@require_safe
def numbers_csv(request: HttpRequest) -> HttpResponse:
    """The same as a file."""
    practitioner, quarter = access_practitioner(request), _asked_quarter(request)
    rows = [
        {"quarter": quarter.key, "about": table.name, "what": row.name, "case files": row.shown}
        for table in numbers_of(practitioner, quarter)
        for row in table.rows
    ]
    body = csvs.write(("quarter", "about", "what", "case files"), rows)
    return _file(body, f"numbers-{quarter.key}.csv")


@requires(Access.PRACTITIONER)
@needs(Permission.EXPORT_CASES)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def export(request: HttpRequest) -> HttpResponse:
    """What would leave the site (GET); the facts of case files as a file (POST), never what is sealed."""
    practitioner = access_practitioner(request)
    wanted = Filter.of((request.POST if request.method == "POST" else request.GET).dict())
    found = filtered(practitioner, wanted)
    if request.method != "POST":
        audit.record(practitioner.actor, "casefiles.list", f"organisation:{practitioner.organisation_id}")
        return helpline_page(
            request,
            "helpline/export.html",
            names=list(asdict(wanted).items()),
            count=found.count(),
            most=MOST_EXPORTED,
            columns=_EXPORTED,
        )
    rows = list(found[: MOST_EXPORTED + 1])
    if len(rows) > MOST_EXPORTED:
        return refusal(
            request, 422, "Too many for one file", f"Narrow the list to at most {MOST_EXPORTED:,} case files."
        )
    alarms.note_export(practitioner)
    note_export(rows, practitioner)
    return _file(csvs.write(_EXPORTED, [_facts(row) for row in rows]), "case-files.csv")


def _facts(case_file: CaseFile) -> dict[str, object]:
    found = {name: getattr(case_file, name) for name in _EXPORTED}
    return {
        name: ", ".join(value) if isinstance(value, list) else "" if value is None else value
        for name, value in found.items()
    }


def _file(body: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body, content_type="text/csv; charset=utf-8", headers=headers)
