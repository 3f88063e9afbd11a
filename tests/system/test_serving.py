"""A served bank against senders who send rubbish, send slowly or not at all, and against the end of its ticker."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3

from reclaim.protocol.stopncii_v1 import FUNCTION_KEY_HEADER
from reclaim.sitekit.events import OurSentences
from reclaim.sitekit.headers import HEADERS
from tests.conftest import secrets_in
from tests.system.environment import RECLAIM, plain_environment
from tests.system.site_process import Bank

CLIENT = "127.0.0.7"
"""A loopback address that is not the one the bank is bound to, so that it can only come from a request."""
KEY = "reclaim_fetch_" + "canary" * 7
PATIENCE = 90
"""Seconds a test waits for what must come; generous, as it says nothing about speed."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    bank = Bank(tmp_path_factory.mktemp("served") / "bank")
    bank.start()
    yield bank
    bank.stop()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Bank]:
    """A bank whose processes the test ends."""
    bank = Bank(tmp_path / "bank")
    bank.start()
    yield bank
    bank.stop()


def connect(bank: Bank) -> socket.socket:
    return socket.create_connection(("127.0.0.1", bank.port), timeout=PATIENCE, source_address=(CLIENT, 0))


def ask(bank: Bank, raw: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send just these bytes; status, headers and body of what comes back until the server closes."""
    with connect(bank) as connection:
        connection.sendall(raw)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    return int(status.split()[1]), dict(line.split(": ", 1) for line in lines), body


def request(method: str, path: str, *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode()


MALFORMED = b"CANARY\r\n\r\n"
TOO_LONG = request("GET", "/" + "canary" * 2000)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (MALFORMED, 400),
        (b"\x16\x03\x01canary\r\n\r\n", 400),
        (b"GET /canary HTTP/9.9\r\n\r\n", 400),
        (TOO_LONG, 414),
        (request("GET", "/canary", f"{FUNCTION_KEY_HEADER} {KEY}"), 400),
        (request("GET", "/canary", f"{FUNCTION_KEY_HEADER} : {KEY}"), 400),
        (request("GET", "/canary", f"{FUNCTION_KEY_HEADER}: {KEY}\x00"), 400),
        (request("GET", "/canary", f"X-Canary: {KEY * 400}"), 431),
        (request("GET", "/canary", "Transfer-Encoding: canary"), 501),
        (request("POST", "/start/case/", "Content-Type: application/json", "Transfer-Encoding: chunked")
         + b"canary\r\n", 400),
        (request("HEAD", "/canary", f"{FUNCTION_KEY_HEADER}: {KEY}"), 404),
        (request("HEAD", "/"), 200),
    ],
    ids=["rubbish", "TLS", "version", "long line", "no colon", "spaced name", "NUL", "long header", "coding", "chunks",
         "HEAD 404", "HEAD"],
)  # fmt: skip
def test_whatever_a_request_holds_the_log_says_nothing_of_it(served: Bank, raw: bytes, status: int) -> None:
    before = len(served.log)
    assert ask(served, raw)[0] == status
    assert served.log[before:] == "", "a sender's error is answered, and not logged"


@pytest.mark.parametrize("line", [f"Invalid request from ip={CLIENT}", "asked from 127.0.0.1", "ip=2001:db8::7 asked"])
def test_the_armed_check_sees_every_client_address(line: str) -> None:
    assert secrets_in(line)


@pytest.mark.parametrize("name", ["gunicorn.error", "gunicorn.http.wsgi", "urllib3.connectionpool"])
def test_of_what_a_library_logs_only_its_level_its_place_and_the_error_s_type_are_kept(name: str) -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(OurSentences())
    record = logging.LogRecord(name, logging.ERROR, __file__, 7, "from ip=%s: %s", (CLIENT, KEY), None)
    handler.handle(record)
    try:
        raise RuntimeError(KEY)
    except RuntimeError:
        record.exc_info = sys.exc_info()
    handler.handle(record)
    plain, with_error = out.getvalue().splitlines()
    library = name.split(".")[0]
    assert plain.endswith(f"error from {library}, test_serving:7")
    assert with_error.endswith(f"error from {library}, test_serving:7: RuntimeError")


@pytest.mark.parametrize(
    ("raw", "status", "caching"),
    [
        (request("GET", "/"), 200, "no-store"),
        (request("HEAD", "/"), 200, "no-store"),
        (request("GET", "/static/site.css"), 200, "max-age=60"),
        (request("GET", "/nothing-here"), 404, "no-store"),
        (MALFORMED, 400, "no-store"),
        (TOO_LONG, 414, "no-store"),
    ],
    ids=["page", "HEAD", "file", "404", "malformed", "long line"],
)
def test_every_answer_has_the_headers_and_none_names_the_server(
    served: Bank, raw: bytes, status: int, caching: str
) -> None:
    answered, headers, body = ask(served, raw)
    assert answered == status
    assert {name: headers.get(name) for name in HEADERS} == HEADERS
    assert headers["Cache-Control"] == caching
    assert "Server" not in headers
    assert "Set-Cookie" not in headers
    assert int(headers["Content-Length"]) > 0
    assert len(body) == (0 if raw.startswith(b"HEAD") else int(headers["Content-Length"]))


def test_an_answer_to_a_message_that_is_too_large_says_that_the_connection_ends(served: Bank) -> None:
    large = b" " * (1024 * 1024 + 1)
    head = "POST /start/case/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    status, headers, _ = ask(served, f"{head}Content-Length: {len(large)}\r\n\r\n".encode() + large)
    assert (status, headers["Connection"]) == (413, "close")


# Pictures' signals come as JSON and are read; what is not JSON is refused unread, and its rest is waited for.
HALF_A_BODY = b"POST /start/case/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"


def answers(bank: Bank) -> bool:
    """Whether the first page comes, within a few seconds."""
    with contextlib.suppress(urllib3.exceptions.HTTPError):
        return urllib3.request("GET", f"http://127.0.0.1:{bank.port}/", retries=False, timeout=5).status == 200
    return False


def eventually(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


# All at the same time, as each is waited for.
HALVES = (
    HALF_A_BODY + b"\r\nx",
    HALF_A_BODY + b"Content-Type: application/json\r\n\r\nx",
    b"GET / HTTP/1.1\r\nHost: loc",
    b"",
)


def test_forty_who_send_half_a_request_do_not_stop_the_bank(served: Bank) -> None:
    with contextlib.ExitStack() as stack:
        slow = [(half, stack.enter_context(connect(served))) for half in HALVES for _ in range(40)]
        for half, connection in slow:
            connection.sendall(half)
        eventually(lambda: answers(served), "the bank does not answer any more")
        for half, connection in slow:
            last = b"".join(iter(lambda one=connection: one.recv(65536), b""))  # type: ignore[misc]
            assert (b"HTTP/1.1 408 " in last) == (b"json" in half)
            assert (b"Connection: close" in last) == (b"json" in half)


def processes(bank: Bank, command: str) -> set[int]:
    """The running processes of ``reclaim bank COMMAND`` on this bank's data."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            arguments = (entry / "cmdline").read_text().split("\0")
            if command in arguments and str(bank.data) in arguments:
                found.add(int(entry.name))
    return found


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def the_ticker(bank: Bank) -> int:
    eventually(lambda: processes(bank, "tick"), "no ticker was started")
    (ticker,) = processes(bank, "tick")
    return ticker


def test_a_ticker_that_ends_is_started_again_and_the_log_says_so(own: Bank) -> None:
    first = the_ticker(own)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: processes(own, "tick") - {first}, "the ticker was not started again")
    assert own.log.count("the ticker had ended; it is started again") == 1
    assert answers(own)


def test_ctrl_c_while_the_ticker_hangs_ends_both(own: Bank) -> None:
    ticker = the_ticker(own)
    os.kill(ticker, signal.SIGSTOP)
    (server,) = (process for process in processes(own, "serve") if parent_of(process) == os.getpid())
    os.kill(server, signal.SIGINT)
    own.stop()
    assert "Traceback" not in own.log
    assert own.log.endswith("the bank has stopped\n")
    assert not processes(own, "tick")


def tick(site: str, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [RECLAIM, site, "tick", "--data", str(data)],
        capture_output=True,
        text=True,
        check=False,
        env=plain_environment(),
    )


def test_a_single_tick_on_a_fresh_folder_makes_the_bank_and_says_nothing(tmp_path: Path) -> None:
    done = tick("bank", tmp_path / "bank")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_single_tick_whose_work_failed_says_so_with_its_exit_code(own: Bank) -> None:
    own.run("from django.db import connection\nconnection.cursor().execute('DROP TABLE django_session')")
    done = tick("bank", own.data)
    assert done.returncode == 1
    assert "recurring work failed: " in done.stderr


def test_a_single_tick_of_a_platform_without_a_bank_says_so_with_its_exit_code(tmp_path: Path) -> None:
    done = tick("platform", tmp_path / "platform")
    assert done.returncode == 1
    assert "the bank could not be reached" in done.stderr
