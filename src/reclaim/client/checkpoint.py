"""Where a platform stands in a bank's feed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from reclaim.client.records import Page
from reclaim.protocol.stopncii_v1 import DEFAULT_START_TIMESTAMP, HashRecord

LONGEST_ABSENCE = 29 * 24 * 3600
"""Seconds. A bank keeps a tombstone for 30 days; who stays away longer may have missed one. A day is left for the
fetch itself."""
_CLOCK_SLACK = 24 * 3600
_MOST_REMEMBERED = 2000


@dataclass(frozen=True)
class Checkpoint:
    """Where to resume, and what is known about the stored copy. Opaque to a store: keep ``as_text``."""

    next_timestamp: int = DEFAULT_START_TIMESTAMP
    """Epoch seconds; the feed is asked for changes at this second or later."""
    whole_since: int = 0
    """Epoch seconds, this machine's clock. Every tombstone that was in the feed at this moment or came later has
    been, or still can be, fetched."""
    generation: int = 0
    """Stamped on every stored signal. It grows when the feed is fetched from its beginning again."""
    sweeping: bool = False
    """A fetch from the beginning is under way; when it ends, signals of other generations go."""
    seen: tuple[str, ...] = ()
    """Digests of the records of the second ``next_timestamp`` that are stored already: the feed names that second
    again at the next fetch."""
    cursor: str = ""
    """On version 2: the feed goes on after it. Empty until the first page, or the whole snapshot, is stored."""
    snapshot: str = ""
    """On version 2: the snapshot that is being stored; its rows up to ``rows`` are."""
    rows: int = 0
    writes: int = 0
    """How many checkpoints of this copy were stored up to this one, so that no two of them are ever equal."""

    def is_stale(self, now: float) -> bool:
        """Whether a tombstone may have left the feed unseen."""
        return not self.whole_since - _CLOCK_SLACK <= now <= self.whole_since + LONGEST_ABSENCE

    def start_over(self, now: float) -> Checkpoint:
        """The checkpoint that begins a fetch of the whole feed."""
        return Checkpoint(whole_since=int(now), generation=self.generation + 1, sweeping=True, writes=self.writes)

    def unseen(self, records: Iterable[HashRecord]) -> list[HashRecord]:
        """Those records that are not stored already, exactly as they are."""
        return [record for record in records if digest(record) not in self.seen] if self.seen else list(records)

    def after(self, page: Page) -> Checkpoint:
        """The checkpoint to store together with a page's records."""
        before = self.seen if page.next_timestamp == self.next_timestamp else ()
        here = [digest(record) for record in page.records if record.lastModtimestamp == page.next_timestamp]
        seen = tuple(dict.fromkeys([*before, *here]))
        return replace(
            self,
            next_timestamp=page.next_timestamp,
            # A bank that crowds a second costs some repeated work, not an endless checkpoint.
            seen=seen if len(seen) <= _MOST_REMEMBERED else (),
        )

    def complete(self, started_at: float) -> Checkpoint:
        """The checkpoint when the end of the feed was reached by a fetch that began at ``started_at``."""
        return replace(self, whole_since=int(started_at), sweeping=False)

    def to_store(self) -> Checkpoint:
        """This checkpoint as the one that is stored next."""
        return replace(self, writes=self.writes + 1)

    def as_text(self) -> str:
        """One line of JSON, for a store."""
        return json.dumps({**vars(self), "seen": list(self.seen)})

    @classmethod
    def from_text(cls, text: str) -> Checkpoint:
        """Read what ``as_text`` wrote; raises ``ValueError`` for anything else."""
        try:
            fields = json.loads(text)
            return cls(**{**fields, "seen": tuple(fields["seen"])})
        except (TypeError, KeyError) as error:
            raise ValueError("The stored checkpoint is damaged. Start over to fetch the whole feed.") from error


def digest(record: HashRecord) -> str:
    """A name for a record exactly as it is. It holds no signal: the random case pseudonyms are part of it."""
    return hashlib.sha256(json.dumps(record.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()[:32]
