"""The pages on the law that everybody may read. English; not legal advice, and every page says so."""

from __future__ import annotations

from itertools import groupby

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reclaim.bank.law.convention import convention
from reclaim.bank.law.queries import law_by_key, laws_of, place_name, shown_laws
from reclaim.bank.law.tiles import tiles_of
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.languages import in_english
from reclaim.sitekit.places import is_country


@requires(Access.PUBLIC)
@require_safe
@in_english
def home(request: HttpRequest) -> HttpResponse:
    """Every law, as a map and as a table."""
    laws = shown_laws()
    about = {
        "map": tiles_of(laws),
        "laws": len(laws),
        "places": [(place_name(place), list(those)) for place, those in groupby(laws, key=lambda law: law.place)],
        "countries": len({law.country for law in laws} - {"EU"}),
        "deadlines": sum(law.has_deadline for law in laws),
        "reviewed": sum(law.reviewed for law in laws),
    }
    return render(request, "law/home.html", about)


@requires(Access.PUBLIC)
@require_safe
@in_english
def country(request: HttpRequest, country: str) -> HttpResponse:
    """The laws of one country, with source and date, and where it stands with the convention."""
    if country != "EU" and not is_country(country):
        raise Http404
    about = {
        "name": place_name(country),
        "laws": [(place_name(law.place), law) for law in laws_of(country)],
        "treaty": convention(),
        "participant": convention().participant(country),
    }
    return render(request, "law/country.html", about)


@requires(Access.PUBLIC)
@require_safe
@in_english
def treaty(request: HttpRequest) -> HttpResponse:
    """The convention: where it stands, its articles, and who has signed."""
    return render(request, "law/convention.html", {"treaty": convention()})


@requires(Access.PUBLIC)
@require_safe
@in_english
def article(request: HttpRequest, number: int) -> HttpResponse:
    """One article: what it asks, and what here helps."""
    found = convention().article(number)
    if found is None:
        raise Http404
    return render(request, "law/article.html", {"treaty": convention(), "article": found})


# Pages name no other origin, so that opening one tells nobody anything (promise 2): a source is led to on request.


@requires(Access.PUBLIC)
@require_safe
def source(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Lead to a source of a law: the first, second …"""
    law = law_by_key(key)
    if law is None or not 1 <= number <= len(law.sources):
        raise Http404
    return HttpResponseRedirect(law.sources[number - 1])


@requires(Access.PUBLIC)
@require_safe
def treaty_source(request: HttpRequest, number: int) -> HttpResponse:
    """Lead to a source of what the pages say of the convention."""
    sources = convention().sources
    if not 1 <= number <= len(sources):
        raise Http404
    return HttpResponseRedirect(sources[number - 1].address)
