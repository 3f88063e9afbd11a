"""The person's pages before there is a case, and the way out."""

from __future__ import annotations

from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from reclaim.bank.cases.services import MOST_FRAMES, MOST_ITEMS
from reclaim.bank.directory.queries import leave_address, service_called, services_for
from reclaim.bank.directory.rows import For
from reclaim.bank.intake import words
from reclaim.bank.intake.invited_views import lets_see
from reclaim.bank.intake.new_case import MOST_DESCRIBED
from reclaim.bank.platforms.queries import active_platforms
from reclaim.signals.frames import DESCRIBED_STILLS
from reclaim.sitekit.access import Access, requires


@requires(Access.PUBLIC)
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """What this is, and how to leave."""
    return render(request, "intake/start.html")


@requires(Access.PUBLIC)
@require_safe
def leaving(request: HttpRequest) -> HttpResponse:
    """How to leave at once, before the first page from which somebody may need to."""
    return render(request, "intake/leaving.html")


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
def situation(request: HttpRequest) -> HttpResponse:
    """What happened, as links to what to do first: the answer is sent and kept nowhere."""
    return render(request, "intake/situation.html")


@requires(Access.PUBLIC)
@require_safe
def checking(request: HttpRequest) -> HttpResponse:
    """How anybody can check that pictures stay on the device."""
    return render(request, "intake/checking.html")


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
    """From files to a case number; all of it happens in the page."""
    return files_page(request, reverse("case-new"))


def files_page(request: HttpRequest, address: str, *, adding: bool = False) -> HttpResponse:
    """The page that makes fingerprints and sends them to ``address``: a new case, or more for an open one."""
    context = {
        "address": address,
        "adding": adding,
        "lets_see": lets_see(request) if not adding else "",
        "most_items": MOST_ITEMS,
        "most_frames": MOST_FRAMES,
        "most_described": MOST_DESCRIBED,
        "most_stills": DESCRIBED_STILLS,
        "services": services_for(For.ADULTS),
        "words": words.words(),
        "counted_words": words.counted_words(),
    }
    return render(request, "intake/files.html", context)


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
