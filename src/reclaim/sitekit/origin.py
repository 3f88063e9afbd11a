"""Writes come from our own pages only. No token, so no cookie before there is something to hold.

A browser says where a request comes from in ``Sec-Fetch-Site`` (secure contexts) or ``Origin``; a page of another
site can forge neither. Where both are missing the request is no browser's form, so it carries no ambient cookie of
a person either: such a request is let through only without cookies (a platform's client, a script).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from reclaim.sitekit.events import GetResponse
from reclaim.sitekit.problems import refusal

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def is_cross_site(request: HttpRequest) -> bool:
    """Whether an unsafe request was sent by a page of another origin."""
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is not None:
        return urlsplit(origin).netloc != request.get_host()
    return bool(request.COOKIES)


class SameOriginWrites:
    """Refuse unsafe requests that another site's page sent."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in SAFE_METHODS and is_cross_site(request):
            return refusal(
                request,
                403,
                _("This was sent from another page"),
                _("Open this site's own page and send it from there."),
            )
        return self.get_response(request)
