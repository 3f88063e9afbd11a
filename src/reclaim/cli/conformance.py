"""``reclaim conformance``: hold a bank, or a platform's client, to what the exchange needs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console

from reclaim.cli.exits import Exit
from reclaim.cli.options import fail
from reclaim.conformance.outcome import Outcome, Result


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--against", metavar="URL", help="Check the bank at this address, such as https://bank.example.")
@click.option(
    "--keys",
    "keys_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The platform's keys for --against, as the bank gave them.",
)
@click.option("--write", is_flag=True, help="Also send signals, words and withdrawals: for a staging bank only.")
@click.option("--client", metavar="CMD", help="Check the client that CMD runs; or «threatexchange», or «reclaim».")
@click.option("--wire", type=click.Choice(["v1", "v2"]), default="v1", show_default=True, help="Which wire to speak.")
@click.option("--only", metavar="NAME", multiple=True, help="This check alone; again for more.")
@click.option("--seconds", default=60.0, show_default=True, help="How long one run of the client may take.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write the results as JUnit XML here.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a check.")
def command(
    against: str | None,
    keys_file: Path | None,
    write: bool,
    client: str | None,
    wire: str,
    only: tuple[str, ...],
    seconds: float,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Check a bank or a platform's client, and say what fails and how to mend it.

    Exit code 0 if nothing failed, 50 if something did.

    \b
    Examples:
      reclaim conformance --client threatexchange
      reclaim conformance --against https://staging.bank.example --keys keys.json --wire v2 --write
    """
    if (against is None) == (client is None):
        fail(Exit.USAGE, "Name either a bank (--against URL --keys FILE) or a client (--client CMD).")
    if against is not None:
        if keys_file is None:
            fail(Exit.USAGE, "A bank answers nobody without keys: name the file with --keys.")
        results = _against(against, keys_file, wire, write, only)
    else:
        results = _client(client or "", wire, seconds, only)
    console = Console(highlight=False)
    found = []
    for result in results:
        found.append(result)
        if as_json:
            click.echo(json.dumps(result.__dict__))
        else:
            from reclaim.conformance.report import show

            show(console, result)
    if not found:
        fail(Exit.USAGE, f"There is no check named {', '.join(only)}. docs/conformance.md lists them.")
    from reclaim.conformance.report import summary, write_junit

    if junit is not None:
        try:
            write_junit(junit, f"reclaim conformance {wire}", found)
        except OSError as error:
            fail(Exit.ERROR, f"The report could not be written: {error.strerror}.")
    if not as_json:
        console.print(f"\n{summary(found)}")
    if any(result.outcome is Outcome.FAILED for result in found):
        sys.exit(Exit.DOES_NOT_CONFORM)


def _client(client: str, wire: str, seconds: float, only: tuple[str, ...]) -> Iterator[Result]:
    from reclaim.conformance.clients.scenarios import CLIENT_CHECKS
    from reclaim.conformance.clients.stage import NoSuchClientError, Stage, command_of
    from reclaim.conformance.outcome import Check, run_checks

    def staged(check: Check[Stage]) -> Check[Stage]:
        def run(stage: Stage) -> None:
            with stage:
                check.run(stage)

        return Check(check.name, check.title, check.why, run)

    try:
        words = command_of(client)
        checks = [staged(check) for check in CLIENT_CHECKS if not only or check.name in only]
        yield from run_checks(checks, lambda: Stage(words, wire, seconds))
    except NoSuchClientError as error:
        fail(Exit.USAGE, str(error))


def _against(url: str, keys_file: Path, wire: str, write: bool, only: tuple[str, ...]) -> Iterator[Result]:
    from reclaim.conformance.banks.checks import BANK_CHECKS
    from reclaim.conformance.banks.wire import BankUnderTest, UnreadableKeysError
    from reclaim.conformance.outcome import run_checks

    try:
        bank = BankUnderTest.open(url, keys_file, wire, write=write)
    except (UnreadableKeysError, ValueError) as error:
        fail(Exit.USAGE, str(error))
    checks = [check for check in BANK_CHECKS if not only or check.name in only]
    yield from run_checks(checks, lambda: bank)
