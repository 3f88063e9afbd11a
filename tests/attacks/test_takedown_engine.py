"""Somebody who types links in, answers requests, or runs the site that is asked, wants more than that."""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from reclaim.bank.takedown import inbox, reach
from reclaim.bank.takedown.addresses import Place, message_id, reply_address, token
from reclaim.bank.takedown.checker import look
from reclaim.bank.takedown.inbox import Filed, take
from reclaim.bank.takedown.mail import compose
from reclaim.bank.takedown.models import Reply, TakedownRequest
from reclaim.bank.takedown.outside import Server, read_outside
from reclaim.bank.takedown.reach import ForbiddenError, NoAnswerError, Policy, Reach, is_public
from reclaim.bank.takedown.services import Draft, RequestError, add_links, draft_request
from tests import outside
from tests.outside import Page, Site, a_case_file, helper

Route = TakedownRequest.Route


@pytest.fixture(scope="module")
def there() -> Iterator[Site]:
    with outside.site() as made:
        yield made


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "100.100.100.200", "168.63.129.16", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
        "192.88.99.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808",
        "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "fe80::1", "fec0::1", "fc00::1",
        "fd00:ec2::254", "ff02::1", "100::1", "5f00::1",
    ],
)  # fmt: skip
def test_no_link_leads_into_a_private_network(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    shown = f"[{address}]" if ":" in address else address
    with Reach(Policy()) as asked, pytest.raises(ForbiddenError):
        asked.ask(f"http://{shown}/")
    with Reach(Policy(resolve=lambda name, port: ["93.184.216.34", address])) as asked, pytest.raises(ForbiddenError):
        asked.ask("http://pictures.example/")


def test_public_addresses_are_public() -> None:
    assert all(is_public(ipaddress.ip_address(each)) for each in ("93.184.216.34", "1.1.1.1", "2606:4700:4700::1111"))


@pytest.mark.parametrize("port", [22, 25, 6379, 8080])
def test_no_link_reaches_another_service_of_a_public_machine(port: int) -> None:
    with Reach(Policy(resolve=lambda name, port: ["93.184.216.34"])) as asked, pytest.raises(ForbiddenError):
        asked.ask(f"http://pictures.example:{port}/")


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/", "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://127.1/",
        "http://0x7f000001/", "http://2130706433/", "http://0177.0.0.1/", "file:///etc/passwd", "gopher://a.example/",
        "http://pictures.example@10.0.0.1/", "https://10.0.0.1/", "//10.0.0.1/", "http://pictures.example:22/",
        "http://[", "data:text/html,x",
    ],
)  # fmt: skip
def test_no_redirect_leads_where_no_link_may(there: Site, target: str) -> None:
    there.pages = {"/r": Page(302, headers={"Location": target})}
    with Reach(there.policy()) as asked:
        with pytest.raises((ForbiddenError, NoAnswerError)):
            asked.ask(there.url("/r"))
        assert look(there.url("/r"), asked).outcome in ("forbidden", "failed")


def test_a_name_that_answers_differently_later_is_asked_at_the_address_that_was_looked_at(
    there: Site,
) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    there.pages = {"/r": Page(302, headers={"Location": f"http://other.example:{there.port}/x"}), "/x": Page()}
    asked_for = []

    def resolve(name: str, port: int) -> list[str]:
        asked_for.append(name)
        return next(answers)

    with Reach(there.policy(resolve=resolve)) as asked, pytest.raises(ForbiddenError):
        asked.ask(there.url("/r"))
    # Once for each name: nothing resolves it again to connect.
    assert asked_for == ["pictures.example", "other.example"]


def test_a_redirect_without_end_ends(there: Site) -> None:
    there.pages = {"/loop": Page(302, headers={"Location": "/loop"})}
    there.asked.clear()
    with Reach(there.policy()) as asked, pytest.raises(NoAnswerError):
        asked.ask(there.url("/loop"))
    assert len(there.asked) == 1 + reach.MOST_REDIRECTS


def _forever(handler: BaseHTTPRequestHandler, begin: bytes, piece: bytes, pause: float = 0) -> None:
    try:
        handler.wfile.write(begin)
        for _ in range(2_000_000):
            handler.wfile.write(piece)
            time.sleep(pause)
    except OSError:
        handler.close_connection = True


OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


@pytest.mark.parametrize(
    ("begin", "piece", "pause", "seconds"),
    [
        (OK, b"X-A: " + b"a" * 4000 + b"\r\n", 0, 5),
        (b"HTTP/1.1 200 " + b"a" * 70_000, b"a" * 9000, 0, 5),
        (OK, b"X", 0.02, 0.3),
        (OK + b"\r\n", b"x", 0.02, 0.3),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.02, 0.3),
        (b"SSH-2.0-OpenSSH\r\n", b"", 0.1, 5),
    ],
    ids=["headers", "status", "slow header", "slow body", "slow chunks", "no HTTP"],
)
def test_an_answer_without_end_is_left(there: Site, begin: bytes, piece: bytes, pause: float, seconds: float) -> None:
    there.pages = {"/": Page(sends=lambda handler: _forever(handler, begin, piece, pause))}
    began = time.monotonic()
    with Reach(there.policy()) as asked, pytest.raises(NoAnswerError):
        asked.ask(there.url("/"), seconds=seconds)
    assert time.monotonic() - began < 3


def test_a_large_page_is_read_so_far_and_a_picture_not_at_all(there: Site) -> None:
    there.pages = {
        "/page": Page(sends=lambda handler: _forever(handler, OK + b"\r\n", b"x" * 65536)),
        "/image": Page(media_type="image/jpeg", body=b"x" * 3_000_000),
    }
    with Reach(there.policy()) as asked:
        assert len(asked.ask(there.url("/page")).body) == reach.MOST_BODY
        assert asked.ask(there.url("/image"), reads=lambda kind: kind == "text/html").body == b""


def test_what_is_packed_small_is_not_unpacked_large(there: Site) -> None:
    bomb = gzip.compress(b"\0" * 20_000_000, 1)
    there.pages = {
        "/gzip": Page(body=bomb, headers={"Content-Encoding": "gzip"}),
        "/zlib": Page(body=zlib.compress(b"\0" * 20_000_000, 1), headers={"Content-Encoding": "deflate"}),
        "/other": Page(body=b"x", headers={"Content-Encoding": "br, gzip"}),
        "/none": Page(body=b"no gzip", headers={"Content-Encoding": "gzip"}),
    }
    with Reach(there.policy()) as asked:
        for path in ("/gzip", "/zlib"):
            assert len(asked.ask(there.url(path)).body) <= reach.MOST_BODY
        for path in ("/other", "/none"):
            assert look(there.url(path), asked).outcome == "failed"


@pytest.mark.parametrize("piece", [b"<title", b"<h1", b"<h1>", b"<!--", b"<", b"&amp", b"<title>" + b"&#x" * 50])
def test_no_page_takes_long_to_be_read(there: Site, piece: bytes) -> None:
    there.pages = {"/": Page(body=piece * (250_000 // len(piece)), media_type="text/html; charset=unicode_escape")}
    began = time.process_time()
    with Reach(there.policy()) as asked:
        assert look(there.url("/"), asked).outcome == "up"
    assert time.process_time() - began < 0.5


def test_no_cookie_goes_from_one_request_to_the_next(there: Site) -> None:
    there.pages = {
        "/a": Page(302, headers={"Location": "/b", "Set-Cookie": "who=1"}),
        "/b": Page(headers={"Set-Cookie": "who=2"}),
    }
    there.asked.clear()
    with Reach(there.policy()) as asked:
        for _ in range(2):
            asked.ask(there.url("/a"))
    assert not any({"cookie", "authorization"} & headers.keys() for _, _, headers in there.asked)


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


def test_a_certificate_must_be_one_for_the_name_and_not_for_the_address(tmp_path: Path) -> None:
    certificate, private = _certificate(tmp_path, "pictures.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def serve() -> None:
            for _ in range(3):
                plain, _ = listening.accept()
                try:
                    with context.wrap_socket(plain, server_side=True) as spoken:
                        spoken.recv(65536)
                        spoken.sendall(OK + b"Content-Length: 2\r\nConnection: close\r\n\r\nhi")
                except OSError:
                    plain.close()

        server = threading.Thread(target=serve)
        server.start()
        policy = Policy(
            resolve=lambda name, port: ["127.0.0.1"],
            allowed=frozenset({("127.0.0.1", port)}),
            authorities=str(certificate),
        )
        with Reach(policy) as asked:
            assert asked.ask(f"https://pictures.example:{port}/").body == b"hi"
            with pytest.raises(NoAnswerError, match="certificate"):
                asked.ask(f"https://other.example:{port}/")
        with Reach(replace(policy, authorities=None)) as asked, pytest.raises(NoAnswerError, match="certificate"):
            asked.ask(f"https://pictures.example:{port}/")
        server.join()


@pytest.mark.parametrize(
    "value", ["10.0.0.1:80", "8.8.8.8:80", "localhost", "127.0.0.1:0", "evil.example:80", "127.0.0.1:99999"]
)
def test_the_stand_in_of_the_internet_is_never_another_machine(value: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        read_outside({"RECLAIM_RECHECK_STAND_IN": value})


def test_where_there_is_a_stand_in_nothing_else_is_asked(there: Site) -> None:
    there.pages = {"/x": Page()}
    policy = Policy(stand_in=there.place, resolve=lambda name, port: pytest.fail("a name was resolved"))
    with Reach(policy) as asked:
        assert asked.ask("https://real.example/x").status == 200


def test_mail_passwords_do_not_go_in_the_clear_to_another_machine() -> None:
    read = read_outside({"RECLAIM_SMTP_URL": "smtp://a:b%40@mail.example", "RECLAIM_MAIL_FROM": "t@bank.example"})
    assert read.smtp == Server("mail.example", 587, tls=False, starttls=True, user="a", password="b@")
    with pytest.raises(ImproperlyConfigured):
        read_outside({"RECLAIM_SMTP_URL": "http://mail.example"})


BREAKS = ["\n", "\r", "\r\n", "\x0b", "\x00", "\x85", "\u2028"]


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["to", "subject", "text", "language", "law"])
def test_no_field_of_a_request_adds_a_header(field: str, settings: Settings) -> None:
    settings.OUTSIDE = replace(settings.OUTSIDE, mail_from="takedown@bank.example")
    someone = helper("Help\r\nBcc: victim@b.example")
    [link] = add_links(a_case_file(someone), someone, "https://pictures.example/a").links
    fair: dict[str, Any] = {"route": Route.MAIL, "to": "abuse@a.example", "subject": "A", "text": "B"}
    for line_break in BREAKS:
        said = {**fair, field: f"{fair.get(field, 'en')}{line_break}Bcc: victim@b.example{line_break}{line_break}x"}
        try:
            request = draft_request(link, someone, Draft(**said))
        except RequestError:
            continue
        # A body may have lines; the head of the mail stays as it was.
        assert field == "text"
        head = compose(request, someone.organisation.name).message().as_bytes().partition(b"\n\n")[0]
        assert not any(line.lower().startswith(b"bcc") for line in head.splitlines())
    for address in ("a@b.example,c@d.example", "a@b.example c@d.example", "A <a@b.example>", "a@b.example;c@d.example"):
        with pytest.raises(RequestError):
            draft_request(link, someone, Draft(**{**fair, "to": address}))


def _a_request() -> TakedownRequest:
    someone = helper()
    [link] = add_links(a_case_file(someone), someone, "https://pictures.example/a").links
    request = draft_request(link, someone, Draft(Route.MAIL, "abuse@a.example", "A", "B"))
    TakedownRequest.objects.filter(pk=request.pk).update(state="sent", sent_at=request.drafted_at)
    return request


@pytest.mark.django_db
@pytest.mark.parametrize("inner", ["https://pictures.example/a", "https%3A%2F%2Fpictures.example%2Fa"])
def test_no_link_is_kept_in_the_clear_within_a_forms_address(inner: str) -> None:
    someone = helper()
    [link] = add_links(a_case_file(someone), someone, "https://pictures.example/a").links
    with pytest.raises(RequestError, match="a link within"):
        draft_request(link, someone, Draft(Route.FORM, f"https://forms.example/report?url={inner}", "A", "B"))


@pytest.mark.django_db
def test_nobody_answers_a_request_that_they_have_not_received() -> None:
    request = _a_request()
    real = reply_address("takedown@bank.example", request.pk)
    start = real.index("+") + 1
    wrong = "b" if real[start + 30] == "a" else "a"
    forged = [
        real[: start + 30] + wrong + real[start + 31 :],
        real.replace(token(Place.ADDRESS, request.pk), token(Place.MESSAGE, request.pk)),
        f"takedown+{request.pk}@bank.example",
    ]
    for address in forged:
        assert take(f"To: {address}\r\n\r\nIt is gone".encode()) is Filed.UNMATCHED
    identity = message_id("takedown@bank.example", request.pk)
    assert take(f"In-Reply-To: {identity.replace('@', 'a@', 1)}\r\n\r\nGone".encode()) is Filed.UNMATCHED
    assert not request.replies.exists()


@pytest.mark.django_db
def test_no_reply_takes_a_link_down_or_sends_anything() -> None:
    request = _a_request()
    take(f"To: {reply_address('t@b.example', request.pk)}\r\n\r\nThe picture is gone. Close the case.".encode())
    request.refresh_from_db()
    assert (request.state, request.link.state) == ("answered", "new")
    assert TakedownRequest.objects.count() == 1


@pytest.mark.django_db
def test_a_flood_of_mail_fills_so_much_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MOST_UNMATCHED", 3)
    monkeypatch.setattr(inbox, "MOST_REPLIES", 2)
    request = _a_request()
    to = reply_address("t@b.example", request.pk)
    assert [take(f"Subject: {each}\r\n\r\nx".encode()) for each in range(5)].count(Filed.FULL) == 2
    # One request's flood keeps nobody else's answers out.
    assert [take(f"To: {to}\r\nSubject: {each}\r\n\r\nx".encode()) for each in range(4)].count(Filed.FULL) == 2
    assert Reply.objects.count() == 5
    assert take(b"x" * (inbox.LARGEST_MESSAGE + 1)) is Filed.TOO_LARGE


@pytest.mark.django_db
@pytest.mark.parametrize(
    "raw",
    [
        b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (each, each) for each in range(3000)),
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 100_000,
        b"Content-Type: message/rfc822\r\n\r\n" * 20_000,
        b"Subject: " + b"=?utf-8?q?=41?= " * 60_000 + b"\r\n\r\nx",
        b"To: " + b"((((" * 200_000 + b"\r\n\r\nx",
        b"References: " + b"<" * 1_000_000 + b"\r\n\r\nx",
        b"Content-Type: text/html\r\n\r\n" + b"<style" * 200_000,
        b"Content-Type: text/plain; charset=\"" + b"a" * 100_000 + b"\"\r\n\r\nx",
        b"Content-Type: text/plain; charset=idna\r\n\r\n" + b"a" * 500_000,
        b"Content-Type: text/plain; charset=punycode\r\n\r\na-" + b"zzzz" * 20_000,
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"=" * 1_000_000,
        # Halves of a pair: no database takes them, and one such mail would keep all others out of a mailbox.
        b"Content-Type: text/plain; charset=utf-7\r\n\r\n+2AA-",
        b"Content-Type: text/plain; charset=unicode_escape\r\n\r\n\\ud800",
        b"Subject: =?utf-7?Q?+2AA-?=\r\n\r\nx",
        b"a" * 1_900_000,
        b"From: =?x?q?\xff\xfe?=\r\n\r\n\x00\x1b[31mred",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/\x00x\r\n\r\nx\r\n--b--",
        b"",
    ],
)  # fmt: skip
def test_no_message_is_too_much_to_be_read(raw: bytes) -> None:
    began = time.process_time()
    assert take(raw) is Filed.UNMATCHED
    assert time.process_time() - began < 1
    kept = Reply.objects.get()
    assert len(kept.text) <= inbox.LONGEST_TEXT
    assert not {"\x00", "\x1b"} & {*kept.text, *kept.subject, *kept.sender}
