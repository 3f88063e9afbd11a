"""What came of the checks: for a person, and as JUnit XML for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite
from rich.console import Console
from rich.padding import Padding

from reclaim.conformance.outcome import Outcome, Result

_MARKS = {Outcome.PASSED: "[green]passed[/]", Outcome.FAILED: "[red]FAILED[/]", Outcome.SKIPPED: "[dim]skipped[/]"}


def show(console: Console, result: Result) -> None:
    """One result, with what was seen and how to mend it."""
    console.print(f"{_MARKS[result.outcome]:>8}  {result.title}", highlight=False)
    if result.outcome is Outcome.SKIPPED:
        console.print(Padding(result.seen, (0, 0, 0, 10)), style="dim", highlight=False)
    if result.outcome is Outcome.FAILED:
        for label, text in (("Seen", result.seen), ("Why it matters", result.why), ("To mend it", result.mend)):
            console.print(Padding(f"[bold]{label}:[/] {text}", (0, 0, 0, 10)), highlight=False)


def summary(results: Sequence[Result]) -> str:
    """How many of each, in a sentence."""
    counts = Counter(result.outcome for result in results)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome)


def write_junit(path: Path, suite_name: str, results: Sequence[Result]) -> None:
    """The results as JUnit XML, which continuous integration shows. Raises ``OSError``."""
    suite = TestSuite(suite_name)
    for result in results:
        case = TestCase(result.title, classname=f"reclaim.conformance.{result.name}", time=round(result.seconds, 3))
        if result.outcome is Outcome.FAILED:
            failure = Failure(result.seen)
            failure.text = f"{result.seen}\nWhy it matters: {result.why}\nTo mend it: {result.mend}"
            case.result = [failure]
        elif result.outcome is Outcome.SKIPPED:
            case.result = [Skipped(result.seen)]
        suite.add_testcase(case)
    document = JUnitXml(suite_name)
    document.add_testsuite(suite)
    document.write(str(path), pretty=True)
