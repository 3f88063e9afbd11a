"""``reclaim demo``: a bank and a platform on this machine, in a throw-away folder."""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
from pathlib import Path

import click
from rich.console import Console

from reclaim.cli.exits import Exit
from reclaim.cli.processes import ProcessFailedError, Site, reclaim, reclaim_json

MEMBER = "demo"
SUPERVISOR = "helper"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--bank-port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--platform-port", default=8100, show_default=True, type=click.IntRange(1, 65535))
def command(bank_port: int, platform_port: int) -> None:
    """Serve a bank and a platform that it has vetted, until Ctrl-C. Nothing is kept afterwards.

    \b
    Example:
      reclaim demo
    """
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    console = Console(stderr=True, highlight=False)
    with tempfile.TemporaryDirectory(prefix="reclaim-demo-") as folder:
        bank_data, platform_data = Path(folder, "bank"), Path(folder, "platform")
        try:
            with Site(["bank", "serve", "--data", bank_data], bank_port) as bank:
                keys = reclaim("bank", "platform", "add", "Example", "--data", bank_data, "--json")
                connected = reclaim_json(
                    "platform",
                    "init",
                    "--data",
                    platform_data,
                    "--bank",
                    bank.url,
                    "--keys",
                    "-",
                    stdin=keys,
                )
                helpline = reclaim_json(
                    "bank",
                    "organisation",
                    "add",
                    "Example Helpline",
                    "--country",
                    "GB",
                    "--language",
                    "en",
                    "--supervisor",
                    SUPERVISOR,
                    "--data",
                    bank_data,
                    "--json",
                )
                reviewer = reclaim_json(
                    "platform", "member", "add", MEMBER, "--role", "reviewer", "--data", platform_data
                )
                staff = reclaim_json("bank", "member", "add", MEMBER, "--role", "operator", "--data", bank_data)
                with Site(["platform", "serve", "--every", "5", "--data", platform_data], platform_port) as platform:
                    passwords = (reviewer["password"], staff["password"], helpline["password"])
                    _show(console, bank, platform, passwords, connected["upload_key"])
                    stop.wait()
                    console.print("Stopping; the folder with everything in it is deleted.")
        except ProcessFailedError as error:
            click.echo(f"The demo could not start: {error}", err=True)
            sys.exit(Exit.ERROR)


def _show(
    console: Console,
    bank: Site,
    platform: Site,
    passwords: tuple[str, str, str],
    upload_key: str,
) -> None:
    console.print(
        f"""
[bold]Reclaim is running.[/bold] Try the loop:

  1. As a person     {bank.url}/          fingerprint photographs and videos, note the number and PIN
  2. As the platform upload an edited copy of the same photograph:
                     curl -H "Authorization: Bearer {upload_key}" \\
                          --data-binary @photo.jpg {platform.url}/api/uploads
  3. As a reviewer   {platform.url}/          sign in as [bold]{MEMBER}[/bold] with [bold]{passwords[0]}[/bold],
                     choose a password, set up an authenticator app as second factor, and decide
  4. As the person   {bank.url}/case/     see what happened, let a helper see it, withdraw
  5. As a helpline   {bank.url}/helpline/   sign in as [bold]{SUPERVISOR}[/bold] with [bold]{passwords[2]}[/bold],
                     choose a password, set up a second factor, and enter the person's code
  6. As bank staff   {bank.url}/staff/    sign in as [bold]{MEMBER}[/bold] with [bold]{passwords[1]}[/bold]

In another language: {bank.url}/ar/ …

Everything is in a throw-away folder. Ctrl-C stops it.
""",
        soft_wrap=True,
    )
