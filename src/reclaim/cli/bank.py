"""``reclaim bank``: run a bank."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from reclaim.cli import (
    bank_directory,
    bank_exchange,
    bank_gate,
    bank_lookup,
    bank_organisation,
    bank_peer,
    bank_platform,
    bank_push,
    bank_recovery_key,
    bank_sandbox,
    bank_staging,
    bank_takedown,
    bank_trace,
    members,
)
from reclaim.cli.bank_push import events_options, port_of_events
from reclaim.cli.exits import Exit, exit_for
from reclaim.cli.options import fail, open_site_or_fail, printable, serve_or_fail, serving_options, site_options
from reclaim.sitekit.roles import BANK_ROLES


def _open(data: Path, database_url: str | None, *, migrate: bool = True) -> None:
    open_site_or_fail("reclaim.bank.settings", data, database_url, migrate=migrate)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Run a bank: serve it, vet platforms, make and withdraw cases.

    \b
    Example:
      reclaim bank serve --data bank-data
    """


command.add_command(bank_directory.directory)
command.add_command(bank_exchange.snapshots)
command.add_command(bank_exchange.restored)
command.add_command(bank_push.push)
command.add_command(bank_gate.codes)
command.add_command(bank_gate.harmless)
command.add_command(bank_organisation.organisation)
command.add_command(bank_peer.peer)
command.add_command(bank_platform.platform)
command.add_command(bank_lookup.lookup)
command.add_command(bank_recovery_key.recovery_key)
command.add_command(bank_takedown.mail)
command.add_command(bank_takedown.recheck)
command.add_command(bank_trace.trace_leak)
command.add_command(bank_sandbox.sandbox)
command.add_command(bank_staging.staging)
command.add_command(members.group("bank", BANK_ROLES), "member")


@command.command()
@site_options
@serving_options(8000)
@events_options
def serve(
    data: Path, database_url: str | None, host: str, port: int, workers: int, events_port: int | None, events: bool
) -> None:
    """Serve the bank until Ctrl-C, with its recurring work, and tell connected platforms of changes at once.

    \b
    Example:
      reclaim bank serve --data bank-data --port 8000
    """
    beside = {"ticker": ["bank", "tick", "--every", "30", "--data", str(data)]}
    if events:
        events_port = port_of_events(host, port, events_port)
        beside["push"] = ["bank", "push", "--host", host, "--port", str(events_port), "--data", str(data)]
    _open(data, database_url)
    bank_staging.insist_on_a_real_bank()
    serve_or_fail("bank", host, port, beside, workers)


@command.command()
@site_options
@click.option("--every", type=click.FloatRange(min=0.1), metavar="SECONDS", help="Go on, this often, until stopped.")
def tick(data: Path, database_url: str | None, every: float | None) -> None:
    """Do the bank's recurring work: erase tombstones whose retention ended, forget tries and receipts.

    \b
    Example:
      reclaim bank tick --data bank-data
    """
    # A sandbox has work of its own, in which nothing leaves.
    open_site_or_fail("reclaim.bank.settings", data, database_url, migrate=every is None, sandbox=True)
    from reclaim.bank.work import tick as work
    from reclaim.sitekit.serve import tick_forever

    if every is not None:
        tick_forever(work, every)
    elif not work():
        fail(Exit.ERROR, "Not all of the work could be done; it is tried again at the next tick.")


@command.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option(
    "--made-with-ai",
    type=click.Choice(["yes", "no", "unsaid"]),
    default="unsaid",
    show_default=True,
    help="What the person says about these files.",
)
@site_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def submit(files: Sequence[Path], made_with_ai: str, data: Path, database_url: str | None, as_json: bool) -> None:
    """Make a case from pictures and videos on this machine. Only their signals enter the bank.

    Files that are no use are named, and the case is made from the rest (exit code 1); if none is of use there is no
    case, and the exit code says why (docs/commands.md).

    \b
    Example:
      reclaim bank submit one.jpg two.mp4 --data bank-data
    """
    from reclaim.cli.bank_submit import items_of, read_file
    from reclaim.signals import SignalError

    read, errors = [], []
    refused: list[tuple[Path, Exception]] = []
    for file in files:
        try:
            read.append(read_file(file))
        except SignalError as error:
            errors.append(error)
            refused.append((file, error))
    if read:
        _open(data, database_url)
        items, harmless = items_of(read, made_with_ai)
        refused += harmless
    for file, reason in refused:
        click.echo(f"{printable(file)}: {reason}", err=True)
    if not read:
        sys.exit(exit_for(errors))
    if not items:
        sys.exit(Exit.ERROR)
    from reclaim.bank.cases.numbers import shown
    from reclaim.bank.cases.services import create_case

    try:
        made = create_case(items, actor="operator")
    except ValueError as error:
        fail(Exit.USAGE, str(error))
    if as_json:
        taken = {item.number for item in items}
        signals = [
            {"item": number, **signal}
            for number, file in enumerate(read, start=1)
            if number in taken
            for signal in file.as_json()
        ]
        left_out = [{"file": str(file), "error": str(reason)} for file, reason in refused]
        number_and_pin = {"case_number": shown(made.number), "pin": made.pin}
        click.echo(json.dumps({**number_and_pin, "signals": signals, "refused": left_out}))
    else:
        click.echo(f"Case number  {shown(made.number)}\nPIN          {made.pin}\nTaken        {made.told.items}")
        if made.told.held:
            click.echo(f"Held for a look, in no feed so far: {len(made.told.held)}")
        click.echo("Both are shown this once. Without them nobody, not even the bank, can find or withdraw the case.")
    if refused:
        sys.exit(Exit.ERROR)


@command.command()
@click.argument("case", metavar="CASE")
@site_options
def withdraw(case: str, data: Path, database_url: str | None) -> None:
    """Withdraw everything in the case with the number CASE. The PIN is asked for, or read from standard input.

    \b
    Example:
      reclaim bank withdraw 7K3MPQ-0XW9ZC-41TB8D --data bank-data
    """
    typed = click.prompt("PIN", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    _open(data, database_url)
    from reclaim.bank.cases import numbers
    from reclaim.bank.cases.queries import access_case
    from reclaim.bank.cases.services import withdraw as withdraw_case
    from reclaim.sitekit.limits import SlowDownError

    try:
        found = access_case(numbers.parse_number(case), numbers.parse_pin(typed), b"this machine")
    except numbers.MistypedError as error:
        fail(Exit.WRONG_NUMBER_OR_PIN, str(error))
    except SlowDownError as error:
        fail(Exit.WRONG_NUMBER_OR_PIN, str(error))
    if found is None:
        fail(Exit.WRONG_NUMBER_OR_PIN, "There is no case with this number and PIN. Please check both.")
    count = withdraw_case(found, actor="operator")
    click.echo(f"Withdrawn: {count}. Every platform is told to delete its copy at its next fetch.")
