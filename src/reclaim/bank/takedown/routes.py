"""By which routes a link may be taken down, best first, each with a reason, and what comes after a failure.

The order: the platform's own way; out of what search engines find; whoever hosts it; whoever registered its name; the
authority. What was asked and did not help is asked once more, then the next.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from reclaim.bank.directory.rows import Confidence
from reclaim.bank.law.clocks import Countries, holds
from reclaim.bank.law.laws import EU_MEMBERS, Event, Law, Whose
from reclaim.bank.takedown.contacts import (
    SEARCHES,
    Contact,
    ContactRoute,
    Kind,
    authority_named,
    contact,
    contact_named,
    contact_of,
)

if TYPE_CHECKING:
    from reclaim.bank.takedown.models import Link

YANDEX_FOR = frozenset({"RU", "BY", "KZ", "TR", "UZ", "AM", "KG", "TJ"})
"""Where Yandex is searched with most, as far as is commonly known: there it is asked before the others."""
ASKS_AGAIN = 2
"""How often one route is tried before the next is recommended."""

UNSENT = ("draft", "sending", "unknown")
"""States of a request of which nobody knows that it has gone out."""

WORDS = {
    "form": "form",
    "mail": "mail",
    "api": "interface",
    "search": "search engine",
    "host": "host",
    "registrar": "registrar",
    "regulator": "authority",
}
REASONS = {
    "form": "It is on {name}: its own form is the quickest way.",
    "mail": "It is on {name}, which takes requests by mail.",
    "api": "It is on {name}, which takes requests from programs.",
    "search": "Out of what {name} finds, hardly anybody comes upon it, even while it is still there.",
    "proxy": "{name} stands in front of the site: it hands the request on, and tells who hosts it.",
    "host": "{name} has the network on which it is, and can switch it off.",
    "unknown host": "Look up who hosts it, or type it in: the host can switch it off.",
    "registrar": "{name} registered the site's name, and can stop it when operator and host do not answer.",
    "regulator": "{name} watches over «{law}», and can act when nobody else did.",
}


@dataclass(frozen=True)
class Route:
    """One way to ask for one link.

    ``kind`` is one of ``TakedownRequest.Route``; ``to`` a mail address, an https address, or empty if it has to be
    found by hand; ``country`` that of whoever is asked, or empty; ``confidence`` how well the contact is sourced.
    """

    kind: str
    to: str
    name: str
    reason: str
    about: str = ""
    asks: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    country: str = ""
    confidence: Confidence | None = None
    sources: tuple[str, ...] = ()
    read_on: date | None = None
    law: str = ""
    """The key of the law that its authority watches over, for a regulator."""

    @property
    def key(self) -> str:
        """Names the route within a link: the same each time."""
        return hashlib.sha256(f"{self.kind} {self.to} {self.name} {self.law}".encode()).hexdigest()[:12]

    @property
    def word(self) -> str:
        """What kind of route it is, for practitioners."""
        return WORDS[self.kind]

    @property
    def by_mail(self) -> bool:
        """Whether it goes out as a mail."""
        return "@" in self.to and "/" not in self.to

    @property
    def unverified(self) -> bool:
        """Whether its address was not read where its owner says it: from one list alone, or never."""
        return self.confidence is not None and self.confidence is not Confidence.STATED

    @property
    def page(self) -> str:
        """The address of a form, if it is one that a browser may be led to."""
        return self.to if urlsplit(self.to).scheme == "https" else ""


@dataclass(frozen=True)
class Where:
    """What is known about where a link is."""

    host: str
    platform: str = ""
    network: str = ""
    network_abuse: str = ""
    registrar: str = ""
    registrar_abuse: str = ""
    country: str = ""
    asked: bool = False
    """Whether registries were asked, or somebody typed it in."""


class Tried(Protocol):
    """What is read of a request that went out by a route."""

    route: str
    to: str
    state: str
    remind_at: datetime | None


def where_is(link: Link) -> Where:
    """What is known about where a link is; ``link.page.host`` is read. What its organisation typed in goes before what
    registries say: of the network as a whole, of the registrar as a whole."""
    host, typed = link.page.host, link.typed
    of_network = typed if typed and (typed.network or typed.network_abuse or typed.country) else host
    of_name = typed if typed and (typed.registrar or typed.registrar_abuse) else host
    return Where(
        host=link.host,
        platform=link.platform,
        network=of_network.network,
        network_abuse=of_network.network_abuse,
        registrar=of_name.registrar,
        registrar_abuse=of_name.registrar_abuse,
        country=of_network.country,
        asked=typed is not None or host.asked_at is not None,
    )


def contact_at(where: Where) -> Contact | None:
    """Whose site it is, if that is known."""
    return contact(where.platform) or contact_of(where.host)


def countries_of(link: Link) -> Countries:
    """Whose countries a link touches: the person's, the platform's, the host's."""
    where = where_is(link)
    found = contact_at(where)
    return Countries(person=link.case_file.country, platform=found.country if found else None, host=where.country)


def routes_for(link: Link, countries: Countries, laws: Iterable[Law] = ()) -> list[Route]:
    """The routes for a link, in the order in which they are to be tried."""
    return routes_from(where_is(link), countries, laws)


def routes_from(where: Where, countries: Countries, laws: Iterable[Law] = ()) -> list[Route]:
    """The same from what is known; ``laws`` are those whose authorities may be asked."""
    found = list(_own(where, countries))
    found += _searches(where, countries)
    found += _hosts(where)
    found += _regulators(countries, laws)
    once: dict[tuple[str, str, str], Route] = {}
    for route in found:
        once.setdefault((route.kind, route.to, route.name), route)
    return list(once.values())


def _from_contact(kind: str, of: Contact, way: ContactRoute, reason: str) -> Route:
    return Route(
        kind=kind,
        to=way.address,
        name=of.name,
        reason=REASONS[reason].format(name=of.name),
        about=way.about,
        asks=tuple(way.asks),
        languages=way.languages,
        country=of.country,
        confidence=way.confidence,
        sources=way.sources,
        read_on=way.read_on,
    )


def _own(where: Where, countries: Countries) -> Iterator[Route]:
    of = contact_at(where)
    if of is None or of.kind is Kind.SEARCH:
        return
    touched = {countries.person, countries.platform, countries.host} - {"", None}

    def rank(way: ContactRoute) -> int:
        # A form for the person's country goes first; one for a country that nobody is in goes last.
        if countries.person and countries.person in way.countries:
            return 0
        return 1 if not way.countries else 2 if touched & set(way.countries) else 3

    for way in sorted(of.routes, key=rank):
        yield _from_contact(way.kind, of, way, way.kind)


def _searches(where: Where, countries: Countries) -> Iterator[Route]:
    of = contact_at(where)
    found = (of,) if of is not None and of.kind is Kind.SEARCH else SEARCHES
    near = {countries.person, countries.host} & YANDEX_FOR
    for each in sorted(found, key=lambda row: row.slug != "yandex") if near else found:
        for way in each.routes:
            yield _from_contact("search", each, way, "search")


def _hosts(where: Where) -> Iterator[Route]:
    of = contact_at(where)
    if of is not None and of.kind is Kind.SEARCH:
        return
    proxy = contact_named(Kind.PROXY, where.network)
    if proxy is not None:
        for way in proxy.routes:
            yield _from_contact("host", proxy, way, "proxy")
    elif where.network_abuse:
        name = where.network or "The host"
        yield Route("host", where.network_abuse, name, REASONS["host"].format(name=name), country=where.country)
    elif of is None:
        yield Route("host", "", where.network or "The host", REASONS["unknown host"], country=where.country)
    if where.registrar_abuse:
        name = where.registrar or "The registrar"
        yield Route("registrar", where.registrar_abuse, name, REASONS["registrar"].format(name=name))
    known = contact_named(Kind.REGISTRAR, where.registrar)
    if known is not None:
        for way in known.routes:
            yield _from_contact("registrar", known, way, "registrar")


def _regulators(countries: Countries, laws: Iterable[Law]) -> Iterator[Route]:
    touched = [code for code in (countries.person, countries.platform, countries.host) if code]
    places = touched + (["EU"] if EU_MEMBERS & set(touched) else [])
    # The person's own authority is nearest to them, and some take reports from nobody else.
    for law in sorted(laws, key=lambda each: (places.index(each.country) if each.country in places else 99, each.key)):
        if not law.authority or not law.is_shown or law.country not in places or law.country != law.place:
            continue
        known = authority_named(law.country, law.authority)
        yield Route(
            kind="regulator",
            to=known.address if known else "",
            name=law.authority,
            reason=REASONS["regulator"].format(name=law.authority, law=law.name),
            about=known.about if known else "",
            country=law.country,
            confidence=known.confidence if known else Confidence(law.confidence.value),
            sources=known.sources if known else law.sources,
            read_on=known.read_on if known else law.read_on,
            law=law.key,
        )


def law_for(route: Route, countries: Countries, laws: Sequence[Law], now: datetime) -> Law | None:
    """The law to name to whoever a route leads to: one with a deadline that a request starts, if there is one.

    An operator is told the law of its own country before the person's, since that one binds it beyond doubt.
    """
    if route.law:
        return next((law for law in laws if law.key == route.law), None)
    if route.kind == "search":
        # Most of these laws are about whoever holds the picture; whether one reaches a search engine, people say.
        return None
    at_host = route.kind in ("host", "registrar")
    order = (Whose.HOST, Whose.PLATFORM, Whose.PERSON) if at_host else (Whose.PLATFORM, Whose.HOST, Whose.PERSON)

    def nearest(law: Law) -> int:
        touched = [whose for whose in order if whose in (law.reach or order) and _is_of(law, countries.of(whose))]
        return order.index(touched[0]) if touched else len(order)

    def rank(law: Law) -> tuple[bool, int, str]:
        starts = law.has_deadline and law.starts in (Event.REQUEST_SENT, Event.REQUEST_RECEIVED)
        return not starts, nearest(law), law.key

    named = [law for law in laws if law.is_shown and holds(law, now) and (law.has_deadline or law.duty)]
    return min((law for law in named if nearest(law) < len(order)), key=rank, default=None)


def _is_of(law: Law, country: str) -> bool:
    return bool(country) and (law.place == country or (law.place == "EU" and country in EU_MEMBERS))


def recommended(routes: Sequence[Route], tried: Sequence[Tried], now: datetime) -> Route | None:
    """The route to try next, or ``None`` while an answer to what was asked may still come (or nothing is left).

    ``tried`` are the link's requests. Once the next step is due, each route is tried once more before the next one
    comes. Search engines are asked beside the others, once each, and nobody waits for them alone.
    """
    sent = [each for each in tried if each.state not in UNSENT]
    asked = Counter((each.route, each.to) for each in sent)
    waits = any(each.remind_at is not None and each.remind_at > now for each in sent)
    waits = waits and any(each.route != "search" and each.state in ("sent", "answered") for each in sent)
    for route in routes:
        searches = route.kind == "search"
        most = 1 if searches else ASKS_AGAIN
        # An authority that has no known address is for a practitioner to find; a host is looked up.
        known = bool(route.to) or route.kind == "host"
        if known and (searches or not waits) and asked[route.kind, route.to] < most:
            return route
    return None
