"""How many files there were of each kind."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa

from reclaim.scan.schema import ERROR, MATCH


@dataclass
class Counts:
    """Of files, by their status and, where there is one, by the reason."""

    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, rows: pa.Table | pa.RecordBatch) -> Counts:
        """Those of some rows of ``RESULTS``."""
        return cls(_counted(rows.column("status")), _counted(rows.column("reason")))

    def add(self, other: Counts) -> None:
        """Take in others."""
        self.statuses += other.statuses
        self.reasons += other.reasons

    @property
    def files(self) -> int:
        return self.statuses.total()

    @property
    def matches(self) -> int:
        return self.statuses[MATCH]

    @property
    def errors(self) -> int:
        return self.statuses[ERROR]

    def to_json(self) -> bytes:
        return json.dumps({"statuses": self.statuses, "reasons": self.reasons}).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Counts:
        fields = json.loads(text)
        return cls(Counter(fields["statuses"]), Counter(fields["reasons"]))


def _counted(column: pa.Array | pa.ChunkedArray) -> Counter[str]:
    pairs = column.value_counts().to_pylist()
    return Counter({pair["values"]: pair["counts"] for pair in pairs if pair["values"] is not None})
