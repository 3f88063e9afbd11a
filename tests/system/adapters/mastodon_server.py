"""The endpoints of Mastodon's administration API that the adapter uses, as docs.joinmastodon.org describes them.

Real Mastodon is a Ruby programme with PostgreSQL and Redis and is not run here. This holds what its documents and its
source say of these endpoints: fields, statuses, and that a measure resolves every open report on the account.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "an-access-token-of-a-moderator"
_FIELDS = {"sensitive": "sensitized", "silence": "silenced", "suspend": "suspended"}


class World:
    """What the server has and what was asked of it."""

    def __init__(self) -> None:
        self.accounts: dict[str, dict[str, Any]] = {}
        self.reports: list[dict[str, Any]] = []
        self.media: dict[str, bytes] = {}
        self.said: list[str] = []
        self.lock = threading.RLock()

    def account(self, number: str) -> dict[str, Any]:
        return self.accounts.setdefault(
            number, {"id": number, "sensitized": False, "silenced": False, "suspended": False}
        )

    def report(self, account: str, comment: str) -> dict[str, Any]:
        made = {"id": str(len(self.reports) + 1), "target": account, "comment": comment, "action_taken": False}
        self.reports.append(made)
        return made

    def open_reports(self, account: str) -> list[str]:
        return [each["comment"] for each in self.reports if each["target"] == account and not each["action_taken"]]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world: World

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self, status: int, content: Any = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._route("GET", {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._route("POST", parse_qs(body))

    def _route(self, method: str, form: dict[str, list[str]]) -> None:
        parts = urlsplit(self.path)
        if parts.path.startswith("/media/"):
            found = self.world.media.get(parts.path)
            self._answer(200 if found is not None else 404, found if found is not None else b"")
            return
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {"error": "The access token is invalid"})
            return
        with self.world.lock:
            self._answer(*self._api(method, parts.path.removeprefix("/api/v1/"), parse_qs(parts.query), form))

    def _api(self, method: str, path: str, query: dict[str, list[str]], form: dict[str, list[str]]) -> tuple[int, Any]:
        world = self.world
        match [method, *path.split("/")]:
            case ["GET", "admin", "accounts"]:
                return 200, list(world.accounts.values())[: int(query["limit"][0])]
            case ["GET", "admin", "accounts", number]:
                return (200, world.accounts[number]) if number in world.accounts else (404, {"error": "not found"})
            case ["POST", "admin", "accounts", number, "action"]:
                kind = form["type"][0]
                world.account(number)[_FIELDS[kind]] = True
                for report in world.reports:
                    if report["target"] == number:
                        report["action_taken"] = True
                world.said.append(f"{number} {kind}")
                return 200, {}
            case ["POST", "admin", "accounts", number, undo]:
                world.account(number)[_FIELDS[undo.removeprefix("un")]] = False
                world.said.append(f"{number} {undo}")
                return 200, world.account(number)
            case ["GET", "admin", "reports"]:
                account = query.get("target_account_id", [None])[0]
                done = query.get("resolved") is None
                return 200, [
                    each for each in world.reports if each["target"] == account and (done or not each["action_taken"])
                ]
            case ["POST", "admin", "reports", number, act]:
                world.reports[int(number) - 1]["action_taken"] = act == "resolve"
                return 200, world.reports[int(number) - 1]
            case ["POST", "reports"]:
                assert form["category"] == ["other"]
                assert form["forward"] == ["false"]
                made = world.report(form["account_id"][0], form["comment"][0])
                world.said.append(f"{form['account_id'][0]} report {form.get('status_ids[]', ['-'])[0]}")
                return 200, made
        return 404, {"error": "not found"}


@contextmanager
def mastodon() -> Iterator[tuple[World, int]]:
    """A server, and its port."""
    world = World()
    handler = type("Handler", (_Handler,), {"world": world})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield world, server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
