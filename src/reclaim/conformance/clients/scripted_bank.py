"""A bank on this machine whose feed, and whose faults, a check writes.

It speaks StopNCII v1 and the native v2 about one and the same timeline. What it serves by default is right; a *fault*
takes the place of one answer.
"""

from __future__ import annotations

import datetime
import json
import secrets
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

V1, V2 = "v1", "v2"
PAGE_SIZE = 3
"""Few records a page, so that every feed here has several."""
ACKNOWLEDGE_WITHIN = 24 * 3600
_V2_TYPES = {"ImagePDQ": "pdq", "VideoMD5": "md5"}
_TOMBSTONES = ("Withdrawn", "Deleted")
_PAGE_OF = {V1: "FetchHashes", V2: "signals"}


@dataclass(frozen=True)
class Keys:
    """What the client is given."""

    fetch_key: str = field(default_factory=lambda: f"conformance-fetch-{secrets.token_hex(8)}")
    subscription_key: str = field(default_factory=lambda: f"conformance-subscription-{secrets.token_hex(8)}")
    feedback_key: str = field(default_factory=lambda: f"conformance-feedback-{secrets.token_hex(8)}")
    platform_key: str = field(default_factory=lambda: f"conformance-platform-{secrets.token_hex(8)}")


@dataclass(frozen=True)
class Entry:
    """One signal as the feed has it. ``second`` is epoch seconds."""

    value: str
    second: int
    status: str = "Active"
    type: str = "ImagePDQ"


@dataclass(frozen=True)
class Asked:
    """One request that came."""

    method: str
    endpoint: str
    query: dict[str, str]
    body: Any
    known_key: bool


@dataclass(frozen=True)
class Answer:
    """An answer to send instead of the right one. ``cut`` sends only so many bytes of the body and then breaks off."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


Fault = Callable[[Asked, Answer], Answer]
"""From a request and the right answer to it, to the answer that is sent."""


class ScriptedBank:
    """Serves until the ``with`` block ends. Checks change ``entries`` between two runs of the client."""

    def __init__(self, wire: str) -> None:
        self.wire = wire
        self.keys = Keys()
        self.entries: list[Entry] = []
        self.faults: list[Fault] = []
        """Used one after the other, one for each request for a page of the feed."""
        self.asked: list[Asked] = []
        self.clock_offset = 0
        """Seconds by which this bank's clock is ahead of the machine's."""
        self.bank_id = str(uuid.uuid4())
        self.ledger = secrets.token_hex(4)
        """What cursors of v2 begin with."""
        self._order: dict[str, int] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> ScriptedBank:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def base(self) -> str:
        """The address of this machine's bank, without a version."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def now(self) -> int:
        """What this bank's clock says, epoch seconds."""
        return int(time.time()) + self.clock_offset

    def put(self, *values: str, second: int | None = None, status: str = "Active", type: str = "ImagePDQ") -> None:
        """Let these signals change now, or in this second; each moves to the end of the feed."""
        with self._lock:
            for value in values:
                self.entries = [entry for entry in self.entries if entry.value != value]
                self.entries.append(Entry(value, second if second is not None else self.now(), status, type))
                self._order[value] = max(self._order.values(), default=0) + 1
            self.entries.sort(key=lambda entry: (entry.second, self._order[entry.value]))

    def withdraw(self, *values: str, status: str = "Withdrawn", second: int | None = None) -> None:
        """Let a person withdraw these signals."""
        for value in values:
            [entry] = [entry for entry in self.entries if entry.value == value]
            self.put(value, second=second if second is not None else self.now(), status=status, type=entry.type)

    def restore_without(self, *values: str) -> None:
        """Go back to a backup that has no record of these signals, and tell v2's clients so."""
        with self._lock:
            self.entries = [entry for entry in self.entries if entry.value not in values]
            self.ledger = secrets.token_hex(4)

    def pages_asked(self) -> list[Asked]:
        """Requests for pages of the feed since the last ``forget_asked``."""
        return [each for each in self.asked if each.endpoint == _PAGE_OF[self.wire]]

    def forget_asked(self) -> None:
        """Begin anew with what was asked."""
        self.asked.clear()

    def acknowledged(self) -> set[str]:
        """Values whose deletion the client has confirmed."""
        told: set[str] = set()
        for each in self.asked:
            body = each.body if isinstance(each.body, dict) else {}
            if each.endpoint == "SubmitFeedback":
                told |= {
                    said.get("hashValue", "")
                    for said in body.get("hashFeedbacks", [])
                    if said.get("feedbackValue") in _TOMBSTONES
                }
            elif each.endpoint == "acknowledgements":
                told |= {said.get("value", "") for said in body.get("acknowledgements", [])}
        return told

    def answer(self, asked: Asked) -> Answer:
        """What to send."""
        with self._lock:
            self.asked.append(asked)
            right = self._right_answer(asked)
            if asked.endpoint == _PAGE_OF[self.wire] and self.faults and asked.known_key:
                return self.faults.pop(0)(asked, right)
            return right

    def _right_answer(self, asked: Asked) -> Answer:
        if self.wire == V2 and asked.endpoint == "":
            return Answer(body=self._about())
        if not asked.known_key:
            return _problem(401, "These keys are not known")
        pages = {V1: self._v1_page, V2: self._v2_page}
        if asked.method == "GET" and asked.endpoint == _PAGE_OF[self.wire]:
            return pages[self.wire](asked.query)
        if asked.method == "GET" and asked.endpoint == "acknowledgements":
            return Answer(body={"owed": [], "has_more": False})
        if asked.method == "POST" and isinstance(asked.body, dict):
            [count] = {len(part) for part in asked.body.values() if isinstance(part, list)} or {0}
            taken = {"count": count} if self.wire == V1 else {"taken": count}
            return Answer(body={**taken, "refused": []})
        return _problem(404, "There is nothing at this address")

    def _v1_page(self, query: dict[str, str]) -> Answer:
        start = int(query.get("startTimestamp", "10"))
        skip = int(query.get("nextPageToken") or 0)
        size = min(PAGE_SIZE, int(query.get("pageSize", "800")))
        changed = [entry for entry in self.entries if entry.second >= start]
        page = changed[skip : skip + size]
        more = skip + size < len(changed)
        return Answer(
            body={
                "count": len(page),
                "nextPageToken": str(skip + size) if more else None,
                "nextSetTimestamp": page[-1].second if page else start,
                "hasMoreRecords": more,
                "hashRecords": [v1_record(entry) for entry in page],
            }
        )

    def _v2_page(self, query: dict[str, str]) -> Answer:
        ordered = sorted(self.entries, key=lambda entry: self._order[entry.value])
        ledger, _, place = query.get("after", f"{self.ledger}.0").partition(".")
        if ledger != self.ledger:
            return _problem(410, "This cursor leads nowhere any more", "urn:reclaim:cursor-gone")
        after = int(place)
        size = min(PAGE_SIZE, int(query.get("limit", "800")))
        wanted = query.get("types", "pdq,md5,vpdq").split(",")
        changed = [e for e in ordered if self._order[e.value] > after and _V2_TYPES[e.type] in wanted]
        page = changed[:size]
        reached = self._order[page[-1].value] if page else after
        return Answer(
            body={
                "records": [v2_record(entry) for entry in page],
                "cursor": f"{self.ledger}.{reached}",
                "has_more": len(changed) > size,
            }
        )

    def _about(self) -> dict[str, Any]:
        return {
            "bank": "Conformance",
            "bank_id": self.bank_id,
            "software": "reclaim conformance",
            "staging": True,
            "events": None,
            "acknowledge_within_seconds": ACKNOWLEDGE_WITHIN,
            "tombstones_kept_seconds": 30 * 24 * 3600,
            "largest_page": PAGE_SIZE,
            "largest_submission": 1000,
            "snapshot_key": None,
        }


def v1_record(entry: Entry) -> dict[str, Any]:
    """The entry as v1 has it."""
    return {
        "lastModtimestamp": entry.second,
        "signalType": entry.type,
        "hashValue": entry.value,
        "hashStatus": entry.status,
        "caseNumbers": {str(uuid.uuid5(uuid.NAMESPACE_OID, entry.value)): entry.status},
        "CSPFeedbacks": [],
    }


def v2_record(entry: Entry) -> dict[str, Any]:
    """The entry as v2 has it."""
    gone = entry.status in _TOMBSTONES
    return {
        "type": _V2_TYPES[entry.type],
        "value": entry.value,
        "status": "withdrawn" if gone else "active",
        "changed_at": _time(entry.second),
        "quality": 100,
        "labels": [],
        "provenance": ["person"],
        "trust": 60,
        "action": "block",
        "decisions": {"blocked": 0, "not_blocked": 0},
        **({"acknowledge_by": _time(entry.second + ACKNOWLEDGE_WITHIN)} if gone else {}),
    }


def _time(second: int) -> str:
    return datetime.datetime.fromtimestamp(second, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _problem(status: int, title: str, kind: str = "about:blank") -> Answer:
    return Answer(status, {"type": kind, "status": status, "title": title})


def refused(status: int, *, retry_after: int | None = None) -> Fault:
    """The bank cannot or will not answer."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return lambda asked, right: replace(_problem(status, "Not now"), headers=headers)


def broken_off(asked: Asked, right: Answer) -> Answer:
    """The connection breaks in the middle of a page."""
    return replace(right, cut=len(json.dumps(right.body)) // 2)


def right(asked: Asked, answer: Answer) -> Answer:
    """No fault."""
    return answer


def with_body(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
    """The right answer with its body changed."""
    return lambda asked, answer: replace(answer, body=change(json.loads(json.dumps(answer.body))))


def _handler(bank: ScriptedBank) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _asked(self, method: str) -> Asked:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                body = json.loads(content) if content else None
            except ValueError:
                body = None
            _, _, endpoint = parts.path.strip("/").partition("/")
            return Asked(method, endpoint.strip("/"), query, body, self._known())

        def _known(self) -> bool:
            if bank.wire == V2:
                return self.headers.get("Authorization") == f"Bearer {bank.keys.platform_key}"
            own = (bank.keys.fetch_key, bank.keys.feedback_key)
            return (
                self.headers.get("x-functions-key") in own
                and self.headers.get("Ocp-Apim-Subscription-Key") == bank.keys.subscription_key
            )

        def _send(self, method: str) -> None:
            answer = bank.answer(self._asked(method))
            content = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            kind = "application/json" if answer.status < 400 else "application/problem+json"
            for name, value in {"Content-Type": kind, **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: answer.cut])
            if answer.cut is not None:
                self.close_connection = True

        def do_GET(self) -> None:
            self._send("GET")

        def do_POST(self) -> None:
            self._send("POST")

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(bank.now() if timestamp is None else timestamp)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: requests carry keys."""

    return Handler
