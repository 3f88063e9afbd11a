"""`reclaim scan`: a back catalogue against a bank's signals. Reads files, writes a folder of Parquet, sends nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from reclaim.cli.exits import Exit
from reclaim.cli.options import fail

if TYPE_CHECKING:
    from reclaim.scan import Counts, ScanError, Summary

INTERRUPTED = 130
"""As a shell reports a command that Ctrl-C ended."""


@click.command()
@click.argument("source")
@click.option(
    "--index", metavar="SNAPSHOT", type=click.Path(path_type=Path), help="Snapshot to look in; not to resume."
)
@click.option("--out", metavar="FOLDER", required=True, type=click.Path(path_type=Path), help="Where results go.")
@click.option("--signals", is_flag=True, help="SOURCE is a folder of Parquet files with signals.")
@click.option("--turns", type=click.Choice(["8", "1"]), default="8", help="In all views, or only as it lies.")
@click.option("--radius", type=click.IntRange(0, 64), default=31, show_default=True, help="Most bits that may differ.")
@click.option("--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True)
@click.option("--jobs", type=click.IntRange(1, 1024), help="Processes here; by default one a processor.")
@click.option("--address", default="auto", show_default=True, help="The Ray cluster.")
@click.option("--endpoint", metavar="URL", help="The S3-compatible store; AWS_ENDPOINT_URL otherwise.")
@click.option("--shard-size", type=click.IntRange(1, 2**31), help="Files a result file; by default 1,000.")
@click.option("--again", is_flag=True, help="Discard the scan that FOLDER holds, and begin anew.")
@click.option("--json", "as_json", is_flag=True, help="The figures as one JSON object.")
def command(
    source: str,
    index: Path | None,
    out: Path,
    signals: bool,
    turns: str,
    radius: int,
    engine: Literal["local", "ray"],
    jobs: int | None,
    address: str,
    endpoint: str | None,
    shard_size: int | None,
    again: bool,
    as_json: bool,
) -> None:
    """Look up a whole back catalogue: every picture in SOURCE against the signals in SNAPSHOT.

    SOURCE is a folder, a zip or tar archive, a Parquet file of signals, or s3://bucket/prefix. The results are
    Parquet files in FOLDER/results, one row for each file: clear, match, poor or error. After any interruption the
    same command goes on where it was; no file is lost or done twice.

    \b
    Examples:
      reclaim scan /srv/uploads --index pdq.index --out scan-1
      reclaim scan uploads.zip --index pdq.index --out scan-2 --json
      reclaim scan s3://uploads/2024 --index pdq.index --out scan-3 --endpoint https://store.example:9000
      reclaim scan signals.parquet --index pdq.index --out scan-4
      reclaim scan /srv/uploads --index pdq.index --out /shared/scan-5 --engine ray --address auto

    \b
    Exit status: 0 all files have a row, be it an error; 15 the source or the index is not there; 1 the scan could
    not begin or had to stop (the sentence says why); 130 interrupted by Ctrl-C.
    """
    from reclaim.scan import Request, ScanError, scan

    request = Request(
        source, index, out, engine, jobs, address, int(turns), radius, signals, endpoint, shard_size, again
    )
    try:
        with _progress() as show:
            summary = scan(request, show)
    except ScanError as error:
        fail(_exit_of(error), str(error))
    except KeyboardInterrupt:
        click.echo("Interrupted. Run the same command to go on from here.", err=True)
        sys.exit(INTERRUPTED)
    if as_json:
        click.echo(json.dumps(summary.as_json()))
    else:
        _report(summary, out)


def _exit_of(error: ScanError) -> Exit:
    from reclaim.scan import IndexNotUsable, SourceNotFound

    return Exit.FILE_NOT_FOUND if isinstance(error, SourceNotFound | IndexNotUsable) else Exit.ERROR


@contextmanager
def _progress() -> Iterator[Callable[[Counts, int], None]]:
    """A bar on a terminal's standard error, otherwise silent."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.speed:,.0f}/s"),
        TextColumn("{task.fields[errors]:,} errors"),
        TextColumn("{task.fields[matches]:,} matches"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
    bar.disable = not console.is_terminal
    with bar:
        task = bar.add_task("Listing", total=None, errors=0, matches=0)

        def show(counts: Counts, total: int) -> None:
            bar.update(
                task,
                description="Scanning",
                total=total,
                completed=counts.files,
                errors=counts.errors,
                matches=counts.matches,
            )

        yield show


def _report(summary: Summary, out: Path) -> None:
    counts = summary.counts
    click.echo(f"{counts.files:,} files: " + ", ".join(f"{counts.statuses[each]:,} {each}" for each in _ORDER))
    for reason, count in counts.reasons.most_common():
        click.echo(f"  {count:,} {reason.replace('_', ' ')}")
    if summary.run_files < counts.files:
        click.echo(f"{counts.files - summary.run_files:,} of them were done before this run.")
    click.echo(f"{summary.seconds:,.1f} seconds, {summary.rate:,.1f} files a second.")
    click.echo(f"Results: {click.format_filename(out / 'results')}")


_ORDER = ("match", "clear", "poor", "error")
