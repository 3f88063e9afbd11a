"""The response headers, the same on every route: pages, API, files, errors."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from reclaim.sitekit.events import GetResponse

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        # WebAssembly of our own origin, and no eval of text: the libraries in web/vendor (decision 14).
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        # A video on the person's own device, which a page plays unseen where it cannot decode it otherwise.
        "media-src blob:",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)

_NO_FEATURES = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "microphone",
    "payment",
    "usb",
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _NO_FEATURES),
    # same-origin, not no-referrer: under no-referrer browsers send "Origin: null" with a form of our own, and
    # SameOriginWrites could no longer tell it from another site's.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
FILES_CACHE = "max-age=60"
"""A mended script reaches people within a minute. Checked each time instead, a slow phone would wait twice as long for
the page of files, whose workers ask for the modules that the page has just got."""
STRICT_TRANSPORT = "max-age=63072000; includeSubDomains"


def headers_of_every_answer() -> dict[str, str]:
    """The headers that do not depend on the request."""
    return {**HEADERS, "Strict-Transport-Security": STRICT_TRANSPORT} if settings.SECURE else HEADERS


class ExactHeaders:
    """Set every header on every response; a view may only make caching stricter, never these weaker."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in headers_of_every_answer().items():
            response[name] = value
        is_file = request.path.startswith(settings.STATIC_URL)
        kept = is_file and response.status_code in (200, 304)
        response["Cache-Control"] = FILES_CACHE if kept else "no-store"
        if request.method == "HEAD" and isinstance(response, HttpResponse):
            response.content = b""  # Content-Length still tells what GET would send
        return response
