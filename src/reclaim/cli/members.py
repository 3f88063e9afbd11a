"""``reclaim bank member`` and ``reclaim platform member``: accounts of a site's staff."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from reclaim.cli.exits import Exit
from reclaim.cli.options import fail, open_site_or_fail, site_options
from reclaim.sitekit.roles import Role

SET_UP_AT = {"bank": "/staff/sign-in/", "platform": "/sign-in/"}


def group(site: str, roles: Sequence[Role]) -> click.Group:
    """The ``member`` commands of a site, ``bank`` or ``platform``, whose staff have one of these ``roles``."""
    example = roles[0]
    settings = f"reclaim.{site}.settings"
    role_option = click.option(
        "--role",
        required=True,
        type=click.Choice([role.value for role in roles]),
        help="What they may do: docs/permissions.md.",
    )
    json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object.")

    def say_password(name: str, password: str, as_json: bool) -> None:
        if as_json:
            click.echo(json.dumps({"name": name, "password": password}))
            return
        click.echo(f"«{name}» signs in at {SET_UP_AT[site]} with this password, within seven days: {password}")
        click.echo("It opens one page: the choice of an own password and of a second factor.")

    @click.group()
    def member() -> None:
        pass

    member.help = f"""Make, change and end the accounts of the {site}'s staff.

    \b
    Example:
      reclaim {site} member add Ada --role {example} --data {site}-data
    """

    @member.command("add")
    @click.argument("name")
    @role_option
    @site_options
    @json_option
    def add(name: str, role: str, data: Path, database_url: str | None, as_json: bool) -> None:
        open_site_or_fail(settings, data, database_url)
        from reclaim.sitekit.accounts.services import NameTakenError, add_member

        try:
            password = add_member(name, role)
        except NameTakenError as error:
            fail(Exit.NAME_TAKEN, str(error))
        except ValueError as error:
            fail(Exit.USAGE, str(error))
        say_password(name.strip(), password, as_json)

    add.help = f"""Make an account for NAME and print its one-time password, once.

    It is replaced at the first sign-in, where the second factor is set up too. Somebody who was removed may come back.

    \b
    Example:
      reclaim {site} member add Ada --role {example} --data {site}-data
    """

    @member.command("list")
    @site_options
    @click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
    def list_them(data: Path, database_url: str | None, as_json: bool) -> None:
        open_site_or_fail(settings, data, database_url)
        from reclaim.sitekit.accounts.queries import factors, members

        for each in members():
            kinds = sorted({str(factor.type) for factor in factors(each)})
            if as_json:
                waits = each.one_time_until.isoformat() if each.one_time_until else None
                click.echo(
                    json.dumps({"name": each.name, "role": each.role, "factors": kinds, "one_time_until": waits})
                )
            else:
                state = "waits for the first sign-in" if each.one_time_until else ", ".join(kinds)
                click.echo(f"{each.name}  {each.role}  {state}")

    list_them.help = f"""List who may sign in, with role and second factors.

    \b
    Example:
      reclaim {site} member list --data {site}-data
    """

    @member.command("role")
    @click.argument("name")
    @role_option
    @site_options
    def change(name: str, role: str, data: Path, database_url: str | None) -> None:
        open_site_or_fail(settings, data, database_url)
        from reclaim.sitekit.accounts.services import NoSuchMemberError, change_role

        try:
            change_role(name, role)
        except (NoSuchMemberError, ValueError) as error:
            fail(Exit.ERROR, str(error))
        click.echo(f"«{name.strip()}» is {role} now. Their sessions have ended.")

    change.help = f"""Give NAME another role; their sessions end.

    \b
    Example:
      reclaim {site} member role Ada --role {example} --data {site}-data
    """

    @member.command("reset")
    @click.argument("name")
    @site_options
    @json_option
    def reset(name: str, data: Path, database_url: str | None, as_json: bool) -> None:
        open_site_or_fail(settings, data, database_url)
        from reclaim.sitekit.accounts.services import NoSuchMemberError, reset_member

        try:
            password = reset_member(name)
        except NoSuchMemberError as error:
            fail(Exit.ERROR, str(error))
        say_password(name.strip(), password, as_json)

    reset.help = f"""Start the account of NAME anew: a new one-time password, no second factor, no session.

    Make sure that it is they who ask: by voice or face, never by a message alone.

    \b
    Example:
      reclaim {site} member reset Ada --data {site}-data
    """

    @member.command("remove")
    @click.argument("name")
    @site_options
    def remove(name: str, data: Path, database_url: str | None) -> None:
        open_site_or_fail(settings, data, database_url)
        from reclaim.sitekit.accounts.services import NoSuchMemberError, remove_member

        try:
            remove_member(name)
        except NoSuchMemberError as error:
            fail(Exit.ERROR, str(error))
        click.echo(f"«{name.strip()}» is out, and their sessions have ended.")

    remove.help = f"""End the account of NAME at once, with its sessions.

    \b
    Example:
      reclaim {site} member remove Ada --data {site}-data
    """
    return member
