"""The work of an adapter: have each file looked up, do in the software what follows, and ask again how it stands."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from reclaim.adapters.errors import Gone, MediaNotNow, NotNow, SiteNotNow, Unreadable
from reclaim.adapters.log import log
from reclaim.adapters.queue import KEPT_SECONDS, Item, Queue
from reclaim.adapters.review_site import Answer, ReviewSite
from reclaim.adapters.standing import Standing
from reclaim.plainlog import log_failure

WATCHED_SECONDS = 30 * 86400.0
"""So long after it changed last, what was decided is still asked for: a reviewer may undo it."""
MOST_TRIES_AT_MEDIA = 12
"""About an hour and a half; a file that cannot be had until then counts as one that could not be looked up."""
LONGEST_WAIT = 900.0
_WAITING_ASKED_EVERY = 120.0
_DECIDED_ASKED_EVERY = 3600.0
_TIDY_EVERY = 3600.0


class Place(Protocol):
    """One kind of software."""

    def read(self, item: Item) -> bytes:
        """The file itself, at most ``MOST_BYTES``. Raises ``NotNow``, ``Gone`` and ``Unreadable``."""

    def act(self, item: Item, standing: Standing) -> None:
        """Bring the software to where this file stands; the same again changes nothing. Raises ``NotNow``."""

    def would_act(self, item: Item, standing: Standing) -> str | None:
        """What ``act`` would do, in fixed words for a log; ``None`` for nothing."""


def _back_off(tries: int) -> float:
    return min(LONGEST_WAIT, 2.0 ** min(tries, 10)) * random.uniform(0.8, 1.2)  # noqa: S311 not a secret


class Worker:
    """Works through a queue."""

    def __init__(
        self,
        queue: Queue,
        site: ReviewSite,
        place: Place,
        *,
        first_look: float,
        at_once: int = 1,
        dry_run: bool = False,
    ) -> None:
        """``first_look`` in seconds; with ``dry_run`` nothing is done in the software; the log says what would be."""
        self._queue = queue
        self._site = site
        self._place = place
        self._first_look = first_look
        self._at_once = at_once
        self._dry_run = dry_run
        self._would: set[tuple[str, Standing]] = set()
        self._acting = threading.Lock()
        self._away = threading.Lock()
        self._away_tries = 0
        self._away_until = 0.0
        self._awake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """There is something new to do."""
        self._awake.set()

    def start(self) -> None:
        """Work in a thread of its own."""
        self._thread = threading.Thread(target=self.run, name="adapter", daemon=True)
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Let what is under way be the last."""
        self._stopped.set()
        self._awake.set()

    def stop(self) -> None:
        """Stop after what is under way."""
        self.ask_to_stop()
        if self._thread is not None:
            self._thread.join()

    def run(self, look: Callable[[], None] = lambda: None, every: float = LONGEST_WAIT) -> None:
        """Work until stopped. ``look`` is called before each round: when woken, or after ``every`` seconds."""
        tidy_at = 0.0
        with ThreadPoolExecutor(self._at_once, "adapter") as pool:
            while not self._stopped.is_set():
                self._awake.clear()
                look()
                while self._may_work() and (items := self._queue.due(4 * self._at_once)):
                    list(pool.map(self._one, items))
                if time.time() > tidy_at:
                    self._queue.forget(time.time() - KEPT_SECONDS)
                    tidy_at = time.time() + _TIDY_EVERY
                due = self._queue.next_due()
                wait = every if due is None else min(every, max(0.0, due - time.time(), self._away_until - time.time()))
                self._awake.wait(wait)

    def _may_work(self) -> bool:
        return not self._stopped.is_set() and self._away_until <= time.time()

    def _one(self, item: Item) -> None:
        if not self._may_work():
            return
        try:
            self._queue.again(item, self._step(item))
            self._away_tries = 0
        except SiteNotNow as error:
            # The file is due as before: it is not its fault, and the others would fare no better.
            with self._away:
                if self._away_until <= time.time():
                    self._away_until = time.time() + _back_off(self._away_tries)
                    self._away_tries += 1
                    log.warning("everything waits: %s", error)
        except NotNow as error:
            log.warning("tried again later: %s", error)
            self._later(item)
        except Exception as error:
            log_failure(log, "a file could not be dealt with, and is tried again", error)
            self._later(item)

    def _later(self, item: Item) -> None:
        self._queue.again(item, time.time() + _back_off(item.tries), failed=True)

    def _step(self, item: Item) -> float | None:
        """One look at one file; when the next is due."""
        answer = self._looked_up(item)
        if answer.standing != item.standing:
            log.info("a file stands as %s", answer.standing.value)
        self._queue.learnt(item.key, answer.standing, answer.upload, answer.matched)
        if answer.standing != item.done:
            self._carry_out(item, answer.standing)
        if not answer.matched:
            return None
        changed_at = item.changed_at if answer.standing == item.standing else time.time()
        age = time.time() - changed_at
        waits = answer.standing is Standing.HELD or answer.under_review
        if not waits and age > WATCHED_SECONDS:
            return None
        longest = _WAITING_ASKED_EVERY if waits else _DECIDED_ASKED_EVERY
        return time.time() + min(longest, max(self._first_look, age / 8))

    def _looked_up(self, item: Item) -> Answer:
        # What matched nothing and is there again is looked up anew: other signals may have come since.
        if item.upload is not None and item.matched:
            answer = self._site.ask(item.upload)
            if answer is None and item.standing is not None:
                log.warning("the review site no longer knows a file that it judged; the file stays as it is")
                answer = Answer(item.standing, item.upload, item.matched)
            if answer is not None:
                return answer
        try:
            return self._site.hand_in(self._place.read(item))
        except Gone:
            return Answer(Standing.GONE)
        except Unreadable as error:
            log.warning("a file could not be looked up: %s", error)
            return Answer(Standing.UNREADABLE)
        except MediaNotNow:
            if item.tries < MOST_TRIES_AT_MEDIA:
                raise
            log.warning("a file could not be had in %d tries and was not looked up", item.tries)
            return Answer(Standing.UNREADABLE)

    def _carry_out(self, item: Item, standing: Standing) -> None:
        if self._dry_run:
            would = self._place.would_act(item, standing)
            if would and (item.key, standing) not in self._would:
                self._would.add((item.key, standing))
                log.info("dry run, not done: %s", would)
            return
        # One at a time: what is done to an account depends on all of its files.
        with self._acting:
            self._place.act(item, standing)
        self._queue.carried_out(item, standing)
