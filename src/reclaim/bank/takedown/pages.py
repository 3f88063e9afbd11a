"""What practitioners' pages show of links and requests: states, clocks and next steps in words."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.casework.queries import visible_to
from reclaim.bank.law.laws import Law
from reclaim.bank.law.queries import shown_laws
from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.takedown.contacts import Contact
from reclaim.bank.takedown.models import Link, Reply, RunningClock, TakedownRequest
from reclaim.bank.takedown.queries import DueStep, Why, due_steps, replies_to_read
from reclaim.bank.takedown.routes import (
    UNSENT,
    Route,
    Where,
    contact_at,
    countries_of,
    recommended,
    routes_for,
    where_is,
)
from reclaim.bank.takedown.sealing import NotOursError

IN_PANEL = 10
SOON = datetime.timedelta(hours=24)
MOST_SHOWN = 50

STATES: dict[str, tuple[str, str]] = {
    Link.State.NEW: ("○", "not asked yet"),
    Link.State.UP: ("●", "up, not asked yet"),
    Link.State.ASKED: ("→", "asked"),
    Link.State.DOWN: ("✓", "down"),
    Link.State.RELISTED: ("↺", "there again"),
    Link.State.GIVEN_UP: ("–", "nobody asks any more"),
}
"""For each state a sign and a word: neither needs the other, nor a colour."""
REQUEST_STATES: dict[str, str] = {
    TakedownRequest.State.DRAFT: "draft",
    TakedownRequest.State.SENDING: "on its way",
    TakedownRequest.State.UNKNOWN: "unknown whether it went",
    TakedownRequest.State.SENT: "sent",
    TakedownRequest.State.ANSWERED: "answered",
    TakedownRequest.State.REFUSED: "refused",
    TakedownRequest.State.DONE: "done",
}
OUTCOMES: dict[str, str] = {
    "up": "it was there",
    "gone": "it was gone",
    "walled": "behind a sign-in: nobody can tell",
    "refused": "the site refuses programs",
    "failed": "no answer",
    "forbidden": "an address that the bank never asks",
}
WHY: dict[Why, str] = {
    Why.CLOCK: "The time is over, and it is still there.",
    Why.REFUSED: "They will not take it down.",
    Why.UNDELIVERED: "The mail could not be delivered. Look for another address.",
    Why.RELISTED: "It was down and is there again.",
    Why.UNKNOWN: "Nobody can tell whether the mail went. Look, then say so.",
}


def spelled(length: datetime.timedelta) -> str:
    """A length of time in its two largest units: «1 day 4 hours», «31 minutes»."""
    minutes = max(0, int(length.total_seconds())) // 60
    units = (("day", minutes // 1440), ("hour", minutes // 60 % 24), ("minute", minutes % 60))
    said = [f"{count} {unit}{'s' if count != 1 else ''}" for unit, count in units if count]
    return " ".join(said[:2]) or "less than a minute"


@dataclass(frozen=True)
class ClockShown:
    """A clock as words and a bar. ``percent`` of its time is over."""

    clock: RunningClock
    words: str
    percent: int
    over: bool


def shown_clock(clock: RunningClock, now: datetime.datetime) -> ClockShown:
    """A clock as it stands at a moment."""
    whole, gone = clock.ends_at - clock.starts_at, now - clock.starts_at
    over = now >= clock.ends_at
    percent = 100 if over or not whole else max(0, int(100 * gone / whole))
    words = f"ended {spelled(now - clock.ends_at)} ago" if over else f"{spelled(clock.ends_at - now)} left"
    return ClockShown(clock, words, percent, over)


def first_clock(requests: Iterable[TakedownRequest], now: datetime.datetime) -> ClockShown | None:
    """The clock that ends first among those of requests that are not done."""
    running = [clock for each in requests if each.state in TakedownRequest.ASKED for clock in each.clocks.all()]
    return shown_clock(min(running, key=lambda clock: clock.ends_at), now) if running else None


@dataclass(frozen=True)
class Row:
    """A link in a table."""

    link: Link
    url: str
    sign: str
    word: str
    where: Where
    contact: Contact | None
    clock: ClockShown | None
    routes: Sequence[Route]
    next: Route | None
    step: str
    """The next step, in words."""


def url_of(link: Link) -> str:
    """The address as the case file has it; empty if this bank's secret does not open it."""
    try:
        return link.url
    except NotOursError:
        return ""


def with_requests(links: QuerySet[Link]) -> QuerySet[Link]:
    """Links with what their rows need: their requests without texts, oldest first, and those requests' clocks."""
    requests = TakedownRequest.objects.defer("sealed_subject", "sealed_text").order_by("drafted_at")
    return links.prefetch_related(Prefetch("requests", requests.prefetch_related("clocks")), "page__host__typed")


def row_of(link: Link, laws: Sequence[Law], now: datetime.datetime) -> Row:
    """One link in a table; its requests were fetched with it."""
    requests = list(link.requests.all())
    routes = routes_for(link, countries_of(link), laws)
    following = recommended(routes, requests, now) if link.state in Link.OPEN else None
    where, (sign, word) = where_is(link), STATES[link.state]
    return Row(
        link=link,
        url=url_of(link),
        sign=sign,
        word=word,
        where=where,
        contact=contact_at(where),
        clock=first_clock(requests, now) if link.state in Link.OPEN else None,
        routes=routes,
        next=following,
        step=_step(link, requests, following),
    )


def _step(link: Link, requests: Sequence[TakedownRequest], following: Route | None) -> str:
    if link.state == Link.State.DOWN:
        return "Watched, in case it comes back"
    if link.state == Link.State.GIVEN_UP:
        return "None"
    if any(each.state == TakedownRequest.State.UNKNOWN for each in requests):
        return "Look whether the mail went"
    if any(each.state == TakedownRequest.State.DRAFT for each in requests):
        return "Send the draft, or throw it away"
    if following is None:
        waits = [each.remind_at for each in requests if each.remind_at is not None]
        return f"Wait for an answer until {min(waits):%-d %B, %H:%M} UTC" if waits else "Find out who can take it down"
    asked = any(
        (each.route, each.to) == (following.kind, following.to) for each in requests if each.state not in UNSENT
    )
    return f"Ask {following.name} {'again ' if asked else ''}({following.word})"


def known_from(link: Link) -> str:
    """Who says who answers for a link's host, and when; not when, if that was before this case file had the link: it
    would tell of another's."""
    typed, host = link.typed, link.page.host
    if typed is not None:
        return f"typed in, {typed.typed_at:%-d %B %Y, %H:%M} UTC"
    if not host.facts_from or host.asked_at is None:
        return "nobody has asked yet"
    at = f", {host.asked_at:%-d %B %Y, %H:%M} UTC" if host.asked_at >= link.found_on else ""
    return f"{host.get_facts_from_display()}{at}"


def rows_of(links: Iterable[Link]) -> list[Row]:
    """Links in a table; their requests were fetched with them."""
    laws, now = shown_laws(), timezone.now()
    return [row_of(link, laws, now) for link in links]


def panel(case_file: CaseFile) -> dict[str, Any]:
    """What ``takedown/panel.html`` shows within a case file's page: its newest links, and how many there are."""
    links = case_file.links.select_related("page__host", "case_file").order_by("-found_on")
    rows = rows_of(with_requests(links)[:IN_PANEL])
    return {"case_file": case_file, "rows": rows, "count": case_file.links.count()}


@dataclass(frozen=True)
class Due:
    """Something due, in words."""

    step: DueStep
    why: str


@dataclass(frozen=True)
class Today:
    """What is due today across a practitioner's scope."""

    due: Sequence[Due]
    clocks: Sequence[ClockShown]
    """That end within ``SOON``."""
    answers: Sequence[Reply]
    """Of each request that has one that nobody has read, the newest."""


def today(practitioner: Practitioner) -> Today:
    """The dashboard."""
    now, seen = timezone.now(), visible_to(practitioner)
    soon = RunningClock.objects.filter(
        ends_at__gt=now,
        ends_at__lte=now + SOON,
        organisation=practitioner.organisation_id,
        request__state__in=(TakedownRequest.State.SENT, TakedownRequest.State.ANSWERED),
        request__link__state__in=Link.OPEN,
        request__link__case_file__in=seen,
    )
    return Today(
        due=[Due(step, WHY[step.why]) for step in due_steps(practitioner, MOST_SHOWN)],
        clocks=[
            shown_clock(clock, now)
            for clock in soon.select_related("request__link__case_file").order_by("ends_at")[:MOST_SHOWN]
        ],
        answers=replies_to_read(practitioner, MOST_SHOWN),
    )
