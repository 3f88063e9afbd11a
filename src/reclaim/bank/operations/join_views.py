"""The pages on which a service asks to become a platform, sees where that stands, and picks its keys up. English."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods
from pydantic import ValidationError

from reclaim.bank.operations.api import UNKNOWN
from reclaim.bank.operations.applications import NotNowError, apply, pick_up, withdraw
from reclaim.bank.operations.applying import KINDS, SCOPES, Kind, Media, NewApplication, People, Wanted
from reclaim.bank.operations.limits import may_apply, may_try_secret
from reclaim.bank.operations.models import Application
from reclaim.bank.operations.queries import access_own_application, application_of
from reclaim.bank.operations.words import FIELDS, STATES
from reclaim.bank.platforms.services import NameTakenError
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.languages import in_english
from reclaim.sitekit.limits import SlowDownError

_LISTS = ("media", "scopes")
_MISSING = "This is missing."
_FAULTS = {"country": "Use the country's two capital letters, such as GB."}


def _typed(request: HttpRequest) -> dict[str, Any]:
    typed: dict[str, Any] = {name: request.POST.get(name, "") for name in FIELDS if name not in _LISTS}
    typed |= {name: request.POST.getlist(name) for name in _LISTS}
    return typed


def _message(typed: dict[str, Any]) -> dict[str, Any]:
    networks = typed["addresses"].replace(",", " ").split()
    return {**typed, "country": typed["country"].strip().upper(), "addresses": networks}


def _faults(error: ValidationError, typed: dict[str, Any]) -> dict[str, str]:
    """A sentence for each field that does not fit."""
    found: dict[str, str] = {}
    for fault in error.errors(include_input=False, include_url=False, include_context=False):
        name = str(fault["loc"][0])
        said = fault["msg"].removeprefix("Value error, ")
        sentence = said[:1].upper() + said[1:].rstrip(".") + "."
        found.setdefault(name, _FAULTS.get(name, sentence) if typed.get(name) else _MISSING)
    return found


def _page(request: HttpRequest, typed: dict[str, Any], faults: dict[str, str], status: int = 200) -> HttpResponse:
    about = {
        "typed": typed,
        "faults": [(name, FIELDS[name], sentence) for name, sentence in faults.items()],
        "fault": faults,
        "kinds": [(each.value, KINDS[each]) for each in Kind],
        "people": [each.value for each in People],
        "media": [each.value for each in Media],
        "scopes": [(each.value, SCOPES[each]) for each in Wanted],
        "bank": settings.NAME,
    }
    return render(request, "operations/join.html", about, status=status)


def _slow_down(request: HttpRequest, error: SlowDownError, template: str, about: dict[str, Any]) -> HttpResponse:
    minutes = -(-error.seconds // 60)
    when = f"{minutes} minutes" if minutes < 120 else f"{-(-minutes // 60)} hours"
    about = {**about, "error": f"Too many tries from your network. Nothing was done. Come back in {when}."}
    response = render(request, template, about, status=429)
    response["Retry-After"] = str(error.seconds)
    return response


@in_english
@requires(Access.PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """Ask to become a platform; shows the application's number and its secret, once."""
    if request.method != "POST":
        return _page(request, {"scopes": [Wanted.FETCH, Wanted.FEEDBACK], "media": []}, {})
    typed = _typed(request)
    try:
        asked = NewApplication.model_validate(_message(typed))
    except ValidationError as error:
        return _page(request, typed, _faults(error, typed), status=422)
    try:
        may_apply(request)
    except SlowDownError as error:
        return _slow_down(request, error, "operations/slow_down.html", {})
    try:
        application, secret = apply(asked)
    except NameTakenError as error:
        return _page(request, typed, {"name": str(error)}, status=409)
    return render(request, "operations/applied.html", {**_standing(application), "secret": secret})


def _standing(application: Application) -> dict[str, Any]:
    state = Application.State(application.state)
    return {
        "application": application,
        "sentence": STATES[state],
        "ready": state == Application.State.CONSENTED,
        "open": state in (Application.State.ASKED, Application.State.VETTED, Application.State.CONSENTED),
    }


@in_english
@requires(Access.PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def application(request: HttpRequest, number: str) -> HttpResponse:
    """Where an application stands (GET); pick the keys up or take it back (POST ``secret`` and ``do``)."""
    found = application_of(number)
    if found is None:
        raise Http404
    page = "operations/standing.html"
    if request.method != "POST":
        return render(request, page, _standing(found))
    try:
        may_try_secret(request)
    except SlowDownError as error:
        return _slow_down(request, error, page, _standing(found))
    own = access_own_application(number, request.POST.get("secret", "").strip())
    if own is None:
        return render(request, page, {**_standing(found), "error": UNKNOWN}, status=403)
    try:
        if request.POST.get("do") == "withdraw":
            withdraw(own)
            own.refresh_from_db()
            return render(request, page, _standing(own))
        keys = pick_up(own)
    except (NotNowError, NameTakenError) as error:
        own.refresh_from_db()
        return render(request, page, {**_standing(own), "error": str(error)}, status=409)
    shown = {"keys": keys, "file": json.dumps(keys, indent=1), "address": request.build_absolute_uri("/").rstrip("/")}
    return render(request, "operations/picked_up.html", shown)
