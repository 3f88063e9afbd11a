"""Refusals as problem+json (RFC 9457): what went wrong and what to do, never what was sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from reclaim.matching.service.config import BODY_SECONDS, REQUEST_SECONDS

_FAULTS_NAMED = 20

_TITLES = {
    400: "This message does not fit the contract",
    401: "A key is needed",
    404: "There is nothing at this address",
    405: "This address takes another method",
    408: "The message came too slowly",
    413: "This message is too large",
    415: "This kind of content is not taken here",
    422: "This picture gave no signal",
    429: "Too many requests of this key at once",
    500: "Something went wrong here",
    503: "Not now",
    504: "This took too long",
}

_DETAILS = {
    400: "The message could not be read whole. Send it again.",
    401: "Send «Authorization: Bearer KEY» with a key made by «reclaim match key».",
    404: "Check the path; docs/matching.md lists all of them.",
    405: "Use the method that docs/matching.md names for this path.",
    408: f"Send it again, whole within {BODY_SECONDS:.0f} seconds.",
    429: "Wait for answers before sending more, or send signals in batches.",
    500: "Nothing was looked up. Send it again; if that fails too, tell the operator.",
    504: f"It was given up after {REQUEST_SECONDS:.0f} seconds. Send it again later, or send less at a time.",
}

# What pydantic says of these repeats what was sent.
_SAID = {
    "union_tag_invalid": "A type is pdq or md5.",
    "union_tag_not_found": "A type is pdq or md5.",
    "json_invalid": "This is no JSON.",
}


class Problem(Exception):
    """A request that is refused."""

    def __init__(self, status: int, detail: str = "", *, retry_after: int | None = None, **extra: Any) -> None:
        super().__init__(status)
        self.status = status
        self.detail = detail or _DETAILS[status]
        self.retry_after = retry_after
        self.extra = extra

    def response(self) -> Response:
        """The refusal as an answer."""
        title = _TITLES.get(self.status) or HTTPStatus(self.status).phrase
        body = {"type": "about:blank", "status": self.status, "title": title, "detail": self.detail, **self.extra}
        return Response(json.dumps(body, ensure_ascii=False), self.status, self._headers(), "application/problem+json")

    def _headers(self) -> Mapping[str, str]:
        headers = {}
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return headers


def invalid_message(error: ValidationError) -> Problem:
    """A 400 that names each field and what is wrong with it, without repeating what was sent."""
    faults = [
        {"field": _field(fault["loc"], fault["type"]), "fault": _said(fault["type"], fault["msg"])}
        for fault in error.errors(include_input=False, include_url=False, include_context=False)[:_FAULTS_NAMED]
    ]
    return Problem(400, "Mend the fields named in «faults» and send it again.", faults=faults)


def _said(kind: str, message: str) -> str:
    return _SAID.get(kind, message).removeprefix("Value error, ")


def _field(place: tuple[int | str, ...], kind: str) -> str:
    # The name of a key that the contract does not know is the sender's own words, and may be anything.
    known = (*place[:-1], "(unknown key)") if kind == "extra_forbidden" else place
    return ".".join(str(part) for part in known) or "body"
