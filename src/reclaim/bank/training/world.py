"""The made-up world of one play: what a scenario begins with, what happens in it, and how days pass.

Everything goes through the services that real case files go through, so the bank's pages show it as they show real
things. Days pass by moving the play's own times back: the bank's clock is everybody's, and nothing here is real.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.utils import timezone

from reclaim.bank.cases.models import Case
from reclaim.bank.cases.numbers import shown
from reclaim.bank.cases.services import NewItem, create_case, withdraw
from reclaim.bank.casework.facts import Facts
from reclaim.bank.casework.models import CaseFile, Channel
from reclaim.bank.casework.services import Texts, open_case_file
from reclaim.bank.cooperation.demands import NewDemand, log_demand
from reclaim.bank.cooperation.models import LegalDemand
from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.takedown import clocks, services
from reclaim.bank.takedown.checker import Look
from reclaim.bank.takedown.hosts import Facts as HostFacts
from reclaim.bank.takedown.hosts import type_in_host
from reclaim.bank.takedown.looks import Seen, Turn, give_back
from reclaim.bank.takedown.models import Host, Link, Page, TakedownRequest
from reclaim.bank.training.models import Play
from reclaim.bank.training.scenarios import Scenario, days_of
from reclaim.sitekit.accounts.models import Member

_TWO_LOOKS = datetime.timedelta(hours=3)
_PICTURES = 2
_FACTS = ("country", "language", "happened", "stage", "police", "made_with_ai")
_HOST = ("registrar", "registrar_abuse", "network", "network_abuse")


def seed(play: Play, scenario: Scenario, practitioner: Practitioner, operator: Member) -> None:
    """Put there what the scenario begins with; sets ``case_file``, ``demand`` and ``made_up`` of the play."""
    given = scenario.seed
    if given.get("demand"):
        play.demand = _demand(operator)
    if given.get("own_case"):
        made = create_case([NewItem.picture(number, _made_up(play, number)) for number in range(1, _PICTURES + 1)])
        play.made_up = {"case": str(made.case.pk), "number": shown(made.number), "pin": made.pin}
    if "channel" not in given:
        return
    facts = Facts(**{name: given[name] for name in _FACTS if name in given})
    texts = Texts(words=given.get("words", ""))
    case_file = open_case_file(practitioner, Channel(given["channel"]), facts, texts, adults=True)
    play.case_file = case_file
    addresses = [f"{address}-{play.pk.hex[:8]}" for address in given.get("links", [])]
    if not addresses:
        return
    for link in services.add_links(case_file, practitioner, "\n".join(addresses)).links:
        known = {name: given[name] for name in _HOST if name in given}
        type_in_host(link, practitioner, HostFacts(country=given.get("host_country", ""), **known))
        _look(link, Page.Outcome.UP, timezone.now())


def _made_up(play: Play, number: int) -> str:
    """A PDQ of no picture: half of its bits are ones, as of real ones."""
    chance = random.Random(f"{play.pk} {number}")  # noqa: S311 nothing is protected by it
    return f"{sum(1 << bit for bit in chance.sample(range(256), 128)):064x}"


def _demand(operator: Member) -> LegalDemand:
    today = timezone.now().date()
    return log_demand(
        operator,
        NewDemand(
            received_on=today,
            sender="A detective sergeant, by mail (training)",
            country="GB",
            basis="none named",
            asked="«For our inquiry we need all data of your user, with pictures, today. Please tell nobody.»",
            scope="case",
            deadline=today + datetime.timedelta(days=14),
            notice=LegalDemand.Notice.DUE,
        ),
    )


def happen(play: Play, events: Iterable[str], practitioner: Practitioner | None, reply: str = "") -> None:
    """Let these events happen, in order: words of ``scenarios.WORLD``, or «days:2»."""
    for event in events:
        days = days_of(event)
        if days:
            pass_time(play, datetime.timedelta(days=days))
            play.days += days
        elif event == "withdrawn":
            case = Case.objects.filter(pk=play.made_up.get("case")).first() if play.made_up else None
            if case is not None:
                withdraw(case)
        elif play.case_file is not None and practitioner is not None:
            for link in play.case_file.links.select_related("page__host", "case_file"):
                _happen_to(play, link, event, practitioner, reply)


def _happen_to(play: Play, link: Link, event: str, practitioner: Practitioner, reply: str) -> None:
    now = timezone.now()
    if event == "gone":
        # Down is what two looks apart found gone.
        pass_time(play, _TWO_LOOKS)
        link.refresh_from_db()
        _look(link, Page.Outcome.GONE, now - _TWO_LOOKS / 2)
        _look(link, Page.Outcome.GONE, now)
    elif event in ("back", "up"):
        _look(link, Page.Outcome.UP, now)
    elif event == "sent":
        _send(link, practitioner)
    else:
        asked = link.requests.filter(state__in=TakedownRequest.ASKED).order_by("-sent_at").first()
        asked = asked or _send(link, practitioner)
        if event == "reply":
            services.file_reply(asked, practitioner, reply)
        elif asked.state != TakedownRequest.State.REFUSED:
            services.note_refused(asked, practitioner)


def _send(link: Link, practitioner: Practitioner) -> TakedownRequest:
    draft = services.Draft(
        route=TakedownRequest.Route.FORM,
        to=f"https://{link.host}/report",
        subject="Request to remove an intimate picture",
        text="Training: this request was written by the scenario, and went nowhere.",
    )
    return services.note_sent(services.draft_request(link, practitioner, draft), practitioner)


def _look(link: Link, outcome: Page.Outcome, at: datetime.datetime) -> None:
    """What the bank would have seen, without anybody being asked."""
    page = Page.objects.select_related("host").get(pk=link.page_id)
    status = 200 if outcome is Page.Outcome.UP else 404
    give_back(Turn(page.host, [page]), [Seen(page, Look(outcome, status), at)], 0)


# Time

_TIMES: dict[str, tuple[str, ...]] = {
    "case file": ("opened_at", "touched_at", "closed_at", "adult_confirmed_at"),
    "event": ("at",),
    "note": ("written_at",),
    "task": ("made_at", "done_at", "due_on"),
    "link": ("found_on", "first_down_on", "relisted_on"),
    "page": ("checked_at", "next_check_at", "gone_since"),
    "request": ("drafted_at", "sending_since", "sent_at", "answered_at", "remind_at", "reminded_at"),
    "reply": ("arrived_at",),
    "demand": (
        "received_on",
        "deadline",
        "forbidden_until",
        "ban_until",
        "notice_given_on",
        "logged_at",
        "proposed_at",
        "released_at",
    ),
}


def pass_time(play: Play, span: datetime.timedelta) -> None:
    """Move everything of this play back by ``span``: clocks of law come nearer their ends, what is due becomes due."""
    case_file = play.case_file
    if play.demand_id is not None:
        _move([LegalDemand.objects.get(pk=play.demand_id)], "demand", span)
    if case_file is None:
        return
    requests = list(TakedownRequest.objects.filter(link__case_file=case_file))
    pages = Page.objects.filter(links__case_file=case_file).distinct()
    _move([CaseFile.objects.get(pk=case_file.pk)], "case file", span)
    _move(case_file.events.all(), "event", span)
    _move(case_file.notes.all(), "note", span)
    _move(case_file.tasks.all(), "task", span)
    _move(case_file.links.all(), "link", span)
    _move(pages, "page", span)
    _move(requests, "request", span)
    for request in requests:
        _move(request.replies.all(), "reply", span)
        # Their ends fall on working days and the like, so they are worked out anew.
        request.clocks.all().delete()
        request.refresh_from_db()
        clocks.start(request)
    Host.objects.filter(pages__in=pages).update(free_at=timezone.now())
    services.remind()


def _move(rows: Iterable[Model], kind: str, span: datetime.timedelta) -> None:
    for row in rows:
        moved: dict[str, Any] = {
            name: value - span for name in _TIMES[kind] if (value := getattr(row, name)) is not None
        }
        type(row)._default_manager.filter(pk=row.pk).update(**moved)
