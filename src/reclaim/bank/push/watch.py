"""Watching the ledger's clock, once for all who listen."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connection

from reclaim.bank.ledger.queries import standing
from reclaim.sitekit.events import log_failure

LOOK_SECONDS = 0.05
"""A change is seen so soon after its commit. One look reads one row."""
REST_SECONDS = 1.0
"""Between two looks where the database does not answer."""


class Watch:
    """A thread that looks at the ledger's clock, and calls ``on_change`` whenever it has moved.

    That the clock moved is all it learns. A look that fails is followed by another; the first one that goes well again
    counts as a change, since nobody knows what was missed.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger-watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more, and wait for the last look to end."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        seen: object = None
        rest = LOOK_SECONDS
        while not self._stop.wait(rest):
            try:
                now = standing()
            except Exception as error:  # without this thread nobody would be told of anything any more
                connection.close()
                if rest != REST_SECONDS:
                    log_failure("the ledger could not be read; it is looked at again and again", error)
                seen, rest = None, REST_SECONDS
                continue
            if (now.ledger, now.position) != seen:
                seen, rest = (now.ledger, now.position), LOOK_SECONDS
                self._on_change()
        connection.close()
