"""The pages on which the bank's staff keep the directory."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reclaim.bank.directory import imports, services
from reclaim.bank.directory.models import FACTS, Entry
from reclaim.bank.directory.queries import access_entry, changes_of, entries, row_of_files
from reclaim.bank.directory.rows import FRESH, KIND_NAMES, Confidence, For, Hours, Kind
from reclaim.bank.directory.services import NotAllowedNowError
from reclaim.bank.directory.texts import LIMITS, FactsError, texts_of
from reclaim.sitekit import audit, csvs
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.permissions import Permission, access_member, fresh, may, needs
from reclaim.sitekit.places import country_name
from reclaim.sitekit.problems import refusal

PAGE = 50
MOST_IMPORTED = 256 * 1024
"""Bytes of a file on the import page, which carries it on; the command line takes more."""
_FORM_OVERHEAD = 64 * 1024
_HOURS: dict[str, str] = {
    "": "Not known",
    Hours.ALWAYS: "Day and night",
    Hours.DAILY: "Every day",
    Hours.WEEKDAYS: "On working days",
}
_CONFIDENCES: dict[str, str] = {
    Confidence.STATED: "S: it says so itself, or an authority does, or two sources that do not copy one another",
    Confidence.PARTLY: "P: one list that somebody else keeps",
    Confidence.MEMORY: "M: from memory. It stays hidden",
}
_AUDIENCES: dict[str, str] = {For.EVERYBODY: "Everybody", For.ADULTS: "Adults", For.UNDER_18: "Under 18"}


def _choices(words: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(str(value), name) for value, name in words.items()]


@requires(Access.STAFF)
@needs(Permission.REVIEW_DIRECTORY)
@require_safe
def entries_page(request: HttpRequest) -> HttpResponse:
    """Every row (GET ``country``, ``kind``, ``only`` stale, unverified, hidden or own), hidden ones too."""
    member = access_member(request)
    audit.record(member.actor, "directory.read", "directory")
    country, kind = request.GET.get("country", "").upper(), request.GET.get("kind", "")
    only = request.GET.get("only", "")
    codes = Entry.objects.exclude(country="").order_by("country").values_list("country", flat=True).distinct()
    found = entries()
    if country:
        found = (
            found.filter(country="" if country == "ALL" else country) if country in {"ALL", *codes} else found.none()
        )
    if kind:
        found = found.filter(kind=kind) if kind in set(Kind) else found.none()
    if only == "stale":
        found = found.filter(read_on__lt=timezone.now().date() - FRESH)
    elif only == "unverified":
        found = found.exclude(confidence=Confidence.STATED)
    elif only == "hidden":
        found = found.filter(state=Entry.State.HIDDEN)
    elif only == "own":
        found = found.filter(edited=True)
    asked = request.GET.copy()
    asked.pop("page", None)
    about = {
        "page": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "asked": {"country": country, "kind": kind, "only": only},
        "query": asked.urlencode(),
        "countries": sorted(((code, country_name(code)) for code in codes), key=lambda each: each[1]),
        "kinds": [(each.value, name) for each, name in KIND_NAMES.items()],
        "edits": may(member, Permission.EDIT_DIRECTORY),
    }
    return render(request, "directory/entries.html", about)


@requires(Access.STAFF)
@needs(Permission.EDIT_DIRECTORY)
@require_http_methods(["GET", "HEAD", "POST"])
def add_page(request: HttpRequest) -> HttpResponse:
    """A new row (POST its facts and ``why``)."""
    member, faults = access_member(request), list[str]()
    typed = {"read_on": timezone.now().date().isoformat(), "audience": For.EVERYBODY.value}
    if request.method == "POST":
        typed = _typed(request)
        try:
            entry = services.add(typed, actor=member.actor, why=request.POST.get("why", "").strip())
        except FactsError as error:
            faults = error.faults
        else:
            messages.success(request, "The row is there, and shown.")
            return redirect("directory-entry", key=entry.key)
    about = {**_form(typed, request), "faults": faults}
    return render(request, "directory/add.html", about, status=422 if faults else 200)


@requires(Access.STAFF)
@needs(Permission.REVIEW_DIRECTORY)
@require_http_methods(["GET", "HEAD", "POST"])
def entry_page(request: HttpRequest, key: str) -> HttpResponse:
    """One row with its history (GET); write it anew (POST its facts and ``why``), for who may."""
    member, entry = access_member(request), access_entry(key)
    if request.method != "POST":
        audit.record(member.actor, "directory.read", f"directory:{entry.key}")
        return _entry_page(request, entry)
    if not may(member, Permission.EDIT_DIRECTORY):
        return refusal(request, 403, "Not for your role", "Ask an operator to change this row.")
    typed = _typed(request) | {"country": entry.country, "kind": entry.kind}
    try:
        changed = services.edit(entry, typed, actor=member.actor, why=request.POST.get("why", "").strip())
    except FactsError as error:
        return _entry_page(request, entry, error.faults, typed, status=422)
    messages.success(request, "Changed." if changed else "Nothing was different.")
    return redirect("directory-entry", key=key)


@requires(Access.STAFF)
@needs(Permission.EDIT_DIRECTORY)
@require_POST
def change_state(request: HttpRequest, key: str) -> HttpResponse:
    """Hide a row or show it again (POST ``state`` and ``why``)."""
    member, entry = access_member(request), access_entry(key)
    state = request.POST.get("state", "")
    if state not in Entry.State.values:
        return _entry_page(request, entry, ["Press «Hide» or «Show»."], status=422)
    try:
        changed = services.set_state(
            entry, Entry.State(state), actor=member.actor, why=request.POST.get("why", "").strip()
        )
    except FactsError as error:
        return _entry_page(request, entry, error.faults, status=422)
    messages.success(request, f"It is {state} now." if changed else f"Nothing was done: it is {state} already.")
    return redirect("directory-entry", key=key)


@requires(Access.STAFF)
@needs(Permission.REVIEW_DIRECTORY)
@require_POST
def check_page(request: HttpRequest, key: str) -> HttpResponse:
    """Mark a row as checked today (POST ``source`` and ``confidence``)."""
    member, entry = access_member(request), access_entry(key)
    source, confidence = request.POST.get("source", "").strip(), request.POST.get("confidence", "")
    try:
        services.check(entry, actor=member.actor, source=source, confidence=confidence)
    except FactsError as error:
        return _entry_page(request, entry, error.faults, status=422)
    except NotAllowedNowError as error:
        return _entry_page(request, entry, [str(error)], status=409)
    messages.success(request, "Checked today.")
    return redirect("directory-entry", key=key)


@requires(Access.STAFF)
@needs(Permission.EDIT_DIRECTORY)
@require_POST
def take_files(request: HttpRequest, key: str) -> HttpResponse:
    """Let a row say what the data files say."""
    entry = access_entry(key)
    try:
        services.take_from_files(entry, actor=access_member(request).actor)
    except NotAllowedNowError as error:
        return _entry_page(request, entry, [str(error)], status=409)
    messages.success(request, "It says what the data files say.")
    return redirect("directory-entry", key=key)


@requires(Access.STAFF)
@needs(Permission.EDIT_DIRECTORY)
@fresh
@require_POST
def export(request: HttpRequest) -> HttpResponse:
    """Every row as CSV."""
    answer = HttpResponse(imports.exported(access_member(request).actor), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="directory.csv"'
    return answer


@requires(Access.STAFF)
@needs(Permission.EDIT_DIRECTORY)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def import_page(request: HttpRequest) -> HttpResponse:
    """Say what a CSV file would change (POST ``file``); do that (POST ``data``, ``plan`` and ``why``)."""
    if request.method != "POST":
        return render(request, "directory/import.html", {"columns": imports.COLUMNS})
    length = request.headers.get("Content-Length", "")
    # Before anything is read: a form keeps what it carries in memory.
    if not length.isdecimal() or int(length) > 2 * MOST_IMPORTED + _FORM_OVERHEAD:
        return _import_page(
            request, f"A file here has at most {MOST_IMPORTED // 1024} KiB. Send it in parts.", status=413
        )
    file = request.FILES.get("file")
    data = file.read(MOST_IMPORTED + 1) if file else request.POST.get("data", "").encode()
    if not data:
        return _import_page(request, "Choose a CSV file that is not empty.")
    if len(data) > MOST_IMPORTED:
        return _import_page(
            request, f"A file here has at most {MOST_IMPORTED // 1024} KiB. Send it in parts.", status=413
        )
    try:
        if file:
            return _import_page(request, data=data, plan=imports.plan(data))
        why = request.POST.get("why", "").strip()
        done = imports.apply_plan(data, request.POST.get("plan", ""), actor=access_member(request).actor, why=why)
    except csvs.CsvError as error:
        return _import_page(request, str(error))
    except imports.ChangedMeanwhileError:
        message = "Somebody has changed the directory meanwhile. Nothing was done: look at this again."
        return _import_page(request, message, data=data, plan=imports.plan(data), status=409)
    except FactsError as error:
        return _import_page(request, str(error), data=data, plan=imports.plan(data))
    messages.success(request, f"Taken in: {len(done.new)} new, {len(done.changed)} changed.")
    return redirect("directory-staff")


def _import_page(
    request: HttpRequest,
    error: str = "",
    *,
    data: bytes = b"",
    plan: imports.Plan | None = None,
    status: int | None = None,
) -> HttpResponse:
    about = {
        "error": error,
        "columns": imports.COLUMNS,
        "plan": plan,
        "data": data.decode("utf-8-sig", errors="replace"),
    }
    return render(request, "directory/import.html", about, status=status or (422 if error else 200))


def _typed(request: HttpRequest) -> dict[str, str]:
    return {fact: " ".join(request.POST.get(fact, "").split()) for fact in FACTS}


def _form(typed: Mapping[str, str], request: HttpRequest) -> dict[str, object]:
    return {
        "typed": typed,
        "why": request.POST.get("why", ""),
        "limits": LIMITS,
        "kinds": _choices({kind.value: KIND_NAMES[kind] for kind in KIND_NAMES}),
        "audiences": _choices(_AUDIENCES),
        "hours": _choices(_HOURS),
        "confidences": _choices(_CONFIDENCES),
        "checked_confidences": _choices(_CONFIDENCES)[:2],
    }


def _entry_page(
    request: HttpRequest,
    entry: Entry,
    faults: list[str] | None = None,
    typed: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    member, was = access_member(request), texts_of(entry)
    files = row_of_files(entry.key)
    said = texts_of(files) if files else was
    about = {
        **_form(typed or was, request),
        "entry": entry,
        "row": entry.service,
        "faults": faults or [],
        "changes": changes_of(entry),
        "differs": [(fact, was[fact], said[fact]) for fact in FACTS if entry.edited and was[fact] != said[fact]],
        "edits": may(member, Permission.EDIT_DIRECTORY),
        "own": entry.changed_by == member.actor,
        "is_number": entry.kind in (Kind.EMERGENCY, Kind.POLICE, Kind.AMBULANCE),
    }
    return render(request, "directory/entry.html", about, status=status)
