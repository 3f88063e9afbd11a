"""Promise 4: the headers are exact on every route, by meaning."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client, override_settings

from tests.routes import SITES, path_of, patterns_of

pytestmark = pytest.mark.django_db

EXPECTED = {
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
POLICY = {
    "default-src": {"'none'"},
    "script-src": {"'self'", "'wasm-unsafe-eval'"},
    "style-src": {"'self'"},
    "img-src": {"'self'"},
    "connect-src": {"'self'"},
    "worker-src": {"'self'"},
    "media-src": {"blob:"},
    "form-action": {"'self'"},
    "base-uri": {"'none'"},
    "frame-ancestors": {"'none'"},
}


def requests_of(site: str) -> list[tuple[str, str]]:
    paths = {path_of(route) for route, _ in patterns_of(site)} | {"/nothing-here", "/static/nothing.js"}
    files = {f"/static/{file.relative_to(settings.WEB)}" for file in settings.WEB.rglob("*") if file.is_file()}
    return [(method, path) for path in sorted(paths | files) for method in ("get", "head", "post", "put", "options")]


@pytest.mark.parametrize("site", SITES)
def test_every_route_every_file_and_every_error_has_exactly_these_headers(site: str) -> None:
    with override_settings(ROOT_URLCONF=site):
        client = Client(raise_request_exception=False)
        asked = requests_of(site)
        assert len(asked) > 60
        for method, path in asked:
            answer = getattr(client, method)(path)
            where = f"{method} {path} → {answer.status_code}"
            assert answer.status_code < 500, where
            assert {name: answer.get(name) for name in EXPECTED} == EXPECTED, where
            directives = [part.split() for part in answer["Content-Security-Policy"].split(";")]
            assert {name: set(values) for name, *values in directives} == POLICY, where
            is_file = path.startswith("/static/") and answer.status_code == 200
            assert answer["Cache-Control"] == ("max-age=60" if is_file else "no-store"), where
            assert "Strict-Transport-Security" not in answer, where
            assert all(f"{feature}=()" in answer["Permissions-Policy"] for feature in ("camera", "geolocation")), where
            if answer.streaming:
                list(answer.streaming_content)  # read to its end, which closes the file


@override_settings(SECURE=True)
def test_over_https_browsers_are_told_to_stay_there() -> None:
    assert Client().get("/")["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
