"""``reclaim bank push``: tell connected platforms of changes at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from reclaim.cli.address import free_port
from reclaim.cli.options import insist_on_address, open_site_or_fail, site_options

Command = TypeVar("Command", bound=Callable[..., Any])


def events_options(command: Command) -> Command:
    """``--events-port`` and ``--no-events``: whether and where a bank that is served tells of changes."""
    command = click.option("--events/--no-events", default=True, help="Whether platforms are told of changes at once.")(
        command
    )
    return click.option(
        "--events-port",
        type=click.IntRange(1, 65535),
        help="Where they are told; the next port without it. Platforms learn it from the bank.",
    )(command)


def port_of_events(host: str, port: int, events_port: int | None) -> int:
    """The port, free, and known to this process's site. Call it before the site is opened."""
    if events_port is None:
        events_port = port + 1 if 0 < port < 65535 else free_port()
    insist_on_address(host, events_port)
    os.environ["RECLAIM_EVENTS_PORT"] = str(events_port)
    return events_port


@click.command()
@site_options
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8001, show_default=True, type=click.IntRange(1, 65535))
def push(data: Path, database_url: str | None, host: str, port: int) -> None:
    """Tell connected platforms at once that something changed, until Ctrl-C. «bank serve» does so by itself.

    \b
    Example:
      reclaim bank push --data bank-data --port 8001
    """
    insist_on_address(host, port)
    open_site_or_fail("reclaim.bank.settings", data, database_url, migrate=False)
    from reclaim.bank.push.serve import serve

    serve(host, port)
