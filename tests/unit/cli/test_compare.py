"""`reclaim compare`, against servers that give what they should and servers that do not."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from reclaim.cli import visit
from reclaim.cli.compare import command
from reclaim.cli.exits import Exit
from reclaim.cli.page_check import PageCheck
from reclaim.sitekit.headers import CONTENT_SECURITY_POLICY
from reclaim.sitekit.served import manifest, served_files

PAGE = b"""<!doctype html><link rel="stylesheet" href="/static/site.css">
<a href="/start/files/">On</a><a href="/leave/">Leave</a>"""


class Server(ThreadingHTTPServer):
    """One that has room for all who come at once."""

    request_queue_size = 64


class Pretender:
    """A server that gives what a bank gives, but for what ``changed`` names: an address's (status, type, body)."""

    def __init__(self) -> None:
        self.changed: dict[str, tuple[int, str, bytes]] = {}
        self.headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        self.asked: list[str] = []
        pretender = self

        class Handler(BaseHTTPRequestHandler):
            wbufsize = -1  # one write an answer

            def do_GET(self) -> None:
                pretender.asked.append(self.path)
                status, kind, body = pretender.answer(self.path)
                self.send_response(status)
                for name, value in {
                    **pretender.headers,
                    "Content-Type": kind,
                    "Content-Length": str(len(body)),
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        if path in self.changed:
            return self.changed[path]
        if path in ("/", "/start/files/"):
            return 200, "text/html", PAGE
        if path == "/files.json":
            return 200, "application/json", json.dumps(manifest()).encode()
        file = served_files().get("keep.js" if path == "/start/files/keep.js" else path.removeprefix("/static/"))
        return (200, "text/plain", file.path.read_bytes()) if file else (404, "text/plain", b"no")


@pytest.fixture
def bank() -> Iterator[Pretender]:
    pretender = Pretender()
    yield pretender
    pretender.server.shutdown()
    pretender.server.server_close()


def compared(bank: Pretender) -> tuple[int, list[tuple[str, str]]]:
    result = CliRunner().invoke(command, [bank.origin, "--json"])
    told = json.loads(result.stdout)
    assert told["same"] == (result.exit_code == Exit.OK)
    return result.exit_code, [(each["where"], each["what"]) for each in told["differences"]]


def test_a_bank_that_serves_this_checkout_does_not_differ(bank: Pretender) -> None:
    assert compared(bank) == (Exit.OK, [])
    assert "/leave/" not in bank.asked


def test_a_single_changed_byte_is_found(bank: Pretender) -> None:
    content = served_files()["hashing/pdq.js"].path.read_bytes()
    bank.changed["/static/hashing/pdq.js"] = (200, "text/javascript", content + b"\n")
    assert compared(bank) == (Exit.DIFFERS, [("/static/hashing/pdq.js", "Its bytes are not those of this checkout.")])


def test_a_changed_service_worker_is_found(bank: Pretender) -> None:
    bank.changed["/start/files/keep.js"] = (200, "text/javascript", b"fetch('/elsewhere')")
    assert compared(bank)[1] == [("/start/files/keep.js", "Its bytes are not those of this checkout.")]


def test_a_list_that_says_something_else_than_is_served_is_found(bank: Pretender) -> None:
    told = json.loads(json.dumps(manifest()))
    told["files"]["site.css"]["digest"] = "sha256-" + "A" * 43 + "="
    told["files"]["extra\x1b[2J.js"] = {"digest": "sha256-x", "bytes": 1}
    bank.changed["/files.json"] = (200, "application/json", json.dumps(told).encode())
    code, differences = compared(bank)
    assert code == Exit.DIFFERS
    assert [where for where, _ in differences] == ["/static/extra�[2J.js", "/files.json"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"version": 1, "files": []}', b"[" * 100_000, b"\xff"])
def test_a_list_that_is_none_is_a_difference_and_no_fault(bank: Pretender, body: bytes) -> None:
    bank.changed["/files.json"] = (200, "application/json", body)
    assert compared(bank)[1] == [("/files.json", "The bank publishes no list of its files here that can be read.")]


def test_an_answer_that_unpacks_without_end_is_cut_off(bank: Pretender, monkeypatch: pytest.MonkeyPatch) -> None:
    bank.headers["Content-Encoding"] = "gzip"
    bomb = gzip.compress(b"0" * 50_000_000, 1)
    unchanged = bank.answer

    def answer(path: str) -> tuple[int, str, bytes]:
        status, kind, body = unchanged(path)
        return status, kind, bomb if path.endswith("pdq.js") else gzip.compress(body)

    monkeypatch.setattr(bank, "answer", answer)
    assert compared(bank)[1] == [("/static/hashing/pdq.js", "Its bytes are not those of this checkout.")]


@pytest.mark.parametrize(
    ("page", "what"),
    [
        ("<script>steal()</script>", "It has a script of its own in the page."),
        ("<script src=/static/person/files.js>steal()</script>", "It has a script of its own in the page."),
        ('<script src="/static/other.js"></script>', "It loads «/static/other.js», which is no file of this checkout."),
        ('<script src="//other.example/a.js"></script>', "It loads «//other.example/a.js», which is no file of this"),
        ('<img src="/uploads/1.png">', "It loads «/uploads/1.png»"),
        ('<img srcset="/static/site.css 1x, /far.png 2x">', "It loads «/far.png»"),
        ('<link rel="preload" href="https://other.example/">', "It loads «https://other.example/»"),
        ('<svg><script href="/static/other.js"></script></svg>', "It loads «/static/other.js»"),
        ('<p onclick="steal()">', "It has a script in «onclick»."),
        ('<a href="javascript:steal()">x</a>', "It has a link that is a script."),
        ('<a href=" java&#10;script:steal()">x</a>', "It has a link that is a script."),
        ('<form action="https://other.example/">', "It has a form that is sent to «https://other.example/»."),
        ('<button formaction="//other.example/">', "It has a form that is sent to «//other.example/»."),
        ('<base href="/other/">', "It has an element «base»."),
        ('<meta http-equiv="refresh" content="0">', "It has a «meta http-equiv»."),
        ('<iframe src="/static/site.css"></iframe>', "It has an element «iframe»."),
        ("<!--> <script src=/static/x.js></script> -->", "It is written so that browsers may read it in another way"),
    ],
)
def test_a_page_that_brings_something_of_its_own_is_found(bank: Pretender, page: str, what: str) -> None:
    bank.changed["/start/files/"] = (200, "text/html", page.encode())
    code, differences = compared(bank)
    assert code == Exit.DIFFERS
    assert any(where == "/start/files/" and said.startswith(what) for where, said in differences), differences


def test_weaker_headers_are_found(bank: Pretender) -> None:
    bank.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace("'none'", "*")
    assert {what for _, what in compared(bank)[1]} == {"Its content security policy is not that of this checkout."}


@pytest.mark.parametrize("answer", [(500, "text/html", b""), (302, "text/html", b""), (404, "text/html", PAGE)])
def test_a_page_that_is_not_there_is_a_difference(bank: Pretender, answer: tuple[int, str, bytes]) -> None:
    bank.changed["/start/files/"] = answer
    assert compared(bank)[1] == [("/start/files/", f"It is not served (status {answer[0]}).")]


def test_a_bank_whose_pages_never_end_is_left_after_a_while(bank: Pretender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reclaim.cli.compare.MOST_PAGES", 20)
    unchanged = bank.answer
    links = "".join(f'<a href="{number}/">x</a>' for number in range(5)).encode()

    def answer(path: str) -> tuple[int, str, bytes]:
        usual = unchanged(path)
        return usual if usual[0] == 200 and path != "/" else (200, "text/html", links)

    monkeypatch.setattr(bank, "answer", answer)
    assert "more than 20 pages" in compared(bank)[1][-1][1]
    assert len(bank.asked) < 120 + len(served_files())


def test_a_bank_that_trickles_is_left(bank: Pretender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit, "MOST_SECONDS", -1.0)
    result = CliRunner().invoke(command, [bank.origin])
    assert result.exit_code == Exit.BANK_UNREACHABLE
    assert "did not come within" in result.stderr


@pytest.mark.parametrize(
    ("address", "code"),
    [("http://127.0.0.1:1", Exit.BANK_UNREACHABLE), ("ftp://bank.example", Exit.USAGE), ("http://a@b", Exit.USAGE)],
)
def test_what_is_no_bank_gets_a_sentence(address: str, code: Exit) -> None:
    result = CliRunner().invoke(command, [address])
    assert result.exit_code == code
    assert result.stderr.endswith(".\n")


def test_links_are_followed_and_pictures_of_the_page_are_loads() -> None:
    page = PageCheck('<a href="/a/">x</a><link rel="alternate" href="/b/"><img src="/c.png" alt="1 < 2">')
    assert (page.leads_to, page.loads, page.faults) == (["/a/"], ["/c.png"], [])
