"""``reclaim platform adapter``: stand between a platform's software and its review site."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from reclaim.cli.exits import Exit
from reclaim.cli.options import fail

if TYPE_CHECKING:
    from reclaim.adapters.config import AnyConfig

_config = click.argument("path", metavar="CONFIG", type=click.Path(dir_okay=False, path_type=Path))


def _give_up(error: Exception) -> NoReturn:
    sentence = str(error).rstrip(".")
    fail(Exit.ERROR, f"{sentence[:1].upper()}{sentence[1:]}.")


def _not_installed() -> NoReturn:
    fail(Exit.ERROR, "This adapter needs a package that is not installed. Install: pip install 'reclaim[platform]'")


def _read(path: Path) -> AnyConfig:
    from reclaim.adapters.config import read_config
    from reclaim.adapters.errors import ConfigError

    try:
        return read_config(path)
    except ConfigError as error:
        _give_up(error)


@click.group()
def command() -> None:
    """Connect Mastodon, Matrix, an S3-compatible store or a folder to the review site; see docs/platforms/.

    \b
    Example:
      reclaim platform adapter init folder --folder adapter
    """


@command.command()
@click.argument("kind", type=click.Choice(["mastodon", "matrix", "s3", "folder"]))
@click.option(
    "--folder",
    metavar="DIR",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="For the configuration, its secrets and what the adapter remembers; made if it is not there.",
)
@click.option(
    "--review-site", "address", metavar="URL", default="http://127.0.0.1:8100", show_default=True, help="Its address."
)
def init(kind: str, folder: Path, address: str) -> None:
    """Write a configuration with comments, and the files for its secrets, readable by you alone.

    \b
    Example:
      reclaim platform adapter init mastodon --folder adapter
    """
    from pydantic import TypeAdapter, ValidationError

    from reclaim.adapters.config import Address
    from reclaim.adapters.errors import ConfigError
    from reclaim.adapters.init import init as write

    try:
        checked = TypeAdapter(Address).validate_python(address)
    except ValidationError as error:
        fail(Exit.USAGE, error.errors()[0]["msg"].removeprefix("Value error, "))
    if not checked.isprintable() or '"' in checked or "\\" in checked:
        fail(Exit.USAGE, "Write an address as https://site.example.")
    try:
        empty = write(kind, folder, checked)
    except ConfigError as error:
        _give_up(error)
    click.echo(f"Written: {folder / f'{kind}.toml'}. Read it, and fill in: {', '.join(empty)}.")
    click.echo(f"Then see whether everything fits: reclaim platform adapter check {folder / f'{kind}.toml'}")


@command.command()
@_config
def check(path: Path) -> None:
    """See whether the configuration is whole, and everybody that it names answers and knows the keys.

    \b
    Example:
      reclaim platform adapter check adapter/mastodon.toml
    """
    from reclaim.adapters.errors import ConfigError, NotNow

    try:
        from reclaim.adapters.start import check as try_out

        config = try_out(path)
    except ModuleNotFoundError:
        _not_installed()
    except (ConfigError, NotNow) as error:
        _give_up(error)
    click.echo(f"Everything fits. Start it with: reclaim platform adapter run {path}")
    if config.kind != "folder":
        click.echo(f"It will listen on port {config.listen.port}, path /{_PATHS[config.kind]}.")


_PATHS = {"mastodon": "mastodon", "matrix": "matrix/check", "s3": "s3"}


@command.command()
@_config
@click.option("--dry-run", is_flag=True, help="Look everything up, and only say what would be done about it.")
def run(path: Path, dry_run: bool) -> None:
    """Run the adapter until Ctrl-C. After a restart it goes on where it was.

    \b
    Example:
      reclaim platform adapter run adapter/mastodon.toml --dry-run
    """
    from reclaim.adapters.errors import ConfigError
    from reclaim.cli.address import AddressTakenError, check_address

    config = _read(path)
    try:
        from reclaim.adapters.start import run as run_adapter

        if config.kind != "folder":
            check_address(config.listen.host, config.listen.port)
        run_adapter(path, dry_run)
    except ModuleNotFoundError:
        _not_installed()
    except (ConfigError, AddressTakenError) as error:
        _give_up(error)


@command.command()
@_config
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(path: Path, as_json: bool) -> None:
    """Say how many files wait, are held, were removed, or could not be looked up.

    \b
    Example:
      reclaim platform adapter status adapter/mastodon.toml
    """
    from reclaim.adapters.errors import ConfigError
    from reclaim.adapters.queue import counts
    from reclaim.adapters.standing import Standing

    config = _read(path)
    try:
        found = counts(config.path(config.queue))
    except ConfigError as error:
        _give_up(error)
    since = (
        datetime.datetime.fromtimestamp(found.oldest_waiting, datetime.UTC).isoformat(timespec="seconds")
        if found.oldest_waiting
        else None
    )
    by_standing = {each.value: found.standings.get(each.value, 0) for each in Standing}
    if as_json:
        click.echo(json.dumps({"waiting": found.waiting, "waiting_since": since, **by_standing}))
        return
    click.echo(f"Waiting: {found.waiting}" + (f", the oldest since {since}" if since else ""))
    for name, number in by_standing.items():
        click.echo(f"{name}: {number}")


@command.command()
@_config
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def ask(path: Path, file: Path) -> None:
    """Ask the running Matrix adapter whether FILE may be shown; for the matrix-content-scanner's «script».

    \b
    Exit codes: 0 it may; 60 it is held, 61 it was removed, 62 it could not be looked up.

    \b
    Example:
      reclaim platform adapter ask adapter/matrix.toml picture.jpg
    """
    from reclaim.adapters.errors import ConfigError, NotNow
    from reclaim.adapters.matrix import ask as ask_adapter
    from reclaim.adapters.standing import Standing
    from reclaim.signals import EmptyFile, SignalError
    from reclaim.signals.sources import read_bytes

    config = _read(path)
    if config.kind != "matrix":
        fail(Exit.USAGE, "Only the adapter for Matrix answers questions.")
    try:
        standing, let_through = ask_adapter(config, read_bytes(file))
    except EmptyFile:
        standing, let_through = Standing.OTHER, True
    except SignalError as error:
        fail(Exit.NOT_LOOKED_UP, str(error))
    except (ConfigError, NotNow) as error:
        fail(Exit.NOT_LOOKED_UP, str(error))
    click.echo(standing.value)
    if not let_through:
        sys.exit({Standing.HELD: Exit.HELD, Standing.BLOCKED: Exit.REMOVED}.get(standing, Exit.NOT_LOOKED_UP))
