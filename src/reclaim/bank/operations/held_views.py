"""The bank's own staff decide on what is held."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from reclaim.bank.cases.designations import designation
from reclaim.bank.cases.models import CaseItem
from reclaim.bank.cases.queries import access_held_items
from reclaim.bank.cases.services import refuse_item, release_item
from reclaim.bank.screening.words import FOR_PRACTITIONERS, Hold
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.permissions import Permission, access_member, fresh, needs

RELEASE = "release"
REFUSALS = (CaseItem.Refusal.HARMLESS, CaseItem.Refusal.UNCLEAR)


@requires(Access.STAFF)
@needs(Permission.DECIDE_HELD)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def held(request: HttpRequest) -> HttpResponse:
    """What is held and why (GET); let some in, or never (POST ``item`` and ``decision``)."""
    actor = access_member(request).actor
    waiting = access_held_items(actor)
    error = ""
    if request.method == "POST":
        sent, decision = set(request.POST.getlist("item")), request.POST.get("decision", "")
        chosen = [item for item in waiting if str(item.pk) in sent]
        if chosen and decision in (RELEASE, *REFUSALS):
            done = sum(_decide(item, decision, actor) for item in chosen)
            messages.success(request, f"Decided: {done}.")
            return redirect("held")
        error = "Tick at least one that still waits, and choose a decision."
    rows = [(item, designation(item.case_id), _sentences(item)) for item in waiting]
    return render(request, "operations/held.html", {"rows": rows, "error": error}, status=422 if error else 200)


def _decide(item: CaseItem, decision: str, actor: str) -> bool:
    if decision == RELEASE:
        return release_item(item, actor)
    return refuse_item(item, CaseItem.Refusal(decision), actor)


def _sentences(item: CaseItem) -> list[str]:
    return [FOR_PRACTITIONERS[Hold(reason)] for reason in item.held_for]
