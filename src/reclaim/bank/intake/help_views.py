"""What to do first, by what happened: pages to read. Nothing is asked, sent or kept, and no address says which."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from reclaim.bank.directory.queries import countries_at_risk, held, search_engines, services_for
from reclaim.bank.directory.rows import For
from reclaim.sitekit.access import Access, requires


@requires(Access.PUBLIC)
@require_safe
def now(request: HttpRequest) -> HttpResponse:
    """Somebody is at risk: whom to call, by country."""
    countries = _countries(get_language() or settings.LANGUAGE_CODE, get_script_prefix(), held().version)
    return render(request, "intake/help_now.html", {"countries": countries})


@lru_cache(maxsize=64)
def _countries(language: str, prefix: str, version: int) -> SafeString:
    """The list, made once for each language, address and version of the directory: it takes a tenth of a second."""
    return render_to_string("intake/help_countries.html", {"countries": countries_at_risk()})


@requires(Access.PUBLIC)
@require_safe
def online(request: HttpRequest) -> HttpResponse:
    """It is already shared."""
    return _page(request, "intake/help_online.html")


@requires(Access.PUBLIC)
@require_safe
def threat(request: HttpRequest) -> HttpResponse:
    """Somebody threatens to share it."""
    return _page(request, "intake/help_threat.html")


@requires(Access.PUBLIC)
@require_safe
def ai(request: HttpRequest) -> HttpResponse:
    """It was made or changed with a computer."""
    return _page(request, "intake/help_ai.html")


@requires(Access.PUBLIC)
@require_safe
def no_file(request: HttpRequest) -> HttpResponse:
    """The person does not have it."""
    return _page(request, "intake/help_nofile.html")


@requires(Access.PUBLIC)
@require_safe
def device(request: HttpRequest) -> HttpResponse:
    """Somebody may be watching the person's device."""
    return _page(request, "intake/help_device.html")


def _page(request: HttpRequest, template: str) -> HttpResponse:
    return render(request, template, {"services": services_for(For.ADULTS), "search_engines": search_engines()})
