"""The bank's own index of its pictures' signals, in each process that answers lookups."""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

from reclaim.bank.ledger.models import LedgerRecord
from reclaim.index import CODE_BYTES, HammingIndex

_AT_ONCE = 50_000


class SignalIndex:
    """Every lookup first catches up with the ledger, so none answers from the past. Threads take turns at that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Hold nothing, so that the next lookup reads the whole ledger."""
        self._index = HammingIndex()
        self._position = 0

    def nearest(self, codes: npt.NDArray[np.uint8], radius: int) -> tuple[int, int, list[int]] | None:
        """The primary key of the signal that is nearest to any of these values (n, 32), its distance in bits, and which
        of the values are within ``radius`` (0 to 64) of it. ``None`` if none is within that of any signal.
        """
        with self._lock:
            self._catch_up()
            index = self._index
        found = index.query_many(codes, radius)
        if not len(found.ids):
            return None
        best = int(found.distances.argmin())
        of_it = np.flatnonzero(found.ids == found.ids[best])
        near = np.searchsorted(found.starts, of_it, side="right") - 1
        return int(found.ids[best]), int(found.distances[best]), near.tolist()

    def _catch_up(self) -> None:
        # Each change moves a record to a position that no reader has seen, in the order of the commits.
        changed = LedgerRecord.objects.filter(
            type=LedgerRecord.Type.PDQ, only_for=None, position__gt=self._position
        ).order_by("position")
        while True:
            rows = list(changed.values_list("pk", "value", "status", "review_only", "position")[:_AT_ONCE])
            if not rows:
                return
            for key, *_ in rows:
                if key in self._index:
                    self._index.remove(key)
            kept = [
                (key, value)
                for key, value, status, review_only, _ in rows
                if status == LedgerRecord.Status.ACTIVE and not review_only and value
            ]
            codes = np.frombuffer(bytes.fromhex("".join(value for _, value in kept)), np.uint8)
            self._index.extend(codes.reshape(-1, CODE_BYTES), [key for key, _ in kept])
            self._position = rows[-1][-1]
            changed = changed.filter(position__gt=self._position)


signal_index = SignalIndex()
