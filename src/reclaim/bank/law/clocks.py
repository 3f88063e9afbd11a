"""The clock engine: given whose countries are touched and what happened when, which deadlines of law run, and why.

All moments are aware; what comes back is in UTC. Hours are elapsed hours: 48 of them are 48, also over a change to
daylight saving time. Days and working days are days of the law's own place: the day of the start does not count, and
the clock ends with the end of the last one, which a change of the clocks makes an hour longer or shorter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

from babel.core import get_global

from reclaim.bank.law.laws import EU_MEMBERS, Event, Law, Status, Unit, Whose
from reclaim.sitekit.places import country_name

__all__ = ["Clock", "Countries", "Event", "ends_at", "running", "zone_of"]

SEATS = {
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CD": "Africa/Kinshasa",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "EU": "Europe/Brussels",
    "FM": "Pacific/Pohnpei",
    "GL": "America/Nuuk",
    "ID": "Asia/Jakarta",
    "KI": "Pacific/Tarawa",
    "KZ": "Asia/Almaty",
    "MH": "Pacific/Majuro",
    "MN": "Asia/Ulaanbaatar",
    "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PF": "Pacific/Tahiti",
    "PG": "Pacific/Port_Moresby",
    "PS": "Asia/Hebron",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
    "US": "America/New_York",
    "UZ": "Asia/Tashkent",
    "XK": "Europe/Belgrade",
}
"""Countries that have several time zones, or none under their own name: that of the seat of government, or where most
of it sits."""

STARTED = {
    Event.REQUEST_SENT: "the request was sent",
    Event.REQUEST_RECEIVED: "the platform received the request",
    Event.NOTICE_BY_AUTHORITY: "the authority gave its notice",
    Event.REPORT_TO_AUTHORITY: "the authority received the report",
    Event.ORDER_RECEIVED: "the platform received the order",
}


@dataclass(frozen=True)
class Countries:
    """Whose countries a request touches: ISO 3166-1 codes of two capital letters; empty or ``None`` if not known."""

    person: str
    platform: str | None = None
    host: str | None = None

    def of(self, whose: Whose) -> str:
        """The country of one of them, or nothing."""
        return {Whose.PERSON: self.person, Whose.PLATFORM: self.platform, Whose.HOST: self.host}[whose] or ""


@dataclass(frozen=True)
class Clock:
    """A deadline of law that runs, or has run out. ``country`` is the law's place; ``basis`` says why it runs."""

    row_key: str
    law_name: str
    country: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    basis: str
    reviewed: bool
    authority: str
    due: str
    """What is to be done by the end."""


def running(
    countries: Countries, events: Mapping[Event, dt.datetime], rows: Iterable[Law] | None = None
) -> list[Clock]:
    """The clocks that these events started, the first to end first.

    ``rows`` are the laws to go by: without them, those that the site shows. Raises ``ValueError`` for a moment
    without a time zone.
    """
    if any(moment.tzinfo is None for moment in events.values()):
        raise ValueError("Give every moment with its time zone.")
    if rows is None:
        # Here alone a database is asked; with rows this module works without one.
        from reclaim.bank.law.queries import shown_laws

        rows = shown_laws()
    found = (_clock(law, countries, events) for law in rows)
    return sorted((clock for clock in found if clock), key=lambda clock: (clock.ends_at, clock.row_key))


def _clock(law: Law, countries: Countries, events: Mapping[Event, dt.datetime]) -> Clock | None:
    if law.amount is None or law.unit is None or law.starts is None or law.starts not in events or not law.is_shown:
        return None
    whose = [each for each in law.reach if _is_of(law, countries.of(each))]
    start = events[law.starts].astimezone(dt.UTC)
    if not whose or not holds(law, start):
        return None
    end, how = ends_at(start, law.amount, law.unit, law.place)
    parts = [f"{law.deadline} from when {STARTED[law.starts]}{how}: {law.name}, {law.place}"]
    named = " and ".join(f"{each}'s" for each in whose)
    parts.append(
        f"{named} country" if law.reach_stated else f"{named} country, which is our reading of whom it reaches"
    )
    longer = events.get(Event.EXTENDED_TO)
    if law.extendable and longer and longer > end:
        end = longer.astimezone(dt.UTC)
        parts.append("the authority has allowed more time")
    return Clock(law.key, law.name, law.place, start, end, "; ".join(parts), law.reviewed, law.authority, law.due)


def _is_of(law: Law, country: str) -> bool:
    # A part of a country has laws of its own, and nobody told us which part: no clock by those.
    return bool(country) and (law.place == country or (law.place == "EU" and country in EU_MEMBERS))


def holds(law: Law, moment: dt.datetime) -> bool:
    """Whether the law is known to be in force at a moment, by the day that it is then where the law is made."""
    day = moment.astimezone(zone_of(law.place)).date()
    if law.status is not Status.IN_FORCE or day.year < law.year:
        return False
    return (law.in_force_on or day) <= day <= (law.ended_on or day)


def ends_at(start: dt.datetime, amount: int, unit: Unit, place: str) -> tuple[dt.datetime, str]:
    """When a deadline ends, in UTC, and what is to be said of how it was counted (mostly nothing)."""
    if unit is Unit.HOURS:
        return start.astimezone(dt.UTC) + dt.timedelta(hours=amount), ""
    zone = zone_of(place)
    first = start.astimezone(zone).date()
    if unit is Unit.DAYS:
        last, how = first + dt.timedelta(days=amount), ""
    else:
        last, how = _nth_working_day(first, amount, place)
    midnight = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), tzinfo=zone)
    return midnight.astimezone(dt.UTC), how


def _nth_working_day(first: dt.date, amount: int, place: str) -> tuple[dt.date, str]:
    # It takes a twentieth of a second to load, and only this needs it.
    import holidays

    country, _, part = place.partition("-")
    try:
        calendar = holidays.country_holidays(country, subdiv=part or None)
    except NotImplementedError:
        calendar, how = holidays.HolidayBase(), f", Saturdays, Sundays and no public holiday of {country} left out"
    else:
        how = f", weekends and public holidays of {country_name(country)} left out"
    return calendar.get_nth_working_day(first, amount), how


@cache
def _zones() -> dict[str, str]:
    """The zone of each country that has but one, and of those in ``SEATS``."""
    by_country: dict[str, list[str]] = {}
    for zone, country in get_global("zone_territories").items():
        by_country.setdefault(country, []).append(zone)
    return {country: zones[0] for country, zones in by_country.items() if len(zones) == 1} | SEATS


def zone_of(place: str) -> ZoneInfo:
    """The time zone in which days of a place are counted; UTC where none is known."""
    return ZoneInfo(_zones().get(place[:2], "UTC"))
