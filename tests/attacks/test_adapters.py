"""Attacks on the adapters: whoever reaches their addresses, or posts files with bad intent."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reclaim.adapters.errors import Gone, MediaNotNow, Unreadable
from reclaim.adapters.fetching import Fetcher
from reclaim.adapters.folder import read_whole
from reclaim.adapters.init import init
from reclaim.adapters.queue import counts
from reclaim.adapters.s3 import confirmation_of
from reclaim.adapters.start import create_app

SECRET = "a-secret-of-the-webhook"


class Caller:
    """Somebody who calls the application of an adapter that nobody else reaches."""

    def __init__(self, kind: str, folder: Path) -> None:
        init(kind, folder, "http://127.0.0.1:9")
        for path in folder.glob("*.secret"):
            path.write_text(SECRET)
        config = folder / f"{kind}.toml"
        config.write_text(
            config.read_text().replace('endpoint = "http://127.0.0.1:9000"', 'endpoint = "http://127.0.0.1:9"')
        )
        self.queue = folder / "queue.sqlite3"
        self._app = create_app(config, False)

    def post(self, path: str, body: bytes, **headers: str) -> int:
        """The status of the answer."""
        return asyncio.run(self._post(path, body, headers))

    async def _post(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        sent: list[Any] = []
        pieces = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return pieces.pop() if pieces else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
            "scheme": "http",
        }
        await self._app(scope, receive, send)
        return int(sent[0]["status"])

    @property
    def waiting(self) -> int:
        return counts(self.queue).waiting


def signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def post_of(url: str) -> bytes:
    media = [{"id": "1", "type": "image", "url": url}]
    about = {"id": "9", "account": {"id": "3"}, "media_attachments": media}
    return json.dumps({"event": "status.created", "created_at": "x", "object": about}).encode()


POST = post_of("https://files.social.example/a.jpg")
RECORD = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "uploads"}, "object": {"key": "a.jpg"}}}
EVENT = json.dumps({"Records": [RECORD]}).encode()


@pytest.mark.parametrize(
    ("kind", "path", "body", "forged"),
    [
        (
            "mastodon",
            "/mastodon",
            POST,
            [
                {},
                {"X_Hub_Signature": ""},
                {"X_Hub_Signature": signature(POST, "x")},
                {"X_Hub_Signature": signature(b"")},
            ],
        ),
        (
            "s3",
            "/s3",
            EVENT,
            [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}, {"Authorization": "Basic \xfc"}],
        ),
        ("matrix", "/matrix/check", b"\xff\xd8\xff", [{}, {"Authorization": "Bearer "}, {"Authorization": SECRET}]),
    ],
)
def test_a_call_without_a_good_signature_is_refused_and_leaves_no_trace(
    tmp_path: Path, kind: str, path: str, body: bytes, forged: list[dict[str, str]]
) -> None:
    caller = Caller(kind, tmp_path / "adapter")
    assert [caller.post(path, body, **headers) for headers in forged] == [401] * len(forged)
    assert caller.waiting == 0


def test_a_webhook_that_is_sent_again_does_nothing_twice(tmp_path: Path) -> None:
    caller = Caller("mastodon", tmp_path / "adapter")
    assert [caller.post("/mastodon", POST, X_Hub_Signature=signature(POST)) for _ in range(5)] == [204] * 5
    assert caller.waiting == 1
    store = Caller("s3", tmp_path / "store")
    basic = base64.b64encode(f"reclaim:{SECRET}".encode()).decode()
    assert store.post("/s3", EVENT, Authorization=f"Basic {basic}") == 204
    assert store.post("/s3", EVENT, Authorization=f"Bearer {SECRET}") == 204
    assert store.waiting == 1


HOSTILE = [
    b"",
    b"null",
    b"[" * 100_000,
    b"\xff\xfe",
    b'{"event": "status.created"}',
    b'{"event": "status.created", "object": []}',
    post_of("x" * 5000),
    POST.replace(b'"id": "9"', b'"id": "../../admin"'),
    POST.replace(b'"id": "3"', b'"id": {"a": 1}'),
    json.dumps({"Records": [{}]}).encode(),
    json.dumps({"Records": "x"}).encode(),
    json.dumps(
        {"Records": [{**RECORD, "s3": {"bucket": {"name": "uploads"}, "object": {"key": "k" * 2000}}}]}
    ).encode(),
    json.dumps({"Type": "Notification", "Message": "[" * 50_000}).encode(),
    json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": 7}).encode(),
]


def test_a_signed_body_that_makes_no_sense_is_refused_in_words(tmp_path: Path) -> None:
    mastodon, store = Caller("mastodon", tmp_path / "a"), Caller("s3", tmp_path / "b")
    for body in HOSTILE:
        assert mastodon.post("/mastodon", body, X_Hub_Signature=signature(body)) in (204, 400)
        assert store.post("/s3", body, Authorization=f"Bearer {SECRET}") in (204, 400)
    large = b"x" * (2**20 + 1)
    assert mastodon.post("/mastodon", large, X_Hub_Signature=signature(large)) == 413
    assert (mastodon.waiting, store.waiting) == (0, 0)


class Host:
    """A host of media that answers each connection as a function says, and counts them."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self.connections = 0
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                connection.recv(65536)
                with contextlib.suppress(OSError):
                    self._answer(connection)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()


@pytest.fixture
def host() -> Iterator[Callable[[Callable[[socket.socket], None]], Host]]:
    made: list[Host] = []

    def make(answer: Callable[[socket.socket], None]) -> Host:
        made.append(Host(answer))
        return made[-1]

    yield make
    for each in made:
        each.close()


Hosts = Callable[[Callable[[socket.socket], None]], Host]


def test_a_webhook_cannot_make_us_fetch_from_the_inside_network_or_from_anywhere_else(host: Hosts) -> None:
    inside = host(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"))
    port = inside.port
    fetcher = Fetcher(["files.social.example", f"localhost:{port}"])
    for url in (
        f"http://127.0.0.1:{port}/",
        f"https://localhost:{port}/",
        f"http://localhost:{port}/",
        "https://169.254.169.254/latest/meta-data/",
        f"https://files.social.example@127.0.0.1:{port}/",
        f"https://files.social.example:{port}/",
        "file:///etc/passwd",
        "https://[::1",
        "gopher://files.social.example/",
        "//files.social.example/a.jpg",
    ):
        with pytest.raises(Unreadable):
            fetcher.fetch(url)
    assert inside.connections == 0


def test_a_host_cannot_lead_us_elsewhere(host: Hosts) -> None:
    inside = host(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"))
    to = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{inside.port}/\r\nContent-Length: 0\r\n\r\n".encode()
    leading = host(lambda connection: connection.sendall(to))
    fetcher = Fetcher([f"127.0.0.1:{leading.port}", f"127.0.0.1:{inside.port}"], private=True)
    with pytest.raises(Unreadable):
        fetcher.fetch(f"http://127.0.0.1:{leading.port}/a.jpg")
    assert inside.connections == 0


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")


def dripping(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


def test_a_huge_or_endless_or_trickling_file_is_cut(host: Hosts) -> None:
    flood, drip = host(endless), host(dripping)
    fetcher = Fetcher([f"127.0.0.1:{flood.port}", f"127.0.0.1:{drip.port}"], private=True, seconds=0.3)
    began = time.monotonic()
    with pytest.raises(Unreadable):
        fetcher.fetch(f"http://127.0.0.1:{flood.port}/", 2**20)
    with pytest.raises(MediaNotNow):
        fetcher.fetch(f"http://127.0.0.1:{drip.port}/")
    assert time.monotonic() - began < 5


def test_a_subscription_is_confirmed_at_its_own_service_only() -> None:
    def asking(url: str) -> bytes:
        return json.dumps({"Type": "SubscriptionConfirmation", "SubscribeURL": url}).encode()

    real = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"
    assert confirmation_of(asking(real)) == real
    for url in ("https://sns.evil.example/", "https://sns.eu-west-1.amazonaws.com.evil.example/", "http://10.0.0.1/"):
        assert confirmation_of(asking(url)) is None


def test_a_file_that_becomes_a_link_or_a_pipe_is_not_read(tmp_path: Path) -> None:
    secret, link, pipe = tmp_path / "secret", tmp_path / "link.jpg", tmp_path / "pipe.jpg"
    secret.write_text("secret")
    about = secret.stat()
    identity = f"{about.st_ino} {about.st_size} {about.st_mtime_ns}"
    link.symlink_to(secret)
    os.mkfifo(pipe)
    with pytest.raises(MediaNotNow):
        read_whole(str(link), identity)
    with pytest.raises(Gone):
        read_whole(str(pipe), identity)
