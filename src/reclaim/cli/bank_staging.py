"""``reclaim bank staging``: a bank of made-up signals on which platforms try their software."""

from __future__ import annotations

from pathlib import Path

import click

from reclaim.cli.bank_push import events_options, port_of_events
from reclaim.cli.exits import Exit
from reclaim.cli.options import fail, open_site_or_fail, serve_or_fail, serving_options, site_options

MARK = "staging"
EXAMPLE = Path(__file__).parent / "data" / "example.jpg"
TICK = 5


@click.command()
@site_options
@serving_options(8200)
@events_options
def staging(
    data: Path, database_url: str | None, host: str, port: int, workers: int, events_port: int | None, events: bool
) -> None:
    """Serve a bank of made-up signals, on which anybody may try a platform's software.

    Whoever applies at /platforms/join/ gets keys at once. Signals come and are withdrawn by themselves. The data folder
    is made on first use, and stays a staging bank for good: it takes nobody's case.

    \b
    Example:
      reclaim bank staging --data staging-data --port 8200
    """
    made = _mark(data)
    if events:
        events_port = port_of_events(host, port, events_port)
    open_site_or_fail("reclaim.bank.settings", data, database_url)
    from reclaim.bank.ledger.services import make_synthetic
    from reclaim.bank.operations.staging import fill
    from reclaim.signals import fingerprint

    if not make_synthetic():
        if made:
            (data / MARK).unlink()
        fail(
            Exit.ERROR,
            "This database holds a bank, which never becomes a staging bank. Name another folder or URL.",
        )
    fill([(signal.type, signal.value) for signal in fingerprint(EXAMPLE).signals()])
    beside = {"ticker": ["bank", "tick", "--every", str(TICK), "--data", str(data)]}
    if events:
        beside["push"] = ["bank", "push", "--host", host, "--port", str(events_port), "--data", str(data)]
    serve_or_fail("staging bank", host, port, beside, workers)


def insist_on_a_real_bank() -> None:
    """End the command if the open site is a staging bank: persons would report to a place that protects nobody."""
    from django.conf import settings

    from reclaim.bank.ledger.queries import is_synthetic

    if is_synthetic():
        fail(Exit.ERROR, "This is a staging bank, whose signals anybody may have. Serve it by «reclaim bank staging».")
    if settings.STAGING:
        fail(Exit.ERROR, f"This bank holds real signals. Remove the file «{MARK}» from its data folder.")


def _mark(data: Path) -> bool:
    """See that the data folder is a staging bank's, or a new one; whether it was made one now."""
    mark = data / MARK
    if mark.exists():
        return False
    if data.exists() and any(data.iterdir()):
        fail(
            Exit.ERROR,
            "This folder is in use, and not by a staging bank. A bank never becomes one: name a folder that is new or "
            "empty.",
        )
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.write_text("A staging bank: every signal here is made up. Do not put this file anywhere else.\n")
    except OSError as error:
        fail(Exit.ERROR, f"This data folder cannot be made: {error.strerror}.")
    return True
