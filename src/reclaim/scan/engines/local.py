"""All processors of this machine."""

from __future__ import annotations

from collections.abc import Iterator

from reclaim.scan.crew import Answer, Crew, Piece
from reclaim.scan.worker import Spec
from reclaim.signals.many import SECONDS_PER_FILE


def answers(spec: Spec, pieces: Iterator[Piece], jobs: int, seconds: float = SECONDS_PER_FILE) -> Iterator[Answer]:
    """The answers to all pieces, as they come. Raises ``ScanStopped``."""
    crew = Crew(spec, jobs, seconds)
    try:
        yield from crew.answers(pieces)
    finally:
        crew.close()
