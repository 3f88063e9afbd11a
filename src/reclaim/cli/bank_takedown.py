"""``reclaim bank recheck`` and ``reclaim bank mail``: whether links are still there, and what came back by mail."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from reclaim.cli.exits import Exit
from reclaim.cli.options import fail, open_site_or_fail, site_options

HELP = {"help_option_names": ["-h", "--help"]}


def _open(data: Path, database_url: str | None) -> None:
    open_site_or_fail("reclaim.bank.settings", data, database_url, migrate=False)


@click.command()
@site_options
@click.option("--seconds", default=600.0, show_default=True, type=click.FloatRange(1), help="For how long.")
@click.option("--workers", default=16, show_default=True, type=click.IntRange(1, 64), help="Hosts asked at a time.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def recheck(data: Path, database_url: str | None, seconds: float, workers: int, as_json: bool) -> None:
    """Look at every link that is due: whether the picture is still there. The bank does some of it by itself.

    \b
    Example:
      reclaim bank recheck --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.takedown.looks import recheck as look_again
    from reclaim.bank.takedown.queries import due_pages

    report = look_again(seconds, workers=workers)
    left = due_pages()
    if as_json:
        click.echo(json.dumps({"looks": report.looks, "outcomes": report.outcomes, "due": left}))
        return
    how = ", ".join(f"{outcome} {count}" for outcome, count in sorted(report.outcomes.items()))
    click.echo(f"Looked at: {report.looks}{f' ({how})' if how else ''}. Still due: {left}.")


@click.group(context_settings=HELP)
def mail() -> None:
    """Take replies to takedown requests in.

    \b
    Example:
      reclaim bank mail fetch --data bank-data
    """


@mail.command("fetch")
@site_options
def mail_fetch(data: Path, database_url: str | None) -> None:
    """Fetch replies from the mailbox that RECLAIM_IMAP_URL names. The bank does it by itself, too.

    \b
    Example:
      reclaim bank mail fetch --data bank-data
    """
    _open(data, database_url)
    from reclaim.bank.takedown.imap import MailboxError, fetch

    try:
        filed = fetch(600.0)
    except MailboxError as error:
        fail(Exit.ERROR, str(error))
    click.echo(", ".join(f"{what.value}: {count}" for what, count in filed.items()) or "Nothing new.")


@mail.command("take")
@site_options
def mail_take(data: Path, database_url: str | None) -> None:
    """File the one message on standard input: what a mail server pipes a reply into.

    \b
    Example:
      reclaim bank mail take --data bank-data < message.eml
    """
    _open(data, database_url)
    from reclaim.bank.takedown.inbox import LARGEST_MESSAGE, Filed, take

    outcome = take(sys.stdin.buffer.read(LARGEST_MESSAGE + 1))
    if outcome in (Filed.TOO_LARGE, Filed.UNREADABLE, Filed.FULL):
        fail(Exit.ERROR, f"The message was not filed: {outcome.value}.")
    click.echo(f"Filed: {outcome.value}.")
