"""Following a bank: sync as soon as it says that something changed, and say at once what was decided here.

Without a stream of events, or while it is broken, the bank is asked every ``POLL_SECONDS``.
"""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection

from reclaim.client import Bank, BankError, BankRefused, NativeClient, SyncOvertaken
from reclaim.platform.inbox.by_parts import is_due as candidates_are_due
from reclaim.platform.outcomes.queries import is_due
from reclaim.platform.subscription.bank import BankFileError
from reclaim.platform.work import ask_about_candidates, bank_client, deliver_feedback, sync
from reclaim.sitekit.events import log_event, log_failure

POLL_SECONDS = 30.0
LOOK_SECONDS = 1.0
"""So often it is looked whether there is something to tell the bank: what is decided in one go is told in one go."""
LEAST_PAUSE = 0.1
"""Between two syncs, however often the bank says that something changed."""
SHORTEST_BACK_OFF, LONGEST_BACK_OFF = 1.0, 60.0
WITHOUT_STREAM = 300.0
"""A bank that has no stream, or refuses it, is asked for one again after so long."""


class _Known:
    """A client of the bank that the file names now; another one once the file is another."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._client: Bank | None = None

    def client(self) -> Bank | None:
        """``None`` while there is no bank, or its file cannot be read."""
        try:
            about = self._path.stat()
        except OSError:
            return None
        stamp = (about.st_ino, about.st_mtime_ns)
        if stamp != self._stamp:
            if self._client is not None:
                self._client.close()
            try:
                self._client = bank_client()
            except BankFileError:
                self._client = None
            self._stamp = stamp
        return self._client


class _BackOff:
    """How long to wait after so many failures in a row: twice as long each time, and never all at once."""

    def __init__(self) -> None:
        self._next = SHORTEST_BACK_OFF

    def failed(self) -> float:
        """Seconds to wait."""
        wait, self._next = self._next, min(self._next * 2, LONGEST_BACK_OFF)
        return wait * random.uniform(0.5, 1.5)  # noqa: S311 so that not all platforms come back at once

    def went_well(self) -> None:
        """Begin anew."""
        self._next = SHORTEST_BACK_OFF


class Follower:
    """Follows the bank until ``stop`` is set."""

    def __init__(self, stop: threading.Event, poll: float = POLL_SECONDS) -> None:
        self._stop = stop
        self._poll = poll
        self._changed = threading.Event()

    def run(self) -> None:
        """Work; what goes wrong is logged, and tried again."""
        threading.Thread(target=self._listen, name="events", daemon=True).start()
        known, back_off = _Known(settings.BANK_FILE), _BackOff()
        sync_at = not_before = 0.0
        while not self._stop.is_set():
            if (early := not_before - time.monotonic()) > 0:
                self._stop.wait(min(early, LOOK_SECONDS))
                continue
            changed = self._changed.wait(min(LOOK_SECONDS, max(0.0, sync_at - time.monotonic())))
            client = known.client()
            if client is None:
                not_before = time.monotonic() + LOOK_SECONDS
                continue
            try:
                if changed or time.monotonic() >= sync_at:
                    # Cleared before the bank is asked: what changes from now on is another reason to ask.
                    self._changed.clear()
                    self._sync(client)
                    sync_at = time.monotonic() + self._poll
                if candidates_are_due():
                    ask_about_candidates()
                if is_due():
                    deliver_feedback(client)
                back_off.went_well()
                # However often it is told to hurry, it leaves room for others.
                not_before = time.monotonic() + LEAST_PAUSE
            except Exception as error:
                if isinstance(error, DatabaseError):
                    connection.close()
                if isinstance(error, BankError | DatabaseError | OSError):
                    log_event("the bank could not be followed; trying again", reason=type(error).__name__)
                else:
                    log_failure("the bank could not be followed", error)
                sync_at = 0.0
                not_before = time.monotonic() + back_off.failed()

    @staticmethod
    def _sync(client: Bank) -> None:
        try:
            sync(client)
        except SyncOvertaken:
            log_event("another sync is under way")

    def _listen(self) -> None:
        """In a thread of its own: keep a stream open, and take note of what it says. It never ends."""
        known, back_off = _Known(settings.BANK_FILE), _BackOff()
        while not self._stop.is_set():
            client = known.client()
            if not isinstance(client, NativeClient):
                self._stop.wait(POLL_SECONDS if client else LOOK_SECONDS)
                continue
            try:
                wait = self._hear(client, back_off)
            except BankRefused:
                wait = WITHOUT_STREAM
            except BankError:
                wait = back_off.failed()
            except Exception as error:
                log_failure("the bank's stream of events could not be read", error)
                wait = WITHOUT_STREAM
            self._stop.wait(wait)

    def _hear(self, client: NativeClient, back_off: _BackOff) -> float:
        """One stream, to its end; how long to wait before the next. Raises ``BankError``."""
        address = client.about().events
        if not address:
            return WITHOUT_STREAM
        began, retry = time.monotonic(), SHORTEST_BACK_OFF
        stream = client.events(address)
        next(stream)
        log_event("the bank's stream of events is open")
        for event in stream:
            retry = event.retry or retry
            if event.name == "changed":
                self._changed.set()
        if time.monotonic() - began < LONGEST_BACK_OFF:
            # One that ends as soon as it begins is as bad as none.
            return max(retry, back_off.failed())
        back_off.went_well()
        return retry
