"""The first page of the bank's staff, and the pages on which they vet applicants."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from reclaim.bank.operations.applications import (
    NotNowError,
    SamePersonError,
    consent,
    decline,
    offer_again,
    vet,
)
from reclaim.bank.operations.applying import KINDS, SCOPES, Kind, Wanted
from reclaim.bank.operations.models import Application
from reclaim.bank.operations.queries import access_application, access_applications, waiting_in
from reclaim.bank.operations.words import FOR_STAFF
from reclaim.bank.organisations.alarms import open_alarms
from reclaim.bank.platforms.services import NameTakenError
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.permissions import Permission, access_member, fresh, may, needs
from reclaim.sitekit.roles import HELPLINE_ROLES

_State = Application.State


@requires(Access.MEMBER)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Where a member begins: what the role may do, and what waits for it."""
    member = access_member(request)
    if member.role in HELPLINE_ROLES:
        return redirect("casework-home")
    permitted = {permission.name.lower(): may(member, permission) for permission in Permission}
    about = {
        "may": permitted,
        "asked": waiting_in(_State.ASKED) if permitted["vet_platforms"] else 0,
        "vetted": waiting_in(_State.VETTED) if permitted["consent_to_platforms"] else 0,
        "alarms": len(open_alarms()) if permitted["vet_organisations"] else 0,
    }
    return render(request, "operations/home.html", about)


@requires(Access.STAFF)
@needs(Permission.WATCH_PLATFORMS)
@require_safe
def applications(request: HttpRequest) -> HttpResponse:
    """Who asks to become a platform."""
    waiting, ended = access_applications(access_member(request))
    about = {
        "waiting": [(each, FOR_STAFF[_State(each.state)]) for each in waiting],
        "ended": [(each, FOR_STAFF[_State(each.state)]) for each in ended],
    }
    return render(request, "operations/applications.html", about)


@requires(Access.STAFF)
@needs(Permission.WATCH_PLATFORMS)
@require_safe
def application(request: HttpRequest, number: str) -> HttpResponse:
    """One application, with what may be done about it."""
    member = access_member(request)
    found = access_application(member, number)
    if found is None:
        raise Http404
    return _application_page(request, member, found)


def _application_page(
    request: HttpRequest, member: Member, found: Application, error: str = "", status: int = 200
) -> HttpResponse:
    own = found.vetted_by_id == member.pk
    about = {
        "application": found,
        "state": FOR_STAFF[_State(found.state)],
        "kind": KINDS[Kind(found.kind)],
        "wanted": [SCOPES[Wanted(scope)] for scope in found.wanted],
        "granted": [SCOPES[Wanted(scope)] for scope in found.granted],
        "scopes": [(scope.value, SCOPES[scope], scope in found.wanted) for scope in Wanted],
        "vets": found.state == _State.ASKED and may(member, Permission.VET_PLATFORMS),
        "consents": found.state == _State.VETTED and may(member, Permission.CONSENT_TO_PLATFORMS) and not own,
        "own": own,
        "declines": found.state in (_State.ASKED, _State.VETTED, _State.CONSENTED)
        and (may(member, Permission.VET_PLATFORMS) or may(member, Permission.CONSENT_TO_PLATFORMS)),
        "offers": found.state in (_State.CONSENTED, _State.JOINED) and may(member, Permission.MANAGE_KEYS),
        "refuse_route": "application-decline" if may(member, Permission.VET_PLATFORMS) else "application-refuse",
        "error": error,
        "sent": request.POST,
    }
    return render(request, "operations/application.html", about, status=status)


def _decide(request: HttpRequest, number: str, what: Callable[[Application, Member], None], said: str) -> HttpResponse:
    member = access_member(request)
    found = access_application(member, number)
    if found is None:
        raise Http404
    try:
        what(found, member)
    except ValueError as error:
        return _application_page(request, member, found, str(error), status=422)
    except (NotNowError, NameTakenError, SamePersonError) as error:
        found.refresh_from_db()
        return _application_page(request, member, found, str(error), status=409)
    messages.success(request, said)
    return redirect("application", number=number)


@requires(Access.STAFF)
@needs(Permission.VET_PLATFORMS)
@fresh
@require_POST
def vet_application(request: HttpRequest, number: str) -> HttpResponse:
    """Propose that an applicant joins (POST ``reason`` and ``scope``)."""
    reason, scopes = request.POST.get("reason", ""), request.POST.getlist("scope")
    said = "Proposed. An overseer must consent before the applicant gets keys."
    return _decide(request, number, lambda found, member: vet(found, member, reason, scopes), said)


@requires(Access.STAFF)
@needs(Permission.CONSENT_TO_PLATFORMS)
@fresh
@require_POST
def consent_to_application(request: HttpRequest, number: str) -> HttpResponse:
    """The second person consents."""
    return _decide(request, number, consent, "Consented. The applicant may pick its keys up; tell it so.")


def _decline(request: HttpRequest, number: str) -> HttpResponse:
    reason = request.POST.get("because", "")
    said = "Declined. The applicant reads your reason."
    return _decide(request, number, lambda found, member: decline(found, member, reason), said)


@requires(Access.STAFF)
@needs(Permission.VET_PLATFORMS)
@fresh
@require_POST
def decline_application(request: HttpRequest, number: str) -> HttpResponse:
    """An operator refuses (POST ``because``)."""
    return _decline(request, number)


@requires(Access.STAFF)
@needs(Permission.CONSENT_TO_PLATFORMS)
@fresh
@require_POST
def refuse_consent(request: HttpRequest, number: str) -> HttpResponse:
    """The second person refuses (POST ``because``)."""
    return _decline(request, number)


@requires(Access.STAFF)
@needs(Permission.MANAGE_KEYS)
@fresh
@require_POST
def offer_keys_again(request: HttpRequest, number: str) -> HttpResponse:
    """Let an applicant pick keys up once more; those that it has end."""
    said = "It may pick keys up once more, with the secret that it has. The earlier ones have ended."
    return _decide(request, number, offer_again, said)
