"""The United Nations Convention against Cybercrime, as data: what its articles ask, and who has signed or ratified.

The rows are those of ``directory/data/convention.json``. A summary says whether somebody has held it against the
official text; who signed says by which source. docs/law.md tells the fields.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from reclaim.bank.law.queries import by_name, place_name


@dataclass(frozen=True)
class Source:
    """A page that says it, and the day on which it was read."""

    number: int
    """1, 2, 3 …; ``/law/convention/source/<number>/`` leads there."""
    address: str
    says: str
    read_on: date

    @property
    def host(self) -> str:
        """The address as a reader knows it: the host alone."""
        return urlsplit(self.address).netloc.removeprefix("www.")


@dataclass(frozen=True)
class Article:
    """One article: what it asks states to do, in our words, and what Reclaim has that helps."""

    number: int
    title: str
    asks: tuple[str, ...]
    helps: tuple[str, ...]
    checked_on: date | None
    """When ``asks`` was held against the official text, or ``None``: nobody has."""


@dataclass(frozen=True)
class Participant:
    """A state, or the European Union, that a source says has signed."""

    place: str
    name: str
    signed: str
    """A day, or a month where the source says no day: 2025-10-25, 2025-10."""
    ratified: bool
    """Whether a source says that it has ratified."""
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Treaty:
    """The convention as a whole."""

    title: str
    facts: tuple[tuple[str, Source], ...]
    """Sentences on where it stands, each with the source that says it."""
    sources: tuple[Source, ...]
    articles: tuple[Article, ...]
    participants: tuple[Participant, ...]

    def article(self, number: int) -> Article | None:
        """The article with this number, or ``None``."""
        return next((each for each in self.articles if each.number == number), None)

    def participant(self, place: str) -> Participant | None:
        """What is known of one state, or ``None``."""
        return next((each for each in self.participants if each.place == place), None)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@cache
def convention() -> Treaty:
    """The convention as the file has it, participants by name."""
    text = files("reclaim.bank.directory").joinpath("data", "convention.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    sources = {
        row["key"]: Source(number, row["address"], row["says"], date.fromisoformat(row["read_on"]))
        for number, row in enumerate(found["sources"], 1)
    }
    participants = [
        Participant(
            row["place"],
            place_name(row["place"]),
            row["signed"],
            row.get("ratified", False),
            tuple(sources[key] for key in row["sources"]),
        )
        for row in found["participants"]
    ]
    return Treaty(
        title=found["title"],
        facts=tuple((row["says"], sources[row["source"]]) for row in found["facts"]),
        sources=tuple(sources.values()),
        articles=tuple(
            Article(row["number"], row["title"], tuple(row["asks"]), tuple(row["helps"]), _day(row.get("checked_on")))
            for row in found["articles"]
        ),
        participants=tuple(sorted(participants, key=lambda each: by_name(each.place))),
    )
