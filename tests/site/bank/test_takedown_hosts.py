"""Who answers for a host: asked of registries on this machine, in the shapes of RFC 9083 and 9224, or typed in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.utils import timezone
from pytest_django import Settings

from reclaim.bank.takedown import hosts
from reclaim.bank.takedown.hosts import Facts, ask_about_hosts, domain_of, forget_hosts, look_up_host, type_in_host
from reclaim.bank.takedown.models import Host, Link, TypedFacts
from reclaim.bank.takedown.pages import known_from
from reclaim.bank.takedown.routes import where_is
from reclaim.bank.takedown.services import add_links, forget_case_file
from tests import outside
from tests.outside import Page, Site, a_case_file, helper

pytestmark = pytest.mark.django_db


def _card(name: str, mail: str = "") -> list[object]:
    lines = [["version", {}, "text", "4.0"], ["fn", {}, "text", name], ["kind", {}, "text", "org"]]
    return ["vcard", [*lines, *([["email", {}, "text", mail]] if mail else [])]]


def _entity(roles: list[str], name: str, mail: str = "", inner: list[object] | None = None) -> dict[str, object]:
    return {
        "objectClassName": "entity",
        "handle": f"{name[:4].upper()}-1",
        "roles": roles,
        "vcardArray": _card(name, mail),
        "entities": inner or [],
    }


DOMAIN = {
    "objectClassName": "domain",
    "handle": "2336799_DOMAIN_EXAMPLE",
    "ldhName": "pictures.example",
    "status": ["active"],
    "entities": [
        _entity(
            ["registrar"], "Example Registrar, Inc.", inner=[_entity(["abuse"], "Abuse", "abuse@registrar.example")]
        )
    ],
    "events": [{"eventAction": "registration", "eventDate": "2019-03-01T10:00:00Z"}],
    "rdapConformance": ["rdap_level_0"],
}
NETWORK = {
    "objectClassName": "ip network",
    "handle": "93.184.216.0 - 93.184.216.255",
    "startAddress": "93.184.216.0",
    "endAddress": "93.184.216.255",
    "ipVersion": "v4",
    "name": "EXAMPLE-NET",
    "country": "NL",
    "entities": [
        _entity(["registrant"], "Example Hosting B.V."),
        _entity(["abuse"], "Abuse desk", "abuse@hosting.example"),
    ],
    "rdapConformance": ["rdap_level_0", "cidr0"],
    "cidr0_cidrs": [{"v4prefix": "93.184.216.0", "length": 24}],
}


def _answer(content: object) -> Page:
    return Page(body=json.dumps(content).encode(), media_type="application/rdap+json")


@pytest.fixture
def registries(settings: Settings) -> Iterator[Site]:
    """Registries, and IANA's word on which is which, of this machine."""
    with outside.site() as made:
        base = f"http://registry.example:{made.port}"
        settings.OUTSIDE = replace(settings.OUTSIDE, registries=f"{base}/rdap/")
        by = {"services": [[["example"], [f"{base}/domains/"]]]}
        made.pages = {
            "/rdap/dns.json": _answer(by),
            "/rdap/ipv4.json": _answer({"services": [[["93.0.0.0/8"], [f"{base}/networks/"]]]}),
            "/rdap/ipv6.json": _answer({"services": [[["2001:600::/23"], [f"{base}/networks/"]]]}),
            "/rdap/asn.json": _answer({"services": [[["1-2"], [f"{base}/networks/"]]]}),
            "/rdap/object-tags.json": _answer({"services": [[["x"], ["XX"], [f"{base}/networks/"]]]}),
            "/domains/domain/pictures.example": _answer(DOMAIN),
            "/networks/ip/93.184.216.34": _answer(NETWORK),
        }
        yield made


def policy(there: Site) -> outside.Policy:
    """The registries are on this machine; everything else is where the documentation has it."""
    return there.policy(resolve=lambda name, port: ["127.0.0.1" if name == "registry.example" else "93.184.216.34"])


def a_link(url: str = "https://www.pictures.example/1") -> Link:
    someone = helper()
    return add_links(a_case_file(someone), someone, url).links[0]


def test_registrar_and_network_of_a_host_are_asked_once_and_kept(registries: Site) -> None:
    link, someone = a_link(), helper()
    host = look_up_host(link, someone, lambda: policy(registries))
    assert (host.domain, host.registrar, host.registrar_abuse) == (
        "pictures.example",
        "Example Registrar, Inc.",
        "abuse@registrar.example",
    )
    assert (host.network, host.network_abuse, host.country) == ("Example Hosting B.V.", "abuse@hosting.example", "NL")
    assert (host.facts_from, host.fault, host.asked_at is not None) == ("rdap", "", True)
    asked = len(registries.asked)
    link.page.host.refresh_from_db()
    look_up_host(link, someone, lambda: policy(registries))
    assert len(registries.asked) == asked


@pytest.mark.parametrize(
    "said",
    [
        Page(body=b"[" * 100_000, media_type="application/json"),
        Page(body=b'{"objectClassName": "domain", "entities": "all"}'),
        Page(body=b'{"objectClassName": "help"}'),
        Page(500),
        _answer({**DOMAIN, "entities": [_entity(["abuse"], "x", "abuse@a.example")] * 5000}),
    ],
)
def test_what_a_registry_says_amiss_leaves_the_rest(registries: Site, said: Page) -> None:
    registries.pages["/domains/domain/pictures.example"] = said
    host = look_up_host(a_link(), helper(), lambda: policy(registries))
    assert (host.registrar, host.network) == ("", "Example Hosting B.V.")
    assert host.fault.endswith(".")


def test_a_mail_address_or_a_name_that_is_none_is_not_kept(registries: Site) -> None:
    evil = _entity(["registrar"], "A\nB<script>", inner=[_entity(["abuse"], "x", "a@b.example\r\nBcc: c@d.example")])
    registries.pages["/domains/domain/pictures.example"] = _answer({**DOMAIN, "entities": [evil]})
    host = look_up_host(a_link(), helper(), lambda: policy(registries))
    assert (host.registrar, host.registrar_abuse) == ("A B script", "")


def test_where_there_is_no_network_it_says_so_and_a_practitioner_types_it_in(registries: Site) -> None:
    registries.pages.clear()
    hosts._registries._from = ""
    link, someone = a_link(), helper()
    assert look_up_host(link, someone, lambda: policy(registries)).fault == hosts.NOT_FROM_HERE
    with pytest.raises(ValueError, match="mail address"):
        type_in_host(link, someone, Facts(network_abuse="Bcc: a@b.example"))
    type_in_host(link, someone, Facts(network="Known", network_abuse="abuse@known.example", country="RO"))
    where = where_is(Link.objects.get(pk=link.pk))
    assert (where.network_abuse, where.country, where.asked) == ("abuse@known.example", "RO", True)


def test_what_one_organisation_types_in_moves_nobody_elses_requests(registries: Site) -> None:
    link, other = a_link(), helper("Another")
    look_up_host(link, helper(), lambda: policy(registries))
    [theirs] = add_links(a_case_file(other), other, "https://www.pictures.example/1").links
    type_in_host(theirs, other, Facts(network="Mine", network_abuse="me@evil.example"))
    assert where_is(Link.objects.get(pk=link.pk)).network_abuse == "abuse@hosting.example"
    seen = where_is(Link.objects.get(pk=theirs.pk))
    # Of the network all is theirs, and of the registrar what registries say.
    assert (seen.network, seen.country, seen.registrar) == ("Mine", "", "Example Registrar, Inc.")
    TypedFacts.objects.update(typed_at=timezone.now() - hosts.KEPT_FOR)
    forget_hosts()
    assert TypedFacts.objects.exists()
    forget_case_file(theirs.case_file_id)
    forget_hosts()
    assert not TypedFacts.objects.exists()


def test_that_a_host_was_asked_about_before_a_link_came_is_not_told(registries: Site) -> None:
    link, other = a_link(), helper("Another")
    look_up_host(link, helper(), lambda: policy(registries))
    [theirs] = add_links(a_case_file(other), other, "https://www.pictures.example/2").links
    assert known_from(Link.objects.get(pk=link.pk)).endswith("UTC")
    assert known_from(Link.objects.get(pk=theirs.pk)) == "RDAP"


def test_hosts_of_open_links_are_asked_about_by_themselves_and_forgotten_without_links(registries: Site) -> None:
    link = a_link()
    assert ask_about_hosts(made_policy=lambda: policy(registries)) == 1
    assert ask_about_hosts(made_policy=lambda: policy(registries)) == 0
    forget_case_file(link.case_file_id)
    assert forget_hosts() == 0
    Host.objects.update(asked_at=timezone.now() - hosts.KEPT_FOR)
    assert forget_hosts() == 1


@pytest.mark.parametrize(
    ("name", "domain"),
    [("a.b.example.co.uk", "example.co.uk"), ("x.blogspot.com", "blogspot.com"), ("93.184.216.34", ""), ("co.uk", "")],
)
def test_the_registered_part_of_a_name(name: str, domain: str) -> None:
    assert domain_of(name) == domain
