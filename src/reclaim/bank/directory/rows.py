"""Who helps, as data: what a row says, and the rows of ``data/*.json``, read once.

A row says only what a source says, names the source, and when it was read. Names stay as the service writes them; all
that a person reads about a service is a sentence of the small vocabulary below, so that every language can say it.
The database starts from these rows (``services.sync``); as long as it has none, they are the directory.
``checks`` says what is wrong with a row; docs/directory.md says where they come from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from importlib.resources import files
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from reclaim.sitekit.places import country_name, language_name

FILES = ("emergency.json", "crisis.json", "images.json", "children.json", "practice.json")
FRESH = timedelta(days=365)
"""For how long a row counts as read lately."""


class For(StrEnum):
    """Whom a service is for."""

    UNDER_18 = "under 18"
    ADULTS = "adults"
    EVERYBODY = "everybody"


class Kind(StrEnum):
    """What a service does."""

    EMERGENCY = "emergency"
    POLICE = "police"
    AMBULANCE = "ambulance"
    CRISIS = "crisis"
    IMAGES = "images"
    REMOVAL = "removal"
    CHILDREN = "children"
    SEARCH = "search"
    LEGAL = "legal"
    CYBER_POLICE = "cyber-police"
    SUPPORT = "support"


NUMBERS = (Kind.EMERGENCY, Kind.POLICE, Kind.AMBULANCE)
"""Kinds whose rows are a country's number and no more."""


class Hours(StrEnum):
    """When somebody answers."""

    ALWAYS = "always"
    DAILY = "daily"
    WEEKDAYS = "weekdays"


class Confidence(StrEnum):
    """How well a row is sourced."""

    STATED = "S"
    """The service or an authority says it, or two sources that do not copy one another."""
    PARTLY = "P"
    """One list that somebody else keeps."""
    MEMORY = "M"
    """Nobody that can be named. Never shown."""


ABOUT: dict[Kind, Promise | str] = {
    Kind.EMERGENCY: _("Emergency"),
    Kind.POLICE: _("Police"),
    Kind.AMBULANCE: _("Ambulance"),
    Kind.CRISIS: _("For anyone who feels that they cannot go on."),
    Kind.IMAGES: _("Helps when intimate pictures or videos are shared, or when somebody threatens to."),
    Kind.REMOVAL: _("Helps to take down pictures and videos of anyone under 18."),
    Kind.CHILDREN: _("For children and young people. You can talk about anything."),
    Kind.SEARCH: _("Takes pages out of what people find there."),
    # Only practitioners and staff see these, whose pages are English.
    Kind.LEGAL: "Legal advice or aid.",
    Kind.CYBER_POLICE: "Takes reports of crimes on the internet: a police unit or a public office.",
    Kind.SUPPORT: "Support after sexual or domestic violence, crime, or harm on the internet.",
}
"""The sentence about each kind; what a page for people shows is translated."""
KIND_NAMES: dict[Kind, str] = {
    Kind.IMAGES: "Intimate images",
    Kind.SUPPORT: "Support",
    Kind.LEGAL: "Legal advice",
    Kind.CYBER_POLICE: "Police and reporting",
    Kind.CRISIS: "Crisis line",
    Kind.REMOVAL: "Removal, under 18",
    Kind.CHILDREN: "Children and young people",
    Kind.SEARCH: "Search engine",
    Kind.EMERGENCY: "Emergency number",
    Kind.POLICE: "Police number",
    Kind.AMBULANCE: "Ambulance number",
}
"""How practitioners and staff name the kinds, in the order in which they are shown."""
OPEN: dict[Hours, Promise] = {
    Hours.ALWAYS: _("Day and night."),
    Hours.DAILY: _("Every day."),
    Hours.WEEKDAYS: _("On working days."),
}


@dataclass(frozen=True)
class Service:
    """One way to get help: a number of an emergency service, or an organisation with a phone, a text number or a page.

    ``country`` is an ISO 3166 code, or empty for everywhere; ``open`` the hours of the clock there, if they are known;
    ``languages`` are ISO 639 codes; ``slug`` names the way out to ``address`` and says nothing of what is there.
    """

    country: str
    kind: Kind
    audience: For
    sources: tuple[str, ...]
    read_on: date
    confidence: Confidence
    slug: str = ""
    name: str = ""
    phone: str = ""
    text: str = ""
    word: str = ""
    address: str = ""
    hours: Hours | None = None
    open: str = ""
    languages: tuple[str, ...] = ()
    free: bool = False

    @property
    def key(self) -> str:
        """What names the row among all: its slug, or for a country's number the country and the kind."""
        return self.slug or f"{self.country.lower()}-{self.kind}"

    @property
    def where(self) -> str:
        """The country in the language of the page, or nothing."""
        return country_name(self.country) if self.country else ""

    @property
    def about(self) -> Promise | str:
        """What it does, in the language of the page."""
        return ABOUT[self.kind]

    @property
    def when(self) -> Promise | str:
        """When somebody answers, in the language of the page, or nothing."""
        return OPEN[self.hours] if self.hours else ""

    @property
    def speaks(self) -> str:
        """The languages, in the language of the page."""
        return " · ".join(language_name(code) for code in self.languages)

    @property
    def dialled(self) -> str:
        """The number as a telephone takes it."""
        return re.sub(r"[^\d+#*]", "", self.phone).replace("#", "%23")

    @property
    def host(self) -> str:
        """The address as a person reads it: the host alone."""
        return urlsplit(self.address).netloc.removeprefix("www.")

    @property
    def kind_name(self) -> str:
        """What it is, in English."""
        return KIND_NAMES[self.kind]

    @property
    def is_verified(self) -> bool:
        """Whether more stands behind it than one list that somebody else keeps."""
        return self.confidence is Confidence.STATED

    def is_stale(self, today: date) -> bool:
        """Whether it was read so long ago that somebody should look again."""
        return today - self.read_on > FRESH


def _rows(name: str) -> Iterator[Service]:
    found = json.loads(files(__package__).joinpath("data", name).read_text(encoding="utf-8"))
    sources: dict[str, str] = found["sources"]
    for row in found["rows"]:
        yield Service(
            country=row["country"] or "",
            kind=Kind(row["kind"]),
            audience=For(row.get("audience", For.EVERYBODY)),
            sources=tuple(sources.get(source, source) for source in row["sources"]),
            read_on=date.fromisoformat(row["read_on"]),
            confidence=Confidence(row["confidence"]),
            hours=Hours(row["hours"]) if "hours" in row else None,
            languages=tuple(row.get("languages", ())),
            free=row.get("free", False),
            **{key: row.get(key, "") for key in ("slug", "name", "phone", "text", "word", "address", "open")},
        )


ROWS = tuple(row for name in FILES for row in _rows(name))
"""Every row of the files, with those that nobody is shown."""

SHOWN = tuple(row for row in ROWS if row.confidence is not Confidence.MEMORY)
"""The rows of the files that somebody can see."""

SERVICES = tuple(row for row in SHOWN if row.address)
"""Those that have a page of their own, to which ``/go/`` leads."""

LEAVE_ADDRESS = "https://www.bbc.co.uk/weather"
"""A page that anybody might have open."""
