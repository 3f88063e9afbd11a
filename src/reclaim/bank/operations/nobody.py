"""A staging bank is closed to persons, and says on every page what it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from reclaim.sitekit.events import GetResponse
from reclaim.sitekit.problems import refusal

OF_PERSONS = (
    "reclaim.bank.intake.",
    "reclaim.bank.helpline.",
    "reclaim.bank.takedown.",
    "reclaim.bank.cooperation.views",
    "reclaim.bank.cooperation.case_views",
    "reclaim.bank.gate.",
)
STILL_OPEN = frozenset({"leave"})


class NoPersons:
    """Refuse every route of persons and of those who help them: what they sent would protect nobody."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Let the route through, lead from the first page to the application, or refuse."""
        route = request.resolver_match.url_name if request.resolver_match else None
        if not view.__module__.startswith(OF_PERSONS) or route in STILL_OPEN:
            return None
        if route == "start":
            return redirect("platform-join")
        return refusal(
            request,
            403,
            "This is not a place to get help",
            "Here platforms try their software on made-up signals. Nobody is protected by anything that is sent here. "
            "If you need help, use the address of the real bank.",
        )


def staging(request: HttpRequest) -> dict[str, object]:
    """``staging``: whether a page says what this site is."""
    return {"staging": True}
