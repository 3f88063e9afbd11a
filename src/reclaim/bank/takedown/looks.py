"""Looking at pages again: whose turn it is, what was seen, and what that means for the links to them.

Turns are a host's: whoever takes one (a thread, a process, a machine) is alone in asking that host, and leaves it alone
for a while after each request. What is due costs a look at an index, however many pages there are.
"""

from __future__ import annotations

import datetime
import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Min, QuerySet
from django.utils import timezone

from reclaim import __version__
from reclaim.bank.takedown import timeline
from reclaim.bank.takedown.checker import Look, look
from reclaim.bank.takedown.models import Host, Link, Page
from reclaim.bank.takedown.outside import Outside
from reclaim.bank.takedown.reach import Policy, Reach
from reclaim.bank.takedown.sealing import NotOursError
from reclaim.bank.takedown.services import settle
from reclaim.sitekit.events import log_event

BUDGET = 10.0
"""Seconds within which turns begin, in a tick of the bank's work; what is under way ends with its address."""
WORKERS = 8
"""Hosts that are asked at the same time."""
TURN = 20
"""Pages of one host at a time."""
LEASE = datetime.timedelta(minutes=15)
"""After which a turn that nobody gave back is over: longer than ``TURN`` looks of the slowest host take."""
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)
APART = HOUR
"""A page is down when two looks so far apart found it gone, and none between them found it there."""
OFTEN, OFTEN_LOOKS = 2 * HOUR, 6
DAILY_LOOKS = 30
"""So many looks that come to the same, a day apart, before it is looked at once a week."""
SPREAD = 0.1
"""Of an interval, drawn by lot, so that what was added together does not stay together."""


def next_look(outcome: Page.Outcome, looks: int) -> datetime.timedelta:
    """How long a page is left alone after a look; ``looks`` in a row came to the same.

    What is there is looked at every two hours at first, and then every day until it is gone.
    """
    if outcome is Page.Outcome.UP:
        return OFTEN if looks <= OFTEN_LOOKS else DAY
    if outcome is Page.Outcome.GONE:
        return APART if looks <= 1 else DAY if looks <= DAILY_LOOKS else 7 * DAY
    if outcome is Page.Outcome.FAILED:
        return OFTEN if looks <= OFTEN_LOOKS else DAY if looks <= DAILY_LOOKS else 7 * DAY
    return DAY if looks <= OFTEN_LOOKS else 7 * DAY


# Turns


@dataclass
class Turn:
    """A host, for whoever has taken it alone, and its pages that are due."""

    host: Host
    pages: list[Page]


def _due(now: datetime.datetime) -> QuerySet[Host]:
    return Host.objects.filter(due_at__lte=now, free_at__lte=now)


def take_turns(most: int) -> list[Turn]:
    """Take up to ``most`` hosts that have something due and may be asked. Each is given back by ``give_back``, or is
    free again after ``LEASE``."""
    now = timezone.now()
    with transaction.atomic():
        due = _due(now).order_by("due_at")
        # SQLite has one writer at a time, and nothing to skip.
        skip = connection.features.has_select_for_update_skip_locked
        hosts = list(due.select_for_update(skip_locked=skip)[:most])
        Host.objects.filter(pk__in=[host.pk for host in hosts]).update(free_at=now + LEASE)
    turns = []
    for host in hosts:
        pages = Page.objects.filter(host=host, next_check_at__lte=now).order_by("next_check_at")[:TURN]
        turns.append(Turn(host, list(pages)))
    return turns


@dataclass(frozen=True)
class Seen:
    """A page, and what a look at it found when."""

    page: Page
    look: Look
    at: datetime.datetime


def give_back(turn: Turn, seen: Sequence[Seen], pause: float) -> None:
    """Write down what was seen in a turn, and when the host may be asked again (``pause`` in seconds)."""
    now = timezone.now()
    with transaction.atomic():
        host = Host.objects.select_for_update().get(pk=turn.host.pk)
        # One that is not there: its last case file was erased while it was looked at.
        pages = Page.objects.select_for_update().order_by("mac").in_bulk([each.page.pk for each in seen])
        for each in seen:
            page = pages.get(each.page.pk)
            if page is not None:
                _record(page, each.look.outcome, each.look.status, each.at)
                # Row by row: the library's way of writing many at once costs more than it spares.
                page.save(update_fields=_RECORDED)
        up = [page.pk for page in pages.values() if page.outcome == Page.Outcome.UP]
        Link.objects.filter(page__in=up, state=Link.State.NEW).update(state=Link.State.UP)
        # The host's row is locked: what is added meanwhile moves ``due_at`` forward after this.
        host.due_at = host.pages.aggregate(first=Min("next_check_at"))["first"]
        wait = max([pause, *(each.look.wait for each in seen)])
        host.free_at = now + datetime.timedelta(seconds=wait)
        host.save(update_fields=["due_at", "free_at"])


_RECORDED = ["outcome", "status", "checked_at", "looks", "seen", "gone_since", "next_check_at"]


def _record(page: Page, outcome: Page.Outcome, status: int | None, at: datetime.datetime) -> None:
    """What a look means: for the page, which the caller saves, and for its links."""
    page.looks = page.looks + 1 if page.outcome == outcome and page.looks < 1000 else 1
    page.outcome, page.status, page.checked_at = outcome, status, at
    waiting = False
    if outcome is Page.Outcome.UP:
        if page.seen == Page.Seen.GONE:
            _relist(page, at)
        page.seen, page.gone_since = Page.Seen.UP, None
    elif outcome is Page.Outcome.GONE:
        page.gone_since = page.gone_since or at
        if at - page.gone_since >= APART:
            page.seen = Page.Seen.GONE
        waiting = not _take_down(page, at)
    if page.next_check_at is not None:
        wait = APART if waiting else next_look(outcome, page.looks)
        page.next_check_at = at + wait * random.uniform(1, 1 + SPREAD)  # noqa: S311 no secret


def _take_down(page: Page, at: datetime.datetime) -> bool:
    """The links of a page that is gone are down, those that are old enough; whether that is all of them.

    A link that came later than another's waits for two looks of its own: that it need not would tell of the other.
    """
    open_links = list(page.links.filter(state__in=Link.OPEN).select_related("case_file"))
    down = [link for link in open_links if page.seen == Page.Seen.GONE and at - link.found_on >= APART]
    for link in down:
        link.state, link.first_down_on = Link.State.DOWN, link.first_down_on or at
        timeline.note(link.case_file, None, timeline.Kind.DOWN, host=link.host)
    Link.objects.bulk_update(down, ["state", "first_down_on"])
    settle([link.pk for link in down])
    return len(down) == len(open_links)


def _relist(page: Page, at: datetime.datetime) -> None:
    """A page that was gone is there again: its links are reopened."""
    back = list(page.links.filter(state=Link.State.DOWN).select_related("case_file"))
    Link.objects.filter(pk__in=[link.pk for link in back]).update(
        state=Link.State.RELISTED, relisted_on=at, relists=F("relists") + 1
    )
    for link in back:
        timeline.note(link.case_file, None, timeline.Kind.RELISTED, host=link.host)


# Doing it


def policy() -> Policy:
    """Whom the bank asks, as the operator set it."""
    outside: Outside = settings.OUTSIDE
    name = settings.NAME.encode("ascii", "ignore").decode()
    about = f"{name}; is what was reported still there"
    complaints = f"; complaints: {outside.contact}" if outside.contact else ""
    # Brackets within a comment would end it.
    words = "".join(letter for letter in f"{about}{complaints}" if letter.isprintable() and letter not in "()\\")
    agent = f"Reclaim/{__version__} ({words})"
    return Policy(agent=agent, stand_in=outside.stand_in, nobody=outside.outbox is not None)


@dataclass
class Report:
    """What a run did."""

    looks: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    """How many looks ended how, by ``Page.Outcome``."""
    _lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, seen: Iterable[Seen]) -> None:
        """Count what was seen; safe between threads."""
        with self._lock:
            for each in seen:
                self.looks += 1
                self.outcomes[each.look.outcome.value] = self.outcomes.get(each.look.outcome.value, 0) + 1


def recheck(
    seconds: float = BUDGET,
    *,
    most: int | None = None,
    workers: int = WORKERS,
    made_policy: Callable[[], Policy] = policy,
    pause: float | None = None,
) -> Report:
    """Look at pages that are due, until none is, about ``seconds`` are over or ``most`` were looked at.

    ``pause`` is between two requests to one host, in seconds; by default the operator's.
    """
    report = Report()
    outside: Outside = settings.OUTSIDE
    if not outside.recheck:
        return report
    asked = made_policy()
    rest = outside.pause if pause is None else pause
    ends_at = time.monotonic() + seconds

    def over(after: float = 0) -> bool:
        return time.monotonic() + after >= ends_at or (most is not None and report.looks >= most)

    def work() -> None:
        while not over() and (turns := take_turns(1)):
            for turn in turns:
                _do(turn, asked, rest, over, report)

    def work_beside() -> None:
        try:
            work()
        finally:
            connection.close()

    # No more threads than hosts that are due: mostly there is none, and that costs one look at an index.
    workers = min(workers, _due(timezone.now())[:workers].count())
    if workers <= 1:
        work()
        return report
    with ThreadPoolExecutor(workers, thread_name_prefix="recheck") as pool:
        for done in [pool.submit(work_beside) for _ in range(workers)]:
            done.result()
    return report


def _do(turn: Turn, asked: Policy, rest: float, over: Callable[[float], bool], report: Report) -> None:
    """Look at the pages of one turn, with a rest between two."""
    seen: list[Seen] = []
    try:
        with Reach(asked) as reach:
            for number, page in enumerate(turn.pages):
                if number:
                    if over(rest):
                        break
                    time.sleep(rest)
                try:
                    found = look(page.url, reach)
                except NotOursError:
                    found = Look(Page.Outcome.FAILED)
                seen.append(Seen(page, found, timezone.now()))
                if found.wait or found.outcome is Page.Outcome.REFUSED:
                    break
    finally:
        give_back(turn, seen, rest)
        report.add(seen)


def recheck_due() -> None:
    """A tick's share of looking."""
    report = recheck()
    if report.looks:
        log_event("links were looked at", **{"looks": report.looks, **report.outcomes})
