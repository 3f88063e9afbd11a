"""The person's pages before there is a case, and the way out."""

from __future__ import annotations

from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reclaim.bank.cases.services import MOST_SIGNALS
from reclaim.bank.directory.queries import leave_address, service_called, services_for
from reclaim.bank.directory.services import For
from reclaim.bank.platforms.queries import active_platforms
from reclaim.signals import POOR_QUALITY
from reclaim.sitekit.access import Access, requires


@requires(Access.PUBLIC)
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """What this is, and how to leave."""
    return render(request, "intake/start.html")


@requires(Access.PUBLIC)
@require_safe
def age(request: HttpRequest) -> HttpResponse:
    """The age question: two links, so that the answer is sent and kept nowhere."""
    return render(request, "intake/age.html")


@requires(Access.PUBLIC)
@require_safe
def under_18(request: HttpRequest) -> HttpResponse:
    """Who helps with pictures of people under 18."""
    return render(request, "intake/under_18.html", {"services": services_for(For.UNDER_18)})


@requires(Access.PUBLIC)
@require_safe
def limits(request: HttpRequest) -> HttpResponse:
    """What this can and cannot do, before anything is asked."""
    return render(
        request,
        "intake/limits.html",
        {"platforms": active_platforms().values_list("name", flat=True), "services": services_for(For.ADULTS)},
    )


@requires(Access.PUBLIC)
@require_safe
def files(request: HttpRequest) -> HttpResponse:
    """From pictures to a case number; all of it happens in the page."""
    return render(
        request,
        "intake/files.html",
        {"most": MOST_SIGNALS, "poor": POOR_QUALITY, "services": services_for(For.ADULTS)},
    )


@requires(Access.PUBLIC)
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept, for how long, and what is not."""
    return render(request, "intake/privacy.html")


@requires(Access.PUBLIC)
@require_safe
def leave(request: HttpRequest) -> HttpResponse:
    """End the visit and go somewhere harmless; it works even when the database does not."""
    try:
        request.session.flush()
    except DatabaseError:
        # The row outlives the visit until it expires, but this browser no longer holds its key.
        request.session = SessionStore()
    response = HttpResponseRedirect(leave_address())
    response["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response


@requires(Access.PUBLIC)
@require_safe
def go(request: HttpRequest, slug: str) -> HttpResponse:
    """To another service, so that no page of ours names another site's address."""
    service = service_called(slug)
    if service is None:
        raise Http404
    return HttpResponseRedirect(service.address)
