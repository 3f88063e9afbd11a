"""A platform that speaks version 2 of the exchange, in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse

from reclaim.protocol.native_v2 import Record, SignalsPage
from tests.personas import ActingPlatform


@dataclass
class Native:
    """It stores what it is given, and goes on from its cursor."""

    acting: ActingPlatform
    cursor: str | None = None
    copy: dict[tuple[str, str], Record] = field(default_factory=dict)
    """The active records, by type and value."""
    gone: list[tuple[str, str]] = field(default_factory=list)
    """The tombstones that came, in their order."""

    @classmethod
    def vetted(cls, name: str = "Example") -> Native:
        """A new platform."""
        return cls(ActingPlatform.vetted(name))

    def headers(self, use: str) -> dict[str, str]:
        """With which key it asks: ``fetch``, ``submit``, ``feedback``, or ``platform`` for one that has all three."""
        return {"Authorization": f"Bearer {getattr(self.acting.keys, f'{use}_key')}"}

    def get(self, path: str, use: str = "fetch", headers: dict[str, str] | None = None, **query: Any) -> HttpResponse:
        """The raw answer of a GET."""
        sent = {**self.headers(use), **(headers or {})}
        return self.acting.client.get(f"/v2/{path}", query, headers=sent)  # type: ignore[return-value]

    def post(self, path: str, body: Any, use: str = "feedback", **how: Any) -> HttpResponse:
        """The raw answer of a POST; ``body`` is JSON, or bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content_type": "application/json", **how}
        return self.acting.client.post(f"/v2/{path}", content, headers=self.headers(use), **sent)  # type: ignore[return-value]

    def page(self, **query: Any) -> SignalsPage:
        """One page of the feed."""
        answer = self.get("signals", **query)
        assert answer.status_code == 200, answer.content
        return SignalsPage.model_validate_json(answer.content)

    def sync(self, **query: Any) -> list[Record]:
        """Fetch and store everything since the last time; what came."""
        came: list[Record] = []
        while True:
            page = self.page(**query, **({"after": self.cursor} if self.cursor else {}))
            for record in page.records:
                key = (record.type, record.value)
                if record.status == "withdrawn":
                    self.copy.pop(key, None)
                    self.gone.append(key)
                else:
                    self.copy[key] = record
            self.cursor = page.cursor
            came += page.records
            if not page.has_more:
                return came

    def acknowledges(self) -> None:
        """Acknowledge everything that is gone."""
        named = [{"type": kind, "value": value} for kind, value in self.gone]
        answer = self.post("acknowledgements", {"acknowledgements": named})
        assert answer.json() == {"taken": len(named), "refused": []}
        self.gone.clear()

    def says(self, kind: str, value: str, decision: str, **more: Any) -> dict[str, Any]:
        """Give feedback on one signal; the answer."""
        word = {"type": kind, "value": value, "decision": decision, "decided_by": "person", **more}
        answer = self.post("feedback", {"feedback": [word]})
        assert answer.status_code == 200, answer.content
        told: dict[str, Any] = answer.json()
        return told
