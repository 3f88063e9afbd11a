"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

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
