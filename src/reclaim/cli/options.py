"""What several commands share: options, opening a site, ending with one sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from reclaim.cli.address import AddressTakenError, check_address
from reclaim.cli.exits import Exit

Command = TypeVar("Command", bound=Callable[..., Any])


def site_options(command: Command) -> Command:
    """``--data`` and ``--database-url``: which site a command works on."""
    command = click.option(
        "--database-url",
        metavar="URL",
        envvar="RECLAIM_DATABASE_URL",
        help="postgresql://… for PostgreSQL; without it, SQLite in the data folder.",
    )(command)
    return click.option(
        "--data",
        metavar="DIR",
        envvar="RECLAIM_DATA",
        required=True,
        type=click.Path(file_okay=False, path_type=Path),
        help="The site's data folder; made on first use.",
    )(command)


def serving_options(default_port: int) -> Callable[[Command], Command]:
    """``--host``, ``--port`` and ``--workers``: how a site is served."""

    def add(command: Command) -> Command:
        command = click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))(command)
        command = click.option(
            "--port",
            default=default_port,
            show_default=True,
            type=click.IntRange(0, 65535),
            help="0 takes a free one.",
        )(command)
        return click.option("--host", default="127.0.0.1", show_default=True)(command)

    return add


def fail(code: Exit, sentence: str) -> NoReturn:
    """End the command with one sentence on standard error and an exit code."""
    click.echo(sentence, err=True)
    sys.exit(code)


SANDBOX = "sandbox"
"""The file that marks a sandbox's data folder, and the word in its sentences."""


def open_site_or_fail(
    settings: str, data: Path, database_url: str | None, *, migrate: bool = True, sandbox: bool = False
) -> None:
    """Open a site for this command, or end it with a sentence that says what is in the way.

    Only with ``sandbox`` may it be one in which nothing is real.
    """
    from reclaim.sitekit.setup import SiteNotOpenedError, open_site

    if not sandbox and (data / SANDBOX).exists():
        fail(Exit.ERROR, "This is a training sandbox, in which nothing is real. Only «reclaim bank sandbox» opens it.")
    try:
        open_site(settings, data, database_url, migrate=migrate)
    except SiteNotOpenedError as error:
        fail(Exit.ERROR, str(error))
    if settings == "reclaim.bank.settings" and not (data / SANDBOX).exists():
        from reclaim.bank.training.queries import is_sandbox

        if is_sandbox():
            fail(Exit.ERROR, "This database is a training sandbox's. Name the database of a bank, or another folder.")


def insist_on_address(host: str, port: int) -> None:
    """End the command with a sentence if something else serves there."""
    try:
        check_address(host, port)
    except AddressTakenError as error:
        fail(Exit.ERROR, str(error))


def serve_or_fail(name: str, host: str, port: int, beside: Mapping[str, Sequence[str]], workers: int) -> None:
    """Serve the open site until it is stopped, or end the command with a sentence. ``beside`` as ``serve_site``."""
    from reclaim.sitekit.serve import serve_site

    insist_on_address(host, port)
    serve_site(name, host, port, beside, workers)


def printable(path: Path) -> str:
    """A file's name without characters that would steer the terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in str(path))
