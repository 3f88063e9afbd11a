"""Reads on peers and on what they said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from reclaim.bank.peers.models import Peer, Word
from reclaim.sitekit.secrets import mac


def present_peers() -> QuerySet[Peer]:
    """Peers that have not been removed."""
    return Peer.objects.filter(ended_at=None).order_by("name")


def find_peer(name: str) -> Peer | None:
    """The present peer of this name."""
    return present_peers().filter(name=name).first()


def withdrawal_mac(signal_type: str, value: str) -> bytes:
    """What remembers that a person withdrew a signal."""
    return mac("person-withdrew", f"{signal_type}:{value}".encode())


def peers_words(records: QuerySet[Any], values: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Each decision of a platform of another bank about these ledger records: the record's key, and what ``values``
    has for it; others are left out. One statement."""
    said = Word.objects.filter(about__record__in=records.values("pk"), decision__in=list(values)).exclude(origin=None)
    for key, decision in said.values_list("about__record", "decision"):
        yield key, values[decision]


def peers_decisions(records: Iterable[int]) -> dict[int, Counter[str]]:
    """What other banks' platforms decided about these ledger records, given by key: how many platforms said
    ``pending``, ``blocked`` and ``not-blocked``."""
    said = Word.objects.filter(about__record__in=list(records)).exclude(origin=None).exclude(decision="none")
    counts: dict[int, Counter[str]] = {}
    for record, decision in said.values_list("about__record", "decision"):
        counts.setdefault(record, Counter())[decision] += 1
    return counts
