"""The pages on which practitioners ask for links to be taken down. English only, like every page for staff.

Nothing here loads, embeds or frames what a link leads to; an address is text, and opening it is a page of its own.
Nothing is sent unless somebody presses «send».
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reclaim.bank.casework.queries import access_case_file, is_break_due
from reclaim.bank.casework.services import note_working
from reclaim.bank.law.queries import shown_laws
from reclaim.bank.organisations.alarms import note_read
from reclaim.bank.organisations.queries import access_practitioner
from reclaim.bank.takedown import hosts, pages, services
from reclaim.bank.takedown.links import MOST_LINKS, NotALinkError
from reclaim.bank.takedown.models import Link, TakedownRequest
from reclaim.bank.takedown.queries import access_link, asked_for_already, links_at, visible_links
from reclaim.bank.takedown.queries import loose as loose_messages
from reclaim.bank.takedown.routes import WORDS
from reclaim.bank.takedown.services import RequestError
from reclaim.bank.takedown.texts import clean_line
from reclaim.sitekit import audit
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.permissions import Permission, needs

A_PAGE = 50
PLAIN = "plain"
"""A cookie: in this browser, no address is made into a link."""
PLAIN_DAYS = 365
MOST_PAGES = 200
"""How far a list goes; beyond that, search."""


def page(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """A page of practitioners, with what all of them show; it is noted that they work, for their breaks."""
    practitioner = access_practitioner(request)
    shared = {
        "practitioner": practitioner,
        "plain": request.COOKIES.get(PLAIN) == "1",
        "break_due": is_break_due(practitioner),
    }
    note_working(practitioner)
    return render(request, f"takedown/{name}.html", shared | context, status=status)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """What is due today, and every link in scope (``state``; ``page``; by POST alone ``q``, an address or the name of a
    site: in a request's own address it would be in logs and in the browser's history)."""
    practitioner = access_practitioner(request)
    asked = request.POST.get("q", "").strip()[:2100]
    state = _said(request).get("state", "")
    links = links_at(practitioner, asked) if asked else visible_links(practitioner)
    if state in Link.State.values:
        links = links.filter(state=state)
    shown = _paged(request, links)
    if shown["number"] > 1:
        # Who leafs through all that there is reads it, too.
        note_read(practitioner)
    audit.record(practitioner.actor, "links.list", f"organisation:{practitioner.organisation_id}")
    context = {
        "today": pages.today(practitioner) if not asked and not state and shown["number"] == 1 else None,
        "asked": asked,
        "state": state,
        "states": [(value, word) for value, (_, word) in pages.STATES.items()],
        **shown,
    }
    return page(request, "home", context)


def _said(request: HttpRequest) -> QueryDict:
    return request.POST if request.method == "POST" else request.GET


def _paged(request: HttpRequest, links: QuerySet[Link]) -> dict[str, Any]:
    """One page of links as rows. Nobody counts them: there is a next page if there is one more."""
    typed = _said(request).get("page", "1")
    number = int(typed) if typed.isascii() and typed.isdigit() and 0 < len(typed) < 4 else 1
    number = min(max(number, 1), MOST_PAGES)
    first = (number - 1) * A_PAGE
    found = list(pages.with_requests(links)[first : first + A_PAGE + 1])
    return {
        "rows": pages.rows_of(found[:A_PAGE]),
        "number": number,
        "more": len(found) > A_PAGE and number < MOST_PAGES,
    }


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_POST
def browser(request: HttpRequest) -> HttpResponse:
    """In this browser, make addresses into links, or never (POST ``plain``)."""
    response = redirect("takedown-home")
    if request.POST.get("plain") == "1":
        response.set_cookie(
            PLAIN,
            "1",
            max_age=PLAIN_DAYS * 86400,
            path="/helpline/",
            secure=settings.SECURE,
            httponly=True,
            samesite="Strict",
        )
        messages.success(request, "In this browser, no address is made into a link any more.")
    else:
        response.delete_cookie(PLAIN, path="/helpline/", samesite="Strict")
        messages.success(request, "In this browser, an address can be opened from a page of its own.")
    return response


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def case_links(request: HttpRequest, case_file: uuid.UUID) -> HttpResponse:
    """A case file's links (GET), and more of them (POST ``links``: pasted text)."""
    practitioner = access_practitioner(request)
    found = access_case_file(practitioner, case_file)
    error, typed, wrong = "", "", []
    if request.method == "POST":
        typed = request.POST.get("links", "")
        try:
            added = services.add_links(found, practitioner, typed)
        except (NotALinkError, RequestError) as problem:
            error = str(problem)
        else:
            wrong = added.wrong
            if len(added.links) == 1 and not wrong:
                return redirect("takedown-link", added.links[0].pk)
            if not wrong and (added.links or added.known):
                messages.success(request, _added_words(added))
                return redirect("takedown-case", found.pk)
            error = _added_words(added) if added.links or added.known else "There is no link in this text."
    links = visible_links(practitioner).filter(case_file=found)
    context = {"case_file": found, "most": MOST_LINKS, "error": error, "typed": typed, "wrong": wrong} | _paged(
        request, links
    )
    return page(request, "case", context, status=422 if error else 200)


def _added_words(added: services.Added) -> str:
    new, known = len(added.links), len(added.known)
    said = f"{new} link{'s' if new != 1 else ''} added."
    return said + (f" {known} {'were' if known != 1 else 'was'} there already." if known else "")


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_safe
def link(request: HttpRequest, link: uuid.UUID) -> HttpResponse:
    """One link: where it stands, what to do next, by which routes, what was asked, and who hosts it."""
    practitioner = access_practitioner(request)
    return _link_page(request, access_link(practitioner, link))


def _link_page(request: HttpRequest, found: Link, error: str = "", typed: hosts.Facts | None = None) -> HttpResponse:
    practitioner = access_practitioner(request)
    fetched = pages.with_requests(visible_links(practitioner).filter(pk=found.pk)).get()
    row = pages.row_of(fetched, shown_laws(), timezone.now())
    requests = sorted(fetched.requests.all(), key=lambda each: each.drafted_at, reverse=True)
    asked = [(each, pages.REQUEST_STATES[each.state], WORDS[each.route]) for each in requests]
    names = {(route.kind, route.to): route.name for route in row.routes}
    context = {
        "row": row,
        "link": fetched,
        "case_file": fetched.case_file,
        "host": row.where,
        "known_from": pages.known_from(fetched),
        "fault": "" if fetched.typed else fetched.page.host.fault,
        "history": [(each, state, route, names.get((each.route, each.to), each.to)) for each, state, route in asked],
        "clocks": [
            pages.shown_clock(clock, timezone.now())
            for each in requests
            if each.state in TakedownRequest.ASKED
            for clock in each.clocks.all()
        ],
        "others": [route for route in row.routes if route != row.next],
        "seen": pages.OUTCOMES.get(fetched.outcome, ""),
        "elsewhere": bool(asked_for_already(practitioner, [fetched])),
        "open_states": Link.OPEN,
        "error": error,
        "typed": typed,
    }
    return page(request, "link", context, status=422 if error else 200)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_safe
def opening(request: HttpRequest, link: uuid.UUID) -> HttpResponse:
    """Before an address is opened: what it may show, and what helps."""
    found = access_link(access_practitioner(request), link)
    return page(request, "opening", {"link": found, "url": pages.url_of(found), "case_file": found.case_file})


ACTS = {
    "look": (services.look_soon, "It is looked at in its site's next turn."),
    "down": (services.note_down, "Noted: it is down."),
    "give-up": (services.give_up, "Noted: nobody asks any more."),
    "take-up": (services.take_up, "Noted: it is asked for again."),
}


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_POST
def act(request: HttpRequest, link: uuid.UUID) -> HttpResponse:
    """Look again, or say how it stands (POST ``do``)."""
    practitioner = access_practitioner(request)
    found = access_link(practitioner, link)
    chosen = ACTS.get(request.POST.get("do", ""))
    if chosen is None:
        return _link_page(request, found, "Choose what to do with this link.")
    chosen[0](found, practitioner)
    messages.success(request, chosen[1])
    return redirect("takedown-link", found.pk)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_POST
def host(request: HttpRequest, link: uuid.UUID) -> HttpResponse:
    """Ask registries who hosts a link (POST ``do`` «look-up»), or type it in («type»)."""
    practitioner = access_practitioner(request)
    found = access_link(practitioner, link)
    if request.POST.get("do") == "look-up":
        fault = hosts.look_up_host(found, practitioner).fault
        messages.add_message(
            request, messages.ERROR if fault else messages.SUCCESS, fault or "Registries have answered."
        )
        return redirect("takedown-link", found.pk)
    names = ("network", "network_abuse", "country", "registrar", "registrar_abuse")
    typed = hosts.Facts(**{name: clean_line(request.POST.get(name, "")[:600]) for name in names})
    typed = replace(typed, country=typed.country.upper())
    try:
        hosts.type_in_host(found, practitioner, typed)
    except ValueError as problem:
        return _link_page(request, found, str(problem), typed)
    messages.success(request, "Saved. The routes follow it.")
    return redirect("takedown-link", found.pk)


@requires(Access.PRACTITIONER)
@needs(Permission.SUPERVISE_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def loose(request: HttpRequest) -> HttpResponse:
    """Messages to the bank's address that fit no request and can only be about this organisation's (GET), and filing
    one on a request (POST ``reply``, ``on``)."""
    practitioner = access_practitioner(request)
    found = loose_messages(practitioner, pages.MOST_SHOWN)
    audit.record(practitioner.actor, "replies.unmatched", f"organisation:{practitioner.organisation_id}")
    error = ""
    if request.method == "POST":
        chosen = next((each for each in found if str(each.reply.pk) == request.POST.get("reply")), None)
        on = (
            next((each for each in chosen.requests if str(each.pk) == request.POST.get("on")), None) if chosen else None
        )
        try:
            if chosen is None or on is None:
                raise RequestError("Choose one of the requests in the list.")
            services.file_loose(chosen.reply, on, practitioner)
        except RequestError as problem:
            error = str(problem)
        else:
            messages.success(request, "The message is filed on the request.")
            return redirect("takedown-loose")
    return page(request, "loose", {"found": found, "error": error}, status=422 if error else 200)
