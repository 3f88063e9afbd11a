"""``reclaim bank organisation``: organisations that help people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from reclaim.cli.exits import Exit
from reclaim.cli.options import fail, open_site_or_fail, site_options

SETTINGS = "reclaim.bank.settings"


@click.group()
def organisation() -> None:
    """Let in organisations that help people.

    \b
    Example:
      reclaim bank organisation list --data bank-data
    """


@organisation.command("add")
@click.argument("name")
@click.option("--country", required=True, metavar="CODE", help="Where it helps: two letters, such as GB.")
@click.option(
    "--language",
    "languages",
    multiple=True,
    required=True,
    metavar="CODE",
    help="In which it helps, such as en; again for more.",
)
@click.option("--contact", default="", metavar="WORDS", help="How a person reaches it, in words that people see.")
@click.option("--hours", default="", metavar="WORDS", help="When somebody answers.")
@click.option("--remit", default="", metavar="WORDS", help="Whom it helps with what.")
@click.option("--reason", default="", metavar="WORDS", help="What was looked at before it was let in.")
@click.option("--supervisor", required=True, metavar="NAME", help="Who lets the organisation's other people in.")
@site_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def organisation_add(
    name: str,
    country: str,
    languages: Sequence[str],
    contact: str,
    hours: str,
    remit: str,
    reason: str,
    supervisor: str,
    data: Path,
    database_url: str | None,
    as_json: bool,
) -> None:
    """Let in the organisation NAME and print its first supervisor's one-time password.

    \b
    Example:
      reclaim bank organisation add "Example Helpline" --country GB --language en --supervisor Ada --data bank-data
    """
    open_site_or_fail(SETTINGS, data, database_url)
    from reclaim.bank.organisations import services
    from reclaim.sitekit.accounts.services import NameTakenError as MemberNameTakenError

    try:
        added, password = services.add_organisation_with_supervisor(
            name, country, languages, supervisor, contact, hours=hours, remit=remit, reason=reason
        )
    except (services.NameTakenError, MemberNameTakenError) as error:
        fail(Exit.NAME_TAKEN, str(error))
    except ValueError as error:
        fail(Exit.USAGE, str(error))
    if as_json:
        click.echo(json.dumps({"name": added.name, "supervisor": supervisor.strip(), "password": password}))
        return
    click.echo(
        f"«{added.name}» has access. «{supervisor.strip()}» signs in at /staff/sign-in/ with this password, within "
        f"seven days: {password}"
    )


def _no_such_organisation(name: str) -> NoReturn:
    fail(
        Exit.ERROR, f"There is no organisation named «{name}» with access. «reclaim bank organisation list» shows them."
    )


@organisation.command("list")
@site_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def organisation_list(data: Path, database_url: str | None, as_json: bool) -> None:
    """List organisations, where and in which languages they help.

    \b
    Example:
      reclaim bank organisation list --data bank-data
    """
    open_site_or_fail(SETTINGS, data, database_url)
    from reclaim.bank.organisations.queries import active_organisations

    for entry in active_organisations():
        if as_json:
            facts = ("name", "country", "languages", "contact")
            click.echo(json.dumps({fact: getattr(entry, fact) for fact in facts}))
        else:
            click.echo(f"{entry.name}: {entry.country}, {' '.join(entry.languages)}")


@organisation.command("revoke")
@click.argument("name")
@site_options
def organisation_revoke(name: str, data: Path, database_url: str | None) -> None:
    """End the access of the organisation NAME at once, to every case that people let it see.

    \b
    Example:
      reclaim bank organisation revoke "Example Helpline" --data bank-data
    """
    open_site_or_fail(SETTINGS, data, database_url)
    from reclaim.bank.organisations.services import revoke_organisation

    if not revoke_organisation(name):
        _no_such_organisation(name)
    click.echo(f"«{name}» has no access any more.")
