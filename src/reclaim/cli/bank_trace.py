"""``reclaim bank trace-leak``: which platform a leaked list came from."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from reclaim.cli.exits import Exit
from reclaim.cli.options import fail, open_site_or_fail, site_options


@click.command("trace-leak")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@site_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def trace_leak(file: Path, data: Path, database_url: str | None, as_json: bool) -> None:
    """Say which platform a leaked list came from, by the canaries in it.

    FILE is the list as it was found: text, CSV, JSON or anything that holds PDQ values as 64 hexadecimal digits. Exit
    code 0 if a platform is named, 41 if the list holds no canary.

    \b
    Example:
      reclaim bank trace-leak leaked.txt --data bank-data
    """
    open_site_or_fail("reclaim.bank.settings", data, database_url)
    from reclaim.bank.canaries.leaks import trace, values_in

    columns = (TextColumn("Reading the list"), BarColumn(), DownloadColumn())
    try:
        with (
            file.open("rb") as opened,
            Progress(*columns, console=Console(stderr=True), transient=True, disable=as_json) as bar,
        ):
            task = bar.add_task("", total=file.stat().st_size)
            found = trace(values_in(opened, lambda count: bar.advance(task, count)))
    except OSError as error:
        fail(Exit.ERROR, f"The list cannot be read: {error.strerror}.")
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(found)))
    else:
        click.echo(f"The list holds {found.values} PDQ values.")
        for suspect in found.suspects:
            click.echo(
                f"  {suspect.platform}: {suspect.found} of its {suspect.handed_out} canaries, so between "
                f"{suspect.least_share:.0%} and {suspect.most_share:.0%} of its copy"
            )
        if found.suspects:
            click.echo(
                "A canary is in one platform's copy and nowhere else, and no other value is near one by chance: each "
                "of these copies is in the list. It names the copy, not who leaked it: end the platform's keys and "
                "talk to it. docs/canaries.md says what next."
            )
            if len(found.suspects) > 1:
                click.echo("Several copies were put together: by platforms, or by somebody who got at all of them.")
        else:
            click.echo(
                f"No canary is in it. A random part of this size of one platform's copy would hold one with a "
                f"probability of {found.would_show:.2f}. It may come from elsewhere, or hold only what several "
                "platforms' copies have in common."
            )
    if not found.suspects:
        sys.exit(Exit.NO_SOURCE)
