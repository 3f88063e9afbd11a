"""``reclaim bank platform``: vet platforms, and their keys."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from reclaim.cli.exits import Exit
from reclaim.cli.options import fail, open_site_or_fail, site_options

if TYPE_CHECKING:
    from reclaim.bank.platforms.models import Platform, PlatformKey
    from reclaim.bank.platforms.services import PlatformKeys

SCOPES = ("subscription", "fetch", "submit", "feedback", "lookup", "descriptors", "sources")


def _open(data: Path, database_url: str | None) -> None:
    open_site_or_fail("reclaim.bank.settings", data, database_url)


@click.group()
def platform() -> None:
    """Vet platforms and see what they have taken.

    \b
    Example:
      reclaim bank platform add Example --data bank-data
    """


@platform.command("add")
@click.argument("name")
@site_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for «reclaim platform init».")
def platform_add(name: str, data: Path, database_url: str | None, as_json: bool) -> None:
    """Vet the platform NAME and print its keys, once.

    \b
    Example:
      reclaim bank platform add Example --data bank-data --json > keys.json
    """
    _open(data, database_url)
    from reclaim.bank.platforms.services import NameTakenError, add_platform

    try:
        added, keys = add_platform(name)
    except NameTakenError as error:
        fail(Exit.NAME_TAKEN, str(error))
    except ValueError as error:
        fail(Exit.USAGE, str(error))
    _show_keys(added.name, keys, as_json)


def _show_keys(name: str, keys: PlatformKeys, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"name": name, **dataclasses.asdict(keys)}))
        return
    click.echo(f"«{name}» may now fetch signals. Its keys are shown this once; the bank keeps no copy:")
    for use, key in dataclasses.asdict(keys).items():
        click.echo(f"  {use:<17} {key}")


@platform.command("rekey")
@click.argument("name")
@site_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for «reclaim platform init».")
def platform_rekey(name: str, data: Path, database_url: str | None, as_json: bool) -> None:
    """Make new keys for the platform NAME and print them, once. Its old keys end at once.

    \b
    Example:
      reclaim bank platform rekey Example --data bank-data --json > keys.json
    """
    _open(data, database_url)
    from reclaim.bank.platforms.services import rekey_platform

    made = rekey_platform(name)
    if made is None:
        _no_such_platform(name)
    _show_keys(made[0].name, made[1], as_json)


def _no_such_platform(name: str) -> NoReturn:
    fail(Exit.ERROR, f"There is no platform named «{name}» with access. «reclaim bank platform list» shows them.")


@platform.command("list")
@site_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def platform_list(data: Path, database_url: str | None, as_json: bool) -> None:
    """List platforms, those with overdue withdrawals first: last fetch, how far behind, what they owe, errors.

    \b
    Example:
      reclaim bank platform list --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.operations.queries import watched_platforms

    for each in watched_platforms():
        facts = each.as_json()
        if as_json:
            click.echo(json.dumps(facts))
            continue
        late = f" ({each.overdue} overdue)" if each.overdue else ""
        click.echo(
            f"{each.platform.name}: last fetch {facts['last_fetch'] or 'never'}, behind by {each.behind} records, "
            f"withdrawals not acknowledged: {each.owed}{late}, errors in a day: {each.refused + each.failed}"
        )


@platform.command("revoke")
@click.argument("name")
@site_options
def platform_revoke(name: str, data: Path, database_url: str | None) -> None:
    """End the access of the platform NAME at once.

    \b
    Example:
      reclaim bank platform revoke Example --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.platforms.services import revoke_platform

    if not revoke_platform(name):
        _no_such_platform(name)
    click.echo(f"«{name}» has no access any more.")


def vetted_or_fail(name: str) -> Platform:
    from reclaim.bank.platforms.queries import vetted_platforms

    found = vetted_platforms().filter(name=name).first()
    if found is None:
        _no_such_platform(name)
    return found


@platform.group()
def key() -> None:
    """Make, change and end single keys of a platform.

    \b
    Example:
      reclaim bank platform key list Example --data bank-data
    """


_scopes = click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(SCOPES),
    help="What it opens; again for more.",
)
_addresses = click.option(
    "--address",
    "addresses",
    multiple=True,
    metavar="NETWORK",
    help="Where it may come from, such as 192.0.2.0/24; again for more. Without it, from anywhere.",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


def _show_key(row: PlatformKey, text: str, as_json: bool) -> None:
    facts = {"number": row.pk, "scopes": row.scopes, "expires": row.expires_at.isoformat(timespec="seconds")}
    if as_json:
        click.echo(json.dumps({**facts, "key": text}))
        return
    click.echo(
        f"Key {row.pk} ({', '.join(row.scopes)}), good until {row.expires_at:%Y-%m-%d}; shown this once:\n  {text}"
    )


@key.command("add")
@click.argument("name")
@_scopes
@_addresses
@click.option("--label", default="", metavar="WORDS", help="What it is for, in your words.")
@click.option("--days", default=365, show_default=True, type=click.IntRange(1, 731), help="How long it is good.")
@site_options
@_as_json
def key_add(
    name: str,
    scopes: Sequence[str],
    addresses: Sequence[str],
    label: str,
    days: int,
    data: Path,
    database_url: str | None,
    as_json: bool,
) -> None:
    """Make one more key for the platform NAME and print it, once.

    \b
    Example:
      reclaim bank platform key add Example --scope fetch --address 192.0.2.0/24 --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.platforms.services import add_key

    life = datetime.timedelta(days=days)
    try:
        row, text = add_key(
            vetted_or_fail(name), scopes, actor="operator", label=label, addresses=addresses, life=life, grants=True
        )
    except ValueError as error:
        fail(Exit.USAGE, str(error))
    _show_key(row, text, as_json)


@key.command("list")
@click.argument("name")
@site_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def key_list(name: str, data: Path, database_url: str | None, as_json: bool) -> None:
    """List the keys of the platform NAME that open something: number, scopes, end, and the day of the last use.

    \b
    Example:
      reclaim bank platform key list Example --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.platforms.queries import keys_of

    for row in keys_of(vetted_or_fail(name)):
        used = row.last_used_on.isoformat() if row.last_used_on else None
        if as_json:
            facts = {"number": row.pk, "scopes": row.scopes, "addresses": row.addresses, "label": row.label}
            expires = row.expires_at.isoformat(timespec="seconds")
            click.echo(json.dumps({**facts, "expires": expires, "last_used": used}))
            continue
        where = f", from {' '.join(row.addresses)}" if row.addresses else ""
        label = f" «{row.label}»" if row.label else ""
        click.echo(
            f"{row.pk}{label}: {', '.join(row.scopes)}{where}; good until {row.expires_at:%Y-%m-%d}, "
            f"last used {used or 'never'}"
        )


def _find_key(number: int) -> PlatformKey:
    from reclaim.bank.platforms.queries import usable_keys

    found = usable_keys().filter(pk=number).first()
    if found is None:
        fail(Exit.ERROR, f"No key {number} opens anything. «reclaim bank platform key list NAME» shows the numbers.")
    return found


@key.command("rotate")
@click.argument("number", type=click.IntRange(1, 2**62))
@click.option(
    "--overlap-days", default=7, show_default=True, type=click.IntRange(0, 90), help="How long the old one goes on."
)
@site_options
@_as_json
def key_rotate(number: int, overlap_days: int, data: Path, database_url: str | None, as_json: bool) -> None:
    """Make a new key that opens what the key NUMBER opens, and print it, once. The old one goes on for a while.

    \b
    Example:
      reclaim bank platform key rotate 12 --overlap-days 7 --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.platforms.services import rotate_key

    row, text = rotate_key(_find_key(number), actor="operator", overlap=datetime.timedelta(days=overlap_days))
    _show_key(row, text, as_json)


@key.command("change")
@click.argument("number", type=click.IntRange(1, 2**62))
@_scopes
@_addresses
@site_options
def key_change(
    number: int, scopes: Sequence[str], addresses: Sequence[str], data: Path, database_url: str | None
) -> None:
    """Say anew what the key NUMBER opens, and from where. It stays the same key.

    \b
    Example:
      reclaim bank platform key change 12 --scope fetch --scope feedback --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.platforms.services import change_key

    try:
        change_key(_find_key(number), actor="operator", scopes=scopes, addresses=addresses, grants=True)
    except ValueError as error:
        fail(Exit.USAGE, str(error))
    click.echo(f"Key {number} is changed, from its next request on.")


@key.command("revoke")
@click.argument("number", type=click.IntRange(1, 2**62))
@site_options
def key_revoke(number: int, data: Path, database_url: str | None) -> None:
    """End the key NUMBER at once.

    \b
    Example:
      reclaim bank platform key revoke 12 --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.platforms.services import revoke_key

    revoke_key(_find_key(number), actor="operator")
    click.echo(f"Key {number} opens nothing any more.")
