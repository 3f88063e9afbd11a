"""What ``reclaim platform sync`` shows while it works."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reclaim.client import SyncReport


@contextlib.contextmanager
def sync_progress() -> Iterator[Callable[[SyncReport], None]]:
    """A line on standard error, and a bar where the bank says how much there is; what to call after each page."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    console = Console(stderr=True, highlight=False)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Asking the bank …", total=None)

        def on_page(report: SyncReport) -> None:
            done = 0 < report.in_snapshot <= report.stored_of_snapshot
            progress.update(
                task,
                description="Writing the index …"
                if done
                else f"{report.active} signals, {report.tombstones} withdrawals so far …",
                completed=report.stored_of_snapshot,
                total=report.in_snapshot or None,
            )

        yield on_page
