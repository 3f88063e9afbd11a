"""``reclaim bank codes`` and ``reclaim bank harmless``: who need not solve a puzzle, and what never enters the bank."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import click

from reclaim.cli.exits import Exit, exit_for
from reclaim.cli.options import fail, open_site_or_fail, site_options
from reclaim.signals import SignalError

HELP = {"help_option_names": ["-h", "--help"]}


def _open(data: Path, database_url: str | None) -> None:
    open_site_or_fail("reclaim.bank.settings", data, database_url)


@click.group(context_settings=HELP)
def codes() -> None:
    """One-time codes with which an organisation's people need not solve a puzzle.

    \b
    Example:
      reclaim bank codes make --for "Helpline" --count 20 --data bank-data
    """


@codes.command("make")
@click.option("--for", "organisation", required=True, metavar="NAME", help="The organisation that hands them out.")
@click.option("--count", default=20, show_default=True, type=click.IntRange(min=1))
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 365), help="How long they are good.")
@site_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def codes_make(organisation: str, count: int, days: int, data: Path, database_url: str | None, as_json: bool) -> None:
    """Make one-time codes and print them, once. Each lets in one case, within so many days.

    \b
    Example:
      reclaim bank codes make --for "Helpline" --count 20 --data bank-data > codes.txt
    """
    _open(data, database_url)
    from reclaim.bank.gate.services import make_codes

    try:
        made = make_codes(organisation, count, datetime.timedelta(days=days))
    except ValueError as error:
        fail(Exit.USAGE, str(error))
    if as_json:
        click.echo(json.dumps({"for": organisation.strip(), "days": days, "codes": made}))
        return
    click.echo(f"For «{organisation.strip()}», each for one case within {days} days. Shown this once:", err=True)
    click.echo("\n".join(made))


@codes.command("list")
@site_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def codes_list(data: Path, database_url: str | None, as_json: bool) -> None:
    """List organisations and how many of their codes are unused, used and revoked, until they expire.

    \b
    Example:
      reclaim bank codes list --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.gate.queries import code_counts

    for counts in code_counts():
        if as_json:
            click.echo(json.dumps(counts._asdict()))
        else:
            click.echo(f"{counts.organisation}: unused {counts.unused}, used {counts.used}, revoked {counts.revoked}")


@codes.command("revoke")
@click.option("--for", "organisation", required=True, metavar="NAME", help="The organisation whose codes end.")
@site_options
def codes_revoke(organisation: str, data: Path, database_url: str | None) -> None:
    """End every unused code of an organisation at once.

    \b
    Example:
      reclaim bank codes revoke --for "Helpline" --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.gate.services import revoke_codes

    ended = revoke_codes(organisation)
    if not ended:
        fail(Exit.ERROR, f"«{organisation}» has no unused codes. «reclaim bank codes list» shows who has.")
    click.echo(f"Codes of «{organisation}» that ended: {ended}.")


@click.group(context_settings=HELP)
def harmless() -> None:
    """Values of pictures that many people have and that harm nobody: they never enter the bank.

    \b
    Example:
      reclaim bank harmless add logo.png --what "our logo" --data bank-data
    """


@harmless.command("add")
@click.argument("source", metavar="VALUE|FILE")
@click.option("--what", required=True, metavar="TEXT", help="What it shows.")
@site_options
def harmless_add(source: str, what: str, data: Path, database_url: str | None) -> None:
    """Add a PDQ or MD5 value, or a picture's file with all its turns. What is in the bank already stays there.

    \b
    Example:
      reclaim bank harmless add logo.png --what "our logo" --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.screening.services import add_harmless, harmless_values_in

    try:
        added = add_harmless(harmless_values_in(source), what)
    except SignalError as error:
        fail(exit_for([error]), str(error))
    except ValueError as error:
        fail(Exit.USAGE, str(error))
    click.echo(f"Harmless values added: {added}.")


@harmless.command("list")
@site_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def harmless_list(data: Path, database_url: str | None, as_json: bool) -> None:
    """List the values that were added here. The package's own are in bank/screening/data/harmless.json.

    \b
    Example:
      reclaim bank harmless list --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.screening.queries import added_values

    for entry in added_values():
        if as_json:
            click.echo(json.dumps({"type": entry.type, "value": entry.value, "what": entry.what}))
        else:
            click.echo(f"{entry.type} {entry.value} {entry.what}")


@harmless.command("remove")
@click.argument("named", metavar="VALUE|TEXT")
@site_options
def harmless_remove(named: str, data: Path, database_url: str | None) -> None:
    """Remove one value, or all that were added with this text.

    \b
    Example:
      reclaim bank harmless remove "our logo" --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.screening.services import remove_harmless

    removed = remove_harmless(named)
    if not removed:
        fail(Exit.ERROR, "No such value was added here. «reclaim bank harmless list» shows them.")
    click.echo(f"Harmless values removed: {removed}.")
