"""Evidence packs, letters and plans of one case file. English, like every page for staff."""

from __future__ import annotations

import datetime
import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.casework.queries import access_case_file
from reclaim.bank.casework.services import add_event
from reclaim.bank.cooperation import evidence, plans, queries
from reclaim.bank.cooperation.letters import DAYS, preservation_letter
from reclaim.bank.cooperation.models import CheckIn, CustodyEntry, EvidencePack, PlanStep
from reclaim.bank.cooperation.uploads import TooLargeError, pictures_of
from reclaim.bank.law.clocks import holds
from reclaim.bank.law.queries import laws_of
from reclaim.bank.organisations.queries import access_practitioner
from reclaim.bank.takedown.models import Link
from reclaim.bank.vault.sessions import unlocked
from reclaim.sitekit import audit
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.permissions import Permission, fresh, needs
from reclaim.sitekit.places import is_country

MOST_LINKS = 200
"""Links of a case file that these forms offer."""
TOO_LARGE = "The screenshots are too large: at most 10, each at most 5 MB, together 20 MB. Nothing was kept of them."


def _links(case_file: CaseFile) -> list[Link]:
    return list(Link.objects.filter(case_file=case_file).select_related("page").order_by("-found_on")[:MOST_LINKS])


def _chosen(request: HttpRequest, links: list[Link]) -> list[Link]:
    ticked = set(request.POST.getlist("link"))
    return [link for link in links if str(link.pk) in ticked]


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def make_pack(request: HttpRequest, case_file: uuid.UUID) -> HttpResponse:
    """Make an evidence pack of what the person allows (POST), which is handed out once, sealed."""
    practitioner = access_practitioner(request)
    error, pictures = "", []
    if request.method == "POST":
        try:
            pictures = pictures_of(request, "screenshot")
        except TooLargeError:
            error = TOO_LARGE
    found = access_case_file(practitioner, case_file)
    links, officers = _links(found), [each for each in queries.officers_of(practitioner) if each.checked_by_id]
    post = request.POST if request.method == "POST" and not error else {}
    if post:
        officer = next((each for each in officers if str(each.pk) == post.get("officer")), None)
        how = post.get("how", "")
        try:
            if officer is None or how not in EvidencePack.How.values:
                raise evidence.EvidenceError("Choose the officer, and how the person allowed it.")
            allowed = evidence.Allowed(
                EvidencePack.How(how),
                post.get("words", ""),
                _chosen(request, links),
                post.get("signals") == "yes",
                post.get("statement", ""),
                pictures,
            )
            made = evidence.make_pack(practitioner, unlocked(request), found, officer, allowed)
        except evidence.EvidenceError as refused:
            error = str(refused)
        else:
            response = HttpResponse(made.file, content_type="application/octet-stream")
            response["Content-Disposition"] = f'attachment; filename="evidence-{made.pack.pk}.age"'
            return response
    context = {
        "practitioner": practitioner,
        "case_file": found,
        "links": links,
        "officers": officers,
        "typed": post,
        "ticked": request.POST.getlist("link") if post else [],
        "error": error,
    }
    return render(request, "cooperation/make_pack.html", context, status=422 if error else 200)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def pack(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """A pack's chain of custody (GET); add a step (POST ``kind``, ``note``)."""
    practitioner = access_practitioner(request)
    found = queries.access_pack(practitioner, key)
    error = ""
    if request.method == "POST":
        kind = request.POST.get("kind", "")
        try:
            if kind not in CustodyEntry.Kind.values:
                raise evidence.EvidenceError("Choose what happened.")
            evidence.add_custody(practitioner, found, CustodyEntry.Kind(kind), request.POST.get("note", ""))
        except evidence.EvidenceError as refused:
            error = str(refused)
        else:
            messages.success(request, "The step was added.")
            return redirect("cooperation-pack", key)
    steps, holds = evidence.custody_of(found)
    context = {
        "practitioner": practitioner,
        "pack": found,
        "steps": steps,
        "holds": holds,
        "kinds": [kind.value for kind in CustodyEntry.Kind if kind != CustodyEntry.Kind.MADE],
        "note": request.POST.get("note", ""),
        "error": error,
    }
    return render(request, "cooperation/pack.html", context, status=422 if error else 200)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_safe
def custody(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The chain of custody as it stands, signed (DSSE), as a file."""
    found = queries.access_pack(access_practitioner(request), key)
    response = HttpResponse(evidence.signed_custody(found).model_dump_json(), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="custody-{found.pk}.dsse.json"'
    return response


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def letter(request: HttpRequest, case_file: uuid.UUID) -> HttpResponse:
    """A letter that asks to preserve data: to read and print, or as a file (POST ``do``)."""
    practitioner = access_practitioner(request)
    found = access_case_file(practitioner, case_file)
    links = _links(found)
    post = request.POST
    error, written = "", None
    if request.method == "POST":
        chosen, to, days = _chosen(request, links), " ".join(post.get("to", "").split()), post.get("days", "")
        country, authority = post.get("country", "").strip().upper(), " ".join(post.get("authority", "").split())
        if not chosen or not 1 <= len(to) <= 200 or len(authority) > 200 or days not in map(str, DAYS):
            error = "Choose links and a period, and write to whom the letter goes (at most 200 characters)."
        elif not (to + authority).isprintable():
            error = "There is a character in the names that is no text. Type them anew."
        elif country and not is_country(country):
            error = "A country is two letters of ISO 3166, such as IE; leave it empty if nobody knows."
        else:
            now = timezone.now()
            laws = [law for law in laws_of(country) if holds(law, now)]
            written = preservation_letter(
                practitioner.organisation, to, [link.url for link in chosen], int(days), laws, now.date(), authority
            )
            add_event(found, practitioner, "letter.made", to=to)
            audit.record(practitioner.actor, "letter.make", f"casefile:{found.pk}")
            if post.get("do") == "file":
                response = HttpResponse(written.body, content_type="text/plain; charset=utf-8")
                response["Content-Disposition"] = 'attachment; filename="preservation-letter.txt"'
                return response
    context = {
        "practitioner": practitioner,
        "case_file": found,
        "links": links,
        "ticked": post.getlist("link"),
        "days": [str(each) for each in DAYS],
        "typed": post,
        "letter": written,
        "error": error,
    }
    return render(request, "cooperation/letter.html", context, status=422 if error else 200)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest, case_file: uuid.UUID) -> HttpResponse:
    """The plan of recovery (GET); choose its steps (POST ``step``)."""
    practitioner = access_practitioner(request)
    found = access_case_file(practitioner, case_file)
    error = ""
    if request.method == "POST":
        try:
            plans.choose_steps(practitioner, found, request.POST.getlist("step"))
        except plans.PlanError as refused:
            error = str(refused)
        else:
            return redirect("cooperation-plan", case_file)
    return _plan_page(request, found, error)


def _plan_page(request: HttpRequest, found: CaseFile, error: str = "") -> HttpResponse:
    practitioner = access_practitioner(request)
    kept = queries.plan_of(found.pk)
    live = kept if kept is not None and kept.ended_at is None else None
    steps = list(live.steps.all()) if live else []
    check_ins = list(live.check_ins.select_related("done_by__member")) if live else []
    waiting = [each for each in check_ins if each.state == CheckIn.State.AGREED]
    opened = unlocked(request) if waiting else None
    for each in check_ins:
        if live is not None:
            each.plan = live
    context = {
        "practitioner": practitioner,
        "case_file": found,
        "plan": live,
        "ended": kept is not None and live is None,
        "steps": [
            (step, plans.STEPS[step.key], plans.services_for(plans.STEPS[step.key], found))
            for step in steps
            if step.key in plans.STEPS
        ],
        "states": PlanStep.State.choices,
        "waiting": [(each, plans.channel_of(opened, each)) for each in waiting] if opened else [],
        "past": [each for each in check_ins if each.state != CheckIn.State.AGREED],
        "chosen": [step.key for step in steps],
        "all_steps": list(plans.STEPS.values()),
        "today": queries.day_of(practitioner),
        "error": error,
    }
    return render(request, "cooperation/plan.html", context, status=422 if error else 200)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_POST
def change_plan(request: HttpRequest, case_file: uuid.UUID) -> HttpResponse:
    """Say where a step stands, agree on a check-in or note how it went, or end the plan (POST ``do``)."""
    practitioner = access_practitioner(request)
    found, post = access_case_file(practitioner, case_file), request.POST
    do = post.get("do", "")
    try:
        if do == "step":
            plans.set_step(
                practitioner, found, post.get("step", ""), post.get("state", ""), post.get("service", "")[:20]
            )
        elif do == "agree":
            due_on = _day(post.get("due_on", ""))
            plans.agree_check_in(practitioner, unlocked(request), found, due_on, post.get("channel", ""))
        elif do in CheckIn.State.values:
            key = post.get("check_in", "")
            number = int(key) if key.isascii() and key.isdigit() and len(key) < 19 else 0
            plans.finish_check_in(practitioner, found, number, do)
        elif do == "end":
            plans.end_plan(practitioner, found)
        else:
            raise plans.PlanError("Choose what to do.")
    except plans.PlanError as refused:
        return _plan_page(request, found, str(refused))
    return redirect("cooperation-plan", case_file)


def _day(typed: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(typed.strip())
    except ValueError as error:
        raise plans.PlanError("Write the day as 2026-05-19.") from error
