"""Where the stream of events is."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port

PATH = "/v2/events"


def events_address(request: HttpRequest) -> str:
    """Where whoever asks finds the stream: the operator's word, or beside the bank; empty if there is none."""
    if settings.EVENTS_URL:
        return str(settings.EVENTS_URL)
    if not settings.EVENTS_PORT:
        return ""
    if settings.TRUSTED_PROXIES:
        # The port is behind the proxy, which hands this path on to it (docs/operators.md).
        return PATH
    host, _ = split_domain_port(request.get_host())
    return f"{request.scheme}://{host}:{settings.EVENTS_PORT}{PATH}"
