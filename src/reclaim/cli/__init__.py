"""The one entry point, ``reclaim``. Each command lives in a module of its own, loaded when it is called."""

from __future__ import annotations

import importlib

import click

import reclaim

COMMANDS = {
    "bank": "Run a bank: serve it, vet platforms, make and withdraw cases.",
    "bench": "Measure this machine against named peers.",
    "conformance": "Hold a bank or a platform's client to the exchange.",
    "compare": "Compare what a bank gives to browsers with this checkout.",
    "demo": "Serve a bank and a platform on this machine, to try it.",
    "evidence": "Check an evidence pack.",
    "hash": "Fingerprint pictures on this machine.",
    "index": "Build and keep the index of signals.",
    "loop": "Run the whole loop on one picture and show each step.",
    "match": "Run the match service, or match pictures once.",
    "platform": "Run a platform: sync, match, decide, serve the review site.",
    "scan": "Look through a back catalogue.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, so that ``--help`` needs no database."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"reclaim.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(reclaim.__version__, prog_name="reclaim")
def main() -> None:
    """Reclaim: fingerprints leave the device, pictures never do.

    \b
    Example:
      reclaim hash holiday.jpg
    """
