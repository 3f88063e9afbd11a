"""Reads of the law. What nobody has sourced is for operators alone: every other read leaves it out."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from reclaim.bank.law.laws import EU_MEMBERS, Law, is_key, law_from, marked
from reclaim.bank.law.models import LawRow, LawVersion
from reclaim.sitekit import audit
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.places import country_name, is_country

PARTS = {"EU": "European Union", "CA-BC": "British Columbia", "GB-SCT": "Scotland"}
"""Names of places that are no country."""


def place_name(place: str) -> str:
    """The English name of a place of law."""
    if place in PARTS:
        return PARTS[place]
    name = country_name(place[:2])
    return f"{name} ({place})" if "-" in place else name


def by_name(place: str) -> str:
    """Where a place stands in a list: accents and case of its name do not count."""
    name = unicodedata.normalize("NFKD", place_name(place))
    return "".join(letter for letter in name if not unicodedata.combining(letter)).casefold()


def law_of(version: LawVersion) -> Law:
    """What a version says, with the mark whether it was reviewed."""
    return marked(law_from(version.key, version.facts), version.reviewed_at is not None)


def _laws(**conditions: object) -> list[Law]:
    rows = LawRow.objects.filter(**conditions).select_related("latest")
    found = (law_of(row.latest) for row in rows)
    return sorted(found, key=lambda law: (by_name(law.place), not law.has_deadline, law.key))


def shown_laws() -> list[Law]:
    """Every law that everybody may read, by the place's name, those with a deadline first."""
    return [law for law in _laws() if law.is_shown]


def laws_of(country: str) -> list[Law]:
    """The laws of a country: its own, then of its parts, and of the European Union if it is a member.

    ``country`` is an ISO 3166-1 code of two capital letters, or ``EU``.
    """
    if country != "EU" and not is_country(country):
        return []
    found = [law for law in _laws(place__startswith=country) if law.is_shown and law.country == country]
    found.sort(key=lambda law: law.place != country)
    return found + (laws_of("EU") if country in EU_MEMBERS else [])


def law_by_key(key: str) -> Law | None:
    """The law with this key, or ``None``; also ``None`` for one that is hidden."""
    return next((law for law in _laws(key=key) if law.is_shown), None) if is_key(key) else None


# Operators


@dataclass(frozen=True)
class Kept:
    """A row as operators see it: what it says, and its latest version."""

    law: Law
    version: LawVersion

    @property
    def from_file(self) -> bool:
        """Whether it is as it came with Reclaim."""
        return self.version.written_by_id is None

    @property
    def where(self) -> str:
        """The name of its place."""
        return place_name(self.law.place)


def access_laws(member: Member) -> list[Kept]:
    """Every row, also what is hidden, by the place's name. The read is audited."""
    audit.record(member.actor, "laws.read", "laws")
    rows = LawRow.objects.select_related("latest")
    kept = [Kept(law_of(row.latest), row.latest) for row in rows]
    return sorted(kept, key=lambda each: (by_name(each.law.place), each.law.key))


def access_law(member: Member, key: str) -> Kept | None:
    """One row, also a hidden one. The read is audited."""
    rows = LawRow.objects.select_related("latest__written_by", "latest__reviewed_by")
    row = rows.filter(key=key).first() if is_key(key) else None
    if row is None:
        return None
    audit.record(member.actor, "law.read", f"law:{key}")
    return Kept(law_of(row.latest), row.latest)


@dataclass(frozen=True)
class Change:
    """One version in a row's history: who wrote what and why, and which facts it changed."""

    version: LawVersion
    changes: list[tuple[str, str, str]]
    """Name of the fact, what it was before, what it is since."""


def history_of(kept: Kept) -> list[Change]:
    """Every version of a row, the latest first."""
    rows = LawVersion.objects.filter(key=kept.law.key).select_related("written_by", "reviewed_by").order_by("number")
    found: list[Change] = []
    before: dict[str, object] = {}
    for version in rows:
        names = [name for name in {**before, **version.facts} if before.get(name) != version.facts.get(name)]
        changes = [(name, _said(before.get(name)), _said(version.facts.get(name))) for name in names]
        found.append(Change(version, changes if before else []))
        before = version.facts
    return found[::-1]


def _said(value: object) -> str:
    if isinstance(value, list):
        return " · ".join(map(str, value))
    return "" if value is None else "yes" if value is True else str(value)
