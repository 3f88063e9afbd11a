"""This bank's copy of a StopNCII server's signals, as a platform's client keeps one: it lives in the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from reclaim.bank.federation.services import Claim, end_others, take
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.peers.models import Debt, Peer
from reclaim.bank.peers.sealing import unseal
from reclaim.client import Change, Checkpoint, Kind, Owed, SignalName, SyncOvertaken
from reclaim.protocol.stopncii_v1 import MADE_WITH_AI, SignalType
from reclaim.sitekit.secrets import mac

BANK_TYPES: dict[Kind, str] = {
    SignalType.IMAGE_PDQ: LedgerRecord.Type.PDQ.value,
    SignalType.VIDEO_MD5: LedgerRecord.Type.MD5.value,
    SignalType.VIDEO_VPDQ: LedgerRecord.Type.VPDQ.value,
}
_WIRE_TYPES = {bank: wire for wire, bank in BANK_TYPES.items()}


class PeerStore:
    """A ``SignalStore`` of one peer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def load_checkpoint(self) -> Checkpoint | None:
        """As the peer's row has it."""
        text = Peer.objects.values_list("checkpoint", flat=True).get(pk=self._peer.pk)
        return Checkpoint.from_text(text) if text else None

    def apply(self, changes: Sequence[Change], checkpoint: Checkpoint, previous: Checkpoint | None) -> None:
        """Changes become claims; of a type that this bank does not keep, nothing is kept."""
        known = [change for change in changes if change.type in BANK_TYPES]
        claims = [self._claim(change, checkpoint.generation) for change in known]
        if not take(self._peer, claims, checkpoint=checkpoint.as_text(), previous=_text(previous)):
            raise SyncOvertaken

    def sweep(self, checkpoint: Checkpoint, previous: Checkpoint | None) -> int:
        """End what the feed, fetched from its beginning, no longer names."""
        ended = end_others(self._peer, checkpoint.generation, checkpoint=checkpoint.as_text(), previous=_text(previous))
        if ended is None:
            raise SyncOvertaken
        return ended

    def owe(self, owed: Sequence[Owed]) -> None:
        """Nothing to note: a StopNCII server names no withdrawals but in its feed."""

    def pending_acknowledgements(self) -> list[SignalName]:
        """Deletions whose copies are gone here: every platform has acknowledged, or somebody else's word holds them."""
        due = self._due().values_list("sealed", flat=True)[:5000]
        return [SignalName(_WIRE_TYPES[kind], value) for kind, value in map(unseal, due)]

    def acknowledged(self, signals: Sequence[SignalName]) -> None:
        """Forget these debts."""
        self._due().filter(name__in=[_name(BANK_TYPES[signal.type], signal.value) for signal in signals]).delete()

    def _due(self) -> QuerySet[Debt]:
        return Debt.objects.filter(
            Q(record=None) | ~Q(record__status=LedgerRecord.Status.WITHDRAWN), peer=self._peer
        ).order_by("pk")

    def _claim(self, change: Change, generation: int) -> Claim:
        kind = BANK_TYPES[change.type]
        return Claim(
            self._peer,
            _name(kind, change.value),
            not change.withdrawn,
            type=kind,
            value=change.value,
            frames=tuple(change.frames or ()),
            made_with_ai=MADE_WITH_AI in change.labels,
            generation=generation,
        )


def _text(checkpoint: Checkpoint | None) -> str:
    return checkpoint.as_text() if checkpoint else ""


def _name(kind: str, value: str) -> str:
    """What stands for a signal in its row: it says nothing once the value is gone."""
    return mac("peer-signal", f"{kind}:{value}".encode()).hex()
