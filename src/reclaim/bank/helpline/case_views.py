"""One case file: what is known, notes, tasks, its timeline, and what a practitioner does with it."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

import qrcode
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reclaim.bank.cases.consents import access_consented_case
from reclaim.bank.casework.models import AtRisk, CaseFile, Happened, Note, Outcome, Status
from reclaim.bank.casework.queries import (
    access_case_file,
    access_note,
    access_task,
    consent_for,
    erased_on,
    notes_of,
    open_offer,
    timeline_of,
)
from reclaim.bank.casework.safety import given
from reclaim.bank.casework.services import (
    StateError,
    Texts,
    WordsError,
    add_note,
    add_task,
    case_file_of_consent,
    change_facts,
    change_texts,
    close,
    confirm_adults,
    confirm_person,
    erase,
    new_invitation,
    reopen,
    set_done,
    set_status,
    share_with_person,
    take,
)
from reclaim.bank.casework.timeline import sentence
from reclaim.bank.helpline.forms import CloseForm, FactsForm, NoteForm, StatusForm, TaskForm, spoken
from reclaim.bank.helpline.opening import key_of, opened
from reclaim.bank.helpline.pages import helpline_page, quiet_page, sent_to, supervises
from reclaim.bank.helpline.views import NO_SUCH_CODE, consent_by_code, lines_of, slow_down, to_case_file
from reclaim.bank.intake.told import told
from reclaim.bank.organisations.queries import access_practitioner
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.languages import LANGUAGES
from reclaim.sitekit.permissions import Permission, fresh, needs
from reclaim.sitekit.places import country_name

_QUIET_ZONE = 4


def _practitioners(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Who may: a practitioner who works on case files. What has moved on meanwhile is said on the case file's page."""

    @requires(Access.PRACTITIONER)
    @needs(Permission.WORK_CASES)
    @wraps(view)
    def guarded(request: HttpRequest, case_file: uuid.UUID, **kwargs: Any) -> HttpResponse:
        found = access_case_file(access_practitioner(request), case_file)
        try:
            return view(request, found, **kwargs)
        except StateError as error:
            messages.error(request, str(error))
            return redirect("case-file", found.pk)

    return guarded


def _page(request: HttpRequest, case_file: CaseFile, *, status: int = 200, **forms: Any) -> HttpResponse:
    practitioner = access_practitioner(request)
    key = key_of(request, case_file)
    found = consent_for(case_file)
    consent = access_consented_case(practitioner, found.pk) if found else None
    if consent is not None:
        share_with_person(case_file, key)
    notes = [
        (note, opened(key, f"note:{note.pk}", note.sealed))
        for note in notes_of(case_file, practitioner, supervises=supervises(request))
    ]
    replaced = {note.replaces_id for note, _ in notes}
    tasks = [
        (task, opened(key, f"task:{task.pk}", task.sealed))
        for task in case_file.tasks.select_related("practitioner__member").order_by("done_at", "due_on", "made_at")
    ]
    today = timezone.now().date()
    about = {
        "case_file": case_file,
        "reach": opened(key, "reach", case_file.reach_sealed),
        "words": opened(key, "words", case_file.words_sealed),
        "reason": opened(key, "reason", case_file.reason_sealed),
        "answers": given(case_file.safety),
        "happened": [Happened(word).label for word in case_file.happened],
        "at_risk": [AtRisk(word).label for word in case_file.at_risk],
        "place": country_name(case_file.country) if case_file.country else "",
        "language": spoken(case_file.language),
        "lines": lines_of(case_file.country) if case_file.risk != "none" else [],
        "consent": consent,
        "case": told(consent.case) if consent else None,
        "notes": [(note, text, note.pk in replaced) for note, text in notes],
        "tasks": [each for each in tasks if each[0].done_at is None],
        "done": [each for each in tasks if each[0].done_at is not None],
        "events": [(event, sentence(event)) for event in timeline_of(case_file)],
        "offer": open_offer(case_file),
        "invitation": getattr(case_file, "invitation", None),
        "today": today,
        "erased_on": erased_on(case_file),
        "hands_over": case_file.owner_id == practitioner.pk or supervises(request),
        "note_form": NoteForm(auto_id="note-%s"),
        "task_form": TaskForm(auto_id="task-%s", initial={"due_on": today + datetime.timedelta(days=1)}),
    }
    return helpline_page(request, "helpline/case_file.html", status=status, **about | forms)


@require_safe
@_practitioners
def case_file(request: HttpRequest, case_file: CaseFile) -> HttpResponse:
    """All of a case file."""
    return _page(request, case_file)


@require_http_methods(["GET", "HEAD", "POST"])
@_practitioners
def facts(request: HttpRequest, case_file: CaseFile) -> HttpResponse:
    """Change what is known."""
    practitioner, key = access_practitioner(request), key_of(request, case_file)
    kept = {
        "reach": opened(key, "reach", case_file.reach_sealed).text,
        "words": opened(key, "words", case_file.words_sealed).text,
    }
    form = FactsForm(sent_to(request), initial={**FactsForm.initial_of(case_file), **kept})
    if request.method == "POST" and form.is_valid():
        change_facts(case_file, practitioner, form.cleaned_data["facts"])
        texts = {name: form.cleaned_data[name].replace("\r\n", "\n").strip() for name in kept}
        if texts != kept:
            change_texts(case_file, practitioner, key, Texts(**texts))
        return redirect("case-file", case_file.pk)
    return helpline_page(
        request,
        "helpline/facts.html",
        status=422 if form.errors else 200,
        case_file=case_file,
        form=form,
        lines=lines_of(case_file.country),
        place=country_name(case_file.country) if case_file.country else "",
    )


@require_POST
@_practitioners
def status(request: HttpRequest, case_file: CaseFile) -> HttpResponse:
    """At work, or waiting for somebody outside (``status``)."""
    form = StatusForm(request.POST)
    if not form.is_valid():
        raise Http404
    set_status(case_file, access_practitioner(request), Status(form.cleaned_data["status"]))
    return redirect("case-file", case_file.pk)


@require_POST
@_practitioners
def adults(request: HttpRequest, case_file: CaseFile) -> HttpResponse:
    """Everybody in the pictures is and was 18 or over (``adults`` is «yes»)."""
    if request.POST.get("adults") == "yes":
        confirm_adults(case_file, access_practitioner(request))
    return redirect("case-file", case_file.pk)


@require_POST
@_practitioners
def take_up(request: HttpRequest, case_file: CaseFile) -> HttpResponse:
    """Take a case file that nobody has."""
    take(case_file, access_practitioner(request))
    return redirect("case-file", case_file.pk)


@require_POST
@_practitioners
def note(request: HttpRequest, case_file: CaseFile) -> HttpResponse:
    """Add a note (``text``); a supervisor's may be for supervision (``supervision``)."""
    form = NoteForm(request.POST, auto_id="note-%s")
    if not form.is_valid():
        return _page(request, case_file, status=422, note_form=form)
    key = key_of(request, case_file)
    kind = Note.Kind.PERSON if "person" in request.POST else Note.Kind.WORK
    if supervises(request) and "supervision" in request.POST:
        kind = Note.Kind.SUPERVISION
    try:
        add_note(case_file, access_practitioner(request), key, form.cleaned_data["text"], kind)
    except WordsError as error:
        form.add_error("text", str(error))
        return _page(request, case_file, status=422, note_form=form)
    return redirect(f"{reverse('case-file', args=[case_file.pk])}#notes")


@require_http_methods(["GET", "HEAD", "POST"])
@_practitioners
def correct(request: HttpRequest, case_file: CaseFile, note: uuid.UUID) -> HttpResponse:
    """Write a new version of a note; the one before stays readable."""
    practitioner, key = access_practitioner(request), key_of(request, case_file)
    found = access_note(case_file, practitioner, note, supervises=supervises(request))
    before = opened(key, f"note:{found.pk}", found.sealed)
    form = NoteForm(sent_to(request), initial={"text": before.text})
    if request.method == "POST" and form.is_valid():
        add_note(case_file, practitioner, key, form.cleaned_data["text"], replaces=found)
        return redirect(f"{reverse('case-file', args=[case_file.pk])}#notes")
    return helpline_page(
        request,
        "helpline/correct.html",
        status=422 if form.errors else 200,
        case_file=case_file,
        note=found,
        form=form,
    )


@require_POST
@_practitioners
def task(request: HttpRequest, case_file: CaseFile) -> HttpResponse:
    """Add a task (``text``, ``due_on``); it is the owner's, or whoever's adds it if nobody has the case file."""
    form = TaskForm(request.POST, auto_id="task-%s")
    if not form.is_valid():
        return _page(request, case_file, status=422, task_form=form)
    given = form.cleaned_data
    add_task(
        case_file,
        access_practitioner(request),
        key_of(request, case_file),
        given["text"],
        given["due_on"],
        to=case_file.owner,
    )
    return redirect(f"{reverse('case-file', args=[case_file.pk])}#tasks")


@require_POST
@_practitioners
def task_done(request: HttpRequest, case_file: CaseFile, task: uuid.UUID) -> HttpResponse:
    """A task was done, or is to be done after all (``done`` is «no»)."""
    found = access_task(case_file, task)
    set_done(found, access_practitioner(request), done=request.POST.get("done") != "no")
    return redirect(f"{reverse('case-file', args=[case_file.pk])}#tasks")


@require_POST
@_practitioners
def link_case(request: HttpRequest, case_file: CaseFile) -> HttpResponse:
    """See the person's own case here too, with their one-time code (``code``)."""
    practitioner = access_practitioner(request)
    refused = slow_down(request, practitioner)
    if refused is not None:
        return refused
    if consent_for(case_file) is not None:
        # Before the code is used up.
        raise StateError("This case file already has the case of a person. Type the code on the first page.")
    consent = consent_by_code(request, practitioner)
    if consent is None:
        return _page(request, case_file, status=422, code_error=NO_SUCH_CODE)
    return to_case_file(request, practitioner, case_file_of_consent(practitioner, consent, into=case_file))


@require_POST
@_practitioners
def confirm(request: HttpRequest, case_file: CaseFile) -> HttpResponse:
    """The linked case is the person's."""
    confirm_person(case_file, access_practitioner(request))
    return redirect(f"{reverse('case-file', args=[case_file.pk])}#persons-case")


@require_http_methods(["GET", "HEAD", "POST"])
@_practitioners
def close_case_file(request: HttpRequest, case_file: CaseFile) -> HttpResponse:
    """End the work, with its outcome."""
    form = CloseForm(sent_to(request))
    if request.method == "POST" and form.is_valid():
        given, key = form.cleaned_data, key_of(request, case_file)
        close(case_file, access_practitioner(request), key, Outcome(given["outcome"]), given["reason"])
        messages.success(request, f"«{case_file.designation}» is closed.")
        return redirect("casework-home")
    return helpline_page(
        request, "helpline/close.html", status=422 if form.errors else 200, case_file=case_file, form=form
    )


@require_POST
@_practitioners
def reopen_case_file(request: HttpRequest, case_file: CaseFile) -> HttpResponse:
    """Go on with a closed case file."""
    reopen(case_file, access_practitioner(request))
    return redirect("case-file", case_file.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@_practitioners
@fresh
def erase_case_file(request: HttpRequest, case_file: CaseFile) -> HttpResponse:
    """Erase it for good: asked for once more by its designation (``name``)."""
    error = ""
    if request.method == "POST":
        if request.POST.get("name", "")[:80].strip().lower() == case_file.designation:
            erase(case_file, access_practitioner(request).actor)
            messages.success(request, "The case file is erased.")
            return redirect("casework-home")
        error = f"Type «{case_file.designation}» to say that you mean it."
    return helpline_page(request, "helpline/erase.html", status=422 if error else 200, case_file=case_file, error=error)


@require_POST
@_practitioners
def invite(request: HttpRequest, case_file: CaseFile) -> HttpResponse:
    """Make a link that opens the person's own pages on their own device. It is shown once, and never opened here."""
    made = new_invitation(case_file, access_practitioner(request))
    # Other languages than those of the person's pages get them as the device asks for them.
    prefix = f"/{case_file.language}" if case_file.language in LANGUAGES and case_file.language != "en" else ""
    link = request.build_absolute_uri(f"{prefix}/i/{made.token}/")
    return quiet_page(
        request, "helpline/invited.html", case_file=case_file, invitation=made, link=link, qr=_squares(link)
    )


def _squares(text: str) -> tuple[int, str]:
    """A QR code: how many modules it is wide, and its dark modules as one path."""
    code = qrcode.QRCode(border=_QUIET_ZONE)
    code.add_data(text)
    modules = code.get_matrix()
    dark = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(modules) for x, is_dark in enumerate(row) if is_dark)
    return len(modules), dark
