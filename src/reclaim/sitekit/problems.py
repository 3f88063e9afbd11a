"""Refusals in the right form for their reader: problem+json (RFC 9457) for a program, a plain page for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import get_script_prefix
from django.utils.translation import gettext as _
from pydantic import ValidationError

PROBLEM_JSON = "application/problem+json"


def problem(status: int, title: str, detail: str, **extra: Any) -> JsonResponse:
    """A problem document: what went wrong, and what to do."""
    body = {"type": "about:blank", "status": status, "title": title, "detail": detail, **extra}
    return JsonResponse(body, status=status, content_type=PROBLEM_JSON)


def wants_page(request: HttpRequest) -> bool:
    """Whether a person in a browser is asking (programs get problem documents)."""
    return request.headers.get("Accept", "").startswith("text/html")


def refusal(request: HttpRequest, status: int, title: str, detail: str) -> HttpResponse:
    """Refuse, as a page or as a problem document."""
    if wants_page(request):
        context = {"title": title, "detail": detail, "first_page": get_script_prefix()}
        return render(request, "refusal.html", context, status=status)
    return problem(status, title, detail)


def invalid_message(error: ValidationError) -> JsonResponse:
    """A 400 that names each field and what is wrong with it, without repeating what was sent."""
    return invalid_fields(400, error.errors(include_input=False, include_url=False, include_context=False))


def invalid_fields(status: int, errors: Sequence[Mapping[str, Any]]) -> JsonResponse:
    """The same, of what pydantic found, as pydantic lists it."""
    faults = [{"field": _field(fault["loc"], fault["type"]), "fault": fault["msg"]} for fault in errors[:20]]
    detail = "Mend the fields named in «faults» and send it again. Nothing was taken."
    return problem(status, "This message does not fit the contract", detail, faults=faults)


def _field(place: tuple[int | str, ...], kind: str) -> str:
    # The name of a key that the contract does not know is the sender's own words, and may be anything.
    known = (*place[:-1], "(unknown key)") if kind == "extra_forbidden" else place
    return ".".join(str(part) for part in known) or "body"


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The 404 of both sites."""
    return refusal(
        request,
        404,
        _("There is nothing at this address"),
        _("Check the address, or start again at the first page."),
    )


def server_error(request: HttpRequest, status: int = HTTPStatus.INTERNAL_SERVER_ERROR) -> HttpResponse:
    """The 500 of both sites."""
    detail = _("Nothing that you were told is saved was lost. Please try again in a minute.")
    return refusal(request, status, _("Something went wrong here"), detail)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The 400 of both sites, and the 413 where a body is too large."""
    if isinstance(exception, RequestDataTooBig):
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024
        return refusal(
            request,
            413,
            _("This message is too large"),
            _("Send at most %(most)s KiB at a time, in several parts.") % {"most": most},
        )
    if isinstance(exception, SessionInterrupted):
        # Django says so too when the database went away before the session was saved: the request was in order.
        response = server_error(request, HTTPStatus.SERVICE_UNAVAILABLE)
        response["Retry-After"] = "60"
        return response
    return refusal(request, 400, _("This request could not be read"), _("Go back one page and try again."))
