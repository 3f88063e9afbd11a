"""What all pages of practitioners share: who is there, and whether a break is due."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from reclaim.bank.casework.queries import is_break_due
from reclaim.bank.casework.services import note_working
from reclaim.bank.organisations.queries import access_practitioner
from reclaim.sitekit.permissions import Permission, access_member, may


def helpline_page(request: HttpRequest, template: str, *, status: int = 200, **about: Any) -> HttpResponse:
    """Render a page, and note that its practitioner works."""
    practitioner = access_practitioner(request)
    due = is_break_due(practitioner)
    note_working(practitioner)
    return quiet_page(request, template, status=status, break_due=due, **about)


def quiet_page(request: HttpRequest, template: str, *, status: int = 200, **about: Any) -> HttpResponse:
    """Render a page of which nothing is noted: it may stay open in a break, or must leave no trace."""
    shared = {"practitioner": access_practitioner(request), "supervises": supervises(request)}
    return render(request, template, shared | about, status=status)


def supervises(request: HttpRequest) -> bool:
    """Whether the practitioner of this request supervises others."""
    return may(access_member(request), Permission.SUPERVISE_CASES)


def sent_to(request: HttpRequest) -> QueryDict | None:
    """What a form was filled in with; ``None`` if the page is only asked for. An empty form was sent all the same."""
    return request.POST if request.method == "POST" else None
