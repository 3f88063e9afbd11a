"""Who may call which route: one table, deny by default.

Every view names one ``Access``. ``DenyByDefault`` runs that access's check before the view; a view that names none
is refused, so forgetting is safe. The checks themselves belong to the sites, which register them here.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from reclaim.sitekit.events import GetResponse
from reclaim.sitekit.problems import problem

Check = Callable[[HttpRequest], HttpResponse | None]
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class Access(StrEnum):
    """Who is let in, by which means of showing it."""

    PUBLIC = "public"
    CASE = "person, by a case session"
    FETCH_KEY = "platform, by its fetch key"
    SUBMIT_KEY = "platform, by its submit key"
    FEEDBACK_KEY = "platform, by its feedback key"
    LOOKUP_KEY = "platform, by its lookup key"
    DESCRIPTORS_KEY = "platform, by its key for descriptors"
    PEER = "another bank, by its signature"
    PASSWORD_SHOWN = "member of the staff who has shown a password and no second factor yet"  # noqa: S105 a sentence
    MEMBER = "member of the staff, by a session with a second factor"
    STAFF = "member of the bank's staff, by a session with a second factor"
    REVIEWER = "member of a platform's review, by a session with a second factor"
    UPLOAD_KEY = "platform's own system, by its upload key"
    PRACTITIONER = "practitioner of an organisation that helps people, by a session with a second factor"
    TRAINEE = "trainee in a sandbox, by a cookie got for a group's code"
    FACILITATOR = "facilitator of a training in a sandbox, by a cookie got for the code of this start"


_checks: dict[Access, Check] = {Access.PUBLIC: lambda request: None}


def check_for(access: Access) -> Callable[[Check], Check]:
    """Register the check of one access. It returns the refusal to send, or ``None`` to let the request in."""

    def register(check: Check) -> Check:
        _checks[access] = check
        return check

    return register


def requires(access: Access) -> Callable[[View], View]:
    """Name the access of a view."""

    def mark(view: View) -> View:
        view.access = access  # type: ignore[attr-defined]
        return view

    return mark


def access_of(view: Callable[..., Any], method: str | None = None) -> Access | None:
    """The access that a view names, or ``None``.

    A view of an API (``sitekit.api``) has one for each method; for a method that it does not serve, the first.
    """
    by_method: dict[str, Access | None] | None = getattr(view, "access_by_method", None)
    if by_method:
        return by_method[method] if method in by_method else next(iter(by_method.values()))
    return getattr(view, "access", None)


def accesses_of(view: Callable[..., Any]) -> set[Access | None]:
    """Every access that a view names, whatever the method."""
    return set(getattr(view, "access_by_method", {}).values()) or {access_of(view)}


def refused(access: Access, request: HttpRequest) -> HttpResponse | None:
    """The refusal of a request that comes by another way than a view; ``None`` lets it in."""
    return _checks[access](request)


class DenyByDefault:
    """Run the access check of a view before the view; without one, refuse."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Let the request through to its view, or answer with the refusal."""
        access = access_of(view, request.method)
        check = _checks.get(access) if access is not None else None
        if check is None:
            return problem(403, "Not open", "This route names nobody who may call it.")
        return check(request)
