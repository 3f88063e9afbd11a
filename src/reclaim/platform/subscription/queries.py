"""Reads on the signals this platform holds."""

from __future__ import annotations

import threading
import uuid

import numpy as np
import numpy.typing as npt

from reclaim.index import CODE_BYTES, HammingIndex, Hits
from reclaim.platform.subscription.models import KnownSignal, RemovedSignal, Subscription
from reclaim.protocol.stopncii_v1 import SignalType


def subscription() -> Subscription | None:
    """How far the feed has been followed; ``None`` before the first sync."""
    return Subscription.objects.filter(pk=1).first()


def signal_count() -> int:
    """How many signals are held."""
    return KnownSignal.objects.count()


class SharedIndex:
    """The index of this process: every lookup first catches up with the database, so none answers from the past.

    Threads take turns at catching up, and then search side by side.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget()

    def query_batch(self, codes: npt.NDArray[np.uint8], radius: int) -> list[Hits]:
        """See ``HammingIndex.query_batch``; ids are primary keys of ``KnownSignal``."""
        with self._lock:
            self._catch_up()
            index = self._index
        return index.query_batch(codes, radius)

    def _forget(self) -> None:
        self._index = HammingIndex()
        self._store: uuid.UUID | None = None
        self._version = -1
        self._newest = 0

    def _catch_up(self) -> None:
        # The version is read before the rows: what is committed in between is read again the next time, which is
        # harmless. Keys only go up, in the order of the commits, as their writers hold the subscription's lock.
        state = Subscription.objects.filter(pk=1).values_list("store", "version").first()
        if state is None or state[0] != self._store:
            self._forget()
        if state is None or state[1] == self._version:
            return
        pdq = KnownSignal.objects.filter(type=SignalType.IMAGE_PDQ, pk__gt=self._newest).order_by("pk")
        added = list(pdq.values_list("pk", "value"))
        removed = list(RemovedSignal.objects.filter(version__gt=self._version).values_list("signal", flat=True))
        # All is read before anything is changed: a database error half-way would leave an index that no later
        # reading mends.
        if added and len(self._index) == 0:
            codes = np.frombuffer(bytes.fromhex("".join(value for _, value in added)), np.uint8)
            self._index = HammingIndex(codes.reshape(-1, CODE_BYTES), [key for key, _ in added])
        else:
            for key, value in added:
                self._index.add(key, bytes.fromhex(value))
        for key in removed:
            if key in self._index:
                self._index.remove(key)
        self._newest = max(self._newest, added[-1][0] if added else 0)
        self._store, self._version = state


shared_index = SharedIndex()
