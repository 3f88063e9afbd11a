"""Writes on links and requests: what practitioners do. What the bank sees by itself is in ``looks`` and ``inbox``."""

from __future__ import annotations

import datetime
import re
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.takedown import clocks, links, mail, timeline
from reclaim.bank.takedown.contacts import contact_of
from reclaim.bank.takedown.links import Address, NotALinkError, read_link
from reclaim.bank.takedown.models import Host, Link, Page, Reply, TakedownRequest
from reclaim.bank.takedown.sealing import Use, seal
from reclaim.sitekit import audit
from reclaim.sitekit.secrets import mac

MOST_LINKS_OF_A_CASE_FILE = 5000
MOST_DRAFTS = 50
"""Of one link at once."""
LONGEST_SUBJECT = 200
LONGEST_REQUEST = 20_000
PATIENCE = datetime.timedelta(days=7)
"""After which the next step is due where no law's clock runs."""
LOST_AFTER = datetime.timedelta(minutes=15)
"""Longer than any try at a mail server takes: what is still on its way then was left behind by a bank that stopped."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROLS_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_KEY_OF_A_LAW = re.compile(r"[A-Za-z0-9._-]{0,80}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")


class RequestError(ValueError):
    """A request cannot be as it is, or not now; the message says what to do."""


# Links


@dataclass(frozen=True)
class Added:
    """What became of a pasted text."""

    links: list[Link]
    """New in this case file."""
    known: list[Link]
    """Already in this case file."""
    wrong: list[tuple[int, str]]
    """What is no link: which word of the text it is, from 1, and why."""


def add_links(case_file: CaseFile, practitioner: Practitioner, text: str) -> Added:
    """Take the links in a pasted text into a case file, and have them looked at.

    Raises ``links.NotALinkError`` for a text that is too long, and ``RequestError`` where the case file is full.
    """
    addresses, wrong = links.read_links(text)
    with transaction.atomic():
        # One at a time, so that two that come together do not both think that there is room.
        CaseFile.objects.select_for_update(no_key=True).get(pk=case_file.pk)
        if case_file.links.count() + len(addresses) > MOST_LINKS_OF_A_CASE_FILE:
            raise RequestError(f"A case file has at most {MOST_LINKS_OF_A_CASE_FILE} links. Leave some out.")
        pages = _pages_of(addresses)
        before = {link.page_id: link for link in case_file.links.filter(page__in=pages.values())}
        now = timezone.now()
        new = [
            Link(
                case_file=case_file,
                organisation_id=case_file.organisation_id,
                page=pages[address.key],
                sealed_url=seal(Use.URL, address.url),
                host=address.host,
                platform=_platform_at(address.host),
                found_on=now,
                added_by=practitioner,
            )
            for address in addresses
            if pages[address.key].pk not in before
        ]
        Link.objects.bulk_create(new)
        _look_soon([link.page for link in new], now)
        if new:
            timeline.note(case_file, practitioner, timeline.Kind.ADDED, links=len(new))
        audit.record(practitioner.actor, "links.add", f"casefile:{case_file.pk}")
    return Added(new, list(before.values()), wrong)


def _platform_at(host: str) -> str:
    known = contact_of(host)
    return known.slug if known is not None else ""


def page_mac(key: str) -> bytes:
    """What finds a page again by ``links.Address.key``: 32 bytes."""
    return mac("takedown-page", key.encode())


def _pages_of(addresses: Iterable[Address]) -> dict[str, Page]:
    """The pages of these addresses by their keys, new ones made; locked, so that none is forgotten meanwhile."""
    # In one order everywhere: two who add the same addresses do not wait for one another in a circle.
    by_mac = dict(sorted((page_mac(address.key), address) for address in addresses))
    names = sorted({address.host for address in by_mac.values()})
    Host.objects.bulk_create([Host(name=name) for name in names], ignore_conflicts=True)
    hosts = {host.name: host for host in Host.objects.select_for_update().filter(name__in=names).order_by("name")}
    Page.objects.bulk_create(
        [
            Page(mac=key, sealed_url=seal(Use.URL, address.looked_at), host=hosts[address.host])
            for key, address in by_mac.items()
        ],
        ignore_conflicts=True,
    )
    found = Page.objects.select_for_update().filter(mac__in=list(by_mac)).order_by("mac")
    return {by_mac[bytes(page.mac)].key: page for page in found}


def _look_soon(pages: Iterable[Page], at: datetime.datetime) -> None:
    """Have pages looked at in their hosts' next turn, and their intervals start anew."""
    keys, hosts = {page.pk for page in pages}, {page.host_id for page in pages}
    Host.objects.filter(pk__in=hosts).update(due_at=Least(Coalesce("due_at", at), at))
    Page.objects.filter(pk__in=keys).update(next_check_at=at, looks=0)
    for page in pages:
        page.next_check_at = at


def look_soon(link: Link, practitioner: Practitioner) -> None:
    """Have a link looked at in its host's next turn."""
    with transaction.atomic():
        _look_soon([link.page], timezone.now())
        audit.record(practitioner.actor, "link.look", f"link:{link.pk}")


def note_down(link: Link, practitioner: Practitioner) -> None:
    """A practitioner has seen that it is down, for instance behind a sign-in. Looks that find it gone and then there
    again reopen it all the same."""
    _change(link, practitioner, Link.State.DOWN, timeline.Kind.DOWN)


def give_up(link: Link, practitioner: Practitioner) -> None:
    """Nobody asks any more; unless another case file wants it, it is not looked at again."""
    _change(link, practitioner, Link.State.GIVEN_UP, timeline.Kind.GIVEN_UP)


def take_up(link: Link, practitioner: Practitioner) -> None:
    """Ask again after all, or after a mistaken «down»: then the clocks of what was asked last run on."""
    asked = link.requests.filter(sent_at__isnull=False).exists()
    _change(link, practitioner, Link.State.ASKED if asked else Link.State.NEW, timeline.Kind.TAKEN_UP)


def _change(link: Link, practitioner: Practitioner, state: Link.State, kind: timeline.Kind) -> None:
    now = timezone.now()
    with transaction.atomic():
        lock_hosts([link.page.host_id])
        page = Page.objects.select_for_update().get(pk=link.page_id)
        link.refresh_from_db(fields=["state", "first_down_on"])
        if link.state == state:
            # The button was pressed twice, or the bank has just seen it, too.
            return
        link.state = state
        if state is Link.State.DOWN:
            link.first_down_on = link.first_down_on or now
        link.save(update_fields=["state", "first_down_on"])
        if state in Link.OPEN:
            _expect_again(link)
            _look_soon([page], now)
        else:
            settle([link.pk])
            stop_looking([page.pk])
        timeline.note(link.case_file, practitioner, kind, host=link.host)
        audit.record(practitioner.actor, f"link.{state.value}", f"link:{link.pk}")


def lock_hosts(of: Iterable[int]) -> None:
    """Wait until nobody else writes about links at these hosts. Who locks a page, a link or a request does this first,
    so that no two wait for one another."""
    list(Host.objects.select_for_update().filter(pk__in=list(of)).order_by("name").values_list("pk"))


def settle(of: Iterable[uuid.UUID]) -> None:
    """Nothing more is expected of the requests for these links. In the caller's transaction."""
    asked = TakedownRequest.objects.filter(link__in=list(of), state__in=TakedownRequest.ASKED)
    asked.update(state=TakedownRequest.State.DONE, remind_at=None)


def _expect_again(link: Link) -> None:
    """Undo ``settle`` for what was asked last. In the caller's transaction."""
    last = link.requests.filter(sent_at__isnull=False).order_by("-sent_at").first()
    if last is None or last.state != TakedownRequest.State.DONE or last.sent_at is None:
        return
    last.state = TakedownRequest.State.ANSWERED if last.answered_at else TakedownRequest.State.SENT
    last.remind_at = clocks.first_end(last) or last.sent_at + PATIENCE
    last.save(update_fields=["state", "remind_at"])


def stop_looking(pages: Iterable[int]) -> None:
    """Look no longer at those of these pages that nobody wants looked at. In the caller's transaction."""
    wanted = Link.objects.exclude(state=Link.State.GIVEN_UP).values("page")
    Page.objects.filter(pk__in=list(pages)).exclude(pk__in=wanted.filter(page__in=list(pages))).update(
        next_check_at=None
    )


def forget_case_file(case_file: uuid.UUID) -> int:
    """Erase a case file's links, with their requests, clocks and replies; returns how many links.

    A page stays only while another case file has a link to it. In the caller's transaction, before the case file goes.
    """
    found = Link.objects.filter(case_file=case_file)
    keys = list(found.values_list("pk", "page"))
    requests = list(TakedownRequest.objects.filter(link__case_file=case_file).values_list("pk", flat=True))
    with transaction.atomic():
        pages = [page for _, page in keys]
        locked = list(
            Page.objects.select_for_update().filter(pk__in=pages).order_by("mac").values_list("pk", flat=True)
        )
        found.delete()
        Page.objects.filter(pk__in=locked, links=None).delete()
        stop_looking(locked)
        audit.forget("link", [link for link, _ in keys])
        audit.forget("request", requests)
    return len(keys)


# Requests


@dataclass(frozen=True)
class Draft:
    """What a request says, to whom."""

    route: TakedownRequest.Route
    to: str
    """A mail address, or the address of a form."""
    subject: str
    text: str
    language: str = "en"
    law: str = ""
    """The key of the law's row; empty for none."""

    def checked(self) -> Draft:
        """Itself, without white space around. Raises ``RequestError``: what has a line break in a header, or is too
        long, is not sent later either."""
        to, subject, text = self.to.strip(), self.subject.strip(), self.text.strip().replace("\r\n", "\n")
        if not subject or len(subject) > LONGEST_SUBJECT or _CONTROLS.search(subject):
            raise RequestError(f"The subject is one line of 1 to {LONGEST_SUBJECT} letters.")
        if not text or len(text) > LONGEST_REQUEST or _CONTROLS_IN_TEXT.search(text):
            raise RequestError(f"The text has 1 to {LONGEST_REQUEST} letters, and no control characters.")
        if not _LANGUAGE.fullmatch(self.language):
            raise RequestError("The language is a code such as «en».")
        if not _KEY_OF_A_LAW.fullmatch(self.law):
            raise RequestError("There is no such law.")
        if len(to) > 300 or _CONTROLS.search(to):
            raise RequestError("The address is one line of at most 300 letters.")
        if "@" in to and "/" not in to:
            try:
                validate_email(to)
            except ValidationError as error:
                raise RequestError("Write one mail address, such as abuse@host.example, without a name.") from error
        else:
            try:
                read_link(to)
            except NotALinkError as error:
                raise RequestError("Write a mail address, or the address of a form with https:// before it.") from error
            if "://" in unquote(to.split("://", 1)[-1]):
                # Whom a request goes to is not sealed, since lists go by it; a link is.
                raise RequestError("There is a link within the form's address. Leave what follows «?» out.")
        return Draft(self.route, to, subject, text, self.language, self.law)


def draft_request(link: Link, practitioner: Practitioner, draft: Draft) -> TakedownRequest:
    """Keep what is to be asked. Nothing is sent. Raises ``RequestError``."""
    draft = draft.checked()
    with transaction.atomic():
        Page.objects.select_for_update().get(pk=link.page_id)
        if link.requests.filter(state=TakedownRequest.State.DRAFT).count() >= MOST_DRAFTS:
            raise RequestError("This link has many drafts. Send one, or throw some away.")
        made = TakedownRequest(link=link, organisation_id=link.organisation_id, drafted_by=practitioner)
        _write(made, draft)
        made.save(force_insert=True)
        audit.record(practitioner.actor, "request.draft", f"request:{made.pk}")
    return made


def _write(request: TakedownRequest, draft: Draft) -> None:
    request.route, request.to, request.language, request.law = draft.route, draft.to, draft.language, draft.law
    request.sealed_subject, request.sealed_text = seal(Use.TEXT, draft.subject), seal(Use.TEXT, draft.text)


def _locked(request: TakedownRequest, *states: TakedownRequest.State) -> TakedownRequest:
    """The request as it is now, locked. Raises ``RequestError`` unless it is in one of these states."""
    lock_hosts([request.link.page.host_id])
    now = TakedownRequest.objects.select_for_update(of=("self",)).select_related("link__case_file", "link__page")
    found = now.filter(pk=request.pk).first()
    if found is None or found.state not in states:
        raise RequestError("Somebody else has just changed this request. Look at it again.")
    return found


def change_draft(request: TakedownRequest, practitioner: Practitioner, draft: Draft) -> TakedownRequest:
    """Write a draft anew. Raises ``RequestError``."""
    draft = draft.checked()
    with transaction.atomic():
        found = _locked(request, TakedownRequest.State.DRAFT)
        _write(found, draft)
        found.save()
        audit.record(practitioner.actor, "request.change", f"request:{found.pk}")
    return found


def discard_draft(request: TakedownRequest, practitioner: Practitioner) -> None:
    """Throw a draft away. Raises ``RequestError``."""
    with transaction.atomic():
        found = _locked(request, TakedownRequest.State.DRAFT)
        found.delete()
        audit.record(practitioner.actor, "request.discard", f"request:{request.pk}")


def send(request: TakedownRequest, practitioner: Practitioner) -> TakedownRequest:
    """Send a draft by mail, once, because a practitioner has pressed «send»; nothing else calls this.

    Two presses send one mail: the second finds it on its way. Where the mail server refuses, it is a draft again, with
    ``fault``; where nobody can tell whether it took it, the state is ``unknown`` until somebody has looked. Raises
    ``RequestError`` and ``mail.NoMailServerError``.
    """
    if not request.by_mail:
        raise RequestError("This goes by a form. Fill that in, and then say that it is sent.")
    mail.insist_on_a_server()
    with transaction.atomic(durable=True):
        found = _locked(request, TakedownRequest.State.DRAFT)
        found.state, found.sending_since, found.sent_by = TakedownRequest.State.SENDING, timezone.now(), practitioner
        found.message_id, found.fault = mail.message_id_of(found), ""
        try:
            message = mail.compose(found, practitioner.organisation.name)
        except ValueError as error:
            raise RequestError(
                "A line break is where none can be: in the address, or your organisation's name."
            ) from error
        found.save()
        audit.record(practitioner.actor, "request.sending", f"request:{found.pk}")
    # In no transaction: whatever becomes of this process now, the row says that it was on its way.
    outcome = mail.hand_over(message)
    with transaction.atomic(durable=True):
        found = _locked(request, TakedownRequest.State.SENDING)
        if outcome.sent:
            _note_sent(found, practitioner)
        else:
            found.state = TakedownRequest.State.UNKNOWN if outcome.unsure else TakedownRequest.State.DRAFT
            found.fault, found.sending_since = outcome.fault, None
            found.save()
        audit.record(practitioner.actor, f"request.{found.state}", f"request:{found.pk}")
    return found


def note_sent(request: TakedownRequest, practitioner: Practitioner) -> TakedownRequest:
    """A practitioner has sent it herself, by a form or a programming interface; or has looked, and a mail of which that
    was unknown did go. Raises ``RequestError``."""
    with transaction.atomic():
        if request.by_mail and mail.can_send():
            found = _locked(request, TakedownRequest.State.UNKNOWN)
        else:
            # Without a mail server of the bank's, a practitioner sends it from a mailbox of her own.
            found = _locked(request, TakedownRequest.State.DRAFT, TakedownRequest.State.UNKNOWN)
        _note_sent(found, practitioner)
        audit.record(practitioner.actor, "request.sent", f"request:{found.pk}")
    return found


def note_not_sent(request: TakedownRequest, practitioner: Practitioner) -> TakedownRequest:
    """A practitioner has looked, and a mail of which that was unknown did not go: it is a draft again. Raises
    ``RequestError``."""
    with transaction.atomic():
        found = _locked(request, TakedownRequest.State.UNKNOWN)
        found.state = TakedownRequest.State.DRAFT
        found.save(update_fields=["state"])
        audit.record(practitioner.actor, "request.not-sent", f"request:{found.pk}")
    return found


def _note_sent(request: TakedownRequest, practitioner: Practitioner) -> None:
    at = request.sending_since or timezone.now()
    request.state, request.sent_at, request.sent_by = TakedownRequest.State.SENT, at, practitioner
    request.sending_since = None
    request.remind_at, request.reminded_at = at + PATIENCE, None
    request.save()
    clocks.start(request)
    link = request.link
    # The newest request is what somebody waits for; what was asked before is answered by it or not at all.
    TakedownRequest.objects.filter(link=link).exclude(pk=request.pk).update(remind_at=None)
    if link.state in Link.OPEN:
        Link.objects.filter(pk=link.pk).update(state=Link.State.ASKED)
        _look_soon([link.page], timezone.now())
    _tell(request, practitioner, timeline.Kind.SENT)


def _tell(request: TakedownRequest, practitioner: Practitioner | None, kind: timeline.Kind) -> None:
    link = request.link
    timeline.note(link.case_file, practitioner, kind, route=request.route, host=link.host)


def note_refused(request: TakedownRequest, practitioner: Practitioner) -> None:
    """Whoever was asked will not: the next step is due at once. Raises ``RequestError``."""
    with transaction.atomic():
        found = _locked(request, TakedownRequest.State.SENT, TakedownRequest.State.ANSWERED)
        found.state = TakedownRequest.State.REFUSED
        found.answered_at = found.answered_at or timezone.now()
        if found.remind_at is not None:
            found.remind_at = timezone.now()
        found.save(update_fields=["state", "answered_at", "remind_at"])
        _tell(found, practitioner, timeline.Kind.REFUSED)
        audit.record(practitioner.actor, "request.refused", f"request:{found.pk}")


def note_done(request: TakedownRequest, practitioner: Practitioner) -> None:
    """Nothing more is expected of a request, and no step after it is due. Raises ``RequestError``."""
    with transaction.atomic():
        found = _locked(request, *TakedownRequest.ASKED)
        found.state, found.remind_at = TakedownRequest.State.DONE, None
        found.save(update_fields=["state", "remind_at"])
        audit.record(practitioner.actor, "request.done", f"request:{found.pk}")


def file_reply(request: TakedownRequest, practitioner: Practitioner, text: str) -> Reply:
    """File what came back elsewhere, for instance in a form's own inbox. Raises ``RequestError``."""
    text = text.strip().replace("\r\n", "\n")
    if not text or len(text) > LONGEST_REQUEST or _CONTROLS_IN_TEXT.search(text):
        raise RequestError(f"A reply has 1 to {LONGEST_REQUEST} letters, and no control characters.")
    with transaction.atomic():
        found = _locked(request, *TakedownRequest.ASKED, TakedownRequest.State.DONE)
        reply = Reply.objects.create(
            request=found,
            sealed_from=seal(Use.TEXT, ""),
            sealed_subject=seal(Use.TEXT, ""),
            sealed_text=seal(Use.TEXT, text),
            mac=secrets.token_bytes(32),
            typed_by=practitioner,
            read_at=timezone.now(),
        )
        note_answer(found)
        audit.record(practitioner.actor, "reply.file", f"request:{found.pk}")
    return reply


def note_replies_read(request: TakedownRequest, practitioner: Practitioner) -> None:
    """Whoever works on the case file has the request's replies before them. A colleague's look changes nothing."""
    waiting = any(reply.read_at is None for reply in request.replies.all())
    if waiting and request.link.case_file.owner_id in (None, practitioner.pk):
        request.replies.filter(read_at=None).update(read_at=timezone.now())


def file_loose(reply: Reply, request: TakedownRequest, practitioner: Practitioner) -> None:
    """File a message that fits no request on one, because somebody knows that it is about it. Raises
    ``RequestError``."""
    with transaction.atomic():
        found = _locked(request, *TakedownRequest.ASKED, TakedownRequest.State.DONE)
        if not Reply.objects.filter(pk=reply.pk, request=None).update(request=found):
            raise RequestError("Somebody else has just filed this message.")
        if not (reply.automatic or reply.bounced):
            note_answer(found)
        audit.record(practitioner.actor, "reply.file", f"request:{found.pk}")


def note_answer(request: TakedownRequest) -> None:
    """Somebody, and no machine, has answered: the clocks that run from its arrival do. In the caller's transaction,
    which has the request locked."""
    request.answered_at = request.answered_at or timezone.now()
    if request.state == TakedownRequest.State.SENT:
        request.state = TakedownRequest.State.ANSWERED
    request.save(update_fields=["answered_at", "state"])
    clocks.start(request)
    _tell(request, None, timeline.Kind.ANSWERED)


# Recurring


def note_lost_sends() -> int:
    """Requests that a bank left behind while sending: whether they went is unknown. Returns how many."""
    lost = Q(state=TakedownRequest.State.SENDING, sending_since__lt=timezone.now() - LOST_AFTER)
    with transaction.atomic():
        count = TakedownRequest.objects.filter(lost).update(
            state=TakedownRequest.State.UNKNOWN,
            fault="The bank stopped while it handed this to the mail server. Look there whether it went.",
        )
        if count:
            audit.record("system", "requests.lost", f"{count} requests")
    return count


def remind(most: int = 500) -> int:
    """Write into the timelines that the next step is due; sends nothing. Returns of how many requests."""
    now = timezone.now()
    due = TakedownRequest.objects.filter(remind_at__lte=now).filter(
        Q(reminded_at=None) | Q(reminded_at__lt=F("remind_at"))
    )
    done = 0
    for request in due.select_related("link__case_file").order_by("remind_at")[:most]:
        with transaction.atomic():
            if due.filter(pk=request.pk).update(reminded_at=now):
                _tell(request, None, timeline.Kind.DUE)
                done += 1
    return done
