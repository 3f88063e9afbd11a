"""Writing a request, sending it with a press, and what comes back."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from reclaim.bank.casework.models import Said
from reclaim.bank.casework.queries import access_case_file
from reclaim.bank.law.laws import Law
from reclaim.bank.law.queries import law_by_key, shown_laws
from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.organisations.queries import access_practitioner
from reclaim.bank.takedown import mail, pages, services
from reclaim.bank.takedown.forms import Options, Written, chosen_links, read_options
from reclaim.bank.takedown.models import Link, TakedownRequest
from reclaim.bank.takedown.queries import access_link, access_request, visible_links
from reclaim.bank.takedown.routes import WORDS, Route, countries_of, law_for, recommended, routes_for
from reclaim.bank.takedown.services import RequestError
from reclaim.bank.takedown.texts import LANGUAGES, Facts, RequestText, language_for, request_text, sentences
from reclaim.bank.takedown.views import page
from reclaim.bank.takedown.writing import write_request
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.permissions import Permission, needs


def _contact(practitioner: Practitioner) -> str:
    return practitioner.organisation.contact or settings.OUTSIDE.mail_from


def _usual(link: Link, route: Route, laws: Sequence[Law]) -> Options:
    return Options(
        language=language_for(route),
        law=law_for(route, countries_of(link), laws, timezone.now()),
        made_with_ai=link.case_file.made_with_ai == Said.YES,
    )


def _text(links: Sequence[Link], route: Route, options: Options, practitioner: Practitioner) -> RequestText:
    before = TakedownRequest.objects.filter(link__in=links, route=route.kind, to=route.to, sent_at__isnull=False)
    last = before.order_by("-sent_at").values_list("sent_at", flat=True).first()
    facts = Facts(
        urls=tuple(pages.url_of(each) for each in links),
        organisation=practitioner.organisation.name,
        contact=_contact(practitioner),
        found_on=min(each.found_on for each in links).date(),
        asked_on=last.date() if last else None,
        made_with_ai=options.made_with_ai,
        words=options.words,
        name=options.name,
        defanged=options.defanged,
    )
    return request_text(route, options.law, options.language, facts)


def _send(request: HttpRequest, made: TakedownRequest) -> bool:
    """Send a draft by mail, and tell how that went. Returns whether it went."""
    try:
        sent = services.send(made, access_practitioner(request))
    except (RequestError, mail.NoMailServerError) as problem:
        messages.error(request, str(problem))
        return False
    if sent.state == TakedownRequest.State.SENT:
        messages.success(request, f"Sent to {sent.to}.")
        return True
    messages.error(request, sent.fault or "Nobody can tell whether the mail went.")
    return False


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest, link: uuid.UUID, route: str) -> HttpResponse:
    """Write a request (GET); with other choices (POST ``do`` «anew»); keep it, send it, or say that it is sent
    («keep», «send», «sent»). What is typed goes by POST alone: an address would be in logs."""
    practitioner = access_practitioner(request)
    found = access_link(practitioner, link)
    laws = shown_laws()
    way = next((each for each in routes_for(found, countries_of(found), laws) if each.key == route), None)
    if way is None:
        messages.error(request, "What is known about this link has changed. Choose a route again.")
        return redirect("takedown-link", found.pk)
    options, written, error = _usual(found, way, laws), None, ""
    if request.method == "POST":
        do = request.POST.get("do", "")
        try:
            options = read_options(request.POST, laws, options)
            if do != "anew":
                written = Written.read(request.POST)
                return _kept(request, found, do, written.draft(way.kind, options))
        except RequestError as problem:
            error = str(problem)
    text = _text([found], way, options, practitioner)
    context = {
        "link": found,
        "case_file": found.case_file,
        "route": way,
        "options": options,
        "named": bool(options.name) or request.POST.get("named") == "yes",
        "written": written or Written.made(way, text),
        "text": text,
        "languages": [(code, sentences(code).name) for code in LANGUAGES],
        "laws": laws,
        "direction": "rtl" if options.language == "ar" else "ltr",
        "can_send": mail.can_send(),
        "error": error,
    }
    return page(request, "write", context, status=422 if error else 200)


def _kept(request: HttpRequest, link: Link, do: str, draft: services.Draft) -> HttpResponse:
    practitioner = access_practitioner(request)
    made = write_request(link, practitioner, draft, named=request.POST.get("named") == "yes")
    if do == "send" and not _send(request, made):
        return redirect("takedown-request", made.pk)
    if do == "sent":
        services.note_sent(made, practitioner)
        messages.success(request, "Noted as sent. Its clock runs.")
    if do == "keep":
        messages.success(request, "Kept as a draft. Nothing is sent.")
        return redirect("takedown-request", made.pk)
    return redirect("takedown-link", link.pk)


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_http_methods(["GET", "HEAD", "POST"])
def asked(request: HttpRequest, number: uuid.UUID) -> HttpResponse:
    """One request: what it says, its clocks and replies (GET); change, send or discard it, file an answer (POST
    ``do``)."""
    practitioner = access_practitioner(request)
    found = access_request(practitioner, number)
    error = ""
    if request.method == "POST":
        try:
            response = _done(request, found)
        except RequestError as problem:
            error = str(problem)
        else:
            return response or redirect("takedown-request", found.pk)
    services.note_replies_read(found, practitioner)
    typed = Written.read(request.POST) if error and request.POST.get("do") in ("change", "send", "sent") else None
    context = {
        "asked": found,
        "state": pages.REQUEST_STATES[found.state],
        "kind": WORDS[found.route],
        "link": found.link,
        "case_file": found.link.case_file,
        "url": pages.url_of(found.link),
        "law": law_by_key(found.law) if found.law else None,
        "written": typed or Written(found.to, found.subject, found.text),
        "clocks": [pages.shown_clock(clock, timezone.now()) for clock in found.clocks.all()],
        "replies": sorted(found.replies.all(), key=lambda reply: reply.arrived_at),
        "direction": "rtl" if found.language == "ar" else "ltr",
        "can_send": mail.can_send(),
        "is_open": found.state in TakedownRequest.ASKED,
        "error": error,
        "answer": request.POST.get("answer", "") if error else "",
    }
    return page(request, "request", context, status=422 if error else 200)


def _done(request: HttpRequest, found: TakedownRequest) -> HttpResponse | None:
    """Do what was pressed. Returns where to go, or ``None`` for the same page. Raises ``RequestError``."""
    practitioner, do = access_practitioner(request), request.POST.get("do", "")
    if do in ("change", "send", "sent") and found.state == TakedownRequest.State.DRAFT:
        written = Written.read(request.POST)
        draft = services.Draft(
            TakedownRequest.Route(found.route), written.to, written.subject, written.text, found.language, found.law
        )
        found = services.change_draft(found, practitioner, draft)
    if do == "send":
        _send(request, found)
    elif do == "sent":
        services.note_sent(found, practitioner)
        messages.success(request, "Noted as sent. Its clock runs.")
    elif do == "not-sent":
        services.note_not_sent(found, practitioner)
    elif do == "discard":
        services.discard_draft(found, practitioner)
        messages.success(request, "The draft is thrown away.")
        return redirect("takedown-link", found.link_id)
    elif do == "answer":
        services.file_reply(found, practitioner, request.POST.get("answer", "")[: 2 * services.LONGEST_REQUEST])
        messages.success(request, "The answer is filed.")
    elif do == "refused":
        services.note_refused(found, practitioner)
        return redirect("takedown-link", found.link_id)
    elif do == "done":
        services.note_done(found, practitioner)
    elif do != "change":
        raise RequestError("Choose what to do with this request.")
    return None


# Many at once


@dataclass(frozen=True)
class Group:
    """Links that are asked for by one route."""

    route: Route
    links: Sequence[Link]
    text: RequestText
    options: Options

    @property
    def addresses(self) -> list[tuple[Link, str]]:
        """The links with their addresses."""
        return [(each, pages.url_of(each)) for each in self.links]


def _groups(links: Sequence[Link], practitioner: Practitioner) -> tuple[list[Group], list[Link]]:
    """The links by the route that is recommended for each, or the first that has an address; and those without one."""
    laws, now = shown_laws(), timezone.now()
    by_route: dict[str, tuple[Route, list[Link]]] = {}
    without = []
    for each in links:
        routes = routes_for(each, countries_of(each), laws)
        usable = [route for route in routes if route.to]
        route = recommended(usable, list(each.requests.all()), now)
        if route is None:
            without.append(each)
        else:
            by_route.setdefault(route.key, (route, []))[1].append(each)
    groups = []
    for route, of in by_route.values():
        options = _usual(of[0], route, laws)
        # A form takes all of them at once; a mail is about one, so that an answer is about one.
        shown = of[:1] if route.by_mail else of
        groups.append(Group(route, of, _text(shown, route, options, practitioner), options))
    return groups, without


@requires(Access.PRACTITIONER)
@needs(Permission.WORK_CASES)
@require_POST
def batch(request: HttpRequest, case_file: uuid.UUID) -> HttpResponse:
    """Many links of a case file, by route (POST ``link``, several); one press sends a route's (``do``, ``route``)."""
    practitioner = access_practitioner(request)
    found = access_case_file(practitioner, case_file)
    try:
        chosen = chosen_links(request.POST)
    except RequestError as problem:
        messages.error(request, str(problem))
        return redirect("takedown-case", found.pk)
    links = pages.with_requests(visible_links(practitioner).filter(case_file=found, pk__in=chosen))
    groups, without = _groups(list(links), practitioner)
    pressed = next((group for group in groups if group.route.key == request.POST.get("route")), None)
    if request.POST.get("do") in ("send", "sent") and pressed is not None:
        count = _press(request, pressed)
        messages.success(request, f"{count} of {len(pressed.links)} sent.")
        groups, without = _groups(list(links.all()), practitioner)
        groups = [group for group in groups if group.route.key != pressed.route.key]
        if not groups:
            return redirect("takedown-case", found.pk)
    context = {"case_file": found, "groups": groups, "without": without, "chosen": chosen, "can_send": mail.can_send()}
    return page(request, "batch", context)


def _press(request: HttpRequest, group: Group) -> int:
    """Send a group's requests, and stop at the first that does not go. Returns how many went."""
    practitioner, count = access_practitioner(request), 0
    for each in group.links:
        text = _text([each], group.route, group.options, practitioner) if group.route.by_mail else group.text
        draft = Written.made(group.route, text).draft(group.route.kind, group.options)
        try:
            made = write_request(each, practitioner, draft)
            if group.route.by_mail and not _send(request, made):
                break
            if not group.route.by_mail:
                services.note_sent(made, practitioner)
        except RequestError as problem:
            messages.error(request, str(problem))
            break
        count += 1
    return count
