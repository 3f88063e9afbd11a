"""The support directory and the contacts for takedown are sourced, well formed and lately read.

python -m tools.check_directory     say what is wrong, and fail if anything is; name the rows to be read again
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from reclaim.bank.directory.checks import faults_of, name_of
from reclaim.bank.directory.rows import NUMBERS, SHOWN, Confidence, Service
from reclaim.bank.takedown.contacts import AUTHORITIES, CONTACTS, Contact, ContactRoute
from reclaim.sitekit.places import is_country

LARGEST_NUMBER = 999
"""Of a slug in the files: an operator's own rows have larger ones."""


def faults(rows: Iterable[Service] = SHOWN, today: date | None = None) -> Iterator[str]:
    """What is wrong with these rows, which the files give to be shown."""
    rows = list(rows)
    for row in rows:
        for fault in faults_of(row, today or datetime.now(tz=UTC).date()):
            yield f"{name_of(row)} {fault}."
        if row.confidence is Confidence.MEMORY:
            yield f"{name_of(row)} is shown without a source to stand on."
        if row.slug and int(re.sub(r"\D", "", row.slug) or 0) > LARGEST_NUMBER:
            yield f"{name_of(row)} has a number that is kept for rows that operators add: {row.slug}."
    for what in (
        Counter(row.slug for row in rows if row.slug),
        Counter(f"{row.kind} of {row.country}" for row in rows if row.kind in NUMBERS),
    ):
        yield from (f"{name} is there {times} times." for name, times in what.items() if times > 1)


def stale(today: date, rows: Iterable[Service] = SHOWN) -> list[Service]:
    """The rows that nobody has read again for a year."""
    return [row for row in rows if row.is_stale(today)]


def contact_faults(contacts: Iterable[Contact] = CONTACTS, today: date | None = None) -> Iterator[str]:
    """What is wrong with the contacts for takedown."""
    contacts, today = list(contacts), today or datetime.now(tz=UTC).date()
    for row in contacts:
        if row.country and not is_country(row.country):
            yield f"{row.name} is in no country."
        if not row.domains or any(re.fullmatch(r"[a-z0-9.-]+\.[a-z]+", name) is None for name in row.domains):
            yield f"{row.name} has no domain, or one that is none."
        for route in row.routes:
            yield from (f"{row.name} {fault}" for fault in _route_faults(route, today))
        if any(urlsplit(source).scheme not in ("http", "https") for source in (*row.stopncii, *row.take_it_down)):
            yield f"{row.name} takes part in something by a source that is no address."
    slugs = Counter(row.slug for row in contacts)
    domains = Counter(name for row in contacts for name in row.domains)
    yield from (f"{name} is there {times} times." for name, times in (slugs | domains).items() if times > 1)


def _route_faults(route: ContactRoute, today: date) -> Iterator[str]:
    if not route.sources or any(urlsplit(source).scheme not in ("http", "https") for source in route.sources):
        yield f"has a route whose source is no address: {route.address}"
    if route.confidence is Confidence.MEMORY:
        yield f"has a route that nobody states: {route.address}"
    if route.read_on > today:
        yield f"has a route that was read in the future: {route.address}"
    if route.kind not in ("form", "mail", "api", "search"):
        yield f"has a route of no known kind: {route.kind}"
    if route.kind == "mail":
        try:
            validate_email(route.address)
        except ValidationError:
            yield f"has a mail address that is none: {route.address}"
    elif urlsplit(route.address).scheme != "https":
        yield f"has a form that is not https: {route.address}"


def main() -> int:
    """Print what does not hold; 1 if anything is wrong. Rows to be read again are named, and are not wrong."""
    today = datetime.now(tz=UTC).date()
    found, old = [*faults(), *contact_faults()], stale(today)
    for fault in found:
        print(fault)
    for row in old:
        print(f"{name_of(row)} was read on {row.read_on}: please read its source again.")
    stale_routes = [(row, route) for row in CONTACTS for route in row.routes if route.is_stale(today)]
    for contact, route in stale_routes:
        print(f"{contact.name}: {route.address} was read on {route.read_on}: please read its source again.")
    checked, again = len(SHOWN) + len(CONTACTS) + len(AUTHORITIES), len(old) + len(stale_routes)
    print(f"Directory: {checked} rows checked, {len(found)} faults, {again} to be read again.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
