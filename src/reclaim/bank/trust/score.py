"""The formula, as docs/trust.md tells it. A test holds the table of examples there to it."""

from __future__ import annotations

from dataclasses import dataclass

LEAST, MOST = 0, 100
REPORTED = 50
"""A person reported it, or a platform found it."""
PASSED_ON = 40
"""Nobody here did: only another bank says it."""
GOOD_QUALITY = 70
MOST_FOR_POOR = 10
AGAIN = (10, 5)
"""For the second and the third independent case; a fourth adds nothing."""
FOUND = (10, 5)
"""For the first and the second platform that found it by itself, beside whoever else brought it."""
ALSO_ELSEWHERE = 10
"""Another bank has it too."""
BLOCKED = (15, 10, 5)
"""For the first, second and third platform that blocked it."""
REJECTED = 20
"""For each platform that says that it is something else, or not intimate."""
LEFT_UP = 3
"""For each platform that left it up for a reason that says little of the signal: its rules, or that it cannot tell."""
MOST_LEFT_UP = 3
REJECTIONS = 2
"""So many platforms must reject a signal before it is for review only."""


@dataclass(frozen=True)
class Evidence:
    """What speaks for and against a signal. Every number counts different ones of their kind."""

    persons: int = 0
    """Cases that hold it."""
    finds: int = 0
    """Platforms that found it."""
    peers: int = 0
    """Other banks that have it."""
    quality: int | None = None
    """The best PDQ quality of it, 0 to 100; ``None`` where nobody knows, and for exact hashes and videos."""
    blocked: int = 0
    """Platforms that blocked it."""
    rejected: int = 0
    """Platforms that say that it is not the same, or not intimate."""
    left_up: int = 0
    """Platforms that left it up for any other reason, or for none."""


def score(known: Evidence) -> int:
    """How far a signal can be trusted, from 0 to 100."""
    total = REPORTED if known.persons or known.finds else PASSED_ON
    if known.quality is not None and known.quality < GOOD_QUALITY:
        total -= MOST_FOR_POOR * (GOOD_QUALITY - known.quality) // 20
    total += sum(AGAIN[: max(0, known.persons - 1)])
    # Its first find is already why a signal that no person reported is here.
    total += sum(FOUND[: known.finds if known.persons else max(0, known.finds - 1)])
    total += ALSO_ELSEWHERE if known.peers and (known.persons or known.finds) else 0
    total += sum(BLOCKED[: known.blocked])
    total -= REJECTED * known.rejected + LEFT_UP * min(known.left_up, MOST_LEFT_UP)
    return max(LEAST, min(MOST, total))


def is_doubted(blocked: int, rejected: int) -> bool:
    """Whether platforms' decisions speak so much against a signal that nothing may be removed for it by itself.

    One platform alone never brings that about: it could switch off whatever it wants to stay up.
    """
    return rejected >= REJECTIONS and rejected > blocked
