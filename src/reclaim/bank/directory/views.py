"""The directory as practitioners search it."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from reclaim.bank.directory.queries import countries_and_languages, services_in
from reclaim.bank.directory.rows import FRESH, KIND_NAMES, For, Kind
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.permissions import Permission, needs
from reclaim.sitekit.places import country_name, language_name

PAGE = 25
AGES = {"adult": For.ADULTS, "child": For.UNDER_18}


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_safe
def directory(request: HttpRequest) -> HttpResponse:
    """Who helps where (GET ``country``, ``language``, ``kind``, ``age``): nothing of it is kept."""
    countries, languages = countries_and_languages()
    country, language = request.GET.get("country", ""), request.GET.get("language", "")
    kind, age = request.GET.get("kind", ""), request.GET.get("age", "")
    unknown = [
        what
        for what, asked, known in (
            ("country", country, countries),
            ("language", language, languages),
            ("kind", kind, set(Kind)),
            ("age", age, AGES.keys()),
        )
        if asked and asked not in known
    ]
    found = [] if unknown else services_in(country, language, [Kind(kind)] if kind else (), AGES[age] if age else None)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    asked = request.GET.copy()
    asked.pop("page", None)
    about = {
        "page": page,
        "total": len(found),
        "unknown": unknown,
        "asked": {"country": country, "language": language, "kind": kind, "age": age},
        "query": asked.urlencode(),
        "countries": sorted(((code, country_name(code)) for code in countries), key=lambda each: each[1]),
        "languages": sorted(((code, language_name(code)) for code in languages), key=lambda each: each[1]),
        "kinds": [(each.value, name) for each, name in KIND_NAMES.items()],
        "stale_before": timezone.now().date() - FRESH,
    }
    return render(request, "directory/search.html", about, status=422 if unknown else 200)
