"""``reclaim bank lookup``: what platforms without a list may look up."""

from __future__ import annotations

import json
from pathlib import Path

import click

from reclaim.cli.bank_platform import vetted_or_fail
from reclaim.cli.exits import Exit
from reclaim.cli.options import fail, open_site_or_fail, site_options


@click.group()
def lookup() -> None:
    """Matching as a service: how much each platform may ask, and alarms.

    \b
    Example:
      reclaim bank lookup list --data bank-data
    """


@lookup.command("list")
@site_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def lookup_list(data: Path, database_url: str | None, as_json: bool) -> None:
    """List platforms that look uploads up, how much today, and which one has raised the alarm.

    \b
    Example:
      reclaim bank lookup list --data bank-data
    """
    open_site_or_fail("reclaim.bank.settings", data, database_url)
    from reclaim.bank.lookup.queries import lookup_states

    for state in lookup_states():
        alarm = state.alarm
        if as_json:
            versions = alarm.versions if alarm else None
            stopped = alarm.stopped if alarm else False
            click.echo(
                json.dumps(
                    {
                        "name": state.name,
                        "today": state.today,
                        "a_day": state.a_day,
                        "versions": versions,
                        "stopped": stopped,
                    }
                )
            )
            continue
        click.echo(f"{state.name}: {state.today} of {state.a_day} today")
        if alarm:
            click.echo(
                f"  ALARM since {alarm.raised_at:%Y-%m-%d %H:%M} UTC: it asked for {alarm.versions} versions of one "
                f"picture, some of them not found{'; its lookups are stopped' if alarm.stopped else ''}."
            )


@lookup.command("allow")
@click.argument("name")
@click.option("--a-day", required=True, type=click.IntRange(0, 10_000_000), help="How many lookups a day.")
@site_options
def lookup_allow(name: str, a_day: int, data: Path, database_url: str | None) -> None:
    """Let the platform NAME look up so many uploads a day.

    \b
    Example:
      reclaim bank lookup allow Example --a-day 50000 --data bank-data
    """
    open_site_or_fail("reclaim.bank.settings", data, database_url)
    from reclaim.bank.lookup.services import allow

    found = vetted_or_fail(name)
    allow(found, a_day, "operator")
    click.echo(f"«{name}» may look up {a_day} uploads a day.")


@lookup.command("resume")
@click.argument("name")
@site_options
def lookup_resume(name: str, data: Path, database_url: str | None) -> None:
    """Close the alarm of the platform NAME once you have talked to it; its lookups go on.

    \b
    Example:
      reclaim bank lookup resume Example --data bank-data
    """
    open_site_or_fail("reclaim.bank.settings", data, database_url)
    from reclaim.bank.lookup.services import close_alarm

    found = vetted_or_fail(name)
    if not close_alarm(found, "operator"):
        fail(Exit.ERROR, f"«{name}» has raised no alarm.")
    click.echo(f"The alarm is closed; lookups of «{name}» go on.")
