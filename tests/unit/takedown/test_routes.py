"""Which routes a link has, in which order, and what comes after a failure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reclaim.bank.law.clocks import Countries
from reclaim.bank.law.laws import shipped_laws
from reclaim.bank.takedown.contacts import CONTACTS, contact_of
from reclaim.bank.takedown.routes import Where, law_for, recommended, routes_from

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
UNKNOWN_SITE = Where(
    "pictures.example",
    network="Example Hosting",
    network_abuse="abuse@host.example",
    registrar="NameCheap, Inc.",
    registrar_abuse="abuse@registrar.example",
    country="NL",
    asked=True,
)


@dataclass
class Asked:
    """A request that went out, as far as the next step looks at it."""

    route: str
    to: str
    state: str = "sent"
    remind_at: datetime | None = NOW + timedelta(hours=1)


def kinds(where: Where, countries: Countries) -> list[str]:
    return list(dict.fromkeys(route.kind for route in routes_from(where, countries, shipped_laws())))


def test_a_platforms_own_form_comes_first_then_search_engines_then_the_authority() -> None:
    assert kinds(Where("www.reddit.com", "reddit"), Countries("US", "US")) == ["form", "mail", "search", "regulator"]


def test_an_unknown_site_is_asked_for_at_search_engines_its_host_its_registrar() -> None:
    assert kinds(UNKNOWN_SITE, Countries("AU", None, "NL")) == ["search", "host", "registrar", "regulator"]


def test_a_proxy_in_front_of_a_site_is_asked_by_its_form_and_says_that_it_only_hands_on() -> None:
    behind = Where("pictures.example", network="CLOUDFLARENET", network_abuse="abuse@cloudflare.example")
    host = next(route for route in routes_from(behind, Countries("GB")) if route.kind == "host")
    assert host.to == "https://abuse.cloudflare.com/"
    assert "hands the request on" in host.reason


def test_a_link_to_a_search_engine_is_asked_for_there_and_nowhere_else() -> None:
    found = routes_from(Where("www.google.com"), Countries("GB", "US"))
    assert [(route.kind, route.name) for route in found] == [("search", "Google Search")]


def test_a_form_for_one_country_comes_first_for_a_person_there_and_last_for_others() -> None:
    there = routes_from(Where("x.com", "x"), Countries("US", "US"))[0]
    elsewhere = routes_from(Where("x.com", "x"), Countries("DE", "US"))[0]
    assert there.to.endswith("/take-it-down")
    assert elsewhere.to.endswith("/personal-information")


def test_a_platform_is_known_by_its_hosts_and_nobody_elses() -> None:
    names = {"i.redd.it": "reddit", "m.facebook.com": "facebook", "WWW.X.COM.": "x"}
    assert {host: found.slug for host in names if (found := contact_of(host))} == names
    assert contact_of("notreddit.com") is None
    assert contact_of("x.com.evil.example") is None
    assert contact_of("." * 300) is None


def test_no_two_platforms_claim_one_domain() -> None:
    claimed = [domain for row in CONTACTS for domain in row.domains]
    assert len(claimed) == len(set(claimed))


def test_while_an_answer_may_come_only_search_engines_are_asked_beside() -> None:
    routes = routes_from(Where("www.reddit.com", "reddit"), Countries("GB", "US"))
    following = recommended(routes, [Asked("form", routes[0].to)], NOW)
    assert following is not None
    assert following.kind == "search"
    searches = [Asked("search", route.to, remind_at=None) for route in routes if route.kind == "search"]
    assert recommended(routes, [Asked("form", routes[0].to), *searches], NOW) is None


def test_what_did_not_help_is_asked_once_more_and_then_the_next() -> None:
    routes = [route for route in routes_from(UNKNOWN_SITE, Countries("GB")) if route.kind != "search"]
    over = [Asked("host", "abuse@host.example", remind_at=NOW)]
    again = recommended(routes, over, NOW)
    assert again is not None
    assert again.kind == "host"
    after = recommended(routes, over * 2, NOW)
    assert after is not None
    assert after.kind == "registrar"


def test_the_law_that_is_named_reaches_whoever_is_asked_and_holds_today() -> None:
    route, laws = routes_from(Where("www.reddit.com", "reddit"), Countries("GB", "US"))[0], shipped_laws()
    named = law_for(route, Countries("GB", "US"), laws, NOW)
    assert named is not None
    assert named.key == "us-take-it-down"
    indian = law_for(route, Countries("IN"), laws, NOW)
    assert indian is not None
    assert indian.key == "in-it-rules-2026"
    assert law_for(route, Countries("", "", ""), laws, NOW) is None
