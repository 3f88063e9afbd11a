"""What a check is, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

Subject = TypeVar("Subject")


class FailedError(Exception):
    """The subject did not do as it must: what was seen, and how to mend it."""

    def __init__(self, seen: str, mend: str) -> None:
        super().__init__(seen)
        self.seen = seen
        self.mend = mend


class NotApplicableError(Exception):
    """The check does not apply to this subject; the message says why."""


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check(Generic[Subject]):
    """One thing that must hold. ``title`` says it as a sentence; ``why`` says whom it hurts if it does not."""

    name: str
    title: str
    why: str
    run: Callable[[Subject], None]


@dataclass(frozen=True)
class Result:
    """What came of one check."""

    name: str
    title: str
    why: str
    outcome: Outcome
    seconds: float
    seen: str = ""
    """What was seen if it failed, or why it was skipped."""
    mend: str = ""


def run_checks(checks: Iterable[Check[Subject]], subject: Callable[[], Subject]) -> Iterator[Result]:
    """Run each check on a fresh subject, one after the other."""
    for check in checks:
        start = time.monotonic()
        outcome, seen, mend = Outcome.PASSED, "", ""
        try:
            check.run(subject())
        except FailedError as error:
            outcome, seen, mend = Outcome.FAILED, error.seen, error.mend
        except NotApplicableError as error:
            outcome, seen = Outcome.SKIPPED, str(error)
        yield Result(check.name, check.title, check.why, outcome, time.monotonic() - start, seen, mend)


def expect(condition: bool, seen: str, mend: str) -> None:
    """Raise ``FailedError`` unless the condition holds."""
    if not condition:
        raise FailedError(seen, mend)
