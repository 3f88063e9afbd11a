"""Keeping a platform's copy of a bank's signals up to date.

A process that is killed at any moment loses nothing: each page is stored in one transaction with the checkpoint that
follows it, and acknowledgements are sent only for deletions that are stored. See docs/exchange.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from reclaim.client.bank_client import BankClient
from reclaim.client.changes import Change, Owed, SignalName
from reclaim.client.checkpoint import Checkpoint
from reclaim.client.errors import BankMisbehaved, BankRefused, CursorGone, SyncOvertaken
from reclaim.client.native_client import MOST_OWED_PAGES, NativeClient
from reclaim.client.native_reading import NativePage
from reclaim.client.records import change_of
from reclaim.protocol import native_v2
from reclaim.protocol.stopncii_v1 import DEFAULT_PAGE_SIZE, MAX_SUBMISSION

_TRIES = 3


class SignalStore(Protocol):
    """Where a platform keeps its copy. Every method is one transaction: all of it is stored, or nothing.

    Two syncs of one copy may run at once, in two processes. What the slower one has fetched may be older than what
    the faster one stored: a signal that the bank has erased since would come back for good. So ``apply`` and
    ``sweep`` compare first, in their transaction: unless the checkpoint in the store is ``previous`` (``None``: there
    is none), they raise ``SyncOvertaken`` and store nothing.
    """

    def load_checkpoint(self) -> Checkpoint | None:
        """The checkpoint stored last; ``None`` before the first page."""

    def apply(self, changes: Sequence[Change], checkpoint: Checkpoint, previous: Checkpoint | None) -> None:
        """Store changes, in their order, together with the checkpoint, if ``previous`` is still the stored one.

        A change replaces the stored one of the same name, and is stamped with ``checkpoint.generation``. If it is
        withdrawn, the stored copy is deleted, and if it is owed, the signal is noted as waiting for acknowledgement,
        whether or not there was a copy. A change that is not withdrawn takes back such a note: the signal is held
        again. Raises ``SyncOvertaken``.
        """

    def sweep(self, checkpoint: Checkpoint, previous: Checkpoint | None) -> int:
        """Delete signals whose generation is not ``checkpoint.generation``, store the checkpoint, and say how many.

        Raises ``SyncOvertaken``.
        """

    def owe(self, owed: Sequence[Owed]) -> None:
        """Note those of these signals as waiting for acknowledgement of which there is no copy."""

    def pending_acknowledgements(self) -> list[SignalName]:
        """Signals whose deletion the bank has not been told, those first that are due first."""

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
    """Records that could not be read, and were left out."""
    acknowledged: int = 0
    """Deletions that the bank has been told."""
    not_acknowledged: int = 0
    """Deletions that it could not be told, because there is no feedback key."""
    in_snapshot: int = 0
    """Rows of the snapshot that is being fetched; 0 if there is none."""
    stored_of_snapshot: int = 0


Bank = BankClient | NativeClient


def sync(
    client: Bank,
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
    Raises ``BankError``; what was stored before stays, and the next sync goes on from there. Where another sync of the
    same store comes first, what this one has in hand is dropped and it goes on from what the other stored; if that
    happens time and again, it ends with ``SyncOvertaken``, and may be forgotten.
    """
    report = SyncReport()
    for tries_left in reversed(range(_TRIES)):
        try:
            if isinstance(client, NativeClient):
                _Following(client, store, report, on_page, page_size, clock()).follow(start_over=start_over)
            else:
                _follow(client, store, report, on_page, page_size, start_over, clock())
            break
        except SyncOvertaken:
            if not tries_left:
                raise
    _acknowledge(client, store, report)
    return report


def _follow(
    client: BankClient,
    store: SignalStore,
    report: SyncReport,
    on_page: Callable[[SyncReport], None] | None,
    page_size: int,
    start_over: bool,
    started_at: float,
) -> None:
    """Fetch and store up to the end of the feed. Raises ``BankError``."""
    stored = checkpoint = store.load_checkpoint()
    if checkpoint is None or start_over or checkpoint.is_stale(started_at):
        checkpoint = (checkpoint or Checkpoint()).start_over(started_at)
    for page in client.pages(checkpoint.next_timestamp, page_size):
        records = checkpoint.unseen(page.records)
        following = checkpoint.after(page)
        if records or following != checkpoint:
            following = following.to_store()
            store.apply([change_of(record) for record in records], following, stored)
            stored = following
        checkpoint = following
        _count(report, len(records), sum(record.hashStatus.is_tombstone for record in records))
        report.skipped += page.skipped
        if on_page is not None:
            on_page(report)
    complete = checkpoint.complete(started_at).to_store()
    if checkpoint.sweeping:
        report.swept = store.sweep(complete, stored)
    else:
        store.apply([], complete, stored)


class _Following:
    """One sync on version 2: the feed from where the copy is, or all of it, as a snapshot where it is large."""

    def __init__(
        self,
        client: NativeClient,
        store: SignalStore,
        report: SyncReport,
        on_page: Callable[[SyncReport], None] | None,
        page_size: int,
        started_at: float,
    ) -> None:
        self._client = client
        self._store = store
        self._report = report
        self._on_page = on_page
        self._page_size = page_size
        self._started_at = started_at
        self._stored = store.load_checkpoint()
        """What is in the store."""
        self._at = self._stored or Checkpoint()
        """Where this sync is."""

    def follow(self, *, start_over: bool) -> None:
        """Fetch and store up to the end of the feed. Raises ``BankError``."""
        fresh = not self._at.cursor and not self._at.sweeping
        if self._stored is None or start_over or fresh or self._at.is_stale(self._started_at):
            self._begin_again()
        for _ in range(_TRIES):
            try:
                if not self._at.cursor:
                    self._fetch_everything()
                for page in self._client.pages(self._at.cursor, self._page_size) if self._at.cursor else ():
                    self._take(page)
                break
            except CursorGone:
                self._begin_again()
        else:
            raise BankMisbehaved("The bank calls every cursor that it gives out gone. Tell the bank's operator.")
        swept = self._at.sweeping
        self._complete()
        if swept and self._client.can_give_feedback:
            self._ask_what_is_owed()

    def _begin_again(self) -> None:
        self._at = self._at.start_over(self._started_at)

    def _fetch_everything(self) -> None:
        """The whole of the bank: one page where that is all of it, else a snapshot, else page after page."""
        # What it does not name is deleted at its end: an empty bank that was set up in its place must not empty us.
        self._client.insist_on_pinned()
        if not self._at.snapshot:
            page = self._client.fetch_page(limit=native_v2.LARGEST_PAGE)
            if not page.has_more or not self._client.takes_snapshots:
                self._take(page)
                return
        try:
            manifest = self._client.snapshot()
        except BankRefused as error:
            if error.status != 404:
                raise
            if self._at.snapshot:
                self._begin_again()
            self._take(self._client.fetch_page(limit=native_v2.LARGEST_PAGE))
            return
        with self._client.alone():
            self._take_snapshot(manifest)

    def _take_snapshot(self, manifest: native_v2.SnapshotManifest) -> None:
        if manifest.snapshot != self._at.snapshot:
            if self._at.snapshot:
                # What an earlier snapshot had may be withdrawn by now, without a word in this one: it must be swept.
                self._begin_again()
            self._client.forget_parts()
            self._at = replace(self._at, snapshot=manifest.snapshot, rows=0)
        self._report.in_snapshot = manifest.rows
        before = 0
        for part in manifest.parts:
            if before + part.rows > self._at.rows:
                for rows, changes, unread in self._client.part(part, self._at.rows - before):
                    self._report.skipped += unread
                    self._keep(changes, replace(self._at, rows=self._at.rows + rows))
            before += part.rows
        self._client.forget_parts()
        self._keep([], replace(self._at, cursor=manifest.cursor, snapshot="", rows=0))

    def _take(self, page: NativePage) -> None:
        self._report.skipped += page.skipped
        if page.changes or page.cursor != self._at.cursor:
            self._keep(page.changes, replace(self._at, cursor=page.cursor))

    def _keep(self, changes: Sequence[Change], following: Checkpoint) -> None:
        """Store changes together with the checkpoint behind them."""
        following = following.to_store()
        self._store.apply(changes, following, self._stored)
        self._stored = self._at = following
        report = self._report
        report.stored_of_snapshot = following.rows
        _count(report, len(changes), sum(change.withdrawn for change in changes))
        if self._on_page is not None:
            self._on_page(report)

    def _complete(self) -> None:
        complete = self._at.complete(self._started_at).to_store()
        if self._at.sweeping:
            self._report.swept += self._store.sweep(complete, self._stored)
        else:
            self._store.apply([], complete, self._stored)

    def _ask_what_is_owed(self) -> None:
        """Tombstones that a copy was away for are in no snapshot; the bank still waits for a word on each."""
        seen: set[SignalName] = set()
        for _ in range(MOST_OWED_PAGES):
            owed = [each for each in self._client.owed() if each.name not in seen]
            if not owed:
                return
            seen.update(each.name for each in owed)
            self._store.owe(owed)
            _acknowledge(self._client, self._store, self._report)


def _count(report: SyncReport, records: int, tombstones: int) -> None:
    report.records += records
    report.tombstones += tombstones
    report.active += records - tombstones


def _acknowledge(client: Bank, store: SignalStore, report: SyncReport) -> None:
    pending = store.pending_acknowledgements()
    for start in range(0, len(pending), MAX_SUBMISSION):
        batch = pending[start : start + MAX_SUBMISSION]
        if client.can_give_feedback:
            # An entry that the bank refuses is one whose value it has erased already: there is nothing left to tell.
            client.acknowledge(batch)
            report.acknowledged += len(batch)
        else:
            # Nobody will be told, so the note, which holds the withdrawn value, goes too.
            report.not_acknowledged += len(batch)
        store.acknowledged(batch)
