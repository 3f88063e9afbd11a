"""Who answers for a host: the registrar of its domain and the network in which it answers, by RDAP (RFC 9083).

The library knows which registry answers for what, and reads its answers; what goes over the network goes by ``reach``,
since an answer may lead anywhere. Without a network, a practitioner types in what she knows.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from publicsuffixlist import PublicSuffixList

from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.takedown.contacts import contact_of
from reclaim.bank.takedown.looks import policy
from reclaim.bank.takedown.models import Host, Link, TypedFacts
from reclaim.bank.takedown.outside import Outside
from reclaim.bank.takedown.reach import ForbiddenError, NoAnswerError, Policy, Reach, is_public
from reclaim.sitekit import audit
from reclaim.sitekit.places import is_country

if TYPE_CHECKING:
    from whoisit.bootstrap import Bootstrap

SECONDS = 8.0
"""For one registry."""
SECONDS_IN_ALL = 24.0
"""For one host."""
BUDGET = 10.0
"""Seconds of a tick within which registries begin to be asked."""
KEPT_FOR = datetime.timedelta(days=30)
"""After which what registries said is asked anew where somebody still needs it, and else forgotten."""
TRIED_AGAIN_AFTER = datetime.timedelta(hours=6)
REGISTRIES_KEPT_FOR = 7 * 24 * 3600
"""Seconds."""
NOT_FROM_HERE = "Registries could not be asked from here. Type in what you know."
MOST_ENTITIES = 60
"""In one answer; who takes part in more says nothing that can be read."""
_REGISTRIES = {
    "asn": "asn.json",
    "dns": "dns.json",
    "ipv4": "ipv4.json",
    "ipv6": "ipv6.json",
    "object": "object-tags.json",
}
_WORDS = re.compile(r"[\x00-\x1f\x7f-\x9f<>]")


class NotKnownError(Exception):
    """Registries do not tell; the message says why, and quotes nothing."""


@dataclass(frozen=True)
class Facts:
    """Who answers for a host; empty where nobody says."""

    domain: str = ""
    registrar: str = ""
    registrar_abuse: str = ""
    network: str = ""
    network_abuse: str = ""
    country: str = ""
    """Of the network: ISO 3166-1."""

    def checked(self) -> Facts:
        """Itself, fit to be kept. Raises ``ValueError`` with a sentence."""
        for address in (self.registrar_abuse, self.network_abuse):
            if address and not _is_mail(address):
                raise ValueError("Write one mail address, such as abuse@host.example, without a name.")
        if self.country and not is_country(self.country):
            raise ValueError("The country is two capital letters, such as NL.")
        if any(_WORDS.search(words) or len(words) > 200 for words in (self.registrar, self.network)):
            raise ValueError("A name is one line of at most 200 letters.")
        return self


def _is_mail(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= 254


# Asking


class _Registries:
    """Which registry answers for what, as IANA says; read once in a while, for the whole process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._from = ""
        self._read_at = 0.0
        self._known: Bootstrap | None = None

    def known(self, base: str, asking: _Asking) -> Bootstrap:
        """What the library asks by. Raises ``NotKnownError``."""
        # It takes a fifth of a second to load, and most processes never ask a registry.
        from whoisit.bootstrap import Bootstrap
        from whoisit.errors import WhoisItError

        with self._lock:
            if self._known is None or self._from != base or time.time() - self._read_at > REGISTRIES_KEPT_FOR:
                read: dict[str, Any] = {name: asking.json(base + file) for name, file in _REGISTRIES.items()}
                read["timestamp"] = int(time.time())
                made = Bootstrap()
                try:
                    # A mirror on this machine alone is asked in the clear.
                    plain = base.startswith("http://")
                    made.load_bootstrap_data(read, overrides=True, allow_insecure=plain, from_json=False)
                except (WhoisItError, ValueError, TypeError, AttributeError, KeyError) as error:
                    raise NotKnownError(NOT_FROM_HERE) from error
                self._known, self._from, self._read_at = made, base, time.time()
            return self._known


_registries = _Registries()


@dataclass
class _Asking:
    """Registries that are asked about one host, ``SECONDS_IN_ALL`` at most."""

    reach: Reach
    ends_at: float = field(default_factory=lambda: time.monotonic() + SECONDS_IN_ALL)

    def json(self, url: str) -> dict[str, Any]:
        """What a registry answers. Raises ``NotKnownError``."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise NotKnownError(NOT_FROM_HERE)
        try:
            wanted = {"Accept": "application/rdap+json, application/json"}
            answer = self.reach.ask(url, headers=wanted, seconds=min(SECONDS, left))
            read = json.loads(answer.body) if answer.status == 200 else None
        except (ForbiddenError, NoAnswerError) as error:
            raise NotKnownError(NOT_FROM_HERE) from error
        except (ValueError, RecursionError) as error:
            raise NotKnownError("A registry's answer could not be read.") from error
        if not isinstance(read, dict):
            raise NotKnownError("The registry does not know it.")
        return read


def _asked(known: Bootstrap, kind: str, value: str, asking: _Asking) -> Mapping[str, Any]:
    """What a registry says, as the library reads it. Raises ``NotKnownError``."""
    from whoisit.errors import WhoisItError
    from whoisit.parser import parse
    from whoisit.query import QueryBuilder

    try:
        _, url, _ = QueryBuilder(known).build(kind, value)
        raw = asking.json(url)
        if sum(1 for _ in _entities(raw)) > MOST_ENTITIES:
            # The library compares each with each.
            raise NotKnownError("A registry's answer could not be read.")
        return dict(parse(known, kind, value, raw))
    except (WhoisItError, ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError) as error:
        # The library takes the answer to be what the standard says it is.
        raise NotKnownError("A registry's answer could not be read.") from error


def _entities(raw: object) -> Iterator[object]:
    waiting = [raw]
    while waiting:
        each = waiting.pop()
        inner = each.get("entities") if isinstance(each, dict) else None
        if isinstance(inner, list):
            yield from inner
            waiting += inner


def _first(said: Mapping[str, Any], role: str, what: str) -> str:
    """The first fact of that kind about somebody with a role."""
    for entity in said.get("entities", {}).get(role, []):
        value = entity.get(what)
        if isinstance(value, str) and value:
            return " ".join(_WORDS.sub(" ", value).split())[:200]
    return ""


def _abuse(said: Mapping[str, Any]) -> str:
    address = _first(said, "abuse", "email")
    return address if _is_mail(address) else ""


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True)


def domain_of(name: str) -> str:
    """The part of a host's name that somebody registered; empty for an address or a suffix."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return str(_suffixes().privatesuffix(name) or "")
    return ""


def ask(name: str, asked: Policy, registries: str) -> tuple[Facts, str]:
    """What registries say of a host, and a sentence about what they do not tell (empty if they tell all)."""
    domain = domain_of(name)
    faults = []
    of_domain: Mapping[str, Any] = {}
    of_network: Mapping[str, Any] = {}
    with Reach(asked) as reach:
        asking = _Asking(reach)
        try:
            known = _registries.known(registries, asking)
        except NotKnownError:
            return Facts(domain=domain), NOT_FROM_HERE
        if domain:
            try:
                of_domain = _asked(known, "domain", domain, asking)
            except NotKnownError as error:
                faults.append(str(error))
        try:
            of_network = _asked(known, "ip", _address(name, asked), asking)
        except NotKnownError as error:
            faults.append(str(error))
    country = str(of_network.get("country", "")).upper()
    facts = Facts(
        domain=domain,
        registrar=_first(of_domain, "registrar", "name"),
        registrar_abuse=_abuse(of_domain),
        network=_first(of_network, "registrant", "name")
        or " ".join(_WORDS.sub(" ", str(of_network.get("name", ""))).split())[:200],
        network_abuse=_abuse(of_network),
        country=country if is_country(country) else "",
    )
    return facts, " ".join(dict.fromkeys(faults))


def _address(name: str, asked: Policy) -> str:
    """An address of the host on the public internet. Raises ``NotKnownError``."""
    if asked.stand_in is not None:
        raise NotKnownError("Where everything goes to a stand-in, no host has a network.")
    try:
        found = [name] if not domain_of(name) and ":" in name else asked.resolve(name, 443)
        public = [each for each in found if is_public(ipaddress.ip_address(each))]
    except (OSError, UnicodeError, ValueError) as error:
        raise NotKnownError("The host's name leads nowhere.") from error
    if not public:
        raise NotKnownError("The host's name leads nowhere on the public internet.")
    return public[0]


# Keeping


def look_up_host(link: Link, practitioner: Practitioner, made_policy: Callable[[], Policy] = policy) -> Host:
    """Ask registries who answers for a link's host, unless that is known and fresh. Takes up to half a minute.

    What could not be asked is said in the host's ``fault``.
    """
    host = link.page.host
    fresh = host.asked_at is not None and host.asked_at > timezone.now() - KEPT_FOR
    if not (fresh and not host.fault):
        host = refresh(host, made_policy())
    audit.record(practitioner.actor, "host.look-up", f"link:{link.pk}")
    return host


def refresh(host: Host, asked: Policy) -> Host:
    """Ask registries, and keep what they say; what they said before stays where they say nothing."""
    outside: Outside = settings.OUTSIDE
    facts, fault = ask(host.name, asked, outside.registries)
    with transaction.atomic():
        found = Host.objects.select_for_update().get(pk=host.pk)
        said = {name: value for name, value in vars(facts).items() if value}
        for name, value in said.items():
            setattr(found, name, value)
        if said.keys() - {"domain"}:
            found.facts_from = "rdap"
        found.asked_at, found.fault = timezone.now(), fault
        found.save(update_fields=[*said, "facts_from", "asked_at", "fault"])
    return found


def type_in_host(link: Link, practitioner: Practitioner, facts: Facts) -> TypedFacts:
    """Keep what a practitioner knows of a link's host, for their organisation's links. Raises ``ValueError`` with a
    sentence."""
    facts = facts.checked()
    said = {name: value for name, value in vars(facts).items() if name != "domain"}
    with transaction.atomic():
        kept, _ = TypedFacts.objects.update_or_create(
            host_id=link.page.host_id,
            organisation_id=link.organisation_id,
            defaults={**said, "typed_at": timezone.now()},
        )
        audit.record(practitioner.actor, "host.type-in", f"link:{link.pk}")
    return kept


def ask_about_hosts(budget: float = BUDGET, made_policy: Callable[[], Policy] = policy) -> int:
    """Ask registries about hosts of open links of which nothing is known yet; returns how many.

    Platforms whose contact is known need none of it.
    """
    now = timezone.now()
    wanted = Host.objects.filter(facts_from="", pages__links__state__in=Link.OPEN).filter(
        Q(asked_at=None) | Q(asked_at__lt=now - TRIED_AGAIN_AFTER)
    )
    ends_at, done = time.monotonic() + budget, 0
    for host in wanted.distinct().order_by("pk")[:20]:
        if time.monotonic() > ends_at:
            break
        if contact_of(host.name) is not None:
            Host.objects.filter(pk=host.pk).update(asked_at=now)
            continue
        refresh(host, made_policy())
        done += 1
    return done


def forget_hosts() -> int:
    """Erase hosts that no page is at any more, once what is known of them is old; returns how many. Likewise what an
    organisation typed in that has no link there any more."""
    old = timezone.now() - KEPT_FOR
    theirs = Link.objects.filter(organisation=OuterRef("organisation"), page__host=OuterRef("host"))
    TypedFacts.objects.filter(~Exists(theirs), typed_at__lt=old).delete()
    gone, _ = Host.objects.filter(Q(asked_at=None) | Q(asked_at__lt=old), pages=None).delete()
    return gone
