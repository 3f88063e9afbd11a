"""Requests go out once, by a real mail server, and what comes back is filed where it belongs."""

from __future__ import annotations

import asyncio
import datetime
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.utils import timezone
from pytest_django import Settings

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.law.services import sync_shipped
from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.takedown import imap, services
from reclaim.bank.takedown.addresses import reply_address
from reclaim.bank.takedown.inbox import UNMATCHED_FOR, Filed, forget_unmatched, read, take
from reclaim.bank.takedown.mail import NoMailServerError
from reclaim.bank.takedown.models import Reply, RunningClock, TakedownRequest
from reclaim.bank.takedown.outside import Server
from reclaim.bank.takedown.queries import Why, due_steps, unmatched
from reclaim.bank.takedown.services import Draft, RequestError, add_links, draft_request, send
from tests.outside import a_case_file, helper

pytestmark = pytest.mark.django_db
Route = TakedownRequest.Route


@dataclass
class Post:
    """A mail server: what it got, and what it says to the next message (empty: yes, «hang up»: nothing)."""

    got: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    says: str = ""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.got.append((str(envelope.mail_from), list(envelope.rcpt_tos), content))
        if self.says == "hang up":
            assert server.transport is not None
            server.transport.close()
            await asyncio.sleep(0)
        return self.says or "250 taken"


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Post, int]]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    post = Post()
    controller = Controller(post, hostname="127.0.0.1", port=port)
    controller.start()
    yield post, port
    controller.stop()


@pytest.fixture
def post(running: tuple[Post, int], settings: Settings) -> Post:
    """A real mail server that this bank sends by."""
    made, port = running
    made.got, made.says = [], ""
    server = Server("127.0.0.1", port, tls=False, starttls=False, user="", password="")
    settings.OUTSIDE = replace(settings.OUTSIDE, smtp=server, mail_from="takedown@bank.example")
    return made


@pytest.fixture
def someone() -> Practitioner:
    return helper("Example Helpline")


def a_request(someone: Practitioner, **how: Any) -> TakedownRequest:
    [link] = add_links(a_case_file(someone), someone, "https://pictures.example/a").links
    said = {"route": Route.MAIL, "to": "abuse@pictures.example", "subject": "Bitte löschen", "text": "Grüße\n.\nEnde"}
    return draft_request(link, someone, Draft(**{**said, **how}))


def an_answer(request: TakedownRequest, *headers: str, text: str = "It is removed.") -> bytes:
    to = reply_address("takedown@bank.example", request.pk)
    return "\r\n".join([f"To: {to}", "From: Desk <abuse@pictures.example>", *headers, "", text]).encode()


def test_a_request_goes_out_as_it_was_written_with_an_address_of_its_own(post: Post, someone: Practitioner) -> None:
    request = send(a_request(someone), someone)
    [(sender, to, raw)] = post.got
    letter = read(raw)
    assert (sender, to) == ("takedown@bank.example", ["abuse@pictures.example"])
    assert (letter.subject, letter.text) == ("Bitte löschen", "Grüße\n.\nEnde")
    assert letter.sender == "Example Helpline <takedown@bank.example>"
    assert f"Message-ID: {request.message_id}".encode() in raw
    assert f"Reply-To: {reply_address('takedown@bank.example', request.pk)}".encode() in raw
    assert (request.state, request.link.state, request.sent_by) == ("sent", "new", someone)
    request.link.refresh_from_db()
    assert request.link.state == "asked"


def test_two_presses_send_one_mail(post: Post, someone: Practitioner) -> None:
    request = a_request(someone)
    send(request, someone)
    with pytest.raises(RequestError, match="Look at it again"):
        send(request, someone)
    assert len(post.got) == 1


def test_without_a_mail_server_nothing_changes(someone: Practitioner) -> None:
    request = a_request(someone)
    with pytest.raises(NoMailServerError):
        send(request, someone)
    request.refresh_from_db()
    assert request.state == "draft"


def test_what_the_server_refuses_is_a_draft_again(post: Post, someone: Practitioner) -> None:
    post.says = "550 no such desk"
    request = send(a_request(someone), someone)
    assert (request.state, request.sent_at, request.fault.endswith(".")) == ("draft", None, True)
    post.says = ""
    assert send(request, someone).state == "sent"


def test_what_nobody_can_tell_is_unknown_until_somebody_has_looked(post: Post, someone: Practitioner) -> None:
    post.says = "hang up"
    request = send(a_request(someone), someone)
    assert request.state == "unknown"
    assert [step.why for step in due_steps(someone)] == [Why.UNKNOWN]
    with pytest.raises(RequestError):
        send(request, someone)
    assert services.note_not_sent(request, someone).state == "draft"


def test_what_a_bank_that_stopped_left_on_its_way_is_unknown(someone: Practitioner) -> None:
    request = a_request(someone)
    long_ago = timezone.now() - services.LOST_AFTER * 2
    TakedownRequest.objects.filter(pk=request.pk).update(state="sending", sending_since=long_ago)
    assert services.note_lost_sends() == 1
    sent = services.note_sent(TakedownRequest.objects.get(pk=request.pk), someone)
    assert (sent.state, sent.sent_at) == ("sent", long_ago)


def test_an_answer_is_filed_once_and_sealed_and_a_machine_s_is_no_answer(post: Post, someone: Practitioner) -> None:
    request = send(a_request(someone), someone)
    automatic = an_answer(request, "Auto-Submitted: auto-replied", text="We got your mail.")
    assert take(automatic) is Filed.ON_REQUEST
    request.refresh_from_db()
    assert (request.state, request.replies.get().automatic) == ("sent", True)
    answer = an_answer(request, "Subject: =?utf-8?q?Gel=C3=B6scht?=")
    assert [take(answer), take(answer)] == [Filed.ON_REQUEST, Filed.KNOWN]
    request.refresh_from_db()
    reply = request.replies.get(automatic=False)
    assert (request.state, reply.subject, reply.text) == ("answered", "Gelöscht", "It is removed.")
    assert "removed" not in reply.sealed_text


def test_an_answer_to_the_message_itself_is_filed_too(post: Post, someone: Practitioner) -> None:
    request = send(a_request(someone), someone)
    assert (
        take(f"To: takedown@bank.example\r\nIn-Reply-To: {request.message_id}\r\n\r\nYes".encode()) is Filed.ON_REQUEST
    )


def test_a_mail_that_could_not_be_delivered_makes_the_next_step_due(post: Post, someone: Practitioner) -> None:
    request = send(a_request(someone), someone)
    bounce = an_answer(request, 'Content-Type: multipart/report; boundary="b"', text="--b\r\n\r\nUnknown user\r\n--b--")
    assert take(bounce) is Filed.ON_REQUEST
    [step] = due_steps(someone)
    assert (step.request, step.why) == (request, Why.UNDELIVERED)


def test_marked_up_text_is_read_as_text_and_attachments_are_only_named(post: Post, someone: Practitioner) -> None:
    request = send(a_request(someone), someone)
    parts = (
        "--b\r\nContent-Type: text/html\r\n\r\n<style>x{}</style><p>Dear&nbsp;you<br>it is <b>gone</b></p>"
        "<script>1</script>"
        "\r\n--b\r\nContent-Type: image/jpeg\r\nContent-Disposition: attachment; filename=a.jpg\r\n\r\nabc\r\n--b--"
    )
    take(an_answer(request, "Content-Type: multipart/mixed; boundary=b", text=parts))
    reply = request.replies.get()
    assert (reply.text, reply.attachments) == ("Dear you\nit is gone", ["image/jpeg"])


def test_what_fits_no_request_is_kept_for_a_supervisor_and_forgotten() -> None:
    assert take(b"To: takedown@bank.example\r\n\r\nHello") is Filed.UNMATCHED
    assert unmatched().get().text == "Hello"
    Reply.objects.update(arrived_at=timezone.now() - UNMATCHED_FOR)
    assert forget_unmatched() == 1


def test_when_its_time_is_over_the_next_step_is_due_and_nothing_is_sent(post: Post, someone: Practitioner) -> None:
    request = send(a_request(someone), someone)
    assert due_steps(someone) == []
    now = timezone.now()
    TakedownRequest.objects.update(remind_at=now - datetime.timedelta(hours=1))
    RunningClock.objects.filter(request=request).delete()
    assert [services.remind(), services.remind()] == [1, 0]
    assert [(step.request, step.why) for step in due_steps(someone)] == [(request, Why.CLOCK)]
    assert due_steps(helper("Elsewhere")) == []
    assert len(post.got) == 1
    again = draft_request(request.link, someone, Draft(Route.HOST, "abuse@host.example", "Again", "Please"))
    send(again, someone)
    assert due_steps(someone) == []
    services.note_refused(again, someone)
    assert [(step.request, step.why) for step in due_steps(someone)] == [(again, Why.REFUSED)]
    services.note_done(again, someone)
    assert due_steps(someone) == []


def test_replies_are_fetched_from_a_mailbox_once(
    post: Post, someone: Practitioner, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = send(a_request(someone), someone)
    monkeypatch.setattr(imap, "LARGEST_MESSAGE", 5000)
    files = []
    for number, raw in enumerate([an_answer(request), b"To: a@b.example\r\n\r\nHello", b"x" * 6000]):
        files.append(tmp_path / f"{number}.eml")
        files[-1].write_bytes(raw)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.imap_server", *map(str, files)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        box = Server("127.0.0.1", port, tls=False, starttls=False, user="replies", password="a kettle")
        settings.OUTSIDE = replace(settings.OUTSIDE, imap=box)
        try:
            assert imap.fetch() == {Filed.ON_REQUEST: 1, Filed.UNMATCHED: 1, Filed.TOO_LARGE: 1}
            assert imap.fetch() == {}
            settings.OUTSIDE = replace(settings.OUTSIDE, imap=replace(box, password="a teapot"))
            with pytest.raises(imap.MailboxError, match="cannot be read"):
                imap.fetch()
        finally:
            process.terminate()
    assert request.replies.get().text == "It is removed."


@pytest.mark.parametrize("route", [Route.SEARCH, Route.REGISTRAR, Route.REGULATOR])
def test_no_clock_of_a_platform_runs_from_what_no_platform_was_sent(someone: Practitioner, route: Any) -> None:
    sync_shipped()
    request = a_request(someone, route=route, to="https://desk.example/form")
    CaseFile.objects.update(country="US")
    services.note_sent(request, someone)
    assert not RunningClock.objects.filter(law="us-take-it-down").exists()
    request = a_request(someone, route=Route.FORM, to="https://desk.example/form")
    CaseFile.objects.update(country="US")
    services.note_sent(request, someone)
    assert RunningClock.objects.filter(law="us-take-it-down").exists()
