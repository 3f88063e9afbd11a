"""A server on a real socket that answers what a test tells it: for what a real bank must never do."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

_random = random.Random(20250703)


def pdq() -> str:
    """A value as a real picture gives it: half of its 256 bits are set."""
    return f"{sum(1 << bit for bit in _random.sample(range(256), 128)):064x}"


def md5() -> str:
    return f"{_random.getrandbits(128):032x}"


def record(value: str, at: int = 100, status: str = "Active", **more: Any) -> dict[str, Any]:
    return {
        "lastModtimestamp": at,
        "signalType": "ImagePDQ",
        "hashValue": value,
        "hashStatus": status,
        "caseNumbers": {},
        "CSPFeedbacks": [],
        **more,
    }


def page(records: list[Any], at: int, token: str | None = None) -> dict[str, Any]:
    return {
        "count": len(records),
        "nextPageToken": token,
        "nextSetTimestamp": at,
        "hasMoreRecords": token is not None,
        "hashRecords": records,
    }


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Answer:
    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class ScriptedBank:
    """``answers`` are given in turn; the last one again and again. A callable is asked with the request."""

    url: str
    answers: list[Any] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def next_answer(self, request: Request) -> Answer:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Callable):  # type: ignore[arg-type]
            answer = answer(request)
        return answer if isinstance(answer, Answer) else Answer(answer)


@contextmanager
def serve() -> Iterator[ScriptedBank]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, parts.path, query, headers, json.loads(body) if body else None)
            answer = bank.next_answer(request)
            content = answer.content()
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(content)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_GET = answer
        do_POST = answer

        def log_message(self, *_: Any) -> None:
            """Keep the tests' output for the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    bank = ScriptedBank(f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield bank
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
