"""One law as data: what a row says, how it is read and checked, and the rows that come with Reclaim.

It needs no database: the clock engine and the tools read it as it is. A row says only what a source says; what no
source states is empty. docs/law.md tells the fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar
from urllib.parse import urlsplit

from reclaim.sitekit.places import is_country

MOST_WORDS = 600
"""Characters in one field."""
MOST_SOURCES = 6
MOST_AMOUNT = 1000

EU_MEMBERS = frozenset(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE".split()  # noqa: SIM905
)
"""ISO codes of the member states of the European Union, whose laws are rows of the place «EU»."""

_KEY = re.compile(r"[a-z]{2}(-[a-z0-9]+){1,8}", re.ASCII)
_SUBDIVISION = re.compile(r"([A-Z]{2})-[A-Z0-9]{1,3}", re.ASCII)


class Confidence(StrEnum):
    """How well a row is sourced."""

    STATED = "S"
    """The law's own text or an authority says it, or somebody who has read it."""
    PARTLY = "P"
    """A source says some of it, or sources differ."""
    UNSOURCED = "M"
    """Nobody that can be named. Nobody but operators sees the row."""


class Status(StrEnum):
    """Whether the law holds."""

    IN_FORCE = "in force"
    NOT_YET = "not yet in force"
    UNKNOWN = "not known"
    """No source says that it has begun, so no clock runs by it."""


class Unit(StrEnum):
    """What a deadline is counted in."""

    HOURS = "hours"
    DAYS = "days"
    WORKING_DAYS = "working days"


class Event(StrEnum):
    """What may have happened to a request, and when."""

    REQUEST_SENT = "request sent"
    REQUEST_RECEIVED = "request received"
    NOTICE_BY_AUTHORITY = "notice by authority"
    REPORT_TO_AUTHORITY = "report to authority"
    ORDER_RECEIVED = "order received"
    EXTENDED_TO = "extended to"
    """Not a start: the moment up to which an authority has allowed more time."""


STARTS = tuple(event for event in Event if event is not Event.EXTENDED_TO)
"""The events with which a clock can start."""


class Whose(StrEnum):
    """Through whose country a law comes into play."""

    PERSON = "person"
    PLATFORM = "platform"
    HOST = "host"


class Covered(StrEnum):
    """Whether the law covers what was made or changed with AI."""

    YES = "yes"
    NO = "no"
    UNSTATED = ""


@dataclass(frozen=True)
class Law:
    """One law, or the part of it that sets one deadline.

    ``place`` is an ISO 3166-1 code, an ISO 3166-2 code of a part of a country, or ``EU``. The deadline is ``amount``
    ``unit`` from ``starts``; without an amount there is none. ``in_force_on`` and ``ended_on`` are the first and the
    last day on which it holds, there. Texts are short English sentences, and empty where no source says anything.
    """

    key: str
    place: str
    name: str
    year: int
    confidence: Confidence
    status: Status
    read_on: date
    sources: tuple[str, ...] = ()
    offence: str = ""
    duty: str = ""
    amount: int | None = None
    unit: Unit | None = None
    starts: Event | None = None
    due: str = ""
    """What is to be done by then, in words that follow «must» of whom they name."""
    extendable: bool = False
    """Whether an authority may allow more time."""
    reach: tuple[Whose, ...] = ()
    reach_stated: bool = False
    """Whether a source states ``reach``; else it is our reading."""
    who_may_ask: str = ""
    request: tuple[str, ...] = ()
    """What a request must hold, one thing each."""
    authority: str = ""
    penalty: str = ""
    with_ai: Covered = Covered.UNSTATED
    in_force_on: date | None = None
    ended_on: date | None = None
    in_force_note: str = ""
    note: str = ""
    reviewed: bool = False
    """Whether somebody has checked these very words; no part of the row itself."""

    @property
    def country(self) -> str:
        """The country of the place: two capital letters, or ``EU``."""
        return self.place[:2]

    @property
    def is_shown(self) -> bool:
        """Whether everybody may read it."""
        return self.confidence is not Confidence.UNSOURCED

    @property
    def has_deadline(self) -> bool:
        """Whether it sets one."""
        return self.amount is not None

    @property
    def deadline(self) -> str:
        """Such as «48 hours»; empty without one."""
        if self.amount is None or self.unit is None:
            return ""
        return f"{self.amount} {self.unit if self.amount != 1 else self.unit.removesuffix('s')}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The sources as a reader knows them: their hosts."""
        return tuple(urlsplit(source).netloc.removeprefix("www.") for source in self.sources)


class FactsError(ValueError):
    """A row cannot be taken as it is. ``faults`` has a sentence for each field that is to be mended."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {fault}" for name, fault in faults.items()))
        self.faults = dict(faults)


def is_key(key: str) -> bool:
    """Whether a row can have this key."""
    return len(key) <= 60 and bool(_KEY.fullmatch(key))


def is_place(code: str) -> bool:
    """Whether a law can be of this place."""
    found = _SUBDIVISION.fullmatch(code)
    return code == "EU" or is_country(code) or bool(found and is_country(found[1]))


def is_source(address: str) -> bool:
    """Whether it is an address of a web page that a browser may be led to."""
    if len(address) > MOST_WORDS or not address.isascii() or not address.isprintable() or " " in address:
        return False
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    named = "." in host and not host.rpartition(".")[2].isdigit()
    return parts.scheme in ("http", "https") and named and port is None and "@" not in parts.netloc


Choice = TypeVar("Choice", bound=StrEnum)


class _Reader:
    """Reads facts of a row one by one, and gathers what is wrong with them."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.facts = facts
        self.faults: dict[str, str] = {}

    def fault(self, name: str, sentence: str) -> None:
        self.faults.setdefault(name, sentence)

    def words(self, name: str, *, needed: bool = False) -> str:
        found = self.facts.get(name, "")
        text = " ".join(found.split()) if isinstance(found, str) else ""
        if not isinstance(found, str) or len(text) > MOST_WORDS or not text.isprintable():
            self.fault(name, f"Use at most {MOST_WORDS} printable characters.")
        elif needed and not text:
            self.fault(name, "This is missing.")
        return text

    def number(self, name: str, least: int, most: int) -> int | None:
        found = self.facts.get(name)
        if found in (None, ""):
            return None
        text = str(found).strip() if not isinstance(found, bool) else ""
        if not (text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most):
            self.fault(name, f"Use a whole number from {least} to {most}.")
            return None
        return int(text)

    def day(self, name: str) -> date | None:
        found = self.facts.get(name)
        if found in (None, ""):
            return None
        try:
            return date.fromisoformat(str(found).strip())
        except ValueError:
            self.fault(name, "Use a day that there is, written as 2026-05-19.")
            return None

    def choice(self, name: str, kind: type[Choice], default: Choice | None = None) -> Choice | None:
        found = self.facts.get(name)
        if found in (None, ""):
            return default
        try:
            return kind(found)
        except ValueError:
            self.fault(name, f"Choose one of: {', '.join(each for each in kind if each)}.")
            return default

    def lines(self, name: str, most: int) -> tuple[str, ...]:
        found = self.facts.get(name) or ()
        if isinstance(found, str):
            found = found.splitlines()
        if not isinstance(found, Sequence) or not all(isinstance(each, str) for each in found):
            self.fault(name, "Write one a line.")
            return ()
        lines = tuple(" ".join(each.split()) for each in found if each.strip())
        if len(lines) > most or any(len(each) > MOST_WORDS or not each.isprintable() for each in lines):
            self.fault(name, f"Use at most {most} lines of {MOST_WORDS} printable characters.")
        return lines


FACTS = tuple(field.name for field in fields(Law) if field.name not in ("key", "reviewed"))
"""The facts of a row, by name, in order."""


def law_from(key: str, facts: Mapping[str, Any]) -> Law:
    """Read a row from JSON or from a form. Raises ``FactsError``, with a sentence for each field."""
    read = _Reader(facts)
    if not is_key(key):
        read.fault("key", "Use small letters and digits in groups joined by «-», such as us-take-it-down.")
    for name in facts:
        if name not in FACTS:
            read.fault(str(name)[:40], "A row has no such field.")
    place = read.words("place", needed=True).upper()
    if place and not is_place(place):
        read.fault("place", "Use a country's two letters, such as GB, a part of it, such as GB-SCT, or EU.")
    elif place and key[:2] != place[:2].lower():
        read.fault("key", "Begin it with the country's two letters.")
    sources = read.lines("sources", MOST_SOURCES)
    if not all(map(is_source, sources)):
        read.fault("sources", "Use addresses of web pages that begin with https:// or http://, one a line.")
    confidence = read.choice("confidence", Confidence)
    if confidence is None:
        read.fault("confidence", "Choose how well it is sourced.")
    elif confidence is not Confidence.UNSOURCED and not sources:
        read.fault("sources", "Name a source, or mark the row as unsourced; then nobody but operators sees it.")
    read_on = read.day("read_on")
    if read_on is None:
        read.fault("read_on", "Say on which day the sources were read.")
    elif read_on > datetime.now(tz=UTC).date():
        read.fault("read_on", "This day is still to come.")
    year = read.number("year", 1800, 2100)
    if year is None:
        read.fault("year", "Say which year the law is of.")
    amount, unit, starts = (
        read.number("amount", 1, MOST_AMOUNT),
        read.choice("unit", Unit),
        read.choice("starts", Event),
    )
    due, reach = read.words("due"), _reach(read)
    if amount is not None:
        for name, found in (("unit", unit), ("starts", starts), ("due", due), ("reach", reach)):
            if not found:
                read.fault(name, "A deadline needs this too.")
    elif unit or starts:
        read.fault("amount", "Say how long the deadline is, or leave its other fields empty.")
    if starts is Event.EXTENDED_TO:
        read.fault("starts", "No clock starts with more time.")
    in_force_on, ended_on = read.day("in_force_on"), read.day("ended_on")
    if in_force_on and ended_on and ended_on < in_force_on:
        read.fault("ended_on", "It cannot end before it begins.")
    law = Law(
        key=key,
        place=place,
        name=read.words("name", needed=True),
        year=year or 0,
        confidence=confidence or Confidence.UNSOURCED,
        status=read.choice("status", Status, Status.UNKNOWN) or Status.UNKNOWN,
        read_on=read_on or date.min,
        sources=sources,
        offence=read.words("offence"),
        duty=read.words("duty"),
        amount=amount,
        unit=unit,
        starts=starts,
        due=due,
        extendable=bool(facts.get("extendable")),
        reach=reach,
        reach_stated=bool(facts.get("reach_stated")),
        who_may_ask=read.words("who_may_ask"),
        request=read.lines("request", 20),
        authority=read.words("authority"),
        penalty=read.words("penalty"),
        with_ai=read.choice("with_ai", Covered, Covered.UNSTATED) or Covered.UNSTATED,
        in_force_on=in_force_on,
        ended_on=ended_on,
        in_force_note=read.words("in_force_note"),
        note=read.words("note"),
    )
    if read.faults:
        raise FactsError(read.faults)
    return law


def _reach(read: _Reader) -> tuple[Whose, ...]:
    found = read.lines("reach", len(Whose))
    if not all(each in set(Whose) for each in found):
        read.fault("reach", f"Choose among: {', '.join(Whose)}.")
        return ()
    return tuple(whose for whose in Whose if whose in found)


def facts_of(law: Law) -> dict[str, Any]:
    """The facts of a row as JSON takes them; ``law_from`` reads them back. Empty ones are left out."""
    found: dict[str, Any] = {}
    for name in FACTS:
        value = getattr(law, name)
        if isinstance(value, date):
            value = value.isoformat()
        elif isinstance(value, tuple):
            value = [str(each) for each in value]
        elif isinstance(value, StrEnum):
            value = str(value)
        if value not in (None, "", False, []):
            found[name] = value
    return found


@cache
def shipped_laws() -> tuple[Law, ...]:
    """The rows that come with Reclaim, as its file has them: nobody has reviewed these."""
    found = json.loads(_data("laws.json"))
    return tuple(
        law_from(row["key"], {"read_on": found["read_on"]} | {name: row[name] for name in row if name != "key"})
        for row in found["rows"]
    )


def _data(name: str) -> str:
    return files("reclaim.bank.directory").joinpath("data", name).read_text(encoding="utf-8")


def marked(law: Law, reviewed: bool) -> Law:
    """The same law, with the mark whether its words were reviewed."""
    return replace(law, reviewed=reviewed)
