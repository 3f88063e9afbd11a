"""The lock and the counters of statements."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from reclaim.bank.peers.models import StatementClock


class Counters:
    """The counters of one transaction that holds the lock."""

    def __init__(self, clock: StatementClock) -> None:
        self.clock = clock

    def next_position(self) -> int:
        """The next place among the statements."""
        self.clock.position += 1
        return self.clock.position

    def next_version(self) -> int:
        """The next version of this bank's own statements."""
        self.clock.version = max(self.clock.version + 1, time.time_ns() // 1_000_000)
        return self.clock.version


@contextmanager
def locked_statements() -> Iterator[Counters]:
    """Open a transaction (or go on in one) that alone may write statements until it commits.

    Who also locks the ledger does so before. Positions are thus committed in their order.
    """
    with transaction.atomic():
        counters = Counters(StatementClock.objects.select_for_update().get_or_create(pk=1)[0])
        yield counters
        counters.clock.save()
