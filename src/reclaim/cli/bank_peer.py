"""``reclaim bank peer``: other banks, and servers that this bank subscribes to."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from reclaim.cli.exits import Exit
from reclaim.cli.options import fail, open_site_or_fail, site_options

if TYPE_CHECKING:
    from reclaim.bank.federation.queries import PeerState
    from reclaim.bank.peers.models import Peer

A_LONG_READ = 6 * 3600.0
"""Seconds for one peer, when an operator asks: the end of the first read of a large bank, and of an endless one."""
_KEYS = {
    "stopncii": ({"fetch_key", "subscription_key"}, {"feedback_key"}),
    "ncmec": ({"user", "password"}, set[str]()),
}
"""What each kind of server needs, and what it may have besides."""


def _open(data: Path, database_url: str | None) -> None:
    open_site_or_fail("reclaim.bank.settings", data, database_url)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def peer() -> None:
    """Other banks, and StopNCII and NCMEC servers whose signals this bank takes in.

    \b
    Example:
      reclaim bank peer list --data bank-data
    """


@peer.command()
@site_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def identity(data: Path, database_url: str | None, as_json: bool) -> None:
    """Print this bank's number and public key, for the operators of other banks.

    \b
    Example:
      reclaim bank peer identity --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.peers.identity import own_bank_id, own_public_key
    from reclaim.protocol.federation import write_key

    number, key = str(own_bank_id()), write_key(own_public_key())
    if as_json:
        click.echo(json.dumps({"bank_id": number, "bank_key": key}))
    else:
        click.echo(f"Number  {number}\nKey     {key}\nThe key is public. Pass it on where nobody can swap it.")


@peer.command("add")
@click.argument("name")
@click.option("--kind", type=click.Choice(["reclaim", "stopncii", "ncmec"]), default="reclaim", show_default=True)
@click.option("--url", default="", metavar="URL", help="Its address; a bank known through others alone needs none.")
@click.option("--bank-key", metavar="KEY", help="Of a Reclaim bank, as «peer identity» prints it there.")
@click.option(
    "--keys",
    "keys_file",
    type=click.File("r"),
    metavar="FILE",
    help="Of a server: what opens it, as one JSON object; - reads standard input.",
)
@click.option(
    "--most-signals",
    default=1_000_000,
    show_default=True,
    type=click.IntRange(1, 2_000_000_000),
    help="How many of its signals this bank takes in.",
)
@site_options
def peer_add(
    name: str,
    kind: str,
    url: str,
    bank_key: str | None,
    keys_file: Any,
    most_signals: int,
    data: Path,
    database_url: str | None,
) -> None:
    """Take in the signals of NAME: another Reclaim bank, or a StopNCII or NCMEC server.

    Banks add each other: each gives the other its key (docs/federation.md).

    \b
    Example:
      reclaim bank peer add "Bank B" --url https://bank-b.example --bank-key KEY --data bank-data
    """
    public_key, keys = _shown(kind, url, bank_key, keys_file)
    _open(data, database_url)
    from reclaim.bank.federation.services import PeerError, add_peer
    from reclaim.bank.peers.models import Peer

    try:
        added = add_peer(name, Peer.Kind(kind), url, public_key=public_key, keys=keys, most_signals=most_signals)
    except PeerError as error:
        fail(Exit.NAME_TAKEN, str(error))
    except ValueError as error:
        fail(Exit.USAGE, str(error))
    click.echo(f"«{added.name}» is a peer. It is read at the next tick, or now with «reclaim bank peer sync».")


def _shown(kind: str, url: str, bank_key: str | None, keys_file: Any) -> tuple[bytes | None, dict[str, Any] | None]:
    """The bank's key, or a server's keys; ends the command where they do not fit the kind."""
    from reclaim.protocol.federation import read_key

    if kind == "reclaim":
        if bank_key is None or keys_file is not None:
            fail(Exit.USAGE, "A Reclaim bank is added with --bank-key, which its operator's «peer identity» prints.")
        try:
            return read_key(bank_key), None
        except ValueError as error:
            fail(Exit.USAGE, str(error))
    needed, allowed = _KEYS[kind]
    if bank_key is not None or keys_file is None or not url:
        fail(Exit.USAGE, f"A {kind} server is added with --url and --keys; --keys - reads them from standard input.")
    try:
        keys = json.load(keys_file)
    except ValueError:
        keys = None
    if not isinstance(keys, dict) or not needed <= keys.keys():
        fail(Exit.USAGE, f"The keys of a {kind} server are one JSON object with {', '.join(sorted(needed))}.")
    kept = {name: value for name, value in keys.items() if name in needed | allowed}
    if not all(isinstance(value, str) and value for value in kept.values()):
        fail(Exit.USAGE, "Each key is a text.")
    return None, kept


@peer.command("list")
@site_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def peer_list(data: Path, database_url: str | None, as_json: bool) -> None:
    """List peers: when each was last read, how many of its signals are here, and what is wrong.

    \b
    Example:
      reclaim bank peer list --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.federation.queries import peer_states

    for state in peer_states():
        click.echo(json.dumps(_as_json(state)) if as_json else _as_line(state))


def _as_json(state: PeerState) -> dict[str, Any]:
    read = state.synced_at.isoformat(timespec="seconds") if state.synced_at else None
    return {**vars(state), "synced_at": read}


def _as_line(state: PeerState) -> str:
    read = f"read {state.synced_at:%Y-%m-%d %H:%M} UTC" if state.synced_at else "not read so far"
    facts = [f"{state.name} ({state.kind}): {read}", f"signals here: {state.signals}"]
    for count, what in (
        (state.not_taken_in, "withdrawn here"),
        (state.refused, "refused"),
        (state.strangers, "of unknown banks"),
        (state.owed, "deletions to tell"),
    ):
        if count:
            facts.append(f"{what}: {count}")
    return ", ".join(facts) + (f"\n  {state.fault}" if state.fault else "")


@peer.command("remove")
@click.argument("name")
@site_options
def peer_remove(name: str, data: Path, database_url: str | None) -> None:
    """End the peer NAME: it is read and let in no more, and what it alone keeps here is withdrawn.

    \b
    Example:
      reclaim bank peer remove "Bank B" --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.federation.services import remove_peer

    count = remove_peer(_find(name))
    click.echo(f"«{name}» is no peer any more. Of its signals {count} were here; what nobody else has is withdrawn.")


@peer.command("sync")
@click.argument("name", required=False)
@site_options
def peer_sync(name: str | None, data: Path, database_url: str | None) -> None:
    """Read every peer now, or the peer NAME, to its end. The tick does it by itself.

    \b
    Example:
      reclaim bank peer sync "Bank B" --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.federation.sync import sync_peer
    from reclaim.bank.peers.queries import present_peers

    chosen = [_find(name)] if name else list(present_peers())
    faults = 0
    for each in chosen:
        if not each.url:
            continue
        fault = sync_peer(each, budget=A_LONG_READ)
        faults += bool(fault)
        click.echo(f"{each.name}: {fault or 'read to its end.'}", err=bool(fault))
    if faults:
        sys.exit(Exit.BANK_UNREACHABLE)


def _find(name: str) -> Peer:
    from reclaim.bank.peers.queries import find_peer

    found = find_peer(name)
    if found is None:
        _no_such_peer(name)
    return found


def _no_such_peer(name: str) -> NoReturn:
    fail(Exit.ERROR, f"There is no peer named «{name}». «reclaim bank peer list» shows them.")
