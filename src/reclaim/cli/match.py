"""``reclaim match``: match pictures and signals against a folder of indexes, here or as a service."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reclaim.cli.exits import Exit, exit_for
from reclaim.cli.options import fail, printable

if TYPE_CHECKING:
    from reclaim.matching import Decision, Policy

Command = TypeVar("Command", bound=Callable[..., Any])


def _index_option(command: Command) -> Command:
    return click.option(
        "--index",
        "folder",
        metavar="FOLDER",
        required=True,
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Holds pdq.index, md5.index or both; a platform keeps them in DATA/index.",
    )(command)


def _policy_options(command: Command) -> Command:
    for option in (
        click.option(
            "--hold-distance",
            type=click.IntRange(-1, 64),
            default=31,
            show_default=True,
            help="Hold up to this many bits; -1 never holds for a distance.",
        ),
        click.option(
            "--review-distance",
            type=click.IntRange(0, 64),
            default=31,
            show_default=True,
            help="Review up to this many bits, and search no further.",
        ),
    ):
        command = option(command)
    return command


def _policy(hold_distance: int, review_distance: int) -> Policy:
    from pydantic import ValidationError

    from reclaim.matching import Policy

    try:
        return Policy(hold_distance=hold_distance, review_distance=review_distance)
    except ValidationError:
        fail(Exit.USAGE, "--hold-distance must not exceed --review-distance, which is as far as the search goes.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Match pictures against a folder of indexes, here or as a service over HTTP.

    \b
    Example:
      reclaim match picture upload.jpg --index platform-data/index
    """


@command.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@_index_option
@_policy_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def picture(files: Sequence[Path], folder: Path, hold_distance: int, review_distance: int, as_json: bool) -> None:
    """Match each FILE and say what to do. Nothing is kept, sent or changed.

    A file that cannot be read gets an error of its own while the rest goes on.

    \b
    Exit codes: 0 all files were read, matched or not; 10 not a picture, 11 empty, 12 cut short or damaged,
    13 too large, 15 not found or not readable, where that was the only kind of error; otherwise 1.

    \b
    Example:
      reclaim match picture one.jpg two.png --index platform-data/index --json
    """
    policy = _policy(hold_distance, review_distance)
    from reclaim.matching.decisions import decide_on_signals
    from reclaim.matching.folder import IndexFolder
    from reclaim.signals import SignalError, md5_of
    from reclaim.signals.sources import read_bytes
    from reclaim.signals.turned import turned_crew

    shelf = IndexFolder(folder)
    shelf.refresh()
    if shelf.fault:
        fail(Exit.ERROR, shelf.fault)
    errors = []
    crew = turned_crew(1)
    try:
        for file in files:
            try:
                data = read_bytes(file)
                decision = decide_on_signals(md5_of(data), crew.ask(data, 120.0), shelf.indexes, policy)
            except SignalError as error:
                errors.append(error)
                if as_json:
                    click.echo(json.dumps({"file": str(file), "error": str(error)}))
                else:
                    click.echo(f"{printable(file)}: {error}", err=True)
                continue
            if as_json:
                click.echo(json.dumps({"file": str(file), **decision.model_dump(mode="json")}))
            else:
                click.echo(f"{printable(file)}: {_in_words(decision)}")
    finally:
        crew.end()
        shelf.close()
    if errors:
        sys.exit(exit_for(errors))


def _in_words(decision: Decision) -> str:
    lines = [f"{decision.action.value}. {decision.reason}"]
    for match in decision.matches:
        where = f"{match.distance} bits, {match.turn}, quality {match.quality}" if match.turn else "the same file"
        lines.append(f"  {match.type} {match.id}: {where}")
    if decision.more:
        lines.append("  and more")
    return "\n".join(lines)


@command.command()
@click.option(
    "--keys",
    "path",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Made on first use.",
)
@click.option("--name", default="default", show_default=True, help="Whose key it is; one of the same name ends.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def key(path: Path, name: str, as_json: bool) -> None:
    """Make a key of the match service and print it, once; the file keeps its hash only. It counts within a second.

    To end a key, take its entry out of the file.

    \b
    Example:
      reclaim match key --keys match-keys.json --name upload-servers
    """
    from reclaim.matching.keys import KeyFileError, make_key

    try:
        made = make_key(path, name)
    except ValueError as error:
        fail(Exit.USAGE, str(error))
    except KeyFileError as error:
        fail(Exit.ERROR, str(error))
    if as_json:
        click.echo(json.dumps({"name": name, "key": made}))
    else:
        click.echo(made)


@command.command()
@_index_option
@click.option(
    "--keys",
    "key_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Made by «reclaim match key»; without it match-keys.json beside the folder of indexes.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8200, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes that answer.")
@click.option(
    "--decoders", type=click.IntRange(1, 64), help="Processes that decode pictures, in all; by default one a processor."
)
@click.option(
    "--waiting", default=8, show_default=True, type=click.IntRange(0, 1000), help="Pictures that may wait, a worker."
)
@click.option(
    "--picture-mib", default=32, show_default=True, type=click.IntRange(1, 256), help="Largest picture taken."
)
@click.option(
    "--feed-stale-hours",
    default=24.0,
    show_default=True,
    type=click.FloatRange(min=0.01),
    help="Not ready when the feed was last followed longer ago.",
)
@_policy_options
def serve(
    folder: Path,
    key_file: Path | None,
    host: str,
    port: int,
    workers: int,
    decoders: int | None,
    waiting: int,
    picture_mib: int,
    feed_stale_hours: float,
    hold_distance: int,
    review_distance: int,
) -> None:
    """Serve the match API until Ctrl-C. It follows the folder: what is added or withdrawn there acts within a second.

    \b
    Example:
      reclaim match key --keys match-keys.json
      reclaim match serve --index platform-data/index --keys match-keys.json --workers 2
    """
    policy = _policy(hold_distance, review_distance)
    import tempfile

    from reclaim.cli.address import AddressTakenError, check_address, free_port
    from reclaim.matching.keys import KEY_FILE, KeyFileError, Keys
    from reclaim.matching.service.config import Config
    from reclaim.matching.service.serve import serve as serve_config
    from reclaim.signals.crew import usable_processors

    keys = (key_file or folder.resolve().parent / KEY_FILE).resolve()
    try:
        Keys(keys)
        port = port or free_port()
        check_address(host, port)
    except (KeyFileError, AddressTakenError) as error:
        fail(Exit.ERROR, str(error))
    with tempfile.TemporaryDirectory(prefix="reclaim-match-") as shared:
        config = Config(
            folder=folder.resolve(),
            keys=keys,
            shared=Path(shared),
            policy=policy,
            workers=workers,
            decoders=max(1, (decoders or usable_processors()) // workers),
            waiting=waiting,
            picture_bytes=picture_mib * 2**20,
            feed_stale_after=feed_stale_hours * 3600,
        )
        serve_config(config, host, port)
