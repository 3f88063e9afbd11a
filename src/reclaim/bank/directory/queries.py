"""Reads on the directory. Order and names are those of the language of the page."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import groupby

from django.conf import settings

from reclaim.bank.directory.services import LEAVE_ADDRESS, SERVICES, SHOWN, For, Kind, Service

NUMBERS = (Kind.EMERGENCY, Kind.POLICE, Kind.AMBULANCE)
LINES = (Kind.CRISIS, Kind.CHILDREN)
HELPERS = {For.ADULTS: (Kind.IMAGES,), For.UNDER_18: (Kind.REMOVAL, Kind.IMAGES, Kind.CHILDREN)}
"""Which kinds a page for these people names, in this order."""


@dataclass(frozen=True)
class Country:
    """Whom to call in one country when somebody is at risk."""

    code: str
    name: str
    numbers: list[Service]
    lines: list[Service]


def _alphabetical(name: str) -> str:
    """Where a name stands in a list: accents and case do not count."""
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)).casefold()


def services_for(audience: For) -> list[Service]:
    """The services for these people: those that are for everywhere first, then by the country's name."""
    kinds = HELPERS[audience]
    found = [row for row in SHOWN if row.kind in kinds and row.audience in (audience, For.EVERYBODY)]
    return sorted(found, key=lambda row: (_alphabetical(row.where), kinds.index(row.kind)))


def search_engines() -> list[Service]:
    """The search engines that take pages out of what people find."""
    return [row for row in SHOWN if row.kind is Kind.SEARCH]


def countries_at_risk() -> list[Country]:
    """Emergency numbers and crisis lines of every country that has any, by the country's name."""
    rows = sorted((row for row in SHOWN if row.country and row.kind in NUMBERS + LINES), key=lambda row: row.country)
    found = []
    for code, group in groupby(rows, key=lambda row: row.country):
        there = list(group)
        numbers = [row for kind in NUMBERS for row in there if row.kind is kind]
        lines = [row for kind in LINES for row in there if row.kind is kind]
        found.append(Country(code, there[0].where, numbers, lines))
    return sorted(found, key=lambda country: _alphabetical(country.name))


def service_called(slug: str) -> Service | None:
    """The service with this slug and a page of its own, or ``None``."""
    return next((service for service in SERVICES if service.slug == slug), None)


def leave_address() -> str:
    """Where «Leave this page» goes: the operator's choice, or a weather forecast."""
    return settings.LEAVE_ADDRESS or LEAVE_ADDRESS
