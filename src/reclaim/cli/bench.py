"""``reclaim bench``: measure this machine. The measuring itself lies beside the package, in a checkout's ``bench``."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

import reclaim
from reclaim.cli.exits import Exit
from reclaim.cli.options import fail


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Measure this machine against named peers, in the same run.

    \b
    Example:
      reclaim bench index --n 100000
    """


def _measuring(name: str) -> Any:
    checkout = Path(reclaim.__file__).resolve().parents[2]
    if not any((checkout / "bench" / file).is_file() for file in (f"{name}.py", f"{name}/__init__.py")):
        fail(Exit.ERROR, "The benches need a checkout of the project: clone it, and run «make setup» there.")
    if importlib.util.find_spec("threatexchange") is None:
        fail(Exit.ERROR, "The peers to measure against are missing. Install them with: make bench")
    sys.path.insert(0, str(checkout))
    return importlib.import_module(f"bench.{name}")


def _measure(name: str, as_json: bool, *arguments: int) -> None:
    measuring = _measuring(name)
    _show(measuring.run(*arguments), measuring, as_json)


def _show(found: dict[str, Any], measuring: Any, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found))
    else:
        Console(width=160).print(measuring.table(found))


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@command.command()
@click.option("--n", "count", default=1_000_000, show_default=True, type=click.IntRange(1000, 200_000_000))
@json_option
def index(count: int, as_json: bool) -> None:
    """Search among N signals, against faiss: latency, rate, build, memory, recall.

    \b
    Example:
      reclaim bench index --n 1000000 --json
    """
    _measure("index", as_json, count)


@command.command()
@click.option("--n", "count", default=10_000, show_default=True, type=click.IntRange(1000, 1_000_000))
@json_option
def candidates(count: int, as_json: bool) -> None:
    """Pictures that an upload shows by its descriptors, in a bank of N such pictures.

    \b
    Example:
      reclaim bench candidates --n 100000
    """
    _measure("candidates", as_json, count)


@command.command(name="hash")
@json_option
def hash_(as_json: bool) -> None:
    """From a 12-megapixel JPEG to its signal and its matches, against other ways.

    \b
    Example:
      reclaim bench hash
    """
    _measure("hash", as_json)


@command.command()
@click.option("--originals", default=12, show_default=True, type=click.IntRange(2, 40))
@json_option
def video(originals: int, as_json: bool) -> None:
    """How much of edited copies of videos is found, and what wrongly, against the vpdq package.

    \b
    Example:
      reclaim bench video
    """
    _measure("video", as_json, originals)


@command.command()
@json_option
def service(as_json: bool) -> None:
    """The match service over HTTP: latency, rate, memory, and how soon a change acts.

    \b
    Example:
      reclaim bench service
    """
    _measure("service", as_json)


@command.command()
@json_option
def scan(as_json: bool) -> None:
    """Scan a back catalogue, against decoding alone, on one and two processes and on Ray.

    \b
    Example:
      reclaim bench scan
    """
    _measure("scan", as_json)


@command.command()
@click.option("--pictures", type=click.IntRange(5, 1000), help="Only so many photographs of each part, to be quick.")
@click.option("--plot", type=click.Path(file_okay=False, path_type=Path), help="Draw into this folder.")
@json_option
def derive(pictures: int | None, plot: Path | None, as_json: bool) -> None:
    """How many edited copies of photographs are found, by each stage, with no false match.

    \b
    Example:
      reclaim bench derive --pictures 10
    """
    measuring = _measuring("derive")
    found = measuring.run(pictures)
    if plot is not None:
        importlib.import_module("bench.derive.plots").draw(found, plot)
    _show(found, measuring, as_json)


@command.command()
@click.option("--pictures", type=click.IntRange(5, 1000), help="Only so many photographs of each part, to be quick.")
@click.option("--plot", type=click.Path(file_okay=False, exists=True, path_type=Path), help="Draw into this folder.")
@json_option
def leakage(pictures: int | None, plot: Path | None, as_json: bool) -> None:
    """What a stolen bank tells of its pictures, with and without descriptors and their placement.

    \b
    Example:
      reclaim bench leakage --pictures 20
    """
    measuring = _measuring("leakage")
    _show(measuring.run(pictures, plot), measuring, as_json)
