"""``reclaim bank directory``: whom people and practitioners can turn to, as a file out and in."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from reclaim.cli.exits import Exit
from reclaim.cli.options import fail, open_site_or_fail, site_options


def _open(data: Path, database_url: str | None) -> None:
    open_site_or_fail("reclaim.bank.settings", data, database_url)
    from reclaim.bank.directory.services import sync

    sync()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def directory() -> None:
    """Take the support directory out as CSV and in again, and name what is to be checked.

    \b
    Example:
      reclaim bank directory stale --data bank-data
    """


@directory.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@site_options
def export(file: Path, data: Path, database_url: str | None) -> None:
    """Write every row into FILE, as CSV that a spreadsheet opens.

    \b
    Example:
      reclaim bank directory export directory.csv --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.directory.imports import exported

    try:
        file.write_bytes(exported("operator"))
    except OSError as error:
        fail(Exit.ERROR, f"The file cannot be written: {error.strerror}.")


@directory.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--apply", "applies", is_flag=True, help="Do it; without this, only say what would change.")
@click.option("--why", default="", metavar="WORDS", help="Why, for the history; needed with --apply.")
@site_options
def import_file(file: Path, applies: bool, why: str, data: Path, database_url: str | None) -> None:
    """Say what the CSV in FILE would change, and with --apply do that: wholly or not at all.

    Exit code 1 if a row is refused.

    \b
    Example:
      reclaim bank directory import directory.csv --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.directory.imports import apply_plan, plan
    from reclaim.bank.directory.texts import FactsError
    from reclaim.sitekit.csvs import MOST_BYTES, CsvError

    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        made = plan(content)
        for fault in made.refused:
            click.echo(str(fault), err=True)
        for number, row, _ in made.new:
            click.echo(f"Row {number}: new: {row.country or 'everywhere'} {row.kind} {row.name or row.phone}")
        for number, entry, _, _, facts in made.changed:
            click.echo(f"Row {number}: {entry.key} changes in {', '.join(facts)}")
        counts = f"new {len(made.new)}, changed {len(made.changed)}, the same {made.same}, refused {len(made.refused)}"
        click.echo(f"{counts[0].upper()}{counts[1:]}.")
        if applies:
            apply_plan(content, made.digest, actor="operator", why=why)
            click.echo("Taken in.")
    except OSError as error:
        fail(Exit.ERROR, f"The file cannot be read: {error.strerror}.")
    except (CsvError, FactsError) as error:
        fail(Exit.ERROR, str(error))
    if made.refused:
        sys.exit(Exit.ERROR)


@directory.command("stale")
@site_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def stale(data: Path, database_url: str | None, as_json: bool) -> None:
    """List the rows that nobody has checked for a year, the oldest first.

    \b
    Example:
      reclaim bank directory stale --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.directory.queries import stale_entries

    for entry in stale_entries():
        name, day = entry.name or entry.phone, entry.read_on.isoformat()
        if as_json:
            click.echo(json.dumps({"key": entry.key, "name": name, "checked": day, "sources": entry.sources}))
        else:
            click.echo(f"{entry.key}: {name}, checked {day}")
