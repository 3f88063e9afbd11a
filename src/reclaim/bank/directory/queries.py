"""Reads on the directory. Order and names are those of the language of the page.

Pages read it in every request, so each process holds it, and asks the database twice a minute whether it has changed
(``settings.DIRECTORY_AGE``). Without a row in the database, or without a database, the data files are the directory:
whom to call does not depend on it.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby

from django.conf import settings
from django.db import DatabaseError, models
from django.http import Http404
from django.utils import timezone

from reclaim.bank.directory.models import Change, Entry, Standing
from reclaim.bank.directory.rows import (
    FRESH,
    KIND_NAMES,
    LEAVE_ADDRESS,
    NUMBERS,
    ROWS,
    SHOWN,
    Confidence,
    For,
    Kind,
    Service,
)
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.events import log_failure

MOST_CHANGES = 50
"""On the page of a row."""
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


@dataclass(frozen=True)
class Held:
    """The directory as this process has read it: the rows that are shown."""

    version: int
    rows: tuple[Service, ...]


_OF_FILES = Held(-1, SHOWN)


class _Memory:
    """What this process holds, and when it last asked, by the monotonic clock."""

    held = _OF_FILES
    asked_at = float("-inf")


def held() -> Held:
    """The directory as it is, or was up to ``settings.DIRECTORY_AGE`` seconds ago."""
    now = time.monotonic()
    if now - _Memory.asked_at > settings.DIRECTORY_AGE:
        # Before the reading: others in this process go on with what there is meanwhile.
        _Memory.asked_at = now
        try:
            _read_again()
        except DatabaseError as error:
            log_failure("the directory could not be read; what was read before goes on", error)
    return _Memory.held


def forget_held() -> None:
    """Ask again at the next read: something was changed here."""
    _Memory.asked_at = float("-inf")


def _read_again() -> None:
    version = version_now()
    if version == _Memory.held.version:
        return
    entries = Entry.objects.filter(state=Entry.State.SHOWN).exclude(confidence=Confidence.MEMORY).order_by("key")
    rows = tuple(entry.service for entry in entries)
    _Memory.held = Held(version, rows) if version > -1 and (rows or Entry.objects.exists()) else _OF_FILES


def version_now() -> int:
    """How many changes the directory in the database has seen; -1 if it has none."""
    version: int | None = Standing.objects.values_list("version", flat=True).first()
    return -1 if version is None else version


def _alphabetical(name: str) -> str:
    """Where a name stands in a list: accents and case do not count."""
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)).casefold()


def services_for(audience: For) -> list[Service]:
    """The services for these people: those that are for everywhere first, then by the country's name."""
    kinds = HELPERS[audience]
    found = [row for row in held().rows if row.kind in kinds and row.audience in (audience, For.EVERYBODY)]
    return sorted(found, key=lambda row: (_alphabetical(row.where), kinds.index(row.kind)))


def services_in(
    country: str = "", language: str = "", kinds: Collection[Kind] = (), audience: For | None = None
) -> list[Service]:
    """What practitioners find: rows of a country and of everywhere, that speak a language, of these kinds, for these
    people; what is empty does not narrow. The country's own come first, then by its name and the kind."""
    found = [
        row
        for row in held().rows
        if (not country or row.country in (country, ""))
        and (not language or language in row.languages)
        and (not kinds or row.kind in kinds)
        and (audience is None or row.audience in (audience, For.EVERYBODY))
    ]
    order = list(KIND_NAMES)
    return sorted(
        found,
        key=lambda row: (bool(country) and not row.country, _alphabetical(row.where), order.index(row.kind), row.key),
    )


def countries_and_languages() -> tuple[set[str], set[str]]:
    """The codes of the countries and languages of which the directory has a row."""
    rows = held().rows
    return {row.country for row in rows if row.country}, {code for row in rows for code in row.languages}


def search_engines() -> list[Service]:
    """The search engines that take pages out of what people find."""
    return [row for row in held().rows if row.kind is Kind.SEARCH]


def countries_at_risk() -> list[Country]:
    """Emergency numbers and crisis lines of every country that has any, by the country's name."""
    wanted = [row for row in held().rows if row.country and row.kind in NUMBERS + LINES]
    found = []
    for code, group in groupby(sorted(wanted, key=lambda row: row.country), key=lambda row: row.country):
        there = list(group)
        numbers = [row for kind in NUMBERS for row in there if row.kind is kind]
        lines = [row for kind in LINES for row in there if row.kind is kind]
        found.append(Country(code, there[0].where, numbers, lines))
    return sorted(found, key=lambda country: _alphabetical(country.name))


def service_called(slug: str) -> Service | None:
    """The service with this slug and a page of its own, or ``None``."""
    return next((row for row in held().rows if slug and row.slug == slug and row.address), None)


def leave_address() -> str:
    """Where «Leave this page» goes: the operator's choice, or a weather forecast."""
    return settings.LEAVE_ADDRESS or LEAVE_ADDRESS


def entries() -> models.QuerySet[Entry]:
    """Every row, hidden ones too, for the bank's staff."""
    return Entry.objects.order_by("country", "kind", "key")


def stale_entries() -> models.QuerySet[Entry]:
    """The rows that are shown and that nobody has checked for a year, the oldest first."""
    before = timezone.now().date() - FRESH
    return Entry.objects.filter(state=Entry.State.SHOWN, read_on__lt=before).order_by("read_on", "key")


def access_entry(key: str) -> Entry:
    """One row, for the bank's staff. Raises ``Http404``."""
    found = Entry.objects.filter(key=key).first()
    if found is None:
        raise Http404
    return found


def changes_of(entry: Entry) -> list[tuple[Change, str]]:
    """What was done to a row lately, the latest first, each with the name of who did it."""
    changes = list(Change.objects.filter(entry=entry).order_by("-pk")[:MOST_CHANGES])
    keys = [by.partition(":")[2] for by in {change.by for change in changes} if by.startswith("member:")]
    names = {member.actor: member.name for member in Member.objects.filter(pk__in=keys)} if keys else {}
    return [(change, names.get(change.by, change.by)) for change in changes]


def row_of_files(key: str) -> Service | None:
    """What the data files of this version say of a row, or ``None``."""
    return next((row for row in ROWS if row.key == key), None)
