"""``reclaim bank recovery-key``: the key on paper that opens case files when nobody else can."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from reclaim.cli.exits import Exit
from reclaim.cli.options import fail, open_site_or_fail, site_options

SETTINGS = "reclaim.bank.settings"


@click.group("recovery-key")
def recovery_key() -> None:
    """Make and use the key on paper, which opens what practitioners wrote when nobody else can.

    \b
    Example:
      reclaim bank recovery-key make --data bank-data
    """


@recovery_key.command()
@site_options
@click.option("--replace", is_flag=True, help="In the place of the one that there is.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def make(data: Path, database_url: str | None, replace: bool, as_json: bool) -> None:
    """Make the recovery key and print it, once: write it on paper, and keep it in a safe.

    It opens case files that are made from now on. The bank keeps what seals for it, and cannot open anything with that.

    \b
    Example:
      reclaim bank recovery-key make --data bank-data
    """
    open_site_or_fail(SETTINGS, data, database_url)
    from reclaim.bank.vault.services import RecoveryKeyThereError, make_recovery_key

    try:
        paper = make_recovery_key(replace=replace)
    except RecoveryKeyThereError as error:
        fail(Exit.NAME_TAKEN, str(error))
    if as_json:
        click.echo(json.dumps({"recovery_key": paper}))
        return
    click.echo(f"{paper}\n")
    click.echo("Write it on paper, two people together, and keep it in a safe. It is shown this once.")


@recovery_key.command()
@click.option("--to", "name", required=True, metavar="NAME", help="A practitioner who has signed in at least once.")
@site_options
def share(name: str, data: Path, database_url: str | None) -> None:
    """Let the practitioner NAME open every case file in their scope. The key is asked for, or read from standard input.

    \b
    Example:
      reclaim bank recovery-key share --to Ada --data bank-data
    """
    typed = click.prompt("Recovery key", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    open_site_or_fail(SETTINGS, data, database_url)
    from reclaim.bank.casework.queries import visible_to
    from reclaim.bank.organisations.models import Practitioner
    from reclaim.bank.vault import people
    from reclaim.bank.vault.keys import DamagedError
    from reclaim.bank.vault.services import recovery_from, share_many

    found = Practitioner.objects.filter(
        member__name=name.strip(), member__removed_at=None, organisation__revoked_at=None
    )
    practitioner = found.select_related("member", "organisation", "team").first()
    if practitioner is None:
        fail(Exit.ERROR, f"There is no practitioner named «{name.strip()}» of an organisation with access.")
    try:
        case_files = list(visible_to(practitioner).values_list("pk", flat=True))
        shared = share_many(recovery_from(typed), case_files, people.reader_of(practitioner), "operator")
    except ValueError as error:
        fail(Exit.USAGE, str(error))
    except (people.NoKeyPairError, DamagedError) as error:
        fail(Exit.ERROR, str(error))
    click.echo(f"«{practitioner.name}» can open {shared} more of {len(case_files)} case files.")
