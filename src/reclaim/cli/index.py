"""``reclaim index``: make a folder of indexes out of a file of signals, look at one, change one.

Signals come from files and standard input, never from the command line: a shell remembers what is typed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reclaim.cli.exits import Exit
from reclaim.cli.options import fail

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from reclaim.cli.index_build import LeftOut
    from reclaim.index import StoredIndex

NAMES = {"pdq": "pdq.index", "md5": "md5.index"}
ALL_NAMES = {**NAMES, "video": "video.index"}
"""The last one is there only if there are videos."""

_folder = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Make, look at and change a folder of indexes: pdq.index, md5.index and, for videos, video.index.

    \b
    Example:
      reclaim index build signals.csv --out indexes
    """


@command.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", required=True, metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "csv", "jsonl", "parquet"]),
    help="By default the end of the file's name says it: .csv, .jsonl, .parquet, anything else is text.",
)
@click.option("--compact", is_flag=True, help="Less memory a signal; queries take longer.")
@click.option("--replace", is_flag=True, help="Put the new indexes in the place of the ones that are there.")
@_json
def build(source: Path, out: Path, kind: Any, compact: bool, replace: bool, as_json: bool) -> None:
    """Make FOLDER/pdq.index and FOLDER/md5.index out of a file of signals.

    Text: one signal a line, a PDQ (64 hexadecimal characters) or an MD5 (32), and after a space its id. CSV, JSON
    lines, Parquet: the columns or fields type (pdq or md5), value and id. Without an id the line's number is the id.
    JSON lines may also have videos, as «reclaim hash --type video --json» prints them: type (vpdq), frames and id. They
    make FOLDER/video.index.

    Lines that cannot be used are counted and left out; the first 20 are named by their number and the reason. Then
    the exit status is 1, and the indexes hold the rest. A file without a single signal makes no index.

    \b
    Examples:
      reclaim index build signals.csv --out indexes
      reclaim index build hashes.txt --out indexes --compact --replace
    """
    from reclaim.cli.index_build import THERE, Builder
    from reclaim.cli.signal_lines import BadFileError, kind_of, read_signals
    from reclaim.index import LogInUse
    from reclaim.index.pair import create_pairs

    if not replace and any((out / name).exists() for name in ALL_NAMES.values()):
        fail(Exit.ERROR, THERE)
    builder = Builder(compact=compact)
    try:
        with _bar() as progress:
            reading = progress.add_task("Reading", total=None)
            for line in read_signals(
                source, kind or kind_of(source), lambda done, of: _tell(progress, reading, done, of)
            ):
                builder.take(line)
            indexing = progress.add_task("Indexing", total=None)
            indexes = builder.finish(lambda done, of: _tell(progress, indexing, done, of))
        if not any(map(len, indexes.values())):
            _show(builder.left_out)
            fail(Exit.ERROR, "There is no signal in this file that can be used; nothing was written.")
        if not builder.videos and not (out / ALL_NAMES["video"]).exists():
            del indexes["video"]
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        create_pairs({out / ALL_NAMES[each]: index for each, index in indexes.items()}, replace=replace)
    except (BadFileError, LogInUse) as error:
        fail(Exit.ERROR, str(error))
    except FileExistsError:
        fail(Exit.ERROR, THERE)
    except OSError as error:
        fail(Exit.ERROR, f"The files could not be read or written: {error.strerror}.")
    except MemoryError:
        fail(Exit.ERROR, "There is too little memory for so many signals; --compact needs less.")
    counts = {each: len(indexes[each]) for each in NAMES} | ({"video": builder.videos} if "video" in indexes else {})
    _finish(counts, builder.left_out, "signals indexed", as_json)


@command.command()
@_folder
@_json
def info(folder: Path, as_json: bool) -> None:
    """Check the indexes in FOLDER and say what they hold.

    \b
    Example:
      reclaim index info indexes
    """
    about = []
    for kind in _kinds(folder):
        with _opened(folder, kind) as stored:
            about.append(_about(kind, stored))
    if as_json:
        click.echo(json.dumps({"indexes": about}))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(caption="Every byte was checked.")
    for title in about[0]:
        table.add_column(title.replace("_", " "), justify="left" if title in ("index", "mode", "identity") else "right")
    for row in about:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell or "") for cell in row.values()))
    Console(width=100).print(table)


@command.command()
@_folder
@_json
def add(folder: Path, as_json: bool) -> None:
    """Put signals from standard input into the indexes of FOLDER: one a line, its value and its id.

    \b
    Example:
      reclaim index add indexes < new.txt
    """
    from reclaim.cli.index_build import adding

    _change(folder, adding, "signals added", as_json)


@command.command()
@_folder
@_json
def remove(folder: Path, as_json: bool) -> None:
    """Take signals from standard input out of the indexes of FOLDER: one value a line, under every id it has.

    After a space, an id: only that one. The files hold what was removed until «reclaim index compact».

    \b
    Example:
      reclaim index remove indexes < withdrawn.txt
    """
    from reclaim.cli.index_build import removing

    _change(folder, removing, "signals removed", as_json)


@command.command()
@_folder
def compact(folder: Path) -> None:
    """Write the indexes of FOLDER anew without what was removed from them.

    \b
    Example:
      reclaim index compact indexes
    """
    for kind in _kinds(folder):
        with _opened(folder, kind, writable=True) as stored:
            stored.compact()


def _change(folder: Path, change: Any, done: str, as_json: bool) -> None:
    from reclaim.cli.signal_lines import read_lines

    with _opened(folder, "pdq", writable=True) as pdq, _opened(folder, "md5", writable=True) as md5:
        stdin = sys.stdin.buffer
        if stdin.isatty():
            click.echo("One signal a line; end with Ctrl-D.", err=True)
        counts, left_out = change({"pdq": pdq, "md5": md5}, read_lines(stdin, "text", lambda _: None))
    _finish(counts, left_out, done, as_json)


def _kinds(folder: Path) -> list[str]:
    """Those that have to be there, and that of videos if it is."""
    return [kind for kind, name in ALL_NAMES.items() if kind in NAMES or (folder / name).exists()]


@contextmanager
def _opened(folder: Path, kind: str, *, writable: bool = False) -> Iterator[StoredIndex]:
    """The index, or the end of the command with a sentence."""
    from reclaim.index import IndexFileError, StoredIndex

    name = ALL_NAMES[kind]
    if not (folder / name).exists():  # before the writer's lock would leave a file there
        fail(Exit.ERROR, f"The folder holds no {name}. Make one with: reclaim index build SOURCE --out FOLDER")
    try:
        with StoredIndex(folder / name, writable=writable) as stored:
            yield stored
    except IndexFileError as error:
        fail(Exit.ERROR, f"{name}: {error}")
    except OSError as error:
        fail(Exit.ERROR, f"{name} cannot be read or written: {error.strerror}.")
    except MemoryError:
        fail(Exit.ERROR, f"{name}: There is too little memory. Make room and give the command again.")


def _about(kind: str, stored: StoredIndex) -> dict[str, object]:
    about = stored.about()
    return {
        "index": kind,
        "signals": about.signals,
        "mode": about.mode,
        "bytes_per_signal": round(about.memory_bytes / about.signals) if about.signals else None,
        "changes_in_log": about.changes,
        "identity": f"{about.identity:016x}",
    }


def _finish(counts: dict[str, int], left_out: LeftOut, done: str, as_json: bool) -> None:
    if as_json:
        lines = [{"line": line.number, "reason": line.reason} for line in left_out.first]
        click.echo(json.dumps({**counts, "left_out": left_out.count, "lines": lines}))
    else:
        click.echo(", ".join(f"{count:,} {kind}" for kind, count in counts.items()) + f" {done}.")
    _show(left_out)
    if left_out.count:
        sys.exit(Exit.ERROR)


def _show(left_out: LeftOut) -> None:
    for line in left_out.first:
        click.echo(f"line {line.number}: {line.reason}", err=True)
    if left_out.count:
        many = f"{left_out.count:,} lines were" if left_out.count > 1 else "1 line was"
        click.echo(
            f"{many} left out{', the first of them above' if left_out.count > len(left_out.first) else ''}.", err=True
        )


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _tell(progress: Progress, task: TaskID, done: int, of: int) -> None:
    progress.update(task, completed=done, total=of)
