"""A bank in a process of its own that serves others and does what a test tells it, a line of JSON at a time.

``python node.py DATA DATABASE_URL PORT``; the first line that it writes is where it serves and its key.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from reclaim.sitekit.setup import open_site

open_site("reclaim.bank.settings", Path(sys.argv[1]), sys.argv[2] or None)

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler  # noqa: E402
from django.db.models import F  # noqa: E402

from reclaim.bank.cases.models import Case  # noqa: E402
from reclaim.bank.cases.services import NewItem, create_case, withdraw  # noqa: E402
from reclaim.bank.casework.models import CaseFile, Channel  # noqa: E402
from reclaim.bank.casework.services import open_case_file  # noqa: E402
from reclaim.bank.cooperation import carry, keys, referrals  # noqa: E402
from reclaim.bank.cooperation.models import ReceivedReferral, Referral, ReferralConsent  # noqa: E402
from reclaim.bank.federation.queries import peer_states  # noqa: E402
from reclaim.bank.federation.services import add_peer  # noqa: E402
from reclaim.bank.federation.sync import sync_peer  # noqa: E402
from reclaim.bank.feedback.models import Feedback  # noqa: E402
from reclaim.bank.feedback.services import Word, take_feedback  # noqa: E402
from reclaim.bank.ledger.models import LedgerClock, LedgerRecord, Source  # noqa: E402
from reclaim.bank.ledger.queries import tombstones  # noqa: E402
from reclaim.bank.ledger.services import erase, locked_ledger  # noqa: E402
from reclaim.bank.organisations.models import Practitioner  # noqa: E402
from reclaim.bank.organisations.services import add_organisation_with_supervisor  # noqa: E402
from reclaim.bank.peers.identity import own_public_key  # noqa: E402
from reclaim.bank.peers.models import Peer, StatementClock  # noqa: E402
from reclaim.bank.peers.queries import peers_decisions, present_peers  # noqa: E402
from reclaim.bank.platforms.models import Platform  # noqa: E402
from reclaim.bank.platforms.services import add_platform  # noqa: E402
from reclaim.bank.vault import people  # noqa: E402
from reclaim.bank.vault import services as vault  # noqa: E402
from reclaim.bank.vault.keys import Unlocked  # noqa: E402
from reclaim.protocol.federation import read_key, write_key  # noqa: E402
from reclaim.protocol.referral import Part  # noqa: E402
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

    def address(self, name: str, url: str) -> None:
        Peer.objects.filter(name=name).update(url=url)

    def organisation(self, name: str) -> None:
        """An organisation with a supervisor that takes part in referrals."""
        add_organisation_with_supervisor(name, "GB", ["en"], f"Supervisor of {name}")
        me = self._practitioner()
        self._key = vault.make_pair(people.name_of(me), "a kettle, an owl")
        keys.take_part(me)

    def _practitioner(self) -> Practitioner:
        return Practitioner.objects.select_related("member", "organisation", "team").get()

    _key: Unlocked

    def carry(self) -> int:
        """One tick of referrals; how much could not be done."""
        carry.end_withdrawn()
        deadline = time.monotonic() + 20
        return carry.read_lists(deadline) + carry.deliver(deadline)

    def known(self) -> list[str]:
        """Organisations of other banks."""
        return [each.name for each in carry.parties() if each.peer]

    def refer(self, text: str) -> str:
        """Refer a new case file to the only organisation of another bank."""
        me = self._practitioner()
        (to,) = (each for each in carry.parties() if each.peer)
        parts = frozenset({Part.HAPPENED})
        consent = referrals.Consenting(parts, ReferralConsent.How.PHONE, "Yes, that much.")
        case_file = open_case_file(me, Channel.PHONE)
        return str(referrals.refer(me, self._key, case_file, to, consent, {Part.HAPPENED: text}).pk)

    def referral(self, key: str) -> list[str]:
        row = Referral.objects.get(pk=key)
        return [row.state, referrals.reply_to(self._key, row)]

    def received(self) -> list[list[Any]]:
        """Each with its state and what was told."""
        rows = ReceivedReferral.objects.order_by("pk")
        return [[r.state, list(referrals.content_of(self._key, r).told.values()) if r.sealed else []] for r in rows]

    def does(self, what: str, words: str = "") -> None:
        """With the latest referral that came."""
        me, row = self._practitioner(), ReceivedReferral.objects.latest("pk")
        if what == "accept":
            referrals.accept(me, self._key, row)
        elif what == "return":
            referrals.give_back(me, self._key, row, words)
        else:
            referrals.erase_ended(me, row)

    def no_longer(self, key: str) -> None:
        """The person takes their consent back."""
        referrals.withdraw(self._practitioner(), Referral.objects.get(pk=key))

    def case_files(self) -> int:
        return CaseFile.objects.count()

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
