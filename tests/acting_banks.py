"""Other banks, made up: they sign as real ones do, or as somebody who pretends."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reclaim.bank.federation.queries import statements
from reclaim.bank.federation.services import add_peer
from reclaim.bank.federation.sync import take_page
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.peers.models import Peer
from reclaim.protocol import federation as wire

_names = itertools.count(1)


def status_of(value: str) -> str | None:
    """Where a PDQ stands in this bank's ledger; ``None`` if it is in none of its records."""
    return LedgerRecord.objects.filter(type="pdq", value=value).values_list("status", flat=True).first()


@dataclass
class ActingBank:
    """A bank that this one has as a peer."""

    peer: Peer
    key: Ed25519PrivateKey
    versions: Any = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def added(cls, *, most_signals: int = 1000) -> ActingBank:
        """A new peer."""
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw()
        name = f"Bank {next(_names)}"
        peer = add_peer(name, Peer.Kind.RECLAIM, "https://bank.example", public_key=public, most_signals=most_signals)
        return cls(peer, key)

    @property
    def id(self) -> str:
        """Its number."""
        return str(self.peer.bank_id)

    def asserts(self, value: str, name: str | None = None, version: int | None = None, **more: Any) -> wire.Assertion:
        """«This PDQ is in my bank.»"""
        return wire.Assertion(
            origin=self.id,
            name=name or str(uuid.uuid4()),
            version=version or next(self.versions),
            active=True,
            type="pdq",
            value=value,
            person=more.pop("person", True),
            **more,
        )

    def withdraws(self, said: wire.Assertion, version: int | None = None) -> wire.Assertion:
        """«No longer.»"""
        return wire.Assertion(origin=self.id, name=said.name, version=version or next(self.versions), active=False)

    def says(self, about: wire.Assertion, decision: Any, **more: Any) -> wire.Word:
        """What one of its platforms decided."""
        return wire.Word(
            origin=self.id,
            name=str(uuid.uuid4()),
            version=next(self.versions),
            about_origin=about.origin,
            about=about.name,
            platform=more.pop("platform", str(uuid.uuid4())),
            decision=decision,
            **more,
        )

    def signed(self, statement: wire.Assertion | wire.Word) -> dict[str, Any]:
        """With its signature."""
        return wire.write_signed(statement, statement.signed_by(self.key))

    def sends(self, *said: wire.Assertion | wire.Word | dict[str, Any]) -> Peer:
        """Let this bank read a page of these from it: statements are signed, whole messages go as they are."""
        messages = [each if isinstance(each, dict) else self.signed(each) for each in said]
        self.peer.refresh_from_db()
        page = wire.Page(statements=messages, cursor=f"{uuid.uuid4()}.1", has_more=False)
        assert take_page(self.peer, page, self.peer.checkpoint)
        self.peer.refresh_from_db()
        return self.peer

    def reads(self) -> list[dict[str, Any]]:
        """What this bank would give it, from the beginning: each the bare statement."""
        found, cursor = [], ""
        while True:
            page = statements(self.peer, cursor, 2)
            found += [each["statement"] for each in page.statements]
            cursor = page.cursor
            if not page.has_more:
                return found
