"""The pages on which practitioners ask for links to be taken down."""

from __future__ import annotations

import html
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.law.services import sync_shipped
from reclaim.bank.organisations import alarms
from reclaim.bank.organisations.models import Alarm, Practitioner
from reclaim.bank.takedown.addresses import reply_address
from reclaim.bank.takedown.inbox import take
from reclaim.bank.takedown.models import Host, Link, Reply, TakedownRequest
from reclaim.bank.takedown.outside import Server
from reclaim.bank.takedown.services import add_links, note_refused
from reclaim.sitekit.models import AuditEvent
from tests.members import OWN_PAGE, practitioner
from tests.personas import ActingOrganisation

pytestmark = pytest.mark.django_db


STATEMENTS = {"home": 20, "by state": 12, "case": 18, "link": 20, "open": 14, "write": 16, "request": 16}
"""Of each page with 31 links."""


class Mailbox(Message):
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[str] = []

    def handle_message(self, message: object) -> None:
        self.got.append(str(message))


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    """A real mail server, and a bank that sends by it."""
    handler = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    server = Server("127.0.0.1", port, tls=False, starttls=False, user="", password="")
    settings.OUTSIDE = replace(settings.OUTSIDE, smtp=server, mail_from="takedown@bank.example")
    yield handler
    controller.stop()


@pytest.fixture
def acting() -> ActingOrganisation:
    """A supervisor with the laws that come with Reclaim."""
    sync_shipped()
    return ActingOrganisation.let_in()


def a_case_file(owner: Practitioner, country: str = "GB") -> CaseFile:
    return CaseFile.objects.create(
        designation="calm harbour 417",
        organisation=owner.organisation,
        owner=owner,
        channel="phone",
        country=country,
    )


def a_link(owner: Practitioner, text: str = "https://pictures.example/a", country: str = "GB") -> Link:
    return add_links(a_case_file(owner, country), owner, text).links[0]


def hosted(link: Link) -> Link:
    """Somebody has looked up who hosts it."""
    Host.objects.filter(pk=link.page.host_id).update(
        network="Example Hosting", network_abuse="abuse@host.example", country="NL", asked_at=timezone.now()
    )
    return link


def post(client: Client, path: str, **fields: object) -> tuple[int, str, str]:
    answer = client.post(path, fields, headers=OWN_PAGE)
    return answer.status_code, answer.headers.get("Location", ""), answer.content.decode()


def get(client: Client, path: str) -> str:
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def search(client: Client, typed: str, **more: str) -> str:
    """What is found of it."""
    status, _, page = post(client, "/helpline/links/", q=typed, **more)
    assert status == 200
    return page.split("Found")[1]


def route_to(page: str, kind: str) -> str:
    """The address of the page on which a request by this kind of route is written."""
    found = re.search(rf'tag quiet">{kind}</span>.*?href="([^"]+/write/[^"]+)"', page, re.DOTALL)
    assert found, kind
    return found[1]


def fields_of(page: str) -> dict[str, str]:
    """What stands in the form that sends a request."""
    form = page[page.index('id="request"') : page.index("</form>", page.index('id="request"'))]
    found = dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', form))
    text = re.search(r"<textarea[^>]*>(.*?)</textarea>", form, re.DOTALL)
    found["text"] = text[1] if text else ""
    return {name: html.unescape(value) for name, value in found.items() if name != "do"}


def test_one_pasted_link_leads_to_its_page_with_the_recommended_route_first(acting: ActingOrganisation) -> None:
    case_file = a_case_file(acting.practitioner)
    status, where, _ = post(
        acting.client, f"/helpline/links/case/{case_file.pk}/", links="https://www.reddit.com/r/x/comments/1?utm=1"
    )
    assert status == 302
    page = get(acting.client, where)
    assert page.index("Next: Ask Reddit (form)") < page.index("Other ways")
    assert "not asked yet" in page


def test_what_is_no_link_is_named_by_its_place_and_the_rest_is_kept(acting: ActingOrganisation) -> None:
    case_file = a_case_file(acting.practitioner)
    status, _, page = post(
        acting.client, f"/helpline/links/case/{case_file.pk}/", links="https://a.example/1 nonsense https://b.example/2"
    )
    assert status == 422
    assert "2 links added" in page
    assert "Number 2 in the text" in page
    assert case_file.links.count() == 2


def test_a_form_is_sent_by_the_practitioner_and_then_its_clock_runs(acting: ActingOrganisation) -> None:
    link = a_link(acting.practitioner, "https://www.reddit.com/r/x/1", country="US")
    page = get(acting.client, f"/helpline/links/{link.pk}/")
    writing = get(acting.client, route_to(page, "form"))
    assert 'href="https://www.reddit.com/report" rel="noopener noreferrer" target="_blank"' in writing
    status, where, _ = post(acting.client, route_to(page, "form"), do="sent", **fields_of(writing))
    assert (status, where) == (302, f"/helpline/links/{link.pk}/")
    link.refresh_from_db()
    assert link.state == Link.State.ASKED
    sent = link.requests.get()
    assert (sent.route, sent.law, sent.state) == ("form", "us-take-it-down", "sent")
    after = get(acting.client, where)
    assert "left · TAKE IT DOWN Act" in after
    assert "Next: Ask Google Search" in after


def test_a_mail_goes_out_with_one_press_and_names_nobody(acting: ActingOrganisation, mailbox: Mailbox) -> None:
    link = hosted(a_link(acting.practitioner))
    page = get(acting.client, f"/helpline/links/{link.pk}/")
    way = route_to(page, "host")
    writing = get(acting.client, way)
    assert "Geachte heer" in writing
    status, where, _ = post(acting.client, way, do="send", **fields_of(writing))
    assert (status, where) == (302, f"/helpline/links/{link.pk}/")
    (mail,) = mailbox.got
    assert "To: abuse@host.example" in mail
    assert "calm harbour" not in mail
    assert link.requests.get().state == TakedownRequest.State.SENT


def test_without_a_mail_server_a_mail_is_sent_from_ones_own_and_noted(acting: ActingOrganisation) -> None:
    link = hosted(a_link(acting.practitioner))
    way = route_to(get(acting.client, f"/helpline/links/{link.pk}/"), "host")
    writing = get(acting.client, way)
    assert 'value="send"' not in writing
    status, where, _ = post(acting.client, way, do="send", **fields_of(writing))
    assert "no mail server" in get(acting.client, where)
    status, _, _ = post(acting.client, where, do="sent", **fields_of(writing))
    assert status == 302
    assert link.requests.get().state == TakedownRequest.State.SENT


def test_opening_pages_and_writing_anew_sends_nothing(acting: ActingOrganisation, mailbox: Mailbox) -> None:
    link = hosted(a_link(acting.practitioner))
    way = route_to(get(acting.client, f"/helpline/links/{link.pk}/"), "host")
    fields = fields_of(get(acting.client, way))
    post(acting.client, way, do="anew", language="fr", law="")
    status, where, _ = post(acting.client, way, do="keep", **fields)
    assert (status, "request" in where) == (302, True)
    get(acting.client, where)
    assert acting.client.get(way + "?do=send").status_code == 200
    assert mailbox.got == []
    assert link.requests.get().state == TakedownRequest.State.DRAFT


def test_a_second_press_sends_no_second_mail(acting: ActingOrganisation, mailbox: Mailbox) -> None:
    link = hosted(a_link(acting.practitioner))
    way = route_to(get(acting.client, f"/helpline/links/{link.pk}/"), "host")
    fields = fields_of(get(acting.client, way))
    post(acting.client, way, do="send", **fields)
    status, _, page = post(acting.client, way, do="send", **fields)
    assert status == 422
    assert "just written this request" in page
    assert len(mailbox.got) == 1


def test_a_name_needs_the_persons_agreement_and_leaves_a_trace_without_the_name(acting: ActingOrganisation) -> None:
    link = a_link(acting.practitioner, "https://www.reddit.com/r/x/1")
    way = route_to(get(acting.client, f"/helpline/links/{link.pk}/"), "form")
    status, _, page = post(acting.client, way, do="anew", language="en", law="", name="Ann Other")
    assert status == 422
    assert "only if they agreed" in page
    _, _, page = post(acting.client, way, do="anew", language="en", law="", name="Ann Other", agreed="yes")
    assert "The person shown: Ann Other" in page
    post(acting.client, way, do="sent", **fields_of(page))
    assert AuditEvent.objects.filter(action="request.named", target=f"request:{link.requests.get().pk}").exists()
    assert not AuditEvent.objects.filter(target__contains="Ann").exists()


def test_once_refused_the_same_is_asked_again_and_then_the_next(acting: ActingOrganisation) -> None:
    link = hosted(a_link(acting.practitioner))
    for route in ("search", "search", "search"):
        page = get(acting.client, f"/helpline/links/{link.pk}/")
        way = re.search(r'id="next".*?href="([^"]+/write/[^"]+)"', page, re.DOTALL)
        assert way, route
        post(acting.client, way[1], do="sent", **fields_of(get(acting.client, way[1])))
    link.requests.update(remind_at=None)
    page = get(acting.client, f"/helpline/links/{link.pk}/")
    assert "Next: Ask Example Hosting (host)" in page
    made = TakedownRequest.objects.create(
        link=link,
        organisation=acting.organisation,
        route="host",
        language="en",
        to="abuse@host.example",
        sealed_subject="",
        sealed_text="",
        state="sent",
        sent_at=timezone.now(),
        remind_at=timezone.now() + timedelta(days=1),
    )
    assert "Next: Wait for an answer until" in get(acting.client, f"/helpline/links/{link.pk}/")
    note_refused(made, acting.practitioner)
    assert "Next: Ask Example Hosting again (host)" in get(acting.client, f"/helpline/links/{link.pk}/")


def test_an_answer_from_elsewhere_is_filed_and_stands_on_the_dashboard(acting: ActingOrganisation) -> None:
    link = a_link(acting.practitioner, "https://www.reddit.com/r/x/1", country="US")
    way = route_to(get(acting.client, f"/helpline/links/{link.pk}/"), "form")
    post(acting.client, way, do="sent", **fields_of(get(acting.client, way)))
    request = link.requests.get()
    path = f"/helpline/links/request/{request.pk}/"
    post(acting.client, path, do="answer", answer="We look at it.")
    assert "We look at it." in get(acting.client, path)
    # Whoever typed it in has read it.
    assert "Answers to read" not in get(acting.client, "/helpline/links/")


def test_an_answer_by_mail_stands_on_the_dashboard_until_whoever_works_on_it_has_read_it(
    acting: ActingOrganisation,
) -> None:
    working = Client()
    owner = practitioner(working, acting.organisation)
    link = hosted(a_link(owner))
    way = route_to(get(working, f"/helpline/links/{link.pk}/"), "host")
    post(working, way, do="sent", **fields_of(get(working, way)))
    request = link.requests.get()
    path = f"/helpline/links/request/{request.pk}/"
    to = reply_address("takedown@bank.example", request.pk)
    take(f"To: {to}\r\nAuto-Submitted: auto-replied\r\n\r\nWe have it.".encode())
    assert "Answers to read" not in get(working, "/helpline/links/")
    for text in ("We look at it.", "We will not."):
        take(f"To: {to}\r\n\r\n{text}".encode())
        assert 'tag">new' in get(acting.client, path)
        home = get(working, "/helpline/links/")
        assert "Answers to read" in home
        assert path in home
        assert 'tag">new' in get(working, path)
        assert 'tag">new' not in get(working, path)
        assert "Answers to read" not in get(working, "/helpline/links/")
        # A second one after what they did not answer well is one to read, too.
        post(working, path, do="done")


def test_a_mail_that_came_back_is_due_as_such(acting: ActingOrganisation) -> None:
    link = hosted(a_link(acting.practitioner))
    way = route_to(get(acting.client, f"/helpline/links/{link.pk}/"), "host")
    post(acting.client, way, do="sent", **fields_of(get(acting.client, way)))
    to = reply_address("takedown@bank.example", link.requests.get().pk)
    take(f"To: {to}\r\nFrom: MAILER-DAEMON@host.example\r\n\r\nNo such desk.".encode())
    home = get(acting.client, "/helpline/links/")
    assert "could not be delivered. Look for another address." in home
    assert "not delivered" in home.split("Answers to read")[1]


def test_a_host_is_typed_in_and_then_it_is_a_route(acting: ActingOrganisation) -> None:
    link = a_link(acting.practitioner)
    path = f"/helpline/links/{link.pk}/host/"
    status, _, page = post(
        acting.client, path, do="type", network="Host", network_abuse="a@b.example\r\nBcc: c@d.example"
    )
    assert status == 422
    assert "Write one mail address" in page
    status, _, page = post(
        acting.client, path, do="type", network="Host", network_abuse="abuse@b.example", country="zz"
    )
    assert status == 422
    assert "two capital letters" in page
    post(acting.client, path, do="type", network="Example Hosting", network_abuse="abuse@b.example", country="br")
    writing = get(acting.client, route_to(get(acting.client, path.replace("host/", "")), "host"))
    assert "abuse@b.example" in writing
    assert 'lang="pt"' in writing


def test_a_case_files_page_shows_its_links_and_takes_more(acting: ActingOrganisation) -> None:
    link = a_link(acting.practitioner, "https://www.reddit.com/r/x/1")
    page = render_to_string("takedown/panel.html", {"case_file": link.case_file})
    assert f"/helpline/links/{link.pk}/" in page
    assert "Next: Ask Reddit (form)" in page
    assert f'action="/helpline/links/case/{link.case_file_id}/"' in page


def test_a_message_that_fits_no_request_is_shown_to_the_supervisor_whose_it_can_only_be_who_files_it(
    acting: ActingOrganisation,
) -> None:
    loose = "/helpline/links/loose/"
    take(b"From: Desk <x@sub.host.example>\r\nSubject: About it\r\n\r\nWe <b>removed</b> it.\r\n")
    take(b"From: Desk <NoReply@Host.example>\r\n\r\nTicket closed.\r\n")
    assert loose in get(acting.client, "/helpline/links/")
    page = get(acting.client, loose)
    assert "We &lt;b&gt;removed&lt;/b&gt; it." in page
    assert "Ticket closed." in page
    working = Client()
    practitioner(working, acting.organisation)
    assert working.get(loose).status_code == 403
    # With a second organisation, only what comes from where this one alone has written to.
    other = ActingOrganisation.let_in("Another Helpline")
    assert "closed" not in get(acting.client, loose) + get(other.client, loose)
    link = hosted(a_link(acting.practitioner))
    way = route_to(get(acting.client, f"/helpline/links/{link.pk}/"), "host")
    post(acting.client, way, do="sent", **fields_of(get(acting.client, way)))
    request = link.requests.get()
    page = get(acting.client, loose)
    assert ("Ticket closed." in page, "removed" in page, str(request.pk) in page) == (True, False, True)
    assert "closed" not in get(other.client, loose)
    reply = Reply.objects.get(pk=re.findall(r'name="reply" value="(\d+)"', page)[0])
    assert post(other.client, loose, reply=reply.pk, on=request.pk)[0] == 422
    assert post(acting.client, loose, reply=reply.pk, on="x")[0] == 422
    assert post(acting.client, loose, reply=reply.pk, on=request.pk)[0] == 302
    request.refresh_from_db()
    assert (request.state, request.replies.get().text) == ("answered", "Ticket closed.")
    # From where both have written to, neither sees any.
    theirs = hosted(a_link(other.practitioner, "https://pictures.example/b"))
    way = route_to(get(other.client, f"/helpline/links/{theirs.pk}/"), "host")
    post(other.client, way, do="sent", **fields_of(get(other.client, way)))
    take(b"From: noreply@host.example\r\n\r\nAnother ticket.\r\n")
    assert "Another" not in get(acting.client, loose) + get(other.client, loose).split("<main")[1]


def test_many_links_are_sent_by_route_with_one_press_each(acting: ActingOrganisation, mailbox: Mailbox) -> None:
    case_file = a_case_file(acting.practitioner)
    added = add_links(
        case_file,
        acting.practitioner,
        "https://www.reddit.com/r/x/1 https://www.reddit.com/r/x/2 https://t.me/a/1 https://t.me/a/2",
    ).links
    path, chosen = f"/helpline/links/case/{case_file.pk}/batch/", [str(link.pk) for link in added]
    status, _, page = post(acting.client, path, link=chosen)
    assert status == 200
    assert "Reddit: 2 links" in page
    assert "Send 2 mails" in page
    groups = re.findall(r'name="route" value="(\w+)".*?do" value="(\w+)"', page, re.DOTALL)
    for route, do in groups:
        post(acting.client, path, link=chosen, route=route, do=do)
    assert len(mailbox.got) == 2
    assert {link.state for link in case_file.links.all()} == {Link.State.ASKED}
    by_form = TakedownRequest.objects.filter(route="form")
    assert by_form.count() == 2
    assert all("/r/x/1" in each.text and "/r/x/2" in each.text for each in by_form)


def test_ticking_nothing_or_too_many_says_so(acting: ActingOrganisation) -> None:
    case_file = a_case_file(acting.practitioner)
    for chosen in ([], ["x"], ["1"] * 30):
        status, where, _ = post(acting.client, f"/helpline/links/case/{case_file.pk}/batch/", link=chosen)
        assert status == 302
        assert "Tick" in get(acting.client, where)


def test_an_address_becomes_a_link_only_behind_a_warning_and_never_if_somebody_says_so(
    acting: ActingOrganisation,
) -> None:
    link = a_link(acting.practitioner)
    assert 'href="https://pictures.example' not in get(acting.client, f"/helpline/links/{link.pk}/")
    warning = get(acting.client, f"/helpline/links/{link.pk}/open/")
    assert "may show you the picture" in warning
    assert 'href="https://pictures.example/a" rel="noopener noreferrer nofollow" target="_blank"' in warning
    post(acting.client, "/helpline/links/browser/", plain="1")
    assert 'href="https://pictures.example' not in get(acting.client, f"/helpline/links/{link.pk}/open/")


def test_links_are_found_by_address_or_site_and_by_state(acting: ActingOrganisation) -> None:
    case_file = a_case_file(acting.practitioner)
    add_links(case_file, acting.practitioner, "https://a.example/1 https://b.example/2")
    assert "b.example" not in search(acting.client, "https://a.example/1")
    assert "b.example" in search(acting.client, "b.example")
    assert "No link in your scope" in get(acting.client, "/helpline/links/?state=down")
    assert "No link in your scope" in search(acting.client, "\0<script>")
    # An address within an address would stand in logs.
    assert "b.example" in get(acting.client, "/helpline/links/?q=https://a.example/1")


def test_what_is_found_at_a_site_goes_on_over_pages(acting: ActingOrganisation) -> None:
    many = " ".join(f"https://a.example/{number}" for number in range(60))
    add_links(a_case_file(acting.practitioner), acting.practitioner, many)
    first, second = search(acting.client, "a.example"), search(acting.client, "a.example", page="2")
    assert (first.count("https://a.example/"), second.count("https://a.example/")) == (50, 10)
    assert 'name="page" value="2"' in first


def test_another_organisation_sees_none_of_it(acting: ActingOrganisation) -> None:
    link = a_link(acting.practitioner, "https://www.reddit.com/r/x/1")
    way = route_to(get(acting.client, f"/helpline/links/{link.pk}/"), "form")
    post(acting.client, way, do="keep", **fields_of(get(acting.client, way)))
    other = ActingOrganisation.let_in("Another Helpline")
    paths = (
        f"/helpline/links/{link.pk}/",
        f"/helpline/links/{link.pk}/open/",
        way,
        f"/helpline/links/request/{link.requests.get().pk}/",
        f"/helpline/links/case/{link.case_file_id}/",
    )
    for path in paths:
        assert other.client.get(path).status_code == 404
    for path in (paths[0] + "act/", way, paths[3]):
        assert post(other.client, path, do="sent")[0] == 404
    assert "reddit" not in get(other.client, "/helpline/links/")
    assert "No link" in search(other.client, "https://www.reddit.com/r/x/1")


def test_nobody_reads_through_everybodys_links_unnoticed(
    acting: ActingOrganisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarms, "READS", (alarms.Quota(3600, 1, 2),))
    links = [a_link(acting.practitioner, f"https://pictures.example/{number}") for number in range(3)]
    opened = [acting.client.get(f"/helpline/links/{link.pk}/").status_code for link in (links[0], links[0], *links)]
    assert opened == [200, 200, 200, 200, 403]
    assert Alarm.objects.filter(practitioner=acting.practitioner, kind=Alarm.Kind.READS).exists()
    # The first page of the list is where everybody's day begins; who goes on leafs through.
    assert acting.client.get("/helpline/links/").status_code == 200
    assert acting.client.get("/helpline/links/?page=2").status_code == 403


def test_a_mistaken_down_is_taken_back_and_what_was_asked_is_expected_still(acting: ActingOrganisation) -> None:
    link = a_link(acting.practitioner, "https://www.reddit.com/r/x/1", country="US")
    way = route_to(get(acting.client, f"/helpline/links/{link.pk}/"), "form")
    post(acting.client, way, do="sent", **fields_of(get(acting.client, way)))
    before = link.requests.get()
    for do in ("down", "down", "take-up"):
        post(acting.client, f"/helpline/links/{link.pk}/act/", do=do)
    after = link.requests.get()
    assert (after.state, after.remind_at) == ("sent", before.remind_at)
    assert "left · TAKE IT DOWN Act" in get(acting.client, f"/helpline/links/{link.pk}/")
    # A second press on the same button is none.
    assert link.case_file.events.filter(kind="link.down").count() == 1


def test_how_many_statements_each_page_makes_does_not_grow_with_the_links(acting: ActingOrganisation) -> None:
    case_file = a_case_file(acting.practitioner)
    many = " ".join(f"https://site{number}.example/{number}" for number in range(30))
    link = add_links(case_file, acting.practitioner, many + " https://www.reddit.com/r/x/1").links[-1]
    way = route_to(get(acting.client, f"/helpline/links/{link.pk}/"), "form")
    post(acting.client, way, do="sent", **fields_of(get(acting.client, way)))
    request = link.requests.get()
    counted = {}
    for name, path in {
        "home": "/helpline/links/",
        "by state": "/helpline/links/?state=up",
        "case": f"/helpline/links/case/{case_file.pk}/",
        "link": f"/helpline/links/{link.pk}/",
        "open": f"/helpline/links/{link.pk}/open/",
        "write": way,
        "request": f"/helpline/links/request/{request.pk}/",
    }.items():
        # Once before: the first look at a case file in a day is counted, so that mass reading stands out.
        get(acting.client, path)
        with CaptureQueriesContext(connection) as statements:
            get(acting.client, path)
        counted[name] = len(statements)
    assert counted == STATEMENTS
