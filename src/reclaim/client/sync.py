"""Keeping a platform's copy of a bank's signals up to date.

A process that is killed at any moment loses nothing: each page is stored in one transaction with the checkpoint that
follows it, and acknowledgements are sent only for deletions that are stored. See docs/exchange.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from reclaim.client.bank_client import BankClient
from reclaim.client.checkpoint import Checkpoint
from reclaim.protocol.stopncii_v1 import (
    DEFAULT_PAGE_SIZE,
    MAX_SUBMISSION,
    FeedbackValue,
    HashFeedback,
    HashRecord,
    SignalType,
)


class SignalName(NamedTuple):
    """What names a signal at a bank."""

    type: SignalType
    value: str


class SignalStore(Protocol):
    """Where a platform keeps its copy. Every method is one transaction: all of it is stored, or nothing."""

    def load_checkpoint(self) -> Checkpoint | None:
        """The checkpoint stored last; ``None`` before the first page."""

    def apply(self, records: Sequence[HashRecord], checkpoint: Checkpoint) -> None:
        """Store records, in their order, together with the checkpoint.

        A record replaces the stored one of the same type and value, and is stamped with
        ``checkpoint.generation``. If its status is a tombstone, the stored copy is deleted and the signal is noted
        as waiting for acknowledgement, whether or not there was a copy. A record that is no tombstone takes back
        such a note: the signal is held again.
        """

    def sweep(self, checkpoint: Checkpoint) -> int:
        """Delete signals whose generation is not ``checkpoint.generation``, store the checkpoint, and say how many."""

    def pending_acknowledgements(self) -> list[SignalName]:
        """Signals whose deletion the bank has not been told."""

    def acknowledged(self, signals: Sequence[SignalName]) -> None:
        """Forget that these signals wait for acknowledgement."""


@dataclass
class SyncReport:
    """What one sync did."""

    records: int = 0
    """New or changed records that were stored."""
    active: int = 0
    tombstones: int = 0
    swept: int = 0
    """Copies deleted because the whole feed, fetched again, no longer names them."""
    skipped: int = 0
    """Records that could not be read; see ``records.read_page``."""
    acknowledged: int = 0
    """Deletions that the bank has been told."""
    not_acknowledged: int = 0
    """Deletions that it could not be told, because there is no feedback key."""
    checkpoint: int = 0
    """Where the next sync resumes, epoch seconds."""


def sync(
    client: BankClient,
    store: SignalStore,
    on_page: Callable[[SyncReport], None] | None = None,
    *,
    page_size: int = DEFAULT_PAGE_SIZE,
    start_over: bool = False,
    clock: Callable[[], float] = time.time,
) -> SyncReport:
    """Fetch what changed, store it page by page, then acknowledge what was withdrawn.

    After more than 29 days' absence, or with ``start_over``, the whole feed is fetched and what it no longer names
    is deleted at its end; until then the old copy stays in use. ``on_page`` is called after each stored page.
    Raises ``BankError``; what was stored before stays, and the next sync goes on from there.
    """
    started_at = clock()
    report = SyncReport()
    checkpoint = store.load_checkpoint()
    if checkpoint is None or start_over or checkpoint.is_stale(started_at):
        checkpoint = (checkpoint or Checkpoint()).start_over(started_at)
    for page in client.pages(checkpoint.next_timestamp, page_size):
        records = checkpoint.unseen(page.records)
        following = checkpoint.after(page)
        if records or following != checkpoint:
            store.apply(records, following)
        checkpoint = following
        _count(report, records)
        report.skipped += page.skipped
        report.checkpoint = checkpoint.next_timestamp
        if on_page is not None:
            on_page(report)
    complete = checkpoint.complete(started_at)
    if checkpoint.sweeping:
        report.swept = store.sweep(complete)
    else:
        store.apply([], complete)
    _acknowledge(client, store, report)
    return report


def _count(report: SyncReport, records: Sequence[HashRecord]) -> None:
    tombstones = sum(record.hashStatus.is_tombstone for record in records)
    report.records += len(records)
    report.tombstones += tombstones
    report.active += len(records) - tombstones


def _acknowledge(client: BankClient, store: SignalStore, report: SyncReport) -> None:
    pending = store.pending_acknowledgements()
    for start in range(0, len(pending), MAX_SUBMISSION):
        batch = pending[start : start + MAX_SUBMISSION]
        if client.can_give_feedback:
            # An entry that the bank refuses is one whose value it has erased already: there is nothing left to tell.
            client.submit_feedback(
                [HashFeedback(hashValue=signal.value, feedbackValue=FeedbackValue.DELETED) for signal in batch]
            )
            report.acknowledged += len(batch)
        else:
            # Nobody will be told, so the note, which holds the withdrawn value, goes too.
            report.not_acknowledged += len(batch)
        store.acknowledged(batch)
