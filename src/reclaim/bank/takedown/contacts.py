"""Where platforms, search engines, proxies, registrars and authorities take requests, as data: ``data/contacts.json``.

A route says only what a source says, names the source, and when it was read. ``tools/check_directory.py`` checks the
rows; docs/takedown.md says what they are worth.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from importlib.resources import files

from reclaim.bank.directory.rows import Confidence

FRESH = timedelta(days=180)
"""For how long a route counts as read lately: forms move more often than helplines."""


class Kind(StrEnum):
    """What somebody with a contact does with a picture."""

    PLATFORM = "platform"
    SEARCH = "search"
    """Leads to it."""
    PROXY = "proxy"
    """Stands in front of whoever hosts it."""
    REGISTRAR = "registrar"
    ARCHIVE = "archive"


class Asks(StrEnum):
    """What a route asks for, besides what is in every request."""

    LINKS = "links"
    RESULTS = "results"
    """The address of the page of results, too."""
    MOMENT = "moment"
    """Where in a video it is."""
    STATEMENT = "statement"
    SIGNATURE = "signature"
    REPRESENTATIVE = "representative"
    """Why somebody may act for the person."""
    CONTACT = "contact"
    NAME = "name"
    """The person's legal name."""


@dataclass(frozen=True)
class ContactRoute:
    """One way to ask.

    ``kind`` is «form», «mail», «api» or «search»; ``address`` a mail address or an https address; ``countries`` where
    it is meant for, empty for everywhere; ``languages`` in which it is read, empty if no source says.
    """

    kind: str
    address: str
    about: str
    asks: tuple[Asks, ...]
    countries: tuple[str, ...]
    languages: tuple[str, ...]
    sources: tuple[str, ...]
    read_on: date
    confidence: Confidence

    def is_stale(self, today: date) -> bool:
        """Whether it was read so long ago that somebody should look again."""
        return today - self.read_on > FRESH


@dataclass(frozen=True)
class Contact:
    """A platform or another service, its addresses, and its routes, best first.

    ``country`` is where its operator sits (ISO 3166-1, empty if unknown); ``country_source`` is empty while nobody has
    read that in a source. ``stopncii`` and ``take_it_down`` are sources that say it takes part, empty for none found.
    """

    slug: str
    name: str
    kind: Kind
    country: str
    country_source: str
    domains: tuple[str, ...]
    routes: tuple[ContactRoute, ...]
    stopncii: tuple[str, ...]
    take_it_down: tuple[str, ...]


@dataclass(frozen=True)
class Authority:
    """A public body that takes reports, as the rows of the law name it."""

    country: str
    name: str
    address: str
    about: str
    sources: tuple[str, ...]
    read_on: date
    confidence: Confidence


def _route(row: dict[str, object], sources: dict[str, str], read_on: date) -> ContactRoute:
    def texts(key: str) -> tuple[str, ...]:
        found = row.get(key, [])
        return tuple(str(each) for each in found) if isinstance(found, list) else ()

    return ContactRoute(
        kind=str(row["kind"]),
        address=str(row["address"]),
        about=str(row["about"]),
        asks=tuple(Asks(each) for each in texts("asks")),
        countries=texts("countries"),
        languages=texts("languages"),
        sources=tuple(sources.get(each, each) for each in texts("sources")),
        read_on=date.fromisoformat(str(row["read_on"])) if "read_on" in row else read_on,
        confidence=Confidence(str(row["confidence"])),
    )


def _load() -> tuple[tuple[Contact, ...], tuple[Authority, ...]]:
    found = json.loads(files(__package__).joinpath("data", "contacts.json").read_text(encoding="utf-8"))
    sources: dict[str, str] = found["sources"]
    read_on = date.fromisoformat(found["read_on"])
    contacts = tuple(
        Contact(
            slug=row["slug"],
            name=row["name"],
            kind=Kind(row["kind"]),
            country=row["country"],
            country_source=row.get("country_source", ""),
            domains=tuple(row["domains"]),
            routes=tuple(_route(each, sources, read_on) for each in row["routes"]),
            stopncii=tuple(sources.get(each, each) for each in row["stopncii"]),
            take_it_down=tuple(sources.get(each, each) for each in row["take_it_down"]),
        )
        for row in found["platforms"]
    )
    authorities = tuple(
        Authority(
            country=row["country"],
            name=row["name"],
            address=row["address"],
            about=row["about"],
            sources=tuple(sources.get(each, each) for each in row["sources"]),
            read_on=read_on,
            confidence=Confidence(row["confidence"]),
        )
        for row in found["authorities"]
    )
    return contacts, authorities


CONTACTS, AUTHORITIES = _load()
"""Every row."""

SEARCHES = tuple(row for row in CONTACTS if row.kind is Kind.SEARCH and row.routes)
"""Search engines that take requests."""

_BY_SLUG = {row.slug: row for row in CONTACTS}
_BY_DOMAIN = {domain: row for row in CONTACTS for domain in row.domains}


def contact(slug: str) -> Contact | None:
    """The contact with this slug."""
    return _BY_SLUG.get(slug)


def _parents(host: str) -> Iterator[str]:
    labels = host.lower().rstrip(".").split(".")[-8:]
    for first in range(len(labels) - 1):
        yield ".".join(labels[first:])


def contact_of(host: str) -> Contact | None:
    """Whose a host is, by its name or a name above it: ``www.reddit.com`` and ``i.redd.it`` are Reddit's."""
    return next((found for name in _parents(host) if (found := _BY_DOMAIN.get(name))), None)


def contact_named(kind: Kind, text: str) -> Contact | None:
    """Who of a kind is meant by what a registry says, such as «CLOUDFLARENET» or «NameCheap, Inc.»."""
    said = text.casefold()
    return next((row for row in CONTACTS if row.kind is kind and row.name.casefold() in said), None) if said else None


def authority_named(country: str, text: str) -> Authority | None:
    """The authority of a country that a row of the law names, such as «FTC»."""
    return next((row for row in AUTHORITIES if row.country == country and row.name.casefold() in text.casefold()), None)
