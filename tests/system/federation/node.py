"""A bank in a process of its own that serves others and does what a test tells it, a line of JSON at a time.

``python node.py DATA DATABASE_URL PORT``; the first line that it writes is where it serves and its key.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

from reclaim.sitekit.setup import open_site

open_site("reclaim.bank.settings", Path(sys.argv[1]), sys.argv[2] or None)

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler  # noqa: E402
from django.db.models import F  # noqa: E402

from reclaim.bank.cases.models import Case  # noqa: E402
from reclaim.bank.cases.services import NewItem, create_case, withdraw  # noqa: E402
from reclaim.bank.federation.queries import peer_states  # noqa: E402
from reclaim.bank.federation.services import add_peer  # noqa: E402
from reclaim.bank.federation.sync import sync_peer  # noqa: E402
from reclaim.bank.feedback.models import Feedback  # noqa: E402
from reclaim.bank.feedback.services import Word, take_feedback  # noqa: E402
from reclaim.bank.ledger.models import LedgerClock, LedgerRecord, Source  # noqa: E402
from reclaim.bank.ledger.queries import tombstones  # noqa: E402
from reclaim.bank.ledger.services import erase, locked_ledger  # noqa: E402
from reclaim.bank.peers.identity import own_public_key  # noqa: E402
from reclaim.bank.peers.models import Peer, StatementClock  # noqa: E402
from reclaim.bank.peers.queries import peers_decisions, present_peers  # noqa: E402
from reclaim.bank.platforms.models import Platform  # noqa: E402
from reclaim.bank.platforms.services import add_platform  # noqa: E402
from reclaim.protocol.federation import read_key, write_key  # noqa: E402
from reclaim.protocol.stopncii_v1 import FeedbackValue  # noqa: E402


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Addresses of requests are in no log."""


class Node:
    """What a test can have done."""

    def case(self, values: list[str]) -> str:
        made = create_case([NewItem.picture(number, value) for number, value in enumerate(values, start=1)])
        return str(made.case.pk)

    def withdraw(self, case: str) -> int:
        return withdraw(Case.objects.get(pk=case))

    def erase(self) -> int:
        with locked_ledger():
            return erase(tombstones())

    def peer(self, name: str, url: str, key: str) -> None:
        add_peer(name, Peer.Kind.RECLAIM, url, public_key=read_key(key))

    def vet(self, name: str) -> dict[str, str]:
        _, keys = add_platform(name)
        return {**vars(keys), "name": name}

    def subscribe(self, name: str, kind: str, url: str, keys: dict[str, str]) -> None:
        add_peer(name, Peer.Kind(kind), url, keys=keys)

    def pass_time(self, seconds: int) -> None:
        """What changed so far is so many seconds older."""
        LedgerRecord.objects.update(modified_at=F("modified_at") - seconds)
        LedgerClock.objects.update(second=F("second") - seconds)

    def said(self, value: str) -> list[list[Any]]:
        """What platforms said of a signal."""
        return [[row.platform.name, row.value, row.tags] for row in Feedback.objects.filter(record__value=value)]

    def sync(self) -> list[str]:
        return [fault for peer in present_peers().exclude(url="") if (fault := sync_peer(peer))]

    def feedback(self, platform: str, value: str, said: str, *tags: str) -> None:
        row, _ = Platform.objects.get_or_create(name=platform)
        take_feedback(row, [Word("pdq", value, FeedbackValue(said), list(tags))])

    def decisions(self, value: str) -> dict[str, int]:
        record = LedgerRecord.objects.get(value=value)
        return dict(peers_decisions([record.pk]).get(record.pk, {}))

    def signals(self) -> dict[str, list[str]]:
        """Value → where it stands, and who keeps it: «person», or the bank that it came from."""
        told: dict[str, list[str]] = {}
        for record in LedgerRecord.objects.exclude(value=None):
            sources = Source.objects.filter(record=record, state="active").select_related("peer")
            told[record.value or ""] = [record.status, *sorted(s.peer.name if s.peer else "person" for s in sources)]
        return told

    def moments(self) -> list[int]:
        """How often anything has changed: in the ledger, and in the statements."""
        ledger = LedgerRecord.objects.order_by("-position").values_list("position", flat=True).first()
        return [ledger or 0, StatementClock.objects.get().position]

    def states(self) -> list[list[Any]]:
        return [[state.name, state.signals, state.refused, state.strangers, state.fault] for state in peer_states()]


def say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    server = ThreadedWSGIServer(("127.0.0.1", int(sys.argv[3])), _Quiet)
    server.set_app(WSGIHandler())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say({"port": server.server_port, "key": write_key(own_public_key())})
    node = Node()
    for line in sys.stdin:
        asked = json.loads(line)
        say(getattr(node, asked[0])(*asked[1:]))


if __name__ == "__main__":
    main()
