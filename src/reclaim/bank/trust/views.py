"""Staff correct what platforms are told of a signal that they reject."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from reclaim.bank.trust.models import Correction
from reclaim.bank.trust.queries import access_doubted, rejecting_platforms
from reclaim.bank.trust.services import correct
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.permissions import Permission, access_member, fresh, needs


@requires(Access.STAFF)
@needs(Permission.CORRECT_SIGNALS)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def doubted(request: HttpRequest) -> HttpResponse:
    """What platforms reject, and their words (GET); decide on one (POST ``signal`` and ``decision``)."""
    actor = access_member(request).actor
    error = ""
    if request.method == "POST":
        key, decision = request.POST.get("signal", ""), request.POST.get("decision", "")
        if key.isascii() and key.isdigit() and len(key) < 19 and decision in Correction.Decision.values:
            if correct(int(key), Correction.Decision(decision), actor):
                messages.success(request, "Decided. Every platform is told with its next fetch.")
            else:
                messages.info(request, "Nothing was done: this signal is not in the bank, or nobody rejects it now.")
            return redirect("doubted")
        error = "Press one of the buttons below a signal."
    about = {"signals": access_doubted(actor), "platforms": rejecting_platforms(), "error": error}
    return render(request, "trust/doubted.html", about, status=422 if error else 200)
