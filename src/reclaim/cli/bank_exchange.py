"""``reclaim bank snapshots`` and ``reclaim bank restored``: what the exchange needs of an operator."""

from __future__ import annotations

from pathlib import Path

import click

from reclaim.cli.options import open_site_or_fail, site_options


@click.command()
@site_options
def snapshots(data: Path, database_url: str | None) -> None:
    """Make the snapshots that platforms have asked for. The bank starts this by itself.

    \b
    Example:
      reclaim bank snapshots --data bank-data
    """
    open_site_or_fail("reclaim.bank.settings", data, database_url, migrate=False)
    from reclaim.bank.exchange.snapshots import make_wanted

    click.echo(f"Made: {make_wanted()}.")


@click.command()
@site_options
def restored(data: Path, database_url: str | None) -> None:
    """Say that the database was restored from a backup, so that platforms fetch everything anew.

    \b
    Example:
      reclaim bank restored --data bank-data
    """
    open_site_or_fail("reclaim.bank.settings", data, database_url)
    from reclaim.bank.ledger.queries import standing
    from reclaim.bank.ledger.services import begin_another_ledger

    begin_another_ledger(standing().ledger, "operator")
    click.echo("Each platform is now sent to a snapshot at its next fetch. Start the bank.")
