"""What a sandbox lets nobody do: whatever reaches, or seems to reach, a real person, platform or bank."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from reclaim.sitekit.events import GetResponse
from reclaim.sitekit.problems import refusal

OPEN = (
    "reclaim.bank.training.",
    "reclaim.bank.helpline.",
    "reclaim.bank.takedown.",
    "reclaim.bank.law.views",
    "reclaim.bank.directory.views",
    "reclaim.bank.vault.views",
    "reclaim.bank.cooperation.views",
    "reclaim.bank.cooperation.case_views",
    "reclaim.bank.cooperation.demand_views",
)
"""Modules whose views are open; every other one is closed, so forgetting is safe."""
ALSO_OPEN = frozenset(
    {"leave", "member-sign-out", "case-sign-in", "case", "case-withdraw", "case-lost", "case-sign-out"}
)
"""Of a person, no more than looking at a made-up case and withdrawing it."""
CLOSED = frozenset(
    {
        "case-file-invite",
        "case-file-case",
        "case-files-export",
        "numbers-csv",
        "takedown-open",
        "takedown-browser",
        "cooperation-refer",
        "cooperation-officers",
        "cooperation-officer",
        "cooperation-make-pack",
        "cooperation-pack",
        "cooperation-custody",
        "cooperation-take-part",
    }
)
"""Of open modules: what leads to people, files or sites outside."""
TO_THE_FIRST_PAGE = frozenset({"start", "member-sign-in", "staff-home", "member-again"})
HEADER = "X-Reclaim-Training"


class NothingReal:
    """Close routes, mark every answer, and let no file out."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.get("Content-Disposition", "").startswith("attachment"):
            response.close()
            response = _closed(request)
        response[HEADER] = "nothing here is real"
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Let the route through, lead to the training's first page, or refuse."""
        name = request.resolver_match.url_name if request.resolver_match else None
        if name in TO_THE_FIRST_PAGE:
            return redirect("training-home")
        if name in ALSO_OPEN or (view.__module__.startswith(OPEN) and name not in CLOSED):
            return None
        return _closed(request)


def _closed(request: HttpRequest) -> HttpResponse:
    return refusal(
        request,
        403,
        "Closed in the training",
        "This would reach people, platforms or banks, or take something out. In a sandbox nothing is real, and "
        "nothing comes in or goes out. If you need help yourself, use the address of the real bank.",
    )


def sandbox(request: HttpRequest) -> dict[str, object]:
    """``sandbox``: whether a page says that nothing is real."""
    return {"sandbox": True}
