"""``reclaim bank sandbox``: a bank in which nothing is real, for training."""

from __future__ import annotations

from pathlib import Path

import click

from reclaim.cli.exits import Exit
from reclaim.cli.options import (
    SANDBOX,
    fail,
    open_site_or_fail,
    serve_or_fail,
    serving_options,
)


@click.group(invoke_without_command=True)
@click.option(
    "--data",
    metavar="DIR",
    envvar="RECLAIM_DATA",
    type=click.Path(file_okay=False, path_type=Path),
    help="The sandbox's data folder; made on first use, and a sandbox for good.",
)
@click.option(
    "--database-url",
    metavar="URL",
    envvar="RECLAIM_DATABASE_URL",
    help="postgresql://… for PostgreSQL; without it, SQLite in the data folder.",
)
@serving_options(8300)
@click.pass_context
def sandbox(
    context: click.Context, data: Path | None, database_url: str | None, host: str, port: int, workers: int
) -> None:
    """Serve a bank for training: made-up people, scenarios with decisions, a facilitator's view. Nothing is real.

    No mail is sent, nobody is asked anything, and no signal comes in or goes out. The code that it prints lets the
    facilitator in at /training/facilitator/, until the sandbox is started again.

    \b
    Example:
      reclaim bank sandbox --data sandbox-data --port 8300
    """
    if context.invoked_subcommand is not None:
        return
    if data is None:
        fail(Exit.USAGE, "Name a data folder with --data. It is made on first use.")
    made = _mark(data)
    # Not a bank's tables are touched before it is known that there is none.
    open_site_or_fail("reclaim.bank.settings", data, database_url, migrate=False, sandbox=True)
    from reclaim.bank.training.services import holds_a_bank, make_sandbox, new_facilitator_code

    refused = holds_a_bank()
    if not refused:
        open_site_or_fail("reclaim.bank.settings", data, database_url, sandbox=True)
        refused = not make_sandbox()
    if refused:
        if made:
            (data / SANDBOX).unlink()
        fail(Exit.ERROR, "This database holds a bank, which never becomes a sandbox. Name another folder or URL.")
    click.echo(f"The facilitator's code: {new_facilitator_code()}")
    beside = {"ticker": ["bank", "tick", "--every", "60", "--data", str(data)]}
    serve_or_fail(SANDBOX, host, port, beside, workers)


@sandbox.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
def check(folder: Path | None) -> None:
    """Say what is wrong with the translated scenarios in FOLDER, a sentence each; without it, with the English ones.

    \b
    Example:
      reclaim bank sandbox check scenarios/de
    """
    from reclaim.bank.training import scenarios

    sentences = scenarios.check(folder)
    for sentence in sentences:
        click.echo(sentence, err=True)
    if sentences:
        fail(Exit.ERROR, f"Faults: {len(sentences)}. A file with a fault is shown in English.")
    click.echo("All scenarios are whole.")


def _mark(data: Path) -> bool:
    """See that the data folder is a sandbox's, or a new one; whether it was made one now."""
    mark = data / SANDBOX
    if mark.exists():
        return False
    if data.exists() and any(data.iterdir()):
        fail(
            Exit.ERROR,
            "This folder is in use, and not by a sandbox. A bank never becomes one: name a new or an empty folder.",
        )
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.write_text("A training sandbox: nothing here is real. Do not put this file anywhere else.\n")
    except OSError as error:
        fail(Exit.ERROR, f"This data folder cannot be made: {error.strerror}.")
    return True
