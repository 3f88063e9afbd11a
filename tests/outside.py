"""The world outside for tests of takedown: a web site of made-up pages on this machine, and a policy to reach it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.organisations.models import Organisation, Practitioner
from reclaim.bank.takedown.reach import Policy
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.roles import Role


@dataclass
class Page:
    """What a site answers at one path."""

    status: int = 200
    body: bytes = b"<title>A picture</title>"
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "text/html; charset=utf-8"
    sends: Callable[[BaseHTTPRequestHandler], None] | None = None
    """Instead of all that: whatever it does with the connection."""


@dataclass
class Site:
    """A web site of this machine: pages by path, whatever the name that it is asked by."""

    port: int
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """Method, path and headers (by lower-case names) of each request."""

    def policy(self, **how: Any) -> Policy:
        """Every name leads to this site, and it alone of this machine may be asked."""
        return Policy(**{"resolve": lambda name, port: ["127.0.0.1"], "allowed": frozenset({self.place}), **how})

    @property
    def place(self) -> tuple[str, int]:
        """Address and port."""
        return ("127.0.0.1", self.port)

    def url(self, path: str, name: str = "pictures.example") -> str:
        """An address at the site."""
        return f"http://{name}:{self.port}{path}"

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [path for _, path, _ in self.asked]


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append((self.command, self.path, {key.lower(): value for key, value in self.headers.items()}))
            page = site.pages.get(self.path, Page(404, b"<title>Not found</title>"))
            if page.sends is not None:
                page.sends(self)
                return
            self.send_response(page.status)
            headers = {"Content-Type": page.media_type, "Content-Length": str(len(page.body)), **page.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(page.body)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            """Nothing: it would quote addresses."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is what some tests are about."""


@contextmanager
def site() -> Iterator[Site]:
    """A site that answers until the end of the block."""
    server = _Server(("127.0.0.1", 0), BaseHTTPRequestHandler)
    made = Site(server.server_address[1])
    server.RequestHandlerClass = _handler(made)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def helper(name: str = "Helpline", scope: Practitioner.Scope = Practitioner.Scope.ORGANISATION) -> Practitioner:
    """A practitioner of an organisation of that name, which is made if it is not there."""
    organisation, _ = Organisation.objects.get_or_create(name=name, defaults={"country": "GB", "languages": ["en"]})
    member = Member.objects.create(name=f"helper {Member.objects.count() + 1}", role=Role.PRACTITIONER.value)
    return Practitioner.objects.create(member=member, organisation=organisation, scope=scope)


def a_case_file(practitioner: Practitioner, country: str = "GB") -> CaseFile:
    """A case file of theirs."""
    return CaseFile.objects.create(
        designation="Quiet Heron",
        organisation=practitioner.organisation,
        owner=practitioner,
        channel="phone",
        country=country,
    )
