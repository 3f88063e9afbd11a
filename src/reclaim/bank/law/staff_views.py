"""The pages on which operators write the law, and on which somebody else marks what they wrote as reviewed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reclaim.bank.law.laws import FACTS, STARTS, Confidence, Covered, FactsError, Status, Unit, Whose, facts_of
from reclaim.bank.law.queries import Kept, access_law, access_laws, history_of
from reclaim.bank.law.services import NotNowError, add_law, edit_law, review_law
from reclaim.bank.law.words import CONFIDENCE, COVERED, HELP, LABELS
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.permissions import Permission, access_member, may, needs

_SWITCHES = ("extendable", "reach_stated")
_LONG = ("offence", "duty", "due", "sources", "request", "note", "in_force_note", "who_may_ask")


@requires(Access.STAFF)
@needs(Permission.REVIEW_DIRECTORY)
@require_safe
def laws(request: HttpRequest) -> HttpResponse:
    """Every row, those first that nobody has reviewed."""
    member = access_member(request)
    kept = sorted(access_laws(member), key=lambda each: each.law.reviewed)
    return render(request, "law/staff_laws.html", {"kept": kept, "edits": may(member, Permission.EDIT_DIRECTORY)})


def _kept(member: Member, key: str) -> Kept:
    kept = access_law(member, key)
    if kept is None:
        raise Http404
    return kept


@requires(Access.STAFF)
@needs(Permission.REVIEW_DIRECTORY)
@require_safe
def law(request: HttpRequest, key: str) -> HttpResponse:
    """One row, and how it came to say what it says."""
    member = access_member(request)
    return _law_page(request, member, _kept(member, key))


def _law_page(request: HttpRequest, member: Member, kept: Kept, error: str = "", status: int = 200) -> HttpResponse:
    own = kept.version.written_by_id == member.pk
    about = {
        "kept": kept,
        "law": kept.law,
        "history": [
            (each.version, [(LABELS.get(name, name), before, since) for name, before, since in each.changes])
            for each in history_of(kept)
        ],
        "edits": may(member, Permission.EDIT_DIRECTORY),
        "own": own,
        "reviews": kept.law.is_shown and not kept.law.reviewed and not own,
        "error": error,
        "typed": request.POST.get("review", ""),
    }
    return render(request, "law/staff_law.html", about, status=status)


@requires(Access.STAFF)
@needs(Permission.REVIEW_DIRECTORY)
@require_POST
def review(request: HttpRequest, key: str) -> HttpResponse:
    """Mark a version as reviewed (POST ``version`` and ``review``)."""
    member = access_member(request)
    kept = _kept(member, key)
    try:
        review_law(member, key, _version(request), request.POST.get("review", ""))
    except FactsError as error:
        return _law_page(request, member, kept, error.faults["review"], status=422)
    except NotNowError as error:
        return _law_page(request, member, _kept(member, key), str(error), status=409)
    messages.success(request, "Marked as reviewed.")
    return redirect("staff-law", key=key)


def _version(request: HttpRequest) -> int:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _typed(request: HttpRequest) -> dict[str, Any]:
    typed: dict[str, Any] = {name: request.POST.get(name, "") for name in FACTS}
    typed |= {name: name in request.POST for name in _SWITCHES}
    typed["reach"] = request.POST.getlist("reach")
    return typed


def _form(
    request: HttpRequest, typed: dict[str, Any], about: dict[str, Any], faults: dict[str, str], status: int = 200
) -> HttpResponse:
    choices: dict[str, list[tuple[str, str]]] = {
        "confidence": [(each.value, CONFIDENCE[each]) for each in Confidence],
        "status": [(each.value, each.value.capitalize()) for each in Status],
        "unit": [(each.value, each.value.capitalize()) for each in Unit],
        "starts": [(each.value, each.value.capitalize()) for each in STARTS],
        "with_ai": [(each.value, COVERED[each]) for each in Covered if each],
    }
    shown = {
        "fields": [
            {
                "name": name,
                "label": LABELS[name],
                "help": HELP.get(name, ""),
                "value": _text(typed.get(name, "")),
                "fault": faults.get(name, ""),
                "choices": choices.get(name),
                "switch": name in _SWITCHES,
                "several": [(each.value, each in typed.get("reach", ())) for each in Whose]
                if name == "reach"
                else None,
                "long": name in _LONG,
            }
            for name in FACTS
        ],
        "faults": [(name, LABELS.get(name, name), sentence) for name, sentence in faults.items()],
        "fault": faults,
        "why": request.POST.get("why", ""),
    }
    return render(request, "law/staff_form.html", about | shown, status=status)


def _text(value: object) -> object:
    return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value


@requires(Access.STAFF)
@needs(Permission.EDIT_DIRECTORY)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """Write a new version of a row (POST its facts, ``version`` and ``why``)."""
    member = access_member(request)
    kept = _kept(member, key)
    about = {"kept": kept, "key": key, "version": kept.version.number}
    if request.method == "GET":
        return _form(request, facts_of(kept.law), about, {})
    typed = _typed(request)
    try:
        edit_law(member, key, _version(request), typed, request.POST.get("why", ""))
    except FactsError as error:
        return _form(request, typed, about, error.faults, status=422)
    except NotNowError as error:
        return _law_page(request, member, _kept(member, key), str(error), status=409)
    messages.success(
        request, "Saved. What it said before is in the history; somebody else must review what it says now."
    )
    return redirect("staff-law", key=key)


@requires(Access.STAFF)
@needs(Permission.EDIT_DIRECTORY)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Write a row that was not there (POST ``key``, its facts and ``why``)."""
    key = request.POST.get("key", "").strip()
    about = {"kept": None, "key": key, "version": 0}
    if request.method == "GET":
        return _form(request, {}, about, {})
    typed = _typed(request)
    try:
        add_law(access_member(request), key, typed, request.POST.get("why", ""))
    except FactsError as error:
        return _form(request, typed, about, error.faults, status=422)
    messages.success(request, "Added.")
    return redirect("staff-law", key=key)
