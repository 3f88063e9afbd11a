"""What apps above forget of a case file when it is erased.

They register when they are loaded (in ``AppConfig.ready``); each is called in the transaction in which it is erased,
before its row goes.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

Forget = Callable[[UUID], object]
_FORGETS: list[Forget] = []


def register(forget: Forget) -> None:
    """Have ``forget`` called with the key of each case file that is erased."""
    if forget not in _FORGETS:
        _FORGETS.append(forget)


def forget_elsewhere(case_file: UUID) -> None:
    """Have every app that registered forget it."""
    for forget in _FORGETS:
        forget(case_file)
