"""Reads on links and requests. ``access_*`` are the only ways to one of them."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from email.utils import parseaddr

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Lower, StrIndex, Substr
from django.http import Http404
from django.utils import timezone

from reclaim.bank.casework.queries import visible_to
from reclaim.bank.organisations.alarms import note_read
from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.organisations.queries import active_organisations
from reclaim.bank.takedown.links import NotALinkError, read_link
from reclaim.bank.takedown.models import Link, Page, Reply, TakedownRequest
from reclaim.bank.takedown.sealing import NotOursError
from reclaim.bank.takedown.services import page_mac
from reclaim.sitekit import audit

MOST_FITTING = 20
"""Requests on which a loose message can be filed."""


def visible_links(practitioner: Practitioner) -> QuerySet[Link]:
    """The links of the case files in a practitioner's scope, the newest first; hosts and case files come along."""
    # The organisation besides: with it, a list is one walk through one index.
    found = Link.objects.filter(case_file__in=visible_to(practitioner), organisation=practitioner.organisation_id)
    return found.select_related("case_file", "page__host").order_by("-found_on")


def access_link(practitioner: Practitioner, link: uuid.UUID) -> Link:
    """A link that the practitioner may see, and the trace that they looked. Call it outside a transaction.

    Raises ``Http404``; who reads in far more case files than usual is stopped here (``organisations.alarms``).
    """
    links = visible_links(practitioner).select_related("case_file__organisation", "page__host")
    found = links.prefetch_related("page__host__typed").filter(pk=link).first()
    if found is None:
        raise Http404
    note_read(practitioner, found.case_file_id)
    audit.record(practitioner.actor, "link.read", f"link:{found.pk}")
    return found


def access_request(practitioner: Practitioner, request: uuid.UUID) -> TakedownRequest:
    """A request that the practitioner may see, and the trace that they looked; as ``access_link``."""
    found = TakedownRequest.objects.filter(pk=request, link__case_file__in=visible_to(practitioner))
    of_link = found.select_related("link__case_file__organisation", "link__page__host", "sent_by__member")
    first = of_link.prefetch_related("clocks", "replies").first()
    if first is None:
        raise Http404
    note_read(practitioner, first.link.case_file_id)
    audit.record(practitioner.actor, "request.read", f"request:{first.pk}")
    return first


def links_at(practitioner: Practitioner, typed: str) -> QuerySet[Link]:
    """The practitioner's links to a typed address, or at a typed name of a host: how they are searched."""
    links = visible_links(practitioner)
    try:
        address = read_link(typed)
    except NotALinkError:
        return links.none()
    # A site's own page is among those at its host: one index or the other, never both.
    bare = address.key == f"https://{address.host}"
    return links.filter(host=address.host) if bare else links.filter(page__mac=page_mac(address.key))


def asked_for_already(practitioner: Practitioner, links: Collection[Link]) -> set[uuid.UUID]:
    """Which of these links lead to a page that the practitioner's organisation is asking for in another case file.

    What other organisations ask for is not told: a practitioner who types addresses in must not learn who else is
    helped.
    """
    asking = Link.objects.filter(
        page=OuterRef("page"), organisation=practitioner.organisation_id, state=Link.State.ASKED
    ).exclude(case_file=OuterRef("case_file"))
    found = Link.objects.filter(pk__in=[link.pk for link in links], organisation=practitioner.organisation_id)
    return set(found.filter(Exists(asking)).values_list("pk", flat=True))


class Why(enum.Enum):
    """Why a next step is due."""

    CLOCK = "clock"
    """Its time is over, by a law's clock or ``services.PATIENCE``, and the link is not down."""
    REFUSED = "refused"
    UNDELIVERED = "undelivered"
    """The mail came back, and nobody has answered."""
    RELISTED = "relisted"
    """It was down and is there again; nobody has asked since."""
    UNKNOWN = "unknown"
    """Whether a mail went is unknown."""


@dataclass(frozen=True)
class DueStep:
    """Something that waits for a practitioner. Nothing is sent by itself."""

    link: Link
    request: TakedownRequest | None
    why: Why


def due_steps(practitioner: Practitioner, most: int = 200) -> list[DueStep]:
    """What is due in the practitioner's scope: mails whose fate is unknown, links that came back, clocks that ended."""
    seen = visible_to(practitioner)
    # The organisation besides, as for links: what waits at others costs nothing.
    requests = TakedownRequest.objects.filter(organisation=practitioner.organisation_id, link__case_file__in=seen)
    requests = requests.select_related("link__case_file", "link__page__host")
    unknown = requests.filter(state=TakedownRequest.State.UNKNOWN).order_by("drafted_at")[:most]
    ended = requests.filter(remind_at__lte=timezone.now(), link__state__in=Link.OPEN).order_by("remind_at")[:most]
    bounced = Reply.objects.filter(request__in=[request.pk for request in ended], bounced=True)
    came_back = set(bounced.values_list("request", flat=True))
    back = visible_links(practitioner).filter(state=Link.State.RELISTED)[:most]
    steps = [DueStep(request.link, request, Why.UNKNOWN) for request in unknown]
    steps += [DueStep(link, None, Why.RELISTED) for link in back]
    for request in ended:
        why = Why.UNDELIVERED if request.pk in came_back and request.answered_at is None else Why.CLOCK
        refused = request.state == TakedownRequest.State.REFUSED
        steps.append(DueStep(request.link, request, Why.REFUSED if refused else why))
    return steps[:most]


def replies_to_read(practitioner: Practitioner, most: int) -> list[Reply]:
    """The newest reply of each request in scope that has one which nobody has read; what machines write, no one need
    read, except that a request could not be delivered."""
    waiting = Reply.objects.filter(Q(automatic=False) | Q(bounced=True), read_at=None, request__isnull=False)
    waiting = waiting.filter(
        request__organisation=practitioner.organisation_id, request__link__case_file__in=visible_to(practitioner)
    ).order_by("-arrived_at")
    newest: dict[uuid.UUID | None, Reply] = {}
    for reply in waiting.select_related("request__link__case_file")[: 2 * most]:
        newest.setdefault(reply.request_id, reply)
    return list(newest.values())[:most]


def unmatched() -> QuerySet[Reply]:
    """Messages that fit no request, the newest first."""
    return Reply.objects.filter(request=None).order_by("-arrived_at")


@dataclass(frozen=True)
class Loose:
    """A message that fits no request, and the requests that it may be about."""

    reply: Reply
    requests: list[TakedownRequest]


def loose(practitioner: Practitioner, most: int) -> list[Loose]:
    """The messages that fit no request and can only be about the practitioner's organisation's requests.

    That is all of them where the bank has one organisation. With several, it is those from a site to whose addresses
    this organisation has written, and no other.
    """
    alone = active_organisations().count() == 1
    replies = [(reply, _site_of(reply)) for reply in unmatched()]
    asked = TakedownRequest.objects.filter(to__contains="@", sent_at__isnull=False)
    asked = asked.annotate(site=Lower(Substr("to", StrIndex("to", Value("@")) + 1)))
    if not alone:
        pairs = asked.filter(site__in={site for _, site in replies if site}).values_list("site", "organisation")
        writers: dict[str, set[int]] = {}
        for site, organisation in pairs.distinct():
            writers.setdefault(site, set()).add(organisation)
        replies = [(reply, site) for reply, site in replies if writers.get(site) == {practitioner.organisation_id}]
    replies = replies[:most]
    mine = asked.filter(organisation=practitioner.organisation_id, link__case_file__in=visible_to(practitioner))
    of_site: dict[str, list[TakedownRequest]] = {}
    for request in (
        mine.filter(site__in={site for _, site in replies}).select_related("link__case_file").order_by("-sent_at")[:500]
    ):
        of_site.setdefault(request.site, []).append(request)
    return [Loose(reply, of_site.get(site, [])[:MOST_FITTING]) for reply, site in replies]


def _site_of(reply: Reply) -> str:
    """The part after «@» of who says that they wrote it; empty if there is none, or it cannot be read."""
    try:
        return parseaddr(reply.sender)[1].rpartition("@")[2].lower()
    except NotOursError:
        return ""


def due_pages() -> int:
    """How many pages are to be looked at now."""
    return Page.objects.filter(next_check_at__lte=timezone.now()).count()
